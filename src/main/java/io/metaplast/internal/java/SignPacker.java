package io.metaplast.internal.java;

/**
 * Long runs of floats to words of bits, in loops that vectorise: every element becomes its own bit of a 32-bit word, or 0, and the words of
 * 32 elements are put together. What is put together is the complement, so that elements behind the end, which are set there, become zeros.
 * Belongs to one thread.
 */
final class SignPacker {
  private static final int ONE_BITS = 0x3F800000;
  private static final int INFINITY_BITS = 0x7F800000;
  private static final int SIGN_SHIFT = 31;

  /** Shorter runs go element by element. */
  private static final int SHORT = 256;

  private final FloatBits floatBits = new FloatBits();
  private final int[] bits = new int[Scratch.CHUNK];
  private final int[] own = new int[Scratch.CHUNK];

  SignPacker() {
    for (int i = 0; i < own.length; i++) {
      own[i] = 1 << i;
    }
  }

  /** As {@link BitRows#packSigns}, n <= CHUNK. */
  void signs(float[] x, int at, int n, long[] words, int to) {
    if (n < SHORT) {
      BitRows.packSigns(x, at, n, words, to);
    } else {
      floatBits.toBits(x, at, bits, n);
      negative(bits, own, n);
      join(n, words, to);
    }
  }

  /** As {@link BitRows#packWithin}, n <= CHUNK. */
  void within(float[] x, int at, int n, long[] words, int to) {
    if (n < SHORT) {
      BitRows.packWithin(x, at, n, words, to);
    } else {
      floatBits.toBits(x, at, bits, n);
      outside(bits, own, n);
      join(n, words, to);
    }
  }

  /** bits = own where not x >= 0, else 0. */
  private static void negative(int[] bits, int[] own, int n) {
    for (int i = 0; i < n; i++) {
      int b = bits[i];
      int magnitude = b << 1;
      int c = b & ((magnitude | -magnitude) >> SIGN_SHIFT); // -0 becomes +0
      bits[i] = (((INFINITY_BITS - c) | c) >> SIGN_SHIFT) & own[i];
    }
  }

  /** bits = own where |x| > 1, else 0. */
  private static void outside(int[] bits, int[] own, int n) {
    for (int i = 0; i < n; i++) {
      int c = bits[i] & Integer.MAX_VALUE;
      bits[i] = (((ONE_BITS - c) & ~(INFINITY_BITS - c)) >> SIGN_SHIFT) & own[i];
    }
  }

  private void join(int n, long[] words, int to) {
    int end = (n + Long.SIZE - 1) & -Long.SIZE;
    System.arraycopy(own, n, bits, n, end - n);
    for (int i = 0; i < end; i += Long.SIZE) {
      long low = or(bits, i) & 0xffffffffL;
      words[to + (i >> 6)] = ~(low | (long) or(bits, i + Integer.SIZE) << Integer.SIZE);
    }
  }

  /** 32 elements or-ed together. */
  private static int or(int[] b, int at) {
    int even = 0;
    int odd = 0;
    for (int i = at; i < at + Integer.SIZE; i += 8) {
      even |= b[i] | b[i + 2] | b[i + 4] | b[i + 6];
      odd |= b[i + 1] | b[i + 3] | b[i + 5] | b[i + 7];
    }
    return even | odd;
  }
}
