package io.metaplast.internal.java;

import java.util.Arrays;

/**
 * Counts elements that are not > 0 (NaN included), fast when there are none: a comparison per element does not vectorise, a minimum does.
 */
final class Positive {
  private static final int SCAN = 512;

  private Positive() {}

  /** Elements of x[from..from+n) that are not > 0; n is at most a chunk, {@code spare} is a chunk. */
  static int violations(float[] x, int from, int n, float[] spare) {
    if (n > SCAN) {
      System.arraycopy(x, from, spare, 0, n);
      Arrays.fill(spare, n, Scratch.CHUNK, 1f);
      fold2048(spare);
      fold1024(spare);
      fold512(spare);
      if (count(spare, 0, SCAN) == 0) {
        return 0;
      }
    }
    return count(x, from, from + n);
  }

  // Math.min keeps NaN, and the smaller of two numbers: whatever is not > 0 survives. The distances are constants because the loops
  // vectorise only then

  private static void fold2048(float[] x) {
    for (int i = 0; i < 2048; i++) {
      x[i] = Math.min(x[i], x[i + 2048]);
    }
  }

  private static void fold1024(float[] x) {
    for (int i = 0; i < 1024; i++) {
      x[i] = Math.min(x[i], x[i + 1024]);
    }
  }

  private static void fold512(float[] x) {
    for (int i = 0; i < 512; i++) {
      x[i] = Math.min(x[i], x[i + 512]);
    }
  }

  private static int count(float[] x, int from, int to) {
    int count = 0;
    for (int i = from; i < to; i++) {
      if (!(x[i] > 0f)) {
        count++;
      }
    }
    return count;
  }
}
