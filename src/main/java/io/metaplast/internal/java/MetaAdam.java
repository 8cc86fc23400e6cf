package io.metaplast.internal.java;

import io.metaplast.internal.spi.AdamRows;

/**
 * Metaplastic Adam over arrays. Selections and the exponential's table of cases become exact arithmetic, so that loops vectorise. Each loop
 * is an object of its own, called from one place: the JIT compiler would inline them into each other otherwise, and then vectorise none.
 */
final class MetaAdam {
  /** Elements that all loops go over before the next ones: what they work on stays in the first cache level. */
  private static final int BLOCK = 1024;

  private static final int ROUND_BITS = 0x4B400000; // of 1.5 * 2^23: plus e it is the float 12582912 + e
  private static final int EXPONENT_BIAS = 127;
  private static final int MANTISSA_BITS = 23;

  /** Below -87 exp is 0; down to here 2^n is a normal number. */
  private static final float LEAST = -87.25f;

  private static final Loop[] LOOPS = {
    new Decay(), new Moments(), new Arguments(), new Powers(), new Scales(), new Polynomials(), new Scaled(), new Weights()
  };

  private final float[] exp = new float[Scratch.CHUNK];
  private final float[] power = new float[Scratch.CHUNK];
  private final int[] bits = new int[BLOCK];
  private final FloatBits floatBits = new FloatBits();

  private float alpha;
  private float beta1;
  private float fresh1;
  private float beta2;
  private float fresh2;
  private float epsilon;
  private float weightDecay;
  private float meta;

  /** Takes the constants of tensor {@code t}. */
  void load(AdamRows rows, int t) {
    float[] v = rows.values();
    int o = t * rows.stride() * AdamRows.ROW;
    alpha = v[o + AdamRows.ALPHA];
    beta1 = v[o + AdamRows.BETA1];
    fresh1 = v[o + AdamRows.FRESH1];
    beta2 = v[o + AdamRows.BETA2];
    fresh2 = v[o + AdamRows.FRESH2];
    epsilon = v[o + AdamRows.EPSILON];
    weightDecay = v[o + AdamRows.WEIGHT_DECAY];
    meta = v[o + AdamRows.META];
  }

  /** Updates elements 0..n-1, a chunk at most; g is overwritten. */
  void step(float[] w, float[] g, float[] m, float[] v, int n) {
    for (int from = 0; from < n; from += BLOCK) {
      int to = Math.min(n, from + BLOCK);
      for (Loop loop : LOOPS) {
        loop.run(this, w, g, m, v, from, to);
      }
    }
  }

  /** A loop over elements from..to-1, which share one index in all arrays. */
  private abstract static class Loop {
    abstract void run(MetaAdam s, float[] w, float[] g, float[] m, float[] v, int from, int to);
  }

  private static final class Decay extends Loop {
    @Override
    void run(MetaAdam s, float[] w, float[] g, float[] m, float[] v, int from, int to) {
      float weightDecay = s.weightDecay;
      if (weightDecay != 0f) {
        for (int i = from; i < to; i++) {
          g[i] = g[i] + weightDecay * w[i];
        }
      }
    }
  }

  private static final class Moments extends Loop {
    @Override
    void run(MetaAdam s, float[] w, float[] g, float[] m, float[] v, int from, int to) {
      float beta1 = s.beta1;
      float fresh1 = s.fresh1;
      float beta2 = s.beta2;
      float fresh2 = s.fresh2;
      for (int i = from; i < to; i++) {
        float gradient = g[i];
        m[i] = beta1 * m[i] + fresh1 * gradient;
        v[i] = beta2 * v[i] + fresh2 * (gradient * gradient);
      }
    }
  }

  /**
   * x = -2 meta |w| where the step shrinks |w|, and 0, which gives the factor 1, where it does not. Signs are compared without a branch:
   * any number times 2^149 and clipped to -1..1 is its sign; and a bound that is infinite or 0 keeps or drops |w|, also an infinite one.
   */
  private static final class Arguments extends Loop {
    @Override
    void run(MetaAdam s, float[] w, float[] g, float[] m, float[] v, int from, int to) {
      float meta = s.meta;
      float[] x = s.exp;
      for (int i = from; i < to; i++) {
        float weight = w[i];
        float signW = Math.max(Math.min(weight * 0x1p127f * 0x1p22f, 1f), -1f);
        float signM = Math.max(Math.min(m[i] * 0x1p127f * 0x1p22f, 1f), -1f);
        float bound = Math.max(signW * signM, 0f) * Float.MAX_VALUE * Float.MAX_VALUE;
        x[i] = -2f * (meta * Math.min(Math.abs(weight), bound));
      }
    }
  }

  // exp = exp32(exp), the same operations as Elementary.exp

  /** power = 1.5 * 2^23 + n, n the nearest integer to x log2(e). */
  private static final class Powers extends Loop {
    @Override
    void run(MetaAdam s, float[] w, float[] g, float[] m, float[] v, int from, int to) {
      float[] x = s.exp;
      float[] power = s.power;
      for (int i = from; i < to; i++) {
        power[i] = Math.max(x[i], LEAST) * Elementary.LOG2_E + Elementary.ROUND;
      }
    }
  }

  /** Bits of 1.5 * 2^23 + n to those of 2^n. */
  private static final class Scales extends Loop {
    @Override
    void run(MetaAdam s, float[] w, float[] g, float[] m, float[] v, int from, int to) {
      int[] bits = s.bits;
      int n = to - from;
      s.floatBits.toBits(s.power, from, bits, n);
      for (int i = 0; i < n; i++) {
        bits[i] = (bits[i] - ROUND_BITS + EXPONENT_BIAS) << MANTISSA_BITS;
      }
    }
  }

  /** x = exp of what is left of it after n ln 2, times 1, or 0 below -87. */
  private static final class Polynomials extends Loop {
    @Override
    void run(MetaAdam s, float[] w, float[] g, float[] m, float[] v, int from, int to) {
      float[] x = s.exp;
      float[] power = s.power;
      for (int i = from; i < to; i++) {
        float argument = x[i];
        float keep = Math.max(Math.min((argument - Elementary.EXP_UNDERFLOW) * 0x1p30f + 1f, 1f), 0f);
        x[i] = Elementary.expOf(Math.max(argument, LEAST), power[i] - Elementary.ROUND) * keep;
      }
    }
  }

  private static final class Scaled extends Loop {
    @Override
    void run(MetaAdam s, float[] w, float[] g, float[] m, float[] v, int from, int to) {
      float[] x = s.exp;
      float[] scale = s.power;
      s.floatBits.toFloats(s.bits, scale, from, to - from);
      for (int i = from; i < to; i++) {
        x[i] = x[i] * scale[i];
      }
    }
  }

  /** The step itself; e is the exponential that the metaplasticity factor is made of. */
  private static final class Weights extends Loop {
    @Override
    void run(MetaAdam s, float[] w, float[] g, float[] m, float[] v, int from, int to) {
      float alpha = s.alpha;
      float epsilon = s.epsilon;
      float[] e = s.exp;
      for (int i = from; i < to; i++) {
        float a = 1f + e[i];
        float f = (4f * e[i]) / (a * a);
        float d = Elementary.sqrt(v[i]) + epsilon;
        w[i] = w[i] - alpha * ((m[i] * f) / d);
      }
    }
  }
}
