package io.metaplast.internal.java;

import io.metaplast.internal.BitMatrixImpl;
import java.util.Arrays;

/** Rows of bit matrices: where they lie, and signs of floats to and from them. A row is padded to a multiple of eight words. */
final class BitRows {
  private static final int ONE_BITS = 0x3F800000;
  private static final int INFINITY_BITS = 0x7F800000;
  private static final int WORD_BITS = 64;

  private BitRows() {}

  static long[] words(BitMatrixImpl bits) {
    return ((JavaMemory) bits.memory()).words();
  }

  /** Index of the first word of row {@code row} in {@link #words}. */
  static int start(BitMatrixImpl bits, int row) {
    return (int) (bits.byteOffset() / Long.BYTES) + row * bits.rowWords();
  }

  /** Words that hold {@code cols} bits. */
  static int used(int cols) {
    return (int) ((cols + 63L) >> 6);
  }

  /** 1 if x >= 0, else 0; without a branch, as signs are hard to predict. */
  static int sign(float x) {
    int b = Float.floatToRawIntBits(x + 0f); // -0 becomes +0
    return (((INFINITY_BITS - b) | b) >>> 31) ^ 1;
  }

  /** 0 if |x| > 1, else 1, also for NaN. */
  static int within(float x) {
    int b = Float.floatToRawIntBits(x) & Integer.MAX_VALUE;
    return ((ONE_BITS - b) >>> 31 ^ 1) | (INFINITY_BITS - b) >>> 31;
  }

  /** +1 if bit {@code j} of {@code word} is set, else -1. */
  static float value(long word, int j) {
    return Float.intBitsToFloat(ONE_BITS | (int) (~word >>> j) << 31);
  }

  /** Words from {@code to} on = signs of x[at..at+n); the last word is filled up with zeros. */
  static void packSigns(float[] x, int at, int n, long[] words, int to) {
    for (int i = 0; i < n; i += WORD_BITS) {
      long word = 0;
      int end = Math.min(WORD_BITS, n - i);
      for (int j = 0; j < end; j++) {
        word |= (long) sign(x[at + i + j]) << j;
      }
      words[to + (i >> 6)] = word;
    }
  }

  /** As {@link #packSigns}, bits where |x| is at most 1. */
  static void packWithin(float[] x, int at, int n, long[] words, int to) {
    for (int i = 0; i < n; i += WORD_BITS) {
      long word = 0;
      int end = Math.min(WORD_BITS, n - i);
      for (int j = 0; j < end; j++) {
        word |= (long) within(x[at + i + j]) << j;
      }
      words[to + (i >> 6)] = word;
    }
  }

  /** x[at..at+n) = +-1 by the bits of the words from {@code from} on. */
  static void unpack(long[] words, int from, int n, float[] x, int at) {
    for (int i = 0; i < n; i += WORD_BITS) {
      long word = words[from + (i >> 6)];
      int end = Math.min(WORD_BITS, n - i);
      for (int j = 0; j < end; j++) {
        x[at + i + j] = value(word, j);
      }
    }
  }

  /** x[at..at+n) = +0 where the bit, {@code first} being that of x[at], of the row that starts at {@code start} is not set. */
  static void mask(long[] words, int start, int first, int n, float[] x, int at) {
    for (int i = 0; i < n; i++) {
      int bit = first + i;
      int keep = -(int) (words[start + (bit >> 6)] >>> bit & 1);
      x[at + i] = Float.intBitsToFloat(Float.floatToRawIntBits(x[at + i]) & keep);
    }
  }

  /** Zeroes the words of a row behind its {@code cols} columns. */
  static void pad(BitMatrixImpl bits, int row) {
    int start = start(bits, row);
    Arrays.fill(words(bits), start + used(bits.cols()), start + bits.rowWords(), 0L);
  }

  /** Transposes 64 x 64 bits: bit j of a[i] becomes bit i of a[j]. */
  static void transpose(long[] a) {
    long mask = 0xffffffffL;
    for (int j = 32; j != 0; j >>= 1) {
      for (int i = 0; i < WORD_BITS; i = (i + j + 1) & ~j) {
        long t = (a[i] >>> j ^ a[i + j]) & mask;
        a[i] ^= t << j;
        a[i + j] ^= t;
      }
      mask ^= mask << (j >> 1);
    }
  }
}
