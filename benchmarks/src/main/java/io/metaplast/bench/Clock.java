package io.metaplast.bench;

/** The clock rate in force, measured: needed to turn times into cycles. */
final class Clock {
  /** About half a millisecond: short enough to fall between two interruptions on a busy machine. */
  private static final int STEPS = 300_000;

  private static final int ATTEMPTS = 300;

  /** Three shifts and three exclusive ors, each needs the one before and takes one cycle. */
  private static final int CYCLES_PER_STEP = 6;

  private static long sink;

  private Clock() {}

  /**
   * Gigahertz from a chain of dependent shifts and exclusive ors (Marsaglia's xorshift, which no compiler can shorten), one cycle each on
   * every x86-64 and ARM core of the last ten years; the best of many tries.
   */
  static double gigahertz() {
    double best = 0;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      long start = System.nanoTime();
      long x = start | 1;
      for (int i = 0; i < STEPS; i++) {
        x ^= x << 13;
        x ^= x >>> 7;
        x ^= x << 17;
      }
      double nanos = System.nanoTime() - start;
      // the result must be used, or the loop is compiled away
      sink += x;
      best = Math.max(best, STEPS * (double) CYCLES_PER_STEP / nanos);
    }
    return best;
  }
}
