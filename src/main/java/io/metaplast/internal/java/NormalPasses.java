package io.metaplast.internal.java;

import java.util.List;

/**
 * From Philox words to uniforms and Box-Muller normals. What does not vectorise on JDK 17 is avoided: a conversion between int and float
 * becomes a bit pattern and an exact addition, a selection becomes an exact sum of products.
 */
final class NormalPasses {
  private static final int ONE_BITS = 0x3F800000;
  private static final int ROUND_BITS = 0x4B400000; // of 1.5 * 2^23: plus e it is the float 12582912 + e
  private static final float ULP = 0x1p-24f;

  private NormalPasses() {}

  /** w0..w3 to z0..z3, the uniforms (1 | w >>> 8) * 2^-24. Words are used up. */
  static List<Pass> uniforms() {
    return List.of(new UniformBits(), new WordsToFloats(), new UniformValues());
  }

  /** Uniforms to normals, in place: (z0,z1) = sqrt(-2 ln z0) * (cos, sin)(2 pi z1), and so on. */
  static List<Pass> boxMuller() {
    return List.of(
        new Split(), new Radii(false), new Polynomials(false), new Rotate(false), new Radii(true), new Polynomials(true), new Rotate(true));
  }

  /** z0 and z2 to their logarithms. */
  static List<Pass> logarithms() {
    return List.of(new Split(), new Logarithms());
  }

  /** z1 to the cosine and sine of its turn, in z0 and z1, times mantissa0. */
  static List<Pass> angles() {
    return List.of(new Polynomials(false), new Rotate(false));
  }

  private static final class UniformBits extends Pass {
    @Override
    void run(Lanes l, int n) {
      int[] w0 = l.w0;
      int[] w1 = l.w1;
      int[] w2 = l.w2;
      int[] w3 = l.w3;
      for (int i = 0; i < n; i++) {
        w0[i] = ONE_BITS | w0[i] >>> 9;
        w1[i] = ONE_BITS | w1[i] >>> 9;
        w2[i] = ONE_BITS | w2[i] >>> 9;
        w3[i] = ONE_BITS | w3[i] >>> 9;
      }
    }
  }

  private static final class WordsToFloats extends Pass {
    @Override
    void run(Lanes l, int n) {
      l.toFloats(l.w0, l.z0, n);
      l.toFloats(l.w1, l.z1, n);
      l.toFloats(l.w2, l.z2, n);
      l.toFloats(l.w3, l.z3, n);
    }
  }

  /** 1 + j * 2^-23 becomes (2j + 1) * 2^-24, without rounding. */
  private static final class UniformValues extends Pass {
    @Override
    void run(Lanes l, int n) {
      float[] z0 = l.z0;
      float[] z1 = l.z1;
      float[] z2 = l.z2;
      float[] z3 = l.z3;
      for (int i = 0; i < n; i++) {
        z0[i] = (z0[i] - 1f) + ULP;
        z1[i] = (z1[i] - 1f) + ULP;
        z2[i] = (z2[i] - 1f) + ULP;
        z3[i] = (z3[i] - 1f) + ULP;
      }
    }
  }

  /** z0 and z2 into mantissas in [sqrt(1/2), sqrt(2)) and exponents + 12582912. */
  private static final class Split extends Pass {
    @Override
    void run(Lanes l, int n) {
      l.toBits(l.z0, l.w0, n);
      l.toBits(l.z2, l.w2, n);
      split(l.w0, l.w1, l.w2, l.w3, n);
      l.toFloats(l.w0, l.mantissa0, n);
      l.toFloats(l.w1, l.exponent0, n);
      l.toFloats(l.w2, l.mantissa2, n);
      l.toFloats(l.w3, l.exponent2, n);
    }

    private static void split(int[] bits0, int[] exponent0, int[] bits2, int[] exponent2, int n) {
      for (int i = 0; i < n; i++) {
        int e0 = (bits0[i] - Elementary.SQRT_HALF_BITS) >> 23;
        bits0[i] = bits0[i] - (e0 << 23);
        exponent0[i] = ROUND_BITS + e0;
        int e2 = (bits2[i] - Elementary.SQRT_HALF_BITS) >> 23;
        bits2[i] = bits2[i] - (e2 << 23);
        exponent2[i] = ROUND_BITS + e2;
      }
    }
  }

  /** mantissa = sqrt(-2 ln u), of one of the two pairs. */
  private static final class Radii extends Pass {
    private final boolean second;

    Radii(boolean second) {
      this.second = second;
    }

    @Override
    void run(Lanes l, int n) {
      float[] mantissa = second ? l.mantissa2 : l.mantissa0;
      float[] exponent = second ? l.exponent2 : l.exponent0;
      for (int i = 0; i < n; i++) {
        mantissa[i] = Elementary.sqrt(-2f * Elementary.lnOf(mantissa[i], exponent[i] - Elementary.ROUND));
      }
    }
  }

  /**
   * Cosine and sine of the angle's rest beyond quarter turns, of one of the two pairs. A pass of its own: one with {@link Rotate} does not
   * vectorise on JDK 17.
   */
  private static final class Polynomials extends Pass {
    private final boolean second;

    Polynomials(boolean second) {
      this.second = second;
    }

    @Override
    void run(Lanes l, int n) {
      float[] uniform = second ? l.z3 : l.z1;
      float[] cos = second ? l.z2 : l.z0;
      float[] sin = l.exponent0; // free again
      for (int i = 0; i < n; i++) {
        float u = uniform[i];
        float t = u - 0.25f * Elementary.quarter(u);
        float y = t * t;
        cos[i] = Elementary.cosOf(y);
        sin[i] = Elementary.sinOf(t, y);
      }
    }
  }

  /** Quarter turns added, times the radius, of one of the two pairs. */
  private static final class Rotate extends Pass {
    private final boolean second;

    Rotate(boolean second) {
      this.second = second;
    }

    @Override
    void run(Lanes l, int n) {
      float[] radius = second ? l.mantissa2 : l.mantissa0;
      float[] cos = second ? l.z2 : l.z0;
      float[] sin = second ? l.z3 : l.z1; // the uniform before
      float[] rest = l.exponent0;
      for (int i = 0; i < n; i++) {
        float q = Elementary.quarter(sin[i]);
        float a = Elementary.quarterCos(q);
        float b = Elementary.quarterMinusSin(q);
        float c = cos[i];
        float s = rest[i];
        cos[i] = radius[i] * Elementary.turnCos(c, s, a, b);
        sin[i] = radius[i] * Elementary.turnSin(c, s, a, b);
      }
    }
  }

  private static final class Logarithms extends Pass {
    @Override
    void run(Lanes l, int n) {
      logarithms(l.mantissa0, l.exponent0, l.z0, n);
      logarithms(l.mantissa2, l.exponent2, l.z2, n);
    }

    private static void logarithms(float[] mantissa, float[] exponent, float[] y, int n) {
      for (int i = 0; i < n; i++) {
        y[i] = Elementary.lnOf(mantissa[i], exponent[i] - Elementary.ROUND);
      }
    }
  }
}
