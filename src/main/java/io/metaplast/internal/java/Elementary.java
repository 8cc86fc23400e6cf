package io.metaplast.internal.java;

/**
 * ln, sin and cos of 2 pi u, exp and tanh of the specification: only + - * / in fp32 in the written order, so that the bits are those of
 * every other backend. The pieces below are shared by the scalar functions here and the array passes of {@link GaussianSource}.
 */
final class Elementary {
  private static final float L0 = Float.intBitsToFloat(0x3EAAAAA4);
  private static final float L1 = Float.intBitsToFloat(0xBE800038);
  private static final float L2 = Float.intBitsToFloat(0x3E4CD2A0);
  private static final float L3 = Float.intBitsToFloat(0xBE2A978C);
  private static final float L4 = Float.intBitsToFloat(0x3E1181B7);
  private static final float L5 = Float.intBitsToFloat(0xBE0080A8);
  private static final float L6 = Float.intBitsToFloat(0x3DF8066A);
  private static final float L7 = Float.intBitsToFloat(0xBDDF9EB1);
  private static final float L8 = Float.intBitsToFloat(0x3D5A0998);

  private static final float S0 = Float.intBitsToFloat(0x40C90FDB);
  private static final float S1 = Float.intBitsToFloat(0xC2255E12);
  private static final float S2 = Float.intBitsToFloat(0x42A34052);
  private static final float S3 = Float.intBitsToFloat(0xC2998CC7);

  private static final float C1 = Float.intBitsToFloat(0xC19DE9E6);
  private static final float C2 = Float.intBitsToFloat(0x4281E0D8);
  private static final float C3 = Float.intBitsToFloat(0xC2AAD95B);
  private static final float C4 = Float.intBitsToFloat(0x426A7BF7);

  private static final float Q0 = Float.intBitsToFloat(0x3EFFFFFE);
  private static final float Q1 = Float.intBitsToFloat(0x3E2AAA46);
  private static final float Q2 = Float.intBitsToFloat(0x3D2AAC2D);
  private static final float Q3 = Float.intBitsToFloat(0x3C091EAE);
  private static final float Q4 = Float.intBitsToFloat(0x3AB55BC0);

  private static final float T0 = Float.intBitsToFloat(0xBEAAAA99);
  private static final float T1 = Float.intBitsToFloat(0x3E08837B);
  private static final float T2 = Float.intBitsToFloat(0xBD5C1AD2);
  private static final float T3 = Float.intBitsToFloat(0x3CA8FC67);
  private static final float T4 = Float.intBitsToFloat(0xBBBA8672);

  private static final float LN2_HIGH = Float.intBitsToFloat(0x3F318000);
  private static final float LN2_LOW = Float.intBitsToFloat(0xB95E8083);

  /** log2(e). */
  static final float LOG2_E = Float.intBitsToFloat(0x3FB8AA3B);

  /** Bits of sqrt(1/2): ln splits x so that its mantissa lies in [sqrt(1/2), sqrt(2)). */
  static final int SQRT_HALF_BITS = 0x3F3504F3;

  /** 1.5 * 2^23: adding and subtracting it rounds to an integer. */
  static final float ROUND = 12582912f;

  /** exp of less is 0. */
  static final float EXP_UNDERFLOW = -87f;

  private static final float TANH_SERIES = 0.625f;

  private Elementary() {}

  /** ln x, x normal and > 0. */
  static float ln(float x) {
    int bits = Float.floatToRawIntBits(x);
    int e = (bits - SQRT_HALF_BITS) >> 23;
    return lnOf(Float.intBitsToFloat(bits - (e << 23)), e);
  }

  /** ln(m * 2^e), m in [sqrt(1/2), sqrt(2)). */
  static float lnOf(float m, float e) {
    float f = m - 1f;
    float z = f * f;
    float p = L8 * f + L7;
    p = p * f + L6;
    p = p * f + L5;
    p = p * f + L4;
    p = p * f + L3;
    p = p * f + L2;
    p = p * f + L1;
    p = p * f + L0;
    float y = (f * z) * p;
    y = y + e * LN2_LOW;
    y = y - 0.5f * z;
    float r = f + y;
    return r + e * LN2_HIGH;
  }

  /** The quarter turn nearest to u = k * 2^-24, k odd: 0..4. No tie can occur, so this is floor(4u + 1/2). */
  static float quarter(float u) {
    return (4f * u + ROUND) - ROUND;
  }

  /** sin(2 pi t), |t| <= 1/8. */
  static float sinOf(float t, float y) {
    float s = S3 * y + S2;
    s = s * y + S1;
    s = s * y + S0;
    return t * s;
  }

  /** cos(2 pi t), |t| <= 1/8, y = t*t. */
  static float cosOf(float y) {
    float c = C4 * y + C3;
    c = c * y + C2;
    c = c * y + C1;
    return c * y + 1f;
  }

  /** Cosine of q quarter turns: 1, 0, -1, 0, 1. */
  static float quarterCos(float q) {
    return Math.abs(q - 2f) - 1f;
  }

  /** Minus the sine of q quarter turns: 0, -1, 0, 1, 0. */
  static float quarterMinusSin(float q) {
    float g = q - 2f;
    return g * (2f - Math.abs(g));
  }

  // c and s are never 0, and one factor of each pair below is +-1, the other +-0: the sums are exact selections

  /** Cosine of q quarter turns and t. */
  static float turnCos(float c, float s, float quarterCos, float quarterMinusSin) {
    return c * quarterCos + s * quarterMinusSin;
  }

  /** Sine of q quarter turns and t. */
  static float turnSin(float c, float s, float quarterCos, float quarterMinusSin) {
    return s * quarterCos - c * quarterMinusSin;
  }

  /** exp(x), x <= 0; NaN passes. */
  static float exp(float x) {
    if (x != x) {
      return x;
    }
    if (x < EXP_UNDERFLOW) {
      return 0f;
    }
    float n = x * LOG2_E;
    n = (n + ROUND) - ROUND;
    return expOf(x, n) * Float.intBitsToFloat((127 + (int) n) << 23);
  }

  /** exp(x) * 2^-n, n the nearest integer to x log2(e). */
  static float expOf(float x, float n) {
    float r = x - n * LN2_HIGH;
    r = r - n * LN2_LOW;
    float z = r * r;
    float p = Q4 * r + Q3;
    p = p * r + Q2;
    p = p * r + Q1;
    p = p * r + Q0;
    p = p * z;
    p = p + r;
    return p + 1f;
  }

  /** tanh(x); NaN passes. */
  static float tanh(float x) {
    float a = Math.abs(x);
    if (a < TANH_SERIES) {
      float y = x * x;
      float p = T4 * y + T3;
      p = p * y + T2;
      p = p * y + T1;
      p = p * y + T0;
      return x + (x * y) * p;
    }
    float e = exp(-2f * a);
    float t = (1f - e) / (1f + e);
    return x < 0f ? -t : t;
  }

  /** Square root rounded to nearest: the double square root of a float rounds once more without harm. */
  static float sqrt(float x) {
    return (float) Math.sqrt(x);
  }
}
