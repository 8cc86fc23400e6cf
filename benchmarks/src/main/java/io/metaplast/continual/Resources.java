package io.metaplast.continual;

import java.util.Deque;

/** Closes what a class owns. */
final class Resources {
  private Resources() {}

  /** Closes all, last opened first; every one is closed even if another fails, whose exception is then thrown. */
  static void closeAll(Deque<AutoCloseable> resources) {
    RuntimeException failure = null;
    while (!resources.isEmpty()) {
      try {
        resources.pop().close();
      } catch (Exception e) {
        if (failure == null) {
          failure = new IllegalStateException("closing failed: " + e.getMessage(), e);
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
