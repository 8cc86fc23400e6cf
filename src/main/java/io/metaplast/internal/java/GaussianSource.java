package io.metaplast.internal.java;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;

/**
 * Philox words, uniforms and Box-Muller normals of runs of elements; one object per thread. Every step is a pass over arrays that vectorises on JDK 17. Two
 * things do not vectorise there and are avoided: conversions between int and float, which become bit patterns and exact additions, and reinterpretations of bits,
 * which become two bulk copies through a direct buffer that is seen as ints and as floats.
 */
final class GaussianSource {
  /** About how long a normal takes. */
  static final double NANOS = 1.5;

  /** A chunk that starts inside a block needs one block more. */
  private static final int BLOCKS = Scratch.CHUNK / 4 + 1;

  private static final int ONE_BITS = 0x3F800000;
  private static final int ROUND_BITS = 0x4B400000; // of 1.5 * 2^23: plus e it is the float 12582912 + e
  private static final float ULP = 0x1p-24f;

  private final Philox philox = new Philox(BLOCKS);
  private final int[] w0 = new int[BLOCKS];
  private final int[] w1 = new int[BLOCKS];
  private final int[] w2 = new int[BLOCKS];
  private final int[] w3 = new int[BLOCKS];
  private final float[] z0 = new float[BLOCKS];
  private final float[] z1 = new float[BLOCKS];
  private final float[] z2 = new float[BLOCKS];
  private final float[] z3 = new float[BLOCKS];
  private final float[] f0 = new float[BLOCKS];
  private final float[] f1 = new float[BLOCKS];
  private final float[] elements = new float[4 * BLOCKS];
  private final int[] words = new int[4 * BLOCKS];
  private final IntBuffer asInts;
  private final FloatBuffer asFloats;

  GaussianSource() {
    ByteBuffer bytes = ByteBuffer.allocateDirect(BLOCKS * 4).order(ByteOrder.nativeOrder());
    asInts = bytes.asIntBuffer();
    asFloats = bytes.asFloatBuffer();
  }

  /** target[to..to+n) = words of elements first..first+n-1, n <= CHUNK. */
  void words(long seed, int stream, int step, long first, int n, int[] target, int to) {
    int lead = (int) (first & 3);
    int blocks = (lead + n + 3) / 4;
    philox.blocks(seed, stream, step, first >>> 2, blocks, w0, w1, w2, w3);
    interleave(w0, w1, w2, w3, blocks, words);
    System.arraycopy(words, lead, target, to, n);
  }

  /** target[0..n) = uniforms of elements first..first+n-1, n <= CHUNK. */
  void uniforms(long seed, int stream, int step, long first, int n, float[] target) {
    int lead = (int) (first & 3);
    int blocks = (lead + n + 3) / 4;
    philox.blocks(seed, stream, step, first >>> 2, blocks, w0, w1, w2, w3);
    uniforms(w0, z0, blocks);
    uniforms(w1, z1, blocks);
    uniforms(w2, z2, blocks);
    uniforms(w3, z3, blocks);
    interleave(z0, z1, z2, z3, blocks, elements);
    System.arraycopy(elements, lead, target, 0, n);
  }

  /** target[0..n) = normals of elements first..first+n-1, n <= CHUNK. */
  void normals(long seed, int stream, int step, long first, int n, float[] target) {
    int lead = (int) (first & 3);
    int blocks = (lead + n + 3) / 4;
    philox.blocks(seed, stream, step, first >>> 2, blocks, w0, w1, w2, w3);
    boxMuller(w0, w1, z0, z1, blocks);
    boxMuller(w2, w3, z2, z3, blocks);
    if (lead == 0 && (n & 3) == 0) {
      interleave(z0, z1, z2, z3, blocks, target);
    } else {
      interleave(z0, z1, z2, z3, blocks, elements);
      System.arraycopy(elements, lead, target, 0, n);
    }
  }

  /** x = ln x, x normal and > 0. */
  void ln(float[] x, int n) {
    for (int from = 0; from < n; from += BLOCKS) {
      int m = Math.min(BLOCKS, n - from);
      System.arraycopy(x, from, z0, 0, m);
      lnParts(z0, m);
      lnValues(f0, f1, m);
      System.arraycopy(f0, 0, x, from, m);
    }
  }

  /** sin = sin(2 pi u), cos = cos(2 pi u), where sin holds u = k * 2^-24, k odd, before. */
  static void sinCos(float[] sin, float[] cos, int n) {
    for (int i = 0; i < n; i++) {
      float u = sin[i];
      float q = Elementary.quarter(u);
      float t = u - 0.25f * q;
      float y = t * t;
      float s = Elementary.sinOf(t, y);
      float c = Elementary.cosOf(y);
      float a = Elementary.quarterCos(q);
      float b = Elementary.quarterMinusSin(q);
      cos[i] = Elementary.turnCos(c, s, a, b);
      sin[i] = Elementary.turnSin(c, s, a, b);
    }
  }

  private void boxMuller(int[] radiusWords, int[] angleWords, float[] cos, float[] sin, int n) {
    uniforms(radiusWords, cos, n);
    uniforms(angleWords, sin, n);
    lnParts(cos, n);
    radii(f0, f1, n);
    rotate(f0, sin, cos, n);
  }

  /** u = (1 | w >>> 8) * 2^-24. Words are overwritten. */
  private void uniforms(int[] w, float[] u, int n) {
    uniformBits(w, n);
    reinterpret(w, u, n);
    uniformValues(u, n);
  }

  /** f0 = mantissas in [sqrt(1/2), sqrt(2)), f1 = exponents of x. */
  private void lnParts(float[] x, int n) {
    asFloats.put(0, x, 0, n);
    asInts.get(0, words, 0, n);
    split(words, w0, n);
    reinterpret(words, f0, n);
    reinterpret(w0, f1, n);
  }

  private void reinterpret(int[] bits, float[] values, int n) {
    asInts.put(0, bits, 0, n);
    asFloats.get(0, values, 0, n);
  }

  private static void uniformBits(int[] w, int n) {
    for (int i = 0; i < n; i++) {
      w[i] = ONE_BITS | w[i] >>> 9;
    }
  }

  /** 1 + j * 2^-23 becomes (2j + 1) * 2^-24, without rounding. */
  private static void uniformValues(float[] u, int n) {
    for (int i = 0; i < n; i++) {
      u[i] = (u[i] - 1f) + ULP;
    }
  }

  /** Bits of x become bits of its mantissa; exponent receives the bits of 12582912 + e. */
  private static void split(int[] bits, int[] exponent, int n) {
    for (int i = 0; i < n; i++) {
      int e = (bits[i] - Elementary.SQRT_HALF_BITS) >> 23;
      bits[i] = bits[i] - (e << 23);
      exponent[i] = ROUND_BITS + e;
    }
  }

  /** mantissa = ln. */
  private static void lnValues(float[] mantissa, float[] exponent, int n) {
    for (int i = 0; i < n; i++) {
      mantissa[i] = Elementary.lnOf(mantissa[i], exponent[i] - Elementary.ROUND);
    }
  }

  /** mantissa = sqrt(-2 ln u). */
  private static void radii(float[] mantissa, float[] exponent, int n) {
    for (int i = 0; i < n; i++) {
      mantissa[i] = Elementary.sqrt(-2f * Elementary.lnOf(mantissa[i], exponent[i] - Elementary.ROUND));
    }
  }

  /** cos = radius * cos(2 pi u), sin = radius * sin(2 pi u), where sin holds u before. */
  private static void rotate(float[] radius, float[] sin, float[] cos, int n) {
    for (int i = 0; i < n; i++) {
      float u = sin[i];
      float q = Elementary.quarter(u);
      float t = u - 0.25f * q;
      float y = t * t;
      float s = Elementary.sinOf(t, y);
      float c = Elementary.cosOf(y);
      float a = Elementary.quarterCos(q);
      float b = Elementary.quarterMinusSin(q);
      cos[i] = radius[i] * Elementary.turnCos(c, s, a, b);
      sin[i] = radius[i] * Elementary.turnSin(c, s, a, b);
    }
  }

  private static void interleave(float[] a, float[] b, float[] c, float[] d, int n, float[] target) {
    for (int i = 0; i < n; i++) {
      target[4 * i] = a[i];
      target[4 * i + 1] = b[i];
      target[4 * i + 2] = c[i];
      target[4 * i + 3] = d[i];
    }
  }

  private static void interleave(int[] a, int[] b, int[] c, int[] d, int n, int[] target) {
    for (int i = 0; i < n; i++) {
      target[4 * i] = a[i];
      target[4 * i + 1] = b[i];
      target[4 * i + 2] = c[i];
      target[4 * i + 3] = d[i];
    }
  }
}
