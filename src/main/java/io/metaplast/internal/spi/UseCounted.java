package io.metaplast.internal.spi;

import java.util.concurrent.atomic.AtomicInteger;

/** A resource with a use count: calls in flight hold it, and a close during a call frees it only when the last of them has returned. */
public abstract class UseCounted {
  private static final int CLOSED = 1 << 30;

  private final AtomicInteger state = new AtomicInteger(); // users, plus CLOSED

  public final boolean isClosed() {
    return state.get() >= CLOSED;
  }

  /**
   * Takes the resource for a call.
   *
   * @throws IllegalStateException if it is closed; the message starts with {@code name}
   */
  public final void acquire(String name) {
    int s;
    do {
      s = state.get();
      if (s >= CLOSED) {
        throw new IllegalStateException(name + " is closed");
      }
    } while (!state.compareAndSet(s, s + 1));
  }

  /** Gives it back; frees it if it was closed meanwhile. */
  public final void release() {
    if (state.decrementAndGet() == CLOSED) {
      free();
    }
  }

  /** Refuses further calls and frees the resource as soon as no call uses it; whether this was the first close. */
  public final boolean closeOnce() {
    int s;
    do {
      s = state.get();
      if (s >= CLOSED) {
        return false;
      }
    } while (!state.compareAndSet(s, s + CLOSED));
    if (s == 0) {
      free();
    }
    return true;
  }

  /** Called once, when closed and unused. */
  protected abstract void free();
}
