package io.metaplast.internal.spi;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * One piece of backend memory with a use count: calls in flight hold it, and a close during a call frees it only when the last of them has returned.
 */
public abstract class Memory {
  private static final int CLOSED = 1 << 30;

  private final BackendProvider provider;
  private final long bytes;
  private final AtomicInteger state = new AtomicInteger(); // users, plus CLOSED

  protected Memory(BackendProvider provider, long bytes) {
    this.provider = provider;
    this.bytes = bytes;
  }

  public final BackendProvider provider() {
    return provider;
  }

  public final long bytes() {
    return bytes;
  }

  public final boolean isClosed() {
    return state.get() >= CLOSED;
  }

  /** Takes the memory for a call. */
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

  public final void close() {
    int s;
    do {
      s = state.get();
      if (s >= CLOSED) {
        return;
      }
    } while (!state.compareAndSet(s, s + CLOSED));
    if (s == 0) {
      free();
    }
  }

  /** Base address of native memory; 0 for memory in the Java heap. */
  public abstract long address();

  /** Called once, when closed and unused. */
  protected abstract void free();
}
