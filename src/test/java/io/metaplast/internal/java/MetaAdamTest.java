package io.metaplast.internal.java;

import static org.assertj.core.api.Assertions.assertThat;

import io.metaplast.Backend;
import io.metaplast.BackendKind;
import io.metaplast.BackendOptions;
import io.metaplast.Metaplast;
import io.metaplast.binary.AdamParams;
import io.metaplast.binary.HiddenWeights;
import io.metaplast.internal.spi.AdamRows;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The loops without a branch against the text of the specification, on values where they could differ. */
class MetaAdamTest {
  private static final float[] SPECIAL = {
    0f, -0f, Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.MIN_VALUE, -Float.MIN_VALUE, Float.MAX_VALUE,
    -Float.MAX_VALUE, 1f, -1f, 43.5f, -43.5f, Math.nextUp(43.5f), 64f, 1e-20f
  };

  private final SplittableRandom random = new SplittableRandom(6);

  private float[] values(int n) {
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      float usual = (float) (random.nextDouble(-2, 2) * Math.pow(10, random.nextInt(-4, 3)));
      x[i] = random.nextInt(3) == 0 ? SPECIAL[random.nextInt(SPECIAL.length)] : usual;
    }
    return x;
  }

  private static int bits(float x) {
    return Float.floatToIntBits(x); // one NaN
  }

  @ParameterizedTest
  @CsvSource({"0, 0", "0, 0.25", "1, 0", "1.35, 0.001", "1e-30, 0", "3e38, 0"})
  void loopsFollowTheText(double meta, double weightDecay) {
    try (Backend backend = Metaplast.open(BackendOptions.defaults().withKind(BackendKind.JAVA).withThreads(1));
        HiddenWeights weights = HiddenWeights.allocate(backend, HiddenWeights.Shape.binary(1, 1))) {
      AdamRows rows = new AdamRows(new JavaProvider(BackendOptions.defaults().withThreads(1)), weights);
      rows.prepare(List.of(new AdamParams(0.01, 0.9, 0.999, 1e-8, weightDecay, meta)), 3);
      float[] c = rows.values();
      MetaAdam adam = new MetaAdam();
      adam.load(rows, 0);
      for (int n : new int[] {1, 100, 1024, 1025, 4096}) {
        float[] w = values(n);
        float[] g = values(n);
        float[] m = values(n);
        float[] v = values(n);
        float[][] expected = new float[n][];
        for (int i = 0; i < n; i++) {
          expected[i] = step(c, w[i], g[i], m[i], v[i]);
        }
        adam.step(w, g, m, v, n);
        for (int i = 0; i < n; i++) {
          assertThat(bits(w[i])).as("w %d of %d", i, n).isEqualTo(bits(expected[i][0]));
          assertThat(bits(m[i])).as("m %d of %d", i, n).isEqualTo(bits(expected[i][1]));
          assertThat(bits(v[i])).as("v %d of %d", i, n).isEqualTo(bits(expected[i][2]));
        }
      }
    }
  }

  private static float[] step(float[] c, float w, float gradient, float oldM, float oldV) {
    float g = gradient;
    if (c[AdamRows.WEIGHT_DECAY] != 0) {
      float t = c[AdamRows.WEIGHT_DECAY] * w;
      g = g + t;
    }
    float a = c[AdamRows.BETA1] * oldM;
    float b = c[AdamRows.FRESH1] * g;
    float m = a + b;
    a = g * g;
    a = c[AdamRows.FRESH2] * a;
    b = c[AdamRows.BETA2] * oldV;
    float v = b + a;
    float d = (float) Math.sqrt(v) + c[AdamRows.EPSILON];
    boolean shrink = w > 0 && m > 0 || w < 0 && m < 0;
    float x = c[AdamRows.META] * Math.abs(w);
    float e = Elementary.exp(-2f * x);
    a = 1f + e;
    float f = (4f * e) / (a * a);
    float u = shrink ? m * f : m;
    float q = u / d;
    q = c[AdamRows.ALPHA] * q;
    return new float[] {w - q, m, v};
  }
}
