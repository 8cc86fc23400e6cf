package io.metaplast.internal.java;

/** Sums of set bits over rows of 32-bit words: int and not long, because Integer.bitCount vectorises on JDK 17 too. */
final class Popcounts {
  private static final int WORDS = 4;

  private Popcounts() {}

  /**
   * count += bits in which the words of four rows differ from w0..w3. One plain sum: the JIT compiler does not vectorise one with
   * parentheses.
   */
  private static void four(int[] count, int[] x0, int[] x1, int[] x2, int[] x3, int w0, int w1, int w2, int w3, int n) {
    for (int i = 0; i < n; i++) {
      count[i] += Integer.bitCount(w0 ^ x0[i]) + Integer.bitCount(w1 ^ x1[i]) + Integer.bitCount(w2 ^ x2[i]) + Integer.bitCount(w3 ^ x3[i]);
    }
  }

  /** Bits in which n words of a from {@code at} and of b from {@code bAt} on differ. */
  static int differing(long[] a, int at, long[] b, int bAt, int n) {
    int count = 0;
    for (int i = 0; i < n; i++) {
      count += Long.bitCount(a[at + i] ^ b[bAt + i]);
    }
    return count;
  }

  /** As the loop above, two rows. */
  static void two(int[] count, int[] x0, int[] x1, int w0, int w1, int n) {
    for (int i = 0; i < n; i++) {
      count[i] += Integer.bitCount(w0 ^ x0[i]) + Integer.bitCount(w1 ^ x1[i]);
    }
  }

  /** count += bits in which {@code longs} (at most 4) 64-bit words from words[at] on differ from the rows of a tile, low halves first. */
  static void differing(int[] count, int[][] tile, long[] words, int at, int longs, int n) {
    for (int l = 0; l < longs; l += WORDS / 2) {
      long a = words[at + l];
      long b = words[at + l + 1];
      int t = 2 * l;
      four(count, tile[t], tile[t + 1], tile[t + 2], tile[t + 3], (int) a, (int) (a >>> 32), (int) b, (int) (b >>> 32), n);
    }
  }

  /** The same for {@code n32} 32-bit words, any number. */
  static void differing(int[] count, int[][] tile, int[] words, int at, int n32, int n) {
    int t = 0;
    for (; t + WORDS <= n32; t += WORDS) {
      int w = at + t;
      four(count, tile[t], tile[t + 1], tile[t + 2], tile[t + 3], words[w], words[w + 1], words[w + 2], words[w + 3], n);
    }
    for (; t < n32; t++) {
      one(count, tile[t], words[at + t], n);
    }
  }

  private static void one(int[] count, int[] x, int w, int n) {
    for (int i = 0; i < n; i++) {
      count[i] += Integer.bitCount(w ^ x[i]);
    }
  }
}
