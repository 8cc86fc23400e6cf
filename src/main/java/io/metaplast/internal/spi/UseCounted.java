package io.metaplast.internal.spi;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A resource that calls in flight use: a close during a call frees it only when the last of them has returned. Kernel calls name what they use in
 * {@link CallUses}; transfers and allocations, which are dearer and may be nested, count themselves with {@link #acquire} and {@link #release}.
 */
public abstract class UseCounted {
  private static final int CLOSED = 1 << 30;
  private static final int FREED = CLOSED | 1 << 29;

  private static final System.Logger LOG = System.getLogger("io.metaplast");

  /** Closed and, when last looked at, in use by a kernel call. */
  private static final ConcurrentLinkedQueue<UseCounted> WAITING = new ConcurrentLinkedQueue<>();

  private static final AtomicInteger WAITING_COUNT = new AtomicInteger();
  private static final AtomicBoolean LOOKING_LATER = new AtomicBoolean();
  private static final long LOOK_AGAIN_NANOS = 20_000;
  private static final long LATER_MILLIS = 1;
  private static final long LATEST_MILLIS = 1000;

  /** What {@link CallUses} remembers of a resource: nothing that keeps its memory reachable. */
  static final class State {
    private static final VarHandle VALUE;

    static {
      try {
        VALUE = MethodHandles.lookup().findVarHandle(State.class, "value", int.class);
      } catch (ReflectiveOperationException e) {
        throw new ExceptionInInitializerError(e);
      }
    }

    @SuppressWarnings("unused") // through VALUE
    private volatile int value; // counted users, plus CLOSED; FREED in the end

    boolean isClosed() {
      return value >= CLOSED;
    }
  }

  private final State state = new State();

  final State state() {
    return state;
  }

  public final boolean isClosed() {
    return state.isClosed();
  }

  /**
   * Takes the resource.
   *
   * @throws IllegalStateException if it is closed; the message starts with {@code name}
   */
  public final void acquire(String name) {
    int s;
    do {
      s = state.value;
      if (s >= CLOSED) {
        throw new IllegalStateException(name + " is closed");
      }
    } while (!State.VALUE.compareAndSet(state, s, s + 1));
  }

  /** Gives it back; frees it if it was closed meanwhile. */
  public final void release() {
    if ((int) State.VALUE.getAndAdd(state, -1) - 1 == CLOSED) {
      freeOrWait();
    }
  }

  /** Refuses further calls and frees the resource as soon as no call uses it; whether this was the first close. */
  public final boolean closeOnce() {
    int s;
    do {
      s = state.value;
      if (s >= CLOSED) {
        return false;
      }
    } while (!State.VALUE.compareAndSet(state, s, s + CLOSED));
    if (s == 0) {
      freeOrWait();
    }
    return true;
  }

  /** Called once, when closed and unused. */
  protected abstract void free();

  /** Frees if no call uses it; false if one does. Only for what is closed and has no counted users. */
  private boolean freeIfUnused() {
    // Between the store that closed it and the look at the calls: either this look finds a call, or the call finds it closed (see CallUses.publish).
    VarHandle.fullFence();
    if (state.value == CLOSED) {
      if (CallUses.anyOf(state)) {
        return false;
      }
      if (State.VALUE.compareAndSet(state, CLOSED, FREED)) {
        if (WAITING.remove(this)) {
          WAITING_COUNT.decrementAndGet();
        }
        free();
      }
    }
    return true;
  }

  /**
   * Frees, or leaves that to the end of the call that uses it. A call ends without a fence, so its end may just have missed that something waits: hence the
   * second look for a while, and one later by a thread of its own, however unlikely it is that anything is left for that.
   */
  private void freeOrWait() {
    if (freeIfUnused()) {
      return;
    }
    WAITING.add(this);
    WAITING_COUNT.incrementAndGet();
    long start = System.nanoTime();
    do {
      if (freeIfUnused()) {
        return;
      }
      Thread.onSpinWait();
    } while (System.nanoTime() - start < LOOK_AGAIN_NANOS);
    lookLater(LATER_MILLIS);
  }

  /** Whether something waits for the end of a call. */
  static boolean anyWaiting() {
    return WAITING_COUNT.get() != 0;
  }

  /** Frees what waits and is not used any more. */
  static void freeWaiting() {
    for (UseCounted resource : WAITING) {
      try {
        resource.freeIfUnused();
      } catch (RuntimeException e) {
        LOG.log(System.Logger.Level.WARNING, "what was closed during a call could not be freed after it", e); // no fault of the call that runs this
      }
    }
  }

  private static void lookLater(long millis) {
    if (LOOKING_LATER.compareAndSet(false, true)) {
      CompletableFuture.delayedExecutor(millis, TimeUnit.MILLISECONDS)
          .execute(
              () -> {
                LOOKING_LATER.set(false);
                freeWaiting();
                if (anyWaiting()) {
                  lookLater(Math.min(2 * millis, LATEST_MILLIS));
                }
              });
    }
  }
}
