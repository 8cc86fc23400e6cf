package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.metaplast.Bits;
import io.metaplast.BitMatrix;
import io.metaplast.Coverage;
import io.metaplast.Data.Profile;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.I32Matrix;
import io.metaplast.Seeds;
import io.metaplast.TensorLayout;
import io.metaplast.TestBackends.Target;
import io.metaplast.binary.AdamParams;
import io.metaplast.binary.BatchNormOutput;
import io.metaplast.binary.BatchNormShape;
import io.metaplast.binary.HiddenWeights;
import io.metaplast.binary.RunningStatistics;
import io.metaplast.oracle.BitOracle;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Properties that tie kernels of the binarized family to each other and to plain mathematics. */
class BinaryPropertiesTest {
  private static final AdamParams PLAIN = new AdamParams(0.005, 0.9, 0.999, 1e-8, 1e-7, 0);

  private static Run run(Target target, int n, Consumer<Run> call) {
    Coverage.checked("binary properties", target.name(), 1);
    return Run.of(new Mode("binary properties", call, r -> {}), new Case(n, n, 1 + n % 15, Profile.TAME, false), target.backend());
  }

  private static float[] tame(String purpose, int n) {
    return io.metaplast.Data.signed(Seeds.random(purpose, n), n, Profile.TAME);
  }

  private static Run steps(Target target, float[] w, float[][] gradients, AdamParams p) {
    int n = w.length;
    return run(
        target, n,
        r -> {
          HiddenWeights weights =
              r.hidden(new int[] {0}, List.of(HiddenWeights.Shape.binary(1, n)), List.of(w), List.of(new float[n]), List.of(new float[n]));
          for (int t = 0; t < gradients.length; t++) {
            r.backend().binary().metaAdamStep(
                weights, r.backend().group(TensorLayout.of(n), 1, List.of(r.in("g" + t, gradients[t]))), List.of(p), t + 1, r.stream());
          }
        });
  }

  /** Adam as in every textbook, in fp32 and in the order of the contract, without any metaplasticity. */
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void withoutMetaItIsPlainAdam(Target target) {
    int n = 203;
    float[] start = tame("adam w", n);
    float[][] g = {tame("adam g1", n), tame("adam g2", n), tame("adam g3", n)};
    float[] w = start.clone();
    float[] m = new float[n];
    float[] v = new float[n];
    for (int t = 0; t < 3; t++) {
      float alpha = (float) (0.005 * Math.sqrt(1 - Math.pow(0.999, t + 1)) / (1 - Math.pow(0.9, t + 1)));
      for (int i = 0; i < n; i++) {
        float gradient = g[t][i] + (float) 1e-7 * w[i];
        m[i] = (float) 0.9 * m[i] + (float) (1 - 0.9) * gradient;
        v[i] = (float) 0.999 * v[i] + (float) (1 - 0.999) * (gradient * gradient);
        w[i] = w[i] - alpha * (m[i] / ((float) Math.sqrt(v[i]) + (float) 1e-8));
      }
    }
    try (Run r = steps(target, start, g, PLAIN)) {
      Check.sameBits("w", r.after("w.0"), w);
      Check.sameBits("m", r.after("m.0"), m);
      Check.sameBits("v", r.after("v.0"), v);
    }
  }

  /** The factor depends on |W| alone: turning the signs of weights and gradients turns the result. */
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void theFactorIsEven(Target target) {
    int n = 331;
    float[] w = tame("even w", n);
    float[] g = tame("even g", n);
    try (Run r = steps(target, w, new float[][] {g, g}, PLAIN.withMeta(1.35));
        Run turned = steps(target, negated(w), new float[][] {negated(g), negated(g)}, PLAIN.withMeta(1.35));
        Run plain = steps(target, w, new float[][] {g, g}, PLAIN)) {
      Check.sameBits("w", negated(turned.after("w.0")), r.after("w.0"));
      Check.sameBits("v", turned.after("v.0"), r.after("v.0"));
      assertThat(Arrays.equals(r.after("w.0"), plain.after("w.0"))).as("meta changes nothing").isFalse();
      for (int i = 0; i < n; i++) { // consolidation only ever shortens steps
        assertThat(Math.abs(r.after("w.0")[i] - w[i])).isLessThanOrEqualTo(Math.abs(plain.after("w.0")[i] - w[i]) + 2 * Math.ulp(w[i]));
      }
    }
  }

  private static float[] negated(float[] x) {
    float[] y = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      y[i] = -x[i];
    }
    return y;
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void oneItemGivesTheOuterProduct(Target target) {
    int out = 37;
    int in = 1030;
    float[] dy = tame("outer dy", out);
    float[] x = tame("outer x", in);
    BitOracle signs = BitOracle.random(Seeds.random("outer signs", 0), 1, in, 0);
    try (Run r =
        run(
            target, in,
            c -> {
              F32Matrix left = c.inMatrix("dy", 1, out, dy);
              c.backend().binary().signGemmTN(left, c.inBits("signs", signs), c.outMatrix("sign", out, in), c.stream());
              c.backend().binary().gemmTN(left, c.inMatrix("x", 1, in, x), c.outMatrix("real", out, in), c.stream());
            })) {
      for (int i = 0; i < out * in; i++) {
        Check.equal("sign", i, Bits.of(r.after("sign")[i]), Bits.of(dy[i / in] * signs.sign(0, i % in)));
        Check.equal("real", i, Bits.of(r.after("real")[i]), Bits.of(dy[i / in] * x[i % in]));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void productsOfARowWithItself(Target target) {
    for (int k : new int[] {0, 1, 63, 64, 65, 511, 512, 513, 784, 4096}) {
      BitOracle bits = BitOracle.random(Seeds.random("self", k), 9, k, 0);
      try (Run r =
          run(
              target, k,
              c -> {
                BitMatrix a = c.inBits("a", bits);
                I32Matrix y = c.outIntMatrix("y", 9, 9);
                c.backend().binary().xnorGemm(a, a, y, c.stream());
              })) {
        int[] y = r.afterBits("y");
        for (int i = 0; i < 81; i++) {
          assertThat(y[i]).isEqualTo(y[i % 9 * 9 + i / 9]).isBetween(-k, k);
          assertThat((y[i] - k) % 2).isZero();
          assertThat(i % 10 != 0 || y[i] == k).isTrue();
        }
      }
    }
  }

  /** Integer operands with small sums are exact in every order: what also holds for kernels that promise an error bound only. */
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void integersAreExactInEveryOrder(Target target) {
    SplittableRandom random = Seeds.random("integers", 0);
    int batch = 21;
    int in = 770;
    int out = 43;
    float[] x = new float[batch * in];
    float[] dy = new float[batch * out];
    for (int i = 0; i < x.length; i++) {
      x[i] = random.nextInt(-255, 256);
    }
    for (int i = 0; i < dy.length; i++) {
      dy[i] = random.nextInt(-1000, 1001);
    }
    BitOracle w = BitOracle.random(random, out, in, 0);
    BitOracle xs = BitOracle.random(random, batch, in, 0);
    try (Run r =
        run(
            target, in,
            c -> {
              F32Matrix left = c.inMatrix("x", batch, in, x);
              F32Matrix gradient = c.inMatrix("dy", batch, out, dy);
              BitMatrix bits = c.inBits("w", w);
              c.backend().binary().signGemmNT(left, bits, c.outMatrix("y", batch, out), c.stream());
              c.backend().binary().signGemmNN(gradient, bits, c.outMatrix("dx", batch, in), c.stream());
              c.backend().binary().signGemmTN(gradient, c.inBits("xs", xs), c.outMatrix("dw", out, in), c.stream());
              c.backend().binary().gemmTN(gradient, left, c.outMatrix("real", out, in), c.stream());
            })) {
      for (int b = 0; b < batch; b++) {
        for (int o = 0; o < out; o++) {
          long sum = 0;
          for (int i = 0; i < in; i++) {
            sum += (long) x[b * in + i] * w.sign(o, i);
          }
          Check.near("y", b * out + o, r.after("y")[b * out + o], sum, 0);
        }
      }
      float[] dx = r.after("dx");
      float[] dw = r.after("dw");
      float[] real = r.after("real");
      for (int i = 0; i < in; i++) {
        for (int b = 0; b < batch; b++) {
          long sum = 0;
          for (int o = 0; o < out; o++) {
            sum += (long) dy[b * out + o] * w.sign(o, i);
          }
          Check.near("dx", i, dx[b * in + i], sum, 0);
        }
        for (int o = 0; o < out; o++) {
          long signs = 0;
          long values = 0;
          for (int b = 0; b < batch; b++) {
            signs += (long) dy[b * out + o] * xs.sign(b, i);
            values += (long) dy[b * out + o] * (long) x[b * in + i];
          }
          Check.near("dw", i, dw[o * in + i], signs, 0);
          Check.near("real", i, real[o * in + i], values, 0);
        }
      }
    }
  }

  /** NaN packs to -1, -0 to +1, subnormals by their sign; as integers and through a product. */
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void specialValuesPackByTheRule(Target target) {
    float[] special = {
      Float.NaN, Float.intBitsToFloat(0xffc00000), Float.intBitsToFloat(0x7f800001), 0f, -0f, Float.MIN_VALUE, -Float.MIN_VALUE,
      Float.intBitsToFloat(0x807fffff), Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY
    };
    boolean[] plus = {false, false, false, true, true, true, false, false, true, false};
    int n = 1030;
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      x[i] = special[i % special.length];
    }
    try (Run r =
        run(
            target, n,
            c -> {
              BitMatrix bits = c.outBits("bits", 1, n);
              BitMatrix columns = c.outBits("columns", n, 1);
              c.backend().binary().signPack(c.inMatrix("x", 1, n, x), bits, c.stream());
              c.backend().binary().signPackTransposed(c.inMatrix("x again", 1, n, x), columns, c.stream());
            })) {
      for (int i = 0; i < n; i++) {
        assertThat(r.bitsAfter("bits").bit(0, i)).as("%s", x[i]).isEqualTo(plus[i % plus.length]);
        assertThat(r.bitsAfter("columns").bit(i, 0)).as("%s", x[i]).isEqualTo(plus[i % plus.length]);
      }
    }
  }

  /** A channel of one value, or of equal values, gives beta: the variance is 0. Inference with the statistics of the batch gives the same as training. */
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void batchNormOfConstantsGivesBeta(Target target) {
    int channels = 19;
    for (int batch : new int[] {1, 2, 16}) { // fp32 statistics are exact for these
      for (boolean integers : new boolean[] {true, false}) {
        BatchNormShape s = BatchNormShape.of(batch, channels);
        int[] y = new int[batch * channels];
        float[] f = new float[y.length];
        for (int i = 0; i < y.length; i++) {
          y[i] = i % channels * 3 - 20;
          f[i] = y[i];
        }
        float[] beta = tame("beta", channels);
        try (Run r =
            run(
                target, batch,
                c -> c.backend().binary().batchNormForward(
                    s, integers ? c.inInts("y", y) : c.in("y", f), c.in("gamma", tame("gamma", channels)), c.in("beta", beta), 1e-5,
                    c.out("mean", channels), c.out("inv", channels), null, BatchNormOutput.values(c.out("out", y.length)), c.stream()))) {
          for (int i = 0; i < y.length; i++) {
            assertThat(r.after("mean")[i % channels]).isEqualTo(f[i % channels]);
            assertThat(r.after("out")[i]).isEqualTo(beta[i % channels]);
          }
        }
      }
    }
  }

  /** Momentum 1 keeps nothing of the old statistics, momentum 0 nothing of the new ones. */
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void runningStatisticsMove(Target target) {
    int channels = 21;
    BatchNormShape s = BatchNormShape.of(10, channels);
    float[] y = tame("running", 10 * channels);
    for (double momentum : new double[] {0, 1}) {
      try (Run r =
          run(
              target, channels,
              c -> c.backend().binary().batchNormForward(
                  s, c.in("y", y), null, null, 1e-5, c.out("mean", channels), c.out("inv", channels),
                  new RunningStatistics(c.inOut("rm", tame("rm", channels)), c.inOut("rv", tame("rv", channels)), momentum),
                  BatchNormOutput.values(c.out("out", y.length)), c.stream()))) {
        Check.sameBits("rm", r.after("rm"), momentum == 0 ? r.before("rm") : r.after("mean"));
        if (momentum == 0) {
          Check.sameBits("rv", r.after("rv"), r.before("rv"));
        }
      }
    }
  }

  /** The gradient of the penalty is 0 where a weight agrees with all tasks, and does not depend on how many tasks were consolidated. */
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void penaltyPullsBackWhatWasTurned(Target target) {
    int n = 100;
    float[] fisher = new float[n];
    Arrays.fill(fisher, 0.5f);
    BitOracle anchor = BitOracle.random(Seeds.random("anchor", 0), 1, n, 0);
    BitOracle now = BitOracle.random(Seeds.random("now", 0), 1, n, 0);
    try (Run r =
        run(
            target, n,
            c -> {
              F32Buffer total = c.inOut("total", new float[n]);
              F32Buffer anchored = c.inOut("target", new float[n]);
              F32Buffer f = c.in("fisher", fisher);
              BitMatrix old = c.inBits("anchor", anchor);
              for (int task = 0; task < 5; task++) {
                c.backend().binary().ewcConsolidate(old, f, total, anchored, c.stream());
              }
              c.backend().binary().ewcPenaltyGradient(c.inBits("now", now), total, anchored, 10, c.inOut("gradient", new float[n]), c.stream());
            })) {
      for (int i = 0; i < n; i++) {
        float expected = now.bit(0, i) == anchor.bit(0, i) ? 0f : 50f * now.sign(0, i); // lambda * 5 tasks * 0.5 * (b - anchor)
        assertThat(r.after("gradient")[i]).isEqualTo(expected);
      }
    }
  }
}
