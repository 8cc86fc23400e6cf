package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.metaplast.Backend;
import io.metaplast.F32Matrix;
import io.metaplast.Seeds;
import io.metaplast.TestBackends;
import io.metaplast.TestBackends.Target;
import io.metaplast.kfac.KfacKernels;
import io.metaplast.kfac.KroneckerPair;
import io.metaplast.kfac.PenaltyTask;
import io.metaplast.kfac.PenaltyTerm;
import io.metaplast.kfac.PenaltyValue;
import io.metaplast.oracle.KroneckerOracle;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The quadratic penalty of several tasks, layers and terms: value and gradient against the formula and against differences of the value. */
class KroneckerPenaltyTest {
  private static final int[][] LAYERS = {{20, 37}, {5, 20}, {10, 6}, {1, 1}};
  private static final double[] LAMBDA = {.7, 1, 2.5};

  private static float[] values(String what, long index, int n) {
    SplittableRandom r = Seeds.random("penalty " + what, index);
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      // Multiples of 2^-10, so that differences with steps of 2^-6 are exact.
      x[i] = Math.round(r.nextGaussian() * 256) / 1024f;
    }
    return x;
  }

  private static float[] factor(long index, int n) {
    return KroneckerOracle.narrow(SpdMatrices.gaussian(Seeds.random("penalty factor", index), n, Math.max(1, n / 2)));
  }

  private static int terms(int task, int layer) {
    return layer == 3 && task == 1 ? 0 : layer == 0 ? 2 : 1;
  }

  private static double weight(int term) {
    return term == 0 ? 1.25 : 7;
  }

  private record Outcome(PenaltyValue value, List<float[]> gradients) {}

  /** Q at the weights, one of which may be moved; gradients are added to 1. */
  private static Outcome run(Backend backend, int movedLayer, int movedElement, float by, boolean wantGradient) {
    try (Operands o = new Operands(backend)) {
      KfacKernels k = backend.kfac();
      List<F32Matrix> weights = new ArrayList<>();
      List<F32Matrix> gradients = new ArrayList<>();
      for (int l = 0; l < LAYERS.length; l++) {
        int m = LAYERS[l][0];
        int n = LAYERS[l][1];
        float[] w = values("weights", l, m * n);
        if (l == movedLayer) {
          w[movedElement] += by;
        }
        weights.add(o.in(w, m, n));
        float[] ones = new float[m * n];
        java.util.Arrays.fill(ones, 1);
        gradients.add(o.inOut(ones, m, n));
      }
      List<PenaltyTask> tasks = new ArrayList<>();
      for (int t = 0; t < LAMBDA.length; t++) {
        List<F32Matrix> anchors = new ArrayList<>();
        List<List<PenaltyTerm>> terms = new ArrayList<>();
        for (int l = 0; l < LAYERS.length; l++) {
          int m = LAYERS[l][0];
          int n = LAYERS[l][1];
          anchors.add(o.in(values("anchor " + t, l, m * n), m, n));
          List<PenaltyTerm> list = new ArrayList<>();
          for (int i = 0; i < terms(t, l); i++) {
            long id = 100L * t + 10 * l + i;
            list.add(new PenaltyTerm(new KroneckerPair(o.in(factor(2 * id, m), m, m), o.in(factor(2 * id + 1, n), n, n)), weight(i)));
          }
          terms.add(list);
        }
        tasks.add(new PenaltyTask(LAMBDA[t], anchors, terms));
      }
      PenaltyValue value =
          k.kroneckerQuadraticPenalty(
              tasks, weights, wantGradient ? gradients : null, o.workspace(k.kroneckerPenaltyWorkspaceBytes(tasks, weights)), o.stream());
      return new Outcome(value, gradients.stream().map(o::read).toList());
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void followsTheFormula(Target target) {
    double value = 0;
    double absolute = 0;
    Outcome got = run(target.backend(), -1, 0, 0, true);
    for (int l = 0; l < LAYERS.length; l++) {
      int m = LAYERS[l][0];
      int n = LAYERS[l][1];
      double[] gradient = new double[m * n];
      double[] size = new double[m * n];
      java.util.Arrays.fill(gradient, 1);
      for (int t = 0; t < LAMBDA.length; t++) {
        double[] d = KroneckerOracle.combine(1, KroneckerOracle.widen(values("weights", l, m * n)), -1, KroneckerOracle.widen(values("anchor " + t, l, m * n)));
        for (int i = 0; i < terms(t, l); i++) {
          long id = 100L * t + 10 * l + i;
          double[] g = KroneckerOracle.widen(factor(2 * id, m));
          double[] a = KroneckerOracle.widen(factor(2 * id + 1, n));
          double[] p = KroneckerOracle.sandwich(g, d, a, m, n);
          double scale = LAMBDA[t] * weight(i);
          value += scale / 2 * KroneckerOracle.dot(d, p);
          absolute += Math.abs(scale / 2 * KroneckerOracle.dot(d, p));
          gradient = KroneckerOracle.combine(1, gradient, scale, p);
          size =
              KroneckerOracle.combine(
                  1, size, scale, KroneckerOracle.sandwich(KroneckerOracle.abs(g), KroneckerOracle.abs(d), KroneckerOracle.abs(a), m, n));
        }
      }
      for (int i = 0; i < gradient.length; i++) {
        double bound = 0x1p-24 * ((m + n + 12) * size[i] + 8 * Math.abs(gradient[i]) + 8);
        assertThat(Math.abs(got.gradients().get(l)[i] - gradient[i])).as("%s layer %d element %d", target, l, i).isLessThanOrEqualTo(bound);
      }
      KroneckerContracts.checked("kroneckerQuadraticPenalty", target, gradient.length);
    }
    assertThat(got.value().value()).isCloseTo(value, org.assertj.core.data.Percentage.withPercentage(1e-3));
    assertThat(got.value().absolute()).isCloseTo(absolute, org.assertj.core.data.Percentage.withPercentage(1e-3));
    assertThat(got.value().negativeForm()).isFalse();
    assertThat(run(target.backend(), -1, 0, 0, false).value()).isEqualTo(got.value());
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void gradientEqualsDifferencesOfTheValue(Target target) {
    Outcome at = run(target.backend(), -1, 0, 0, true);
    float h = 0x1p-4f;
    for (int l = 0; l < LAYERS.length; l++) {
      int count = LAYERS[l][0] * LAYERS[l][1];
      for (int i = 0; i < count; i += Math.max(1, count / 7)) {
        double up = run(target.backend(), l, i, h, false).value().value();
        double down = run(target.backend(), l, i, -h, false).value().value();
        // The value is quadratic: central differences are exact but for rounding.
        double rounding = 1e-6 * at.value().absolute() / h;
        assertThat(at.gradients().get(l)[i] - 1.0).as("%s layer %d element %d", target, l, i).isCloseTo((up - down) / (2 * h), org.assertj.core.data.Offset.offset(rounding));
        KroneckerContracts.checked("kroneckerQuadraticPenalty", target, 1);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void threadsDoNotChangeBits(Target target) {
    Outcome one = run(TestBackends.withThreads(target, 1), -1, 0, 0, true);
    for (int threads = 2; threads <= 4; threads++) {
      Outcome many = run(TestBackends.withThreads(target, threads), -1, 0, 0, true);
      assertThat(many.value()).isEqualTo(one.value());
      for (int l = 0; l < LAYERS.length; l++) {
        assertThat(many.gradients().get(l)).isEqualTo(one.gradients().get(l));
      }
      KroneckerContracts.checked("kroneckerQuadraticPenalty", target, 1);
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void indefiniteFactorsAreFlagged(Target target) {
    try (Operands o = new Operands(target.backend())) {
      KfacKernels k = o.backend().kfac();
      KroneckerPair pair = new KroneckerPair(o.in(new float[] {-1}, 1, 1), o.in(new float[] {1, 0, 0, 1}, 2, 2));
      List<F32Matrix> w = List.of(o.in(new float[] {2, 3}, 1, 2));
      List<PenaltyTask> tasks = List.of(new PenaltyTask(1, List.of(o.in(new float[] {1, 1}, 1, 2)), List.of(List.of(new PenaltyTerm(pair, 1)))));
      PenaltyValue value = k.kroneckerQuadraticPenalty(tasks, w, null, o.workspace(k.kroneckerPenaltyWorkspaceBytes(tasks, w)), o.stream());
      assertThat(value).isEqualTo(new PenaltyValue(-2.5, 2.5, true));
      assertThat(k.kroneckerQuadraticPenalty(List.of(), w, null, o.workspace(k.kroneckerPenaltyWorkspaceBytes(List.of(), w)), o.stream()))
          .isEqualTo(new PenaltyValue(0, 0, false));
    }
    KroneckerContracts.checked("kroneckerQuadraticPenalty", target, 2);
  }
}
