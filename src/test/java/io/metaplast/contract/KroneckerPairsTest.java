package io.metaplast.contract;

import static io.metaplast.contract.KroneckerContracts.close;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.metaplast.F32Matrix;
import io.metaplast.Seeds;
import io.metaplast.TestBackends.Target;
import io.metaplast.kfac.DampingMode;
import io.metaplast.kfac.FactorMerge;
import io.metaplast.kfac.KfacKernels;
import io.metaplast.kfac.KlClip;
import io.metaplast.kfac.KroneckerPair;
import io.metaplast.kfac.MergeReport;
import io.metaplast.kfac.PairDamping;
import io.metaplast.oracle.KroneckerOracle;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is done with pairs of factors: damping, merging, the KL clip. */
class KroneckerPairsTest {
  private static float[] factor(int index, int n) {
    return KroneckerOracle.narrow(SpdMatrices.gaussian(Seeds.random("pairs", index), n, n));
  }

  private static KroneckerPair pair(Operands o, int index, int m, int k) {
    return new KroneckerPair(o.in(factor(2 * index, m), m, m), o.in(factor(2 * index + 1, k), k, k));
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void dampingOfEveryMode(Target target) {
    try (Operands o = new Operands(target.backend())) {
      KfacKernels k = o.backend().kfac();
      double lambda = .03;
      List<KroneckerPair> pairs = List.of(pair(o, 0, 10, 33), pair(o, 1, 3, 2));
      List<PairDamping> pi = k.damping(DampingMode.PI, lambda, pairs, o.stream());
      for (int i = 0; i < 2; i++) {
        int m = i == 0 ? 10 : 3;
        int n = i == 0 ? 33 : 2;
        double want =
            Math.sqrt(
                KroneckerOracle.trace(KroneckerOracle.widen(factor(2 * i + 1, n)), n) / n
                    / (KroneckerOracle.trace(KroneckerOracle.widen(factor(2 * i, m)), m) / m));
        assertThat(pi.get(i).pi()).isCloseTo(want, within(1e-12 * want));
        assertThat(pi.get(i).a()).isCloseTo(want * Math.sqrt(lambda), within(1e-12));
        assertThat(pi.get(i).g()).isCloseTo(Math.sqrt(lambda) / want, within(1e-12));
        assertThat(pi.get(i).zeroTrace()).isFalse();
      }
      assertThat(k.damping(DampingMode.SAME, lambda, pairs, o.stream())).containsOnly(new PairDamping(1, lambda, lambda, false));
      assertThat(k.damping(DampingMode.SQRT, lambda, pairs, o.stream())).containsOnly(new PairDamping(1, Math.sqrt(lambda), Math.sqrt(lambda), false));
      float[][] odd = {{0}, {-2}, {Float.NaN}, {1e-38f}};
      for (float[] a : odd) {
        KroneckerPair p = new KroneckerPair(o.in(new float[] {1e30f}, 1, 1), o.in(a, 1, 1));
        assertThat(k.damping(DampingMode.PI, lambda, List.of(p), o.stream()))
            .as("%s", a[0])
            .containsExactly(new PairDamping(1, Math.sqrt(lambda), Math.sqrt(lambda), true));
      }
    }
    KroneckerContracts.checked("damping", target, 10);
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void merging(Target target) {
    int m = 12;
    int k = 21;
    double[] g1 = KroneckerOracle.widen(factor(10, m));
    double[] a1 = KroneckerOracle.widen(factor(11, k));
    double[] g2 = KroneckerOracle.scaled(.125, KroneckerOracle.widen(factor(12, m)));
    double[] a2 = KroneckerOracle.widen(factor(13, k));
    for (double forgetting : new double[] {1, .6}) {
      double pi =
          Math.sqrt(
              KroneckerOracle.trace(g1, m) * KroneckerOracle.trace(a2, k) / (KroneckerOracle.trace(g2, m) * forgetting * KroneckerOracle.trace(a1, k)));
      double[] a = KroneckerOracle.combine(forgetting, a1, 1 / pi, a2);
      double[] g = KroneckerOracle.combine(1, g1, pi, g2);
      for (int aliased = 0; aliased < 3; aliased++) {
        try (Operands o = new Operands(target.backend())) {
          KroneckerPair first = new KroneckerPair(o.inOut(KroneckerOracle.narrow(g1), m, m), o.inOut(KroneckerOracle.narrow(a1), k, k));
          KroneckerPair second = new KroneckerPair(o.inOut(KroneckerOracle.narrow(g2), m, m), o.inOut(KroneckerOracle.narrow(a2), k, k));
          KroneckerPair out = aliased == 0 ? new KroneckerPair(o.out(m, m), o.out(k, k)) : aliased == 1 ? first : second;
          MergeReport report = o.backend().kfac().mergeKroneckerFactors(first, second, FactorMerge.traceMinimising(forgetting), out, o.stream());
          assertThat(report.zeroTrace()).isFalse();
          assertThat(report.pi()).isCloseTo(pi, within(1e-6 * pi));
          close(o.read(out.a()), a, 1e-6);
          close(o.read(out.g()), g, 1e-6);
        }
        KroneckerContracts.checked("mergeKroneckerFactors", target, 1);
      }
      if (forgetting == 1) {
        overestimates(g1, a1, g2, a2, g, a, m, k);
      }
    }
    try (Operands o = new Operands(target.backend())) {
      KfacKernels kernels = o.backend().kfac();
      KroneckerPair first = new KroneckerPair(o.in(KroneckerOracle.narrow(g1), m, m), o.in(KroneckerOracle.narrow(a1), k, k));
      KroneckerPair second = new KroneckerPair(o.in(KroneckerOracle.narrow(g2), m, m), o.in(KroneckerOracle.narrow(a2), k, k));
      KroneckerPair out = new KroneckerPair(o.out(m, m), o.out(k, k));
      assertThat(kernels.mergeKroneckerFactors(first, second, FactorMerge.sum(.25, .75), out, o.stream())).isEqualTo(new MergeReport(1, false));
      close(o.read(out.a()), KroneckerOracle.combine(1, a1, 1, a2), 1e-6);
      close(o.read(out.g()), KroneckerOracle.combine(.25, g1, .75, g2), 1e-6);
      KroneckerPair zero = new KroneckerPair(o.in(new float[m * m], m, m), o.in(new float[k * k], k, k));
      assertThat(kernels.mergeKroneckerFactors(zero, second, FactorMerge.traceMinimising(1), out, o.stream()).zeroTrace()).isTrue();
      close(o.read(out.a()), a2, 0);
      close(o.read(out.g()), g2, 0);
      assertThat(kernels.mergeKroneckerFactors(first, zero, FactorMerge.traceMinimising(1), out, o.stream()).zeroTrace()).isTrue();
      close(o.read(out.a()), a1, 0);
      close(o.read(out.g()), g1, 0);
    }
    KroneckerContracts.checked("mergeKroneckerFactors", target, 3);
  }

  /** The merged block is never below the sum of the two: its form is larger for any direction. */
  private static void overestimates(double[] g1, double[] a1, double[] g2, double[] a2, double[] g, double[] a, int m, int k) {
    java.util.SplittableRandom r = Seeds.random("directions", 0);
    for (int i = 0; i < 20; i++) {
      double[] w = r.doubles((long) m * k, -1, 1).toArray();
      double sum = KroneckerOracle.dot(w, KroneckerOracle.sandwich(g1, w, a1, m, k)) + KroneckerOracle.dot(w, KroneckerOracle.sandwich(g2, w, a2, m, k));
      assertThat(KroneckerOracle.dot(w, KroneckerOracle.sandwich(g, w, a, m, k))).isGreaterThan(sum);
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void klClip(Target target) {
    try (Operands o = new Operands(target.backend())) {
      KfacKernels k = o.backend().kfac();
      float[] v = factor(30, 40);
      float[] w = factor(31, 40);
      List<F32Matrix> vs = List.of(o.in(v, 40, 40), o.in(new float[] {3, 4}, 1, 2));
      List<F32Matrix> ws = List.of(o.in(w, 40, 40), o.in(new float[] {-1, 2}, 1, 2));
      double sum = .01 * (KroneckerOracle.dot(KroneckerOracle.widen(v), KroneckerOracle.widen(w)) + 5);
      KlClip clip = k.klClipCoefficient(vs, ws, .1, .001, o.stream());
      assertThat(clip.sum()).isCloseTo(sum, within(1e-9 * Math.abs(sum)));
      assertThat(clip.nu()).isCloseTo(Math.min(1, Math.sqrt(.001 / Math.abs(sum))), within(1e-9));
      assertThat(clip.notANumber()).isFalse();
      assertThat(k.klClipCoefficient(vs, ws, 1e-9, .001, o.stream()).nu()).isEqualTo(1);
      assertThat(k.klClipCoefficient(List.of(o.in(new float[2], 1, 2)), ws.subList(1, 2), 1, .001, o.stream())).isEqualTo(new KlClip(1, 0, false));
      KlClip bad = k.klClipCoefficient(List.of(o.in(new float[] {Float.NaN, 1}, 1, 2)), ws.subList(1, 2), 1, .001, o.stream());
      assertThat(bad.nu()).isEqualTo(1);
      assertThat(bad.notANumber()).isTrue();
    }
    KroneckerContracts.checked("klClipCoefficient", target, 4);
  }
}
