package io.metaplast.contract;

import static io.metaplast.contract.KroneckerContracts.close;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.metaplast.Coverage;
import io.metaplast.F32Matrix;
import io.metaplast.Seeds;
import io.metaplast.TestBackends.Target;
import io.metaplast.kfac.KfacKernels;
import io.metaplast.oracle.KroneckerOracle;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Where Kronecker factors are exact, and the identities behind the factors of layers under batch norm. */
class CurvatureIdentitiesTest {
  private static double[] normals(String what, int n) {
    SplittableRandom r = Seeds.random("identities " + what, n);
    double[] x = new double[n];
    for (int i = 0; i < n; i++) {
      x[i] = (float) r.nextGaussian();
    }
    return x;
  }

  /** alpha X'X on the backend. */
  private static double[] moment(Target target, double[] x, int rows, int cols, double alpha) {
    try (Operands o = new Operands(target.backend())) {
      KfacKernels k = o.backend().kfac();
      F32Matrix f = o.out(cols, cols);
      k.kroneckerFactorUpdate(
          o.in(KroneckerOracle.narrow(x), rows, cols), false, alpha, 0, f, o.workspace(k.kroneckerFactorWorkspaceBytes(rows, cols, false)), o.stream());
      return KroneckerOracle.widen(o.read(f));
    }
  }

  private static double[] centredOrMean(Target target, double[] x, int rows, int cols, boolean mean) {
    try (Operands o = new Operands(target.backend())) {
      KfacKernels k = o.backend().kfac();
      F32Matrix f = o.out(cols, cols);
      F32Matrix m = o.in(KroneckerOracle.narrow(x), rows, cols);
      io.metaplast.Workspace w = o.workspace(k.kroneckerFactorWorkspaceBytes(rows, cols, false));
      if (mean) {
        k.kroneckerFactorMean(m, 1, 0, f, w, o.stream());
      } else {
        k.kroneckerFactorCentered(m, 1, 0, f, w, o.stream());
      }
      return KroneckerOracle.widen(o.read(f));
    }
  }

  /**
   * One example, softmax classes: the exact Gauss-Newton block J' H J with J = (V) (x) a' is (V' H V) (x) a a', and the sum over type-2 backward passes gives the same.
   */
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void oneExampleIsExact(Target target) {
    int in = 6;
    int out = 4;
    int classes = 3;
    double[] a = normals("a", in);
    double[] v = normals("v", classes * out);
    double[] p = {.2, .5, .3};
    // Backward passes of type 2: column c of the square root of H = diag(p) - p p', S_ic = (delta_ic - p_i) sqrt(p_c).
    double[] d = new double[classes * out];
    double[] hessian = new double[classes * classes];
    for (int c = 0; c < classes; c++) {
      for (int i = 0; i < classes; i++) {
        double s = ((i == c ? 1 : 0) - p[i]) * Math.sqrt(p[c]);
        hessian[i * classes + c] = (i == c ? p[i] : 0) - p[i] * p[c];
        for (int o = 0; o < out; o++) {
          d[c * out + o] += s * v[i * out + o];
        }
      }
    }
    double[] block = KroneckerOracle.kronecker(
        KroneckerOracle.multiply(KroneckerOracle.transpose(v, classes, out), KroneckerOracle.multiply(hessian, v, classes, classes, out), out, classes, out), out,
        KroneckerOracle.outer(a, a), in);
    close(KroneckerOracle.kronecker(moment(target, d, classes, out, 1), out, moment(target, a, 1, in, 1), in), block, 1e-6);
    Coverage.checked("K-FAC against the exact block", target.name(), block.length);
  }

  /** A deep linear net with square loss: every example has the same output Jacobian, so the mean block is G (x) A exactly, for any batch. */
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void deepLinearNetsAreExact(Target target) {
    int n = 40;
    int in = 5;
    int hidden = 4;
    int out = 3;
    double[] x = normals("x", n * in);
    double[] second = normals("second", out * hidden);
    // H = 2 I of the square loss; type-2 backward passes: rows sqrt(2) W2. J of example n = W2 (x) x_n'.
    double[] d = KroneckerOracle.scaled(Math.sqrt(2), second);
    double[] exact = new double[hidden * in * hidden * in];
    for (int i = 0; i < n; i++) {
      double[] a = java.util.Arrays.copyOfRange(x, i * in, (i + 1) * in);
      double[] g = KroneckerOracle.scaled(2, KroneckerOracle.gram(second, out, hidden));
      exact = KroneckerOracle.combine(1, exact, 1.0 / n, KroneckerOracle.kronecker(g, hidden, KroneckerOracle.outer(a, a), in));
    }
    close(KroneckerOracle.kronecker(moment(target, d, out, hidden, 1), hidden, moment(target, x, n, in, 1.0 / n), in), exact, 1e-6);
    Coverage.checked("K-FAC against the exact block", target.name(), exact.length);
  }

  /** The empirical Fisher is the exact sum of squared gradients for one example only. */
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void empiricalFisherIsExactForOneExampleOnly(Target target) {
    double[] a = normals("ef a", 2 * 3);
    double[] d = normals("ef d", 2 * 2);
    double[] exact = new double[36];
    for (int i = 0; i < 2; i++) {
      double[] g = KroneckerOracle.outer(java.util.Arrays.copyOfRange(d, 2 * i, 2 * i + 2), java.util.Arrays.copyOfRange(a, 3 * i, 3 * i + 3));
      double[] square = KroneckerOracle.outer(g, g);
      if (i == 0) {
        close(KroneckerOracle.kronecker(moment(target, d, 1, 2, 1), 2, moment(target, a, 1, 3, 1), 3), square, 1e-6);
      }
      exact = KroneckerOracle.combine(1, exact, .5, square);
    }
    double[] kfac = KroneckerOracle.kronecker(moment(target, d, 2, 2, .5), 2, moment(target, a, 2, 3, .5), 3);
    double[] difference = KroneckerOracle.combine(1, kfac, -1, exact);
    assertThat(Math.sqrt(KroneckerOracle.dot(difference, difference) / KroneckerOracle.dot(exact, exact))).isGreaterThan(.05);
    Coverage.checked("K-FAC against the exact block", target.name(), 2);
  }

  private static double[] identity(double[] gw, double[] gb, double[] aw, double[] ab, int n, int m, int k) {
    return KroneckerOracle.combine(1, KroneckerOracle.kronecker(gw, m, aw, k), n - 1, KroneckerOracle.kronecker(gb, m, ab, k));
  }

  private static double[] psd(double[] cg, double[] mg, double[] ca, double[] ma, int n, int m, int k) {
    return KroneckerOracle.combine(n / (n - 1.0), KroneckerOracle.kronecker(cg, m, ca, k), n, KroneckerOracle.kronecker(mg, m, ma, k));
  }

  /** Gw (x) Aw + (N-1) Gb (x) Ab = N/(N-1) Cg (x) Ca + N Mg (x) Ma: to 1e-12 in double. */
  @Test
  void batchNormIdentityInDouble() {
    for (int n : new int[] {2, 3, 17, 64}) {
      for (double mean : new double[] {0, .5, 2, 10}) {
        int m = 4;
        int k = 5;
        double[] d = KroneckerOracle.combine(1, normals("d " + n, n * m), mean, ones(n * m));
        double[] x = KroneckerOracle.combine(1, normals("x " + n, n * k), mean, ones(n * k));
        double[] left =
            identity(
                KroneckerOracle.scaled(1.0 / n, KroneckerOracle.gram(d, n, m)), KroneckerOracle.between(d, n, m),
                KroneckerOracle.scaled(1.0 / n, KroneckerOracle.gram(x, n, k)), KroneckerOracle.between(x, n, k), n, m, k);
        double[] right =
            psd(
                KroneckerOracle.centred(d, n, m), KroneckerOracle.meanOuter(d, n, m), KroneckerOracle.centred(x, n, k), KroneckerOracle.meanOuter(x, n, k), n, m,
                k);
        // Each side is a sum of terms as large as (1 + mean^2)^2 N.
        double scale = Math.pow(1 + mean * mean, 2) * n;
        for (int i = 0; i < left.length; i++) {
          assertThat(left[i]).isCloseTo(right[i], within(1e-12 * scale));
        }
      }
    }
  }

  private static double[] ones(int n) {
    double[] x = new double[n];
    java.util.Arrays.fill(x, 1);
    return x;
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void batchNormIdentityOnTheBackend(Target target) {
    int n = 64;
    int m = 4;
    int k = 5;
    double[] d = normals("d", n * m);
    double[] x = KroneckerOracle.combine(1, normals("x", n * k), 1, ones(n * k));
    double[] want =
        identity(
            KroneckerOracle.scaled(1.0 / n, KroneckerOracle.gram(d, n, m)), KroneckerOracle.between(d, n, m),
            KroneckerOracle.scaled(1.0 / n, KroneckerOracle.gram(x, n, k)), KroneckerOracle.between(x, n, k), n, m, k);
    x = KroneckerOracle.widen(KroneckerOracle.narrow(x));
    double[] got =
        psd(
            centredOrMean(target, d, n, m, false), centredOrMean(target, d, n, m, true), centredOrMean(target, x, n, k, false),
            centredOrMean(target, x, n, k, true), n, m, k);
    close(got, want, 1e-5);
    // Positive semidefinite, as the other form's terms alone are not.
    assertThat(KroneckerOracle.eigen(got, m * k)[0][0]).isGreaterThan(-1e-5);
    assertThat(KroneckerOracle.eigen(KroneckerOracle.between(d, n, m), m)[0][0]).isNegative();
    Coverage.checked("batch norm identity", target.name(), got.length);
  }

  /** Rows of D that sum to zero, as batch norm makes them: the mean term is zero and one ordinary pair with centred inputs is left. */
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void collapseDirectlyUnderBatchNorm(Target target) {
    int n = 32;
    int m = 3;
    int k = 6;
    double[] d = KroneckerOracle.widen(KroneckerOracle.narrow(KroneckerOracle.shifted(normals("zero sum", n * m), KroneckerOracle.mean(normals("zero sum", n * m), n, m), n, m)));
    double[] x = KroneckerOracle.combine(1, normals("x", n * k), 2, ones(n * k));
    x = KroneckerOracle.widen(KroneckerOracle.narrow(x));
    double[] want =
        identity(
            KroneckerOracle.scaled(1.0 / n, KroneckerOracle.gram(d, n, m)), KroneckerOracle.between(d, n, m),
            KroneckerOracle.scaled(1.0 / n, KroneckerOracle.gram(x, n, k)), KroneckerOracle.between(x, n, k), n, m, k);
    double[] got = KroneckerOracle.scaled(n / (n - 1.0), KroneckerOracle.kronecker(moment(target, d, n, m, 1.0 / n), m, centredOrMean(target, x, n, k, false), k));
    close(got, want, 1e-5);
    Coverage.checked("batch norm identity", target.name(), got.length);
  }
}
