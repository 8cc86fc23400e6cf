package io.metaplast.internal.java;

import static org.assertj.core.api.Assertions.assertThat;

import io.metaplast.bayes.BgdParams;
import io.metaplast.bayes.MesuParams;
import io.metaplast.bayes.MesuRatioParams;
import io.metaplast.bayes.UpdateRule;
import io.metaplast.internal.spi.RuleRows;
import java.util.SplittableRandom;
import java.util.function.IntBinaryOperator;
import org.junit.jupiter.api.Test;

/**
 * The vectorised forms of the rules against the text of the specification, on values where they could differ: zeros of both signs, NaN,
 * infinities, sigma <= 0.
 */
class RuleTest {
  private static final float[] SPECIAL = {
    0f, -0f, Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.MIN_VALUE, -Float.MIN_VALUE, Float.MAX_VALUE,
    -Float.MAX_VALUE, 1f, -1f,
    1e-20f, 0x1p60f, -0x1p63f, 1e-6f
  };

  private final SplittableRandom random = new SplittableRandom(20251120);
  private final int n = 4000;
  private final float[] mu = new float[n];
  private final float[] sigma = new float[n];
  private final float[] low = new float[n];
  private final float[] gradMean = new float[n];
  private final float[] gradSigma = new float[n];

  private float any() {
    float usual = (float) (random.nextDouble(-2, 2) * Math.pow(10, random.nextInt(-4, 4)));
    return random.nextInt(3) == 0 ? SPECIAL[random.nextInt(SPECIAL.length)] : usual;
  }

  private void fill(boolean positiveSigma) {
    for (int i = 0; i < n; i++) {
      mu[i] = any();
      float s = any();
      sigma[i] = positiveSigma && !(s > 0) ? 0.05f : s;
      low[i] = (float) random.nextDouble(-1e-9, 1e-9);
      gradMean[i] = any();
      gradSigma[i] = any();
    }
  }

  /** The specification's value of (mu, sigma, low)[i]. */
  private interface Text {
    float[] step(float m, float s, float lo, float gm, float gs);
  }

  private void same(UpdateRule rule, boolean compensated, Text text) {
    RuleRows rows = new RuleRows(new JavaProvider(io.metaplast.BackendOptions.defaults().withThreads(1)), 1);
    rows.prepare(rule, 1);
    for (boolean positive : new boolean[] {true, false}) {
      for (int round = 0; round < 20; round++) {
        fill(positive);
        float[][] expected = new float[n][];
        for (int i = 0; i < n; i++) {
          expected[i] = text.step(mu[i], sigma[i], low[i], gradMean[i], gradSigma[i]);
        }
        Rule kernel = new Rule();
        kernel.load(rows, 0);
        kernel.apply(mu, sigma, compensated ? low : null, gradMean, gradSigma, 0, n, new float[Scratch.CHUNK]);
        for (int i = 0; i < n; i++) {
          assertThat(bits(mu[i])).as("mu[%s]", i).isEqualTo(bits(expected[i][0]));
          assertThat(bits(sigma[i])).as("sigma[%s]", i).isEqualTo(bits(expected[i][1]));
          if (compensated) {
            assertThat(bits(low[i])).as("low[%s]", i).isEqualTo(bits(expected[i][2]));
          }
        }
      }
    }
  }

  /** All NaN alike. */
  private static int bits(float x) {
    return Float.floatToIntBits(x);
  }

  private static float clip(float x, float c) {
    return x > c ? c : x < -c ? -c : x;
  }

  private static float range(float x, float low, float high) {
    return x < low ? low : x > high ? high : x;
  }

  private static Text mesu(MesuParams p, boolean compensated) {
    float spf = (float) p.priorSigma();
    float sp2 = spf * spf;
    float cP = (float) (1 / (p.memoryWindow() * spf * spf));
    float mp = (float) p.priorMean();
    float c = (float) p.clampGrad();
    float floor = (float) p.sigmaFloor();
    float lrMu = (float) p.rateMean();
    float hS = (float) (0.5 * p.rateSigma());
    return (m, s, lo, gm, gs) -> {
      float a = (mp - m) * cP;
      a = s * a;
      float xm = s * gm;
      float xs = s * gs;
      if (c > 0) {
        xm = clip(xm, c);
        xs = clip(xs, c);
      }
      a = a - xm;
      a = s * a;
      a = lrMu * a;
      float q = sp2 - s * s;
      q = q * cP;
      q = q - xs;
      q = s * q;
      q = hS * q;
      float y = compensated ? q + lo : q;
      float updated = s + y;
      float newLow = y - (updated - s);
      return new float[] {m + a, floor > 0 && updated < floor ? floor : updated, newLow};
    };
  }

  @Test
  void mesu() {
    for (double clamp : new double[] {0, 0.3}) {
      for (double floor : new double[] {0, 1e-6}) {
        MesuParams p = new MesuParams(300_000, false, 0.1, 1, 1.2, 0.7, clamp, floor);
        same(p, false, mesu(p, false));
        same(p, true, mesu(p, true));
      }
    }
  }

  @Test
  void ratio() {
    for (double secondOrder : new double[] {0, 1.5}) {
      double[][] ranges = {{0, 0, 0, 0}, {1e-4, 0.1, 0, 0}, {1e-4, 0.1, -0.5, 0.75}, {1e-4, 1, -0.5, 0}, {1e-4, 1, 0, 0.5}};
      for (double[] range : ranges) {
        MesuRatioParams p = new MesuRatioParams(500_000, false, 0, 0.1, 1, 60, 0.5, secondOrder, range[0], range[1], range[2], range[3]);
        float spf = (float) p.priorSigma();
        float cP = (float) (1 / (p.memoryWindow() * spf * spf));
        float so = (float) secondOrder;
        same(
            p,
            false,
            (m, s, lo, gm, gs) -> {
              float a = (0f - m) * cP;
              a = s * a;
              a = a - s * gm;
              a = s * a;
              float xs = s * gs;
              float q = spf * spf - s * s;
              q = q * cP;
              q = q - xs;
              q = s * q;
              float dm = 1f * a;
              float ds = 60f * q;
              if (so > 0) {
                float den = 1 + so * Math.abs(xs);
                dm = dm / den;
                ds = ds / den;
              }
              float limit = 0.5f * s;
              float newMu = m + clip(dm, limit);
              float newSigma = s + clip(ds, limit);
              if (range[0] > 0) {
                newSigma = range(newSigma, (float) range[0], (float) range[1]);
              }
              if (range[2] < range[3]) {
                newMu = range(newMu, (float) range[2], (float) range[3]);
              }
              return new float[] {newMu, newSigma, 0};
            });
      }
    }
  }

  @Test
  void bgd() {
    same(
        new BgdParams(0.7),
        false,
        (m, s, lo, e, ee) -> {
          float t = s * e;
          t = s * t;
          t = 0.7f * t;
          float x = s * ee;
          x = 0.5f * x;
          float a = Math.abs(x);
          float h = a < 0x1p60f ? (float) Math.sqrt(1 + a * a) : a;
          float r = a + h;
          return new float[] {m - t, x >= 0 ? s / r : s * r, 0};
        });
  }

  @Test
  void violationsAreCountedInAnyPosition() {
    float[] x = new float[Scratch.CHUNK];
    float[] spare = new float[Scratch.CHUNK];
    IntBinaryOperator count = (from, length) -> Positive.violations(x, from, length, spare);
    for (int i = 0; i < x.length; i++) {
      java.util.Arrays.fill(x, 1f);
      assertThat(count.applyAsInt(0, x.length)).isZero();
      x[i] = SPECIAL[i % 3]; // +0, -0, NaN
      assertThat(count.applyAsInt(0, x.length)).as("violation at %s", i).isEqualTo(1);
      assertThat(count.applyAsInt(0, i)).as("before %s", i).isZero();
      assertThat(count.applyAsInt(i, x.length - i)).as("from %s", i).isEqualTo(1);
    }
  }
}
