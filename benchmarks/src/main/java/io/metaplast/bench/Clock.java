package io.metaplast.bench;

/** The clock rate in force, measured: needed to turn times into cycles. */
final class Clock {
  /** Half a millisecond: short enough to fall between two interruptions on a busy machine. */
  private static final int STEPS = 500_000;
  private static final int ATTEMPTS = 300;
  private static final int MULTIPLY_LATENCY = 3;
  private static final int ADD_LATENCY = 1;

  private static long sink;

  private Clock() {}

  /**
   * Gigahertz from a chain of dependent multiplications and additions, whose latency is three and one cycles on every x86-64 and ARM core
   * of the last ten years; the best of many tries.
   */
  static double gigahertz() {
    double best = 0;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      long x = System.nanoTime();
      long start = System.nanoTime();
      for (int i = 0; i < STEPS; i++) {
        x = x * 6364136223846793005L + 1442695040888963407L;
      }
      double nanos = System.nanoTime() - start;
      // the result must be used, or the loop is compiled away
      sink += x;
      best = Math.max(best, STEPS * (double) (MULTIPLY_LATENCY + ADD_LATENCY) / nanos);
    }
    return best;
  }
}
