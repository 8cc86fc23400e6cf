package io.metaplast.bench;

import java.util.SplittableRandom;

/** Deterministic operands made on the host, without help of any kernel. The same seed gives the same arrays on every machine. */
final class HostData {
  /** Values where rounding, signs, subnormals and overflow go wrong first. */
  private static final float[] SPECIAL = {
    0f, -0f, Float.MIN_VALUE, -Float.MIN_VALUE, Float.MIN_NORMAL, 1e-30f, 1f, -1f, 3f, 0x1p-24f, 1e30f, -1e30f, Float.MAX_VALUE,
    Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.NaN
  };

  private final SplittableRandom random;

  HostData(long seed) {
    random = new SplittableRandom(seed);
  }

  /** About normal values (sum of uniforms) with the given scale. */
  float[] normal(int n, double scale) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) (scale * (random.nextDouble() + random.nextDouble() + random.nextDouble() - 1.5) * 2);
    }
    return values;
  }

  /** As {@link #normal}, with every 16th value or so replaced by a special one, NaN and infinities included. */
  float[] wild(int n, double scale) {
    float[] values = normal(n, scale);
    for (int i = 0; i < n; i++) {
      if (random.nextInt(16) == 0) {
        values[i] = SPECIAL[random.nextInt(SPECIAL.length)];
      }
    }
    return values;
  }

  /** Uniform values between two bounds. */
  float[] between(int n, double low, double high) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) (low + (high - low) * random.nextDouble());
    }
    return values;
  }

  /** Integers in 0..bound-1. */
  int[] integers(int n, int bound) {
    int[] values = new int[n];
    for (int i = 0; i < n; i++) {
      values[i] = random.nextInt(bound);
    }
    return values;
  }

  /** Small random subset of values, so that ties are frequent. */
  float[] ties(int n) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = random.nextInt(64) / 64f;
    }
    return values;
  }
}
