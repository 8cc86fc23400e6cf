package io.metaplast;

import java.util.SplittableRandom;

/** Test data of the numerics document: a mix that reaches every branch of fp32 arithmetic, and tamer profiles for which error bounds make sense. */
public final class Data {
  // Drawing a normal costs more than the kernels under test; products of two tables give 2^24 of them.
  private static final float[] NORMALS = new float[1 << 12];
  private static final float[] SPREADS = new float[1 << 12];

  static {
    SplittableRandom r = new SplittableRandom(1);
    for (int i = 0; i < NORMALS.length; i++) {
      NORMALS[i] = (float) r.nextGaussian();
      SPREADS[i] = (float) Math.exp(4 * r.nextGaussian());
    }
  }

  private Data() {}

  /** What values a case draws. */
  public enum Profile {
    /** Normals, integers, powers of two, subnormals, zeros, near overflow, NaN and infinities. */
    MIXED,
    /** As MIXED, without NaN, infinities and near overflow. */
    FINITE,
    /** Small integers and powers of two: sums and products are mostly exact, ties and zeros are frequent. */
    EXACT,
    /** Values of the size that training has; sigma and the like are positive. */
    TAME
  }

  /** {@code n} values of either sign. */
  public static float[] signed(SplittableRandom r, int n, Profile profile) {
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      x[i] = value(r, profile);
    }
    return x;
  }

  /** {@code n} values for an operand that is positive in sound use (sigma): positive for TAME and EXACT, anything else in the other profiles. */
  public static float[] positive(SplittableRandom r, int n, Profile profile) {
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      x[i] =
          switch (profile) {
            case MIXED, FINITE -> r.nextInt(4) == 0 ? value(r, profile) : tamePositive(r);
            case EXACT -> power(r, -6, 2);
            case TAME -> tamePositive(r);
          };
    }
    return x;
  }

  private static float tamePositive(SplittableRandom r) {
    float x = r.nextInt(1, 1 << 20) * 0x1p-20f;
    return Math.max(x * x, 0x1p-9f + x * 0x1p-12f);
  }

  private static float normal(SplittableRandom r) {
    return NORMALS[r.nextInt(NORMALS.length)];
  }

  private static float value(SplittableRandom r, Profile profile) {
    return switch (profile) {
      case TAME -> normal(r) + 0x1p-7f * normal(r);
      case EXACT -> r.nextInt(3) == 0 ? power(r, -6, 6) * sign(r) : r.nextInt(-8, 9);
      case FINITE -> mixed(r, r.nextInt(90));
      case MIXED -> mixed(r, r.nextInt(100));
    };
  }

  private static float mixed(SplittableRandom r, int percent) {
    if (percent < 40) {
      return normal(r) * SPREADS[r.nextInt(SPREADS.length)];
    }
    if (percent < 55) {
      return r.nextInt(-16, 17);
    }
    if (percent < 70) {
      return power(r, -30, 30) * sign(r);
    }
    if (percent < 80) {
      return Float.intBitsToFloat(r.nextInt(1, 1 << 23)) * sign(r);
    }
    if (percent < 90) {
      return r.nextBoolean() ? 0f : -0f;
    }
    if (percent < 95) {
      return Float.MAX_VALUE * (1 - r.nextInt(1 << 10) * 0x1p-20f) * sign(r);
    }
    int kind = r.nextInt(3);
    return kind == 0 ? Float.NaN : kind == 1 ? Float.POSITIVE_INFINITY : Float.NEGATIVE_INFINITY;
  }

  private static float power(SplittableRandom r, int low, int high) {
    return Math.scalb(1f, r.nextInt(low, high + 1));
  }

  private static float sign(SplittableRandom r) {
    return r.nextBoolean() ? 1f : -1f;
  }
}
