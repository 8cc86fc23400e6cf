package io.metaplast.internal;

import java.lang.ref.Cleaner;

/** Reports memory that was forgotten: a warning when it becomes unreachable without having been closed. Frees nothing. */
final class LeakWatch implements Runnable {
  private static final Cleaner CLEANER = Cleaner.create();
  private static final System.Logger LOG = System.getLogger("io.metaplast");

  private final String what;
  private final Cleaner.Cleanable cleanable;
  private volatile boolean closed;

  private LeakWatch(Object watched, String what) {
    this.what = what;
    this.cleanable = CLEANER.register(watched, this);
  }

  /** Watches {@code watched}; {@code what} starts the message. The returned action ends the watch. */
  static Runnable watch(Object watched, String what) {
    return new LeakWatch(watched, what)::closed;
  }

  private void closed() {
    closed = true;
    cleanable.clean();
  }

  @Override
  public void run() {
    if (!closed) {
      LOG.log(
          System.Logger.Level.WARNING,
          what + " was never closed: close every buffer and group that you allocate (the garbage collector frees no native or device memory)");
    }
  }
}
