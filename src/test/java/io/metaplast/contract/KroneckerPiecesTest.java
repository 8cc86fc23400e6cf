package io.metaplast.contract;

import static io.metaplast.contract.KroneckerContracts.close;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.metaplast.F32Matrix;
import io.metaplast.KernelException;
import io.metaplast.NotPositiveDefiniteException;
import io.metaplast.Seeds;
import io.metaplast.TestBackends.Target;
import io.metaplast.kfac.KfacKernels;
import io.metaplast.kfac.KroneckerPair;
import io.metaplast.kfac.PairDamping;
import io.metaplast.oracle.KroneckerOracle;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Woodbury, the inverse of a sum of two Kronecker products, log-determinant, samples, Newton-Schulz. */
class KroneckerPiecesTest {
  private static float[] factor(int index, int n) {
    return KroneckerOracle.narrow(SpdMatrices.gaussian(Seeds.random("composites", index), n, n + 4));
  }

  private static float[] values(String what, int n) {
    return KroneckerOracle.narrow(Seeds.random("composites " + what, n).doubles(n, -1, 1).toArray());
  }

  private static KroneckerPair pair(Operands o, int index, int m, int n) {
    return new KroneckerPair(o.in(factor(index, m), m, m), o.in(factor(index + 1, n), n, n));
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void woodburyEqualsTheDirectInverse(Target target) {
    for (int[] shape : new int[][] {{1, 1}, {3, 10}, {16, 70}, {40, 129}}) {
      float[] x = values("woodbury", shape[0] * shape[1]);
      int n = shape[1];
      double[] m = KroneckerOracle.damped(KroneckerOracle.scaled(.5, KroneckerOracle.gram(KroneckerOracle.widen(x), shape[0], n)), n, .1);
      try (Operands o = new Operands(target.backend())) {
        F32Matrix out = o.out(n, n);
        o.backend().kfac().woodburyInverse(o.in(x, shape[0], n), .5, .1, out, o.stream());
        float[] got = o.read(out);
        close(got, KroneckerOracle.inverse(m, n), 1e-4);
        for (int i = 0; i < n; i++) {
          for (int j = 0; j < i; j++) {
            assertThat(got[i * n + j]).isEqualTo(got[j * n + i]);
          }
        }
      }
      KroneckerContracts.checked("woodburyInverse", target, (long) n * n);
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void inverseOfASumOfTwoBlocks(Target target) {
    int m = 7;
    int n = 10;
    float[] v = values("sum", m * n);
    double[] block =
        KroneckerOracle.combine(
            1, KroneckerOracle.kronecker(KroneckerOracle.widen(factor(10, m)), m, KroneckerOracle.widen(factor(11, n)), n), 1,
            KroneckerOracle.kronecker(KroneckerOracle.widen(factor(20, m)), m, KroneckerOracle.widen(factor(21, n)), n));
    double[] want = KroneckerOracle.multiply(KroneckerOracle.inverse(block, m * n), KroneckerOracle.widen(v), m * n, m * n, 1);
    for (boolean inPlace : new boolean[] {false, true}) {
      try (Operands o = new Operands(target.backend())) {
        F32Matrix in = inPlace ? o.inOut(v, m, n) : o.in(v, m, n);
        F32Matrix out = inPlace ? in : o.out(m, n);
        o.backend().kfac().kroneckerSumInverseApply(pair(o, 10, m, n), pair(o, 20, m, n), in, out, o.stream());
        close(o.read(out), want, 2e-4);
      }
      KroneckerContracts.checked("kroneckerSumInverseApply", target, m * n);
    }
    try (Operands o = new Operands(target.backend())) {
      KroneckerPair bad = new KroneckerPair(o.in(new float[] {-1}, 1, 1), o.in(new float[] {1}, 1, 1));
      F32Matrix out = o.out(1, 1);
      float[] before = o.read(out);
      F32Matrix in = o.in(new float[] {1}, 1, 1);
      assertThatThrownBy(() -> o.backend().kfac().kroneckerSumInverseApply(bad, bad, in, out, o.stream())).isInstanceOf(KernelException.class);
      assertThat(o.read(out)).isEqualTo(before);
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void logDeterminant(Target target) {
    int m = 9;
    int n = 21;
    PairDamping damping = new PairDamping(1, .2, .3, false);
    double want =
        n * KroneckerOracle.logDet(KroneckerOracle.damped(KroneckerOracle.widen(factor(30, m)), m, .2), m)
            + m * KroneckerOracle.logDet(KroneckerOracle.damped(KroneckerOracle.widen(factor(31, n)), n, .3), n);
    try (Operands o = new Operands(target.backend())) {
      KfacKernels k = o.backend().kfac();
      assertThat(k.kroneckerLogDet(pair(o, 30, m, n), damping, o.stream())).isCloseTo(want, within(1e-4 * Math.abs(want)));
      KroneckerPair bad = new KroneckerPair(o.in(new float[] {-1}, 1, 1), o.in(new float[] {1}, 1, 1));
      assertThatThrownBy(() -> k.kroneckerLogDet(bad, damping, o.stream())).isInstanceOf(NotPositiveDefiniteException.class);
    }
    KroneckerContracts.checked("kroneckerLogDet", target, 2);
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void matrixNormalSamples(Target target) {
    int m = 8;
    int n = 13;
    PairDamping damping = new PairDamping(1, .1, .4, false);
    float[] mean = values("mean", m * n);
    float[] e = values("e", m * n + 1);
    e = java.util.Arrays.copyOf(e, m * n);
    double[] lg = KroneckerOracle.lowerInverse(KroneckerOracle.cholesky(KroneckerOracle.damped(KroneckerOracle.widen(factor(40, m)), m, .1), m), m);
    double[] la = KroneckerOracle.lowerInverse(KroneckerOracle.cholesky(KroneckerOracle.damped(KroneckerOracle.widen(factor(41, n)), n, .4), n), n);
    double[] z = KroneckerOracle.multiply(KroneckerOracle.transpose(lg, m, m), KroneckerOracle.multiply(KroneckerOracle.widen(e), la, m, n, n), m, m, n);
    try (Operands o = new Operands(target.backend())) {
      F32Matrix out = o.out(m, n);
      o.backend().kfac().matrixNormalSample(o.in(mean, m, n), pair(o, 40, m, n), damping, o.in(e, m, n), out, o.stream());
      close(o.read(out), KroneckerOracle.combine(1, KroneckerOracle.widen(mean), 1, z), 1e-4);
    }
    KroneckerContracts.checked("matrixNormalSample", target, m * n);
  }

  /** The covariance of samples is the inverse of the block. */
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void samplesHaveTheCovarianceOfTheInverseBlock(Target target) {
    int m = 2;
    int n = 3;
    double[] block = KroneckerOracle.kronecker(KroneckerOracle.damped(KroneckerOracle.widen(factor(50, m)), m, .5), m, KroneckerOracle.damped(KroneckerOracle.widen(factor(51, n)), n, .5), n);
    double[] want = KroneckerOracle.inverse(block, m * n);
    double[] covariance = new double[36];
    int draws = 4000;
    java.util.SplittableRandom r = Seeds.random("sample covariance", 0);
    try (Operands o = new Operands(target.backend())) {
      KroneckerPair pair = pair(o, 50, m, n);
      F32Matrix mean = o.in(new float[6], m, n);
      F32Matrix e = o.inOut(new float[6], m, n);
      F32Matrix out = o.out(m, n);
      for (int i = 0; i < draws; i++) {
        for (int row = 0; row < m; row++) {
          e.data().upload((long) row * e.ld(), new float[] {(float) r.nextGaussian(), (float) r.nextGaussian(), (float) r.nextGaussian()}, 0, 3);
        }
        o.backend().kfac().matrixNormalSample(mean, pair, new PairDamping(1, .5, .5, false), e, out, o.stream());
        double[] w = KroneckerOracle.widen(o.read(out));
        covariance = KroneckerOracle.combine(1, covariance, 1.0 / draws, KroneckerOracle.outer(w, w));
      }
    }
    double largest = java.util.Arrays.stream(want).map(Math::abs).max().orElseThrow();
    for (int i = 0; i < 36; i++) {
      assertThat(covariance[i]).isCloseTo(want[i], within(.12 * largest));
    }
    KroneckerContracts.checked("matrixNormalSample", target, draws);
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void newtonSchulz(Target target) {
    int n = 20;
    float[] m = KroneckerOracle.narrow(KroneckerOracle.damped(KroneckerOracle.widen(factor(60, n)), n, 1));
    try (Operands o = new Operands(target.backend())) {
      KfacKernels k = o.backend().kfac();
      F32Matrix in = o.in(m, n, n);
      F32Matrix out = o.out(n, n);
      double[] residuals = k.newtonSchulzInverse(in, 1e-4, 60, out, o.stream());
      assertThat(residuals[residuals.length - 1]).isLessThanOrEqualTo(1e-4);
      close(o.read(out), KroneckerOracle.inverse(KroneckerOracle.widen(m), n), 1e-4);
      assertThatThrownBy(() -> k.newtonSchulzInverse(in, 1e-4, 2, out, o.stream())).isInstanceOf(KernelException.class);
    }
    KroneckerContracts.checked("newtonSchulzInverse", target, n * n);
  }
}
