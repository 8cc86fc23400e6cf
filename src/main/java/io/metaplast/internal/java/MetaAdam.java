package io.metaplast.internal.java;

import io.metaplast.internal.spi.AdamRows;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;

/**
 * Metaplastic Adam over arrays, one loop a step so that each vectorises: selections and the exponential's table of cases become exact
 * arithmetic. Belongs to one thread.
 */
final class MetaAdam {
  private static final int ROUND_BITS = 0x4B400000; // of 1.5 * 2^23: plus e it is the float 12582912 + e
  private static final int EXPONENT_BIAS = 127;
  private static final int MANTISSA_BITS = 23;

  /** Below -87 exp is 0; down to here 2^n is a normal number. */
  private static final float LEAST = -87.25f;

  private final float[] exp = new float[Scratch.CHUNK];
  private final float[] power = new float[Scratch.CHUNK];
  private final int[] bits = new int[Scratch.CHUNK];
  private final IntBuffer asInts;
  private final FloatBuffer asFloats;

  private float alpha;
  private float beta1;
  private float fresh1;
  private float beta2;
  private float fresh2;
  private float epsilon;
  private float weightDecay;
  private float meta;

  MetaAdam() {
    ByteBuffer bytes = ByteBuffer.allocateDirect(Scratch.CHUNK * Float.BYTES).order(ByteOrder.nativeOrder());
    asInts = bytes.asIntBuffer();
    asFloats = bytes.asFloatBuffer();
  }

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
    if (weightDecay != 0f) {
      decay(w, g, weightDecay, n);
    }
    moments(g, m, v, beta1, fresh1, beta2, fresh2, n);
    arguments(w, m, exp, meta, n);
    exponential(n);
    weights(w, m, v, exp, alpha, epsilon, n);
  }

  private static void decay(float[] w, float[] g, float weightDecay, int n) {
    for (int i = 0; i < n; i++) {
      g[i] = g[i] + weightDecay * w[i];
    }
  }

  private static void moments(float[] g, float[] m, float[] v, float beta1, float fresh1, float beta2, float fresh2, int n) {
    for (int i = 0; i < n; i++) {
      float gradient = g[i];
      m[i] = beta1 * m[i] + fresh1 * gradient;
      v[i] = beta2 * v[i] + fresh2 * (gradient * gradient);
    }
  }

  /**
   * x = -2 meta |w| where the step shrinks |w|, and 0, which gives the factor 1, where it does not. Signs are compared without a branch:
   * any number times 2^149 and clipped to -1..1 is its sign; and a bound that is infinite or 0 keeps or drops |w|, also an infinite one.
   */
  private static void arguments(float[] w, float[] m, float[] x, float meta, int n) {
    for (int i = 0; i < n; i++) {
      float weight = w[i];
      float signW = Math.max(Math.min(weight * 0x1p127f * 0x1p22f, 1f), -1f);
      float signM = Math.max(Math.min(m[i] * 0x1p127f * 0x1p22f, 1f), -1f);
      float bound = Math.max(signW * signM, 0f) * Float.MAX_VALUE * Float.MAX_VALUE;
      x[i] = -2f * (meta * Math.min(Math.abs(weight), bound));
    }
  }

  /** exp = exp32(exp), the same operations as {@link Elementary#exp}. */
  private void exponential(int n) {
    powers(exp, power, n);
    asFloats.put(0, power, 0, n);
    asInts.get(0, bits, 0, n);
    scales(bits, n);
    asInts.put(0, bits, 0, n);
    polynomials(exp, power, n);
    asFloats.get(0, power, 0, n);
    scaled(exp, power, n);
  }

  /** power = 1.5 * 2^23 + n, n the nearest integer to x log2(e). */
  private static void powers(float[] x, float[] power, int n) {
    for (int i = 0; i < n; i++) {
      power[i] = Math.max(x[i], LEAST) * Elementary.LOG2_E + Elementary.ROUND;
    }
  }

  /** Bits of 1.5 * 2^23 + n to those of 2^n. */
  private static void scales(int[] bits, int n) {
    for (int i = 0; i < n; i++) {
      bits[i] = (bits[i] - ROUND_BITS + EXPONENT_BIAS) << MANTISSA_BITS;
    }
  }

  /** x = exp of what is left of it after n ln 2, times 1, or 0 below -87. */
  private static void polynomials(float[] x, float[] power, int n) {
    for (int i = 0; i < n; i++) {
      float argument = x[i];
      float keep = Math.max(Math.min((argument - Elementary.EXP_UNDERFLOW) * 0x1p30f + 1f, 1f), 0f);
      x[i] = Elementary.expOf(Math.max(argument, LEAST), power[i] - Elementary.ROUND) * keep;
    }
  }

  private static void scaled(float[] x, float[] scale, int n) {
    for (int i = 0; i < n; i++) {
      x[i] = x[i] * scale[i];
    }
  }

  /** The step itself; e is the exponential that the metaplasticity factor is made of. */
  private static void weights(float[] w, float[] m, float[] v, float[] e, float alpha, float epsilon, int n) {
    for (int i = 0; i < n; i++) {
      float a = 1f + e[i];
      float f = (4f * e[i]) / (a * a);
      float d = Elementary.sqrt(v[i]) + epsilon;
      w[i] = w[i] - alpha * ((m[i] * f) / d);
    }
  }
}
