package io.metaplast.contract;

import static io.metaplast.contract.KroneckerContracts.close;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.metaplast.Coverage;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.NonFiniteMatrixException;
import io.metaplast.Seeds;
import io.metaplast.TestBackends.Target;
import io.metaplast.contract.SpdMatrices.Spectrum;
import io.metaplast.kfac.KfacKernels;
import io.metaplast.oracle.KroneckerOracle;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Eigenvectors and what is made of them. */
class EigenTest {
  private static final double U = 0x1p-24;

  private static float[] matrix(int n) {
    return KroneckerOracle.narrow(SpdMatrices.random(Seeds.random("eigen", n), n, Spectrum.GEOMETRIC, 1e3, 2));
  }

  private static float[] factor(int index, int n) {
    return KroneckerOracle.narrow(SpdMatrices.gaussian(Seeds.random("eigen factor", index), n, n + 3));
  }

  private static float[] values(String what, int n) {
    return KroneckerOracle.narrow(Seeds.random("eigen " + what, n).doubles(n, -1, 1).toArray());
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void decomposition(Target target) {
    for (int n : new int[] {1, 2, 3, 8, 17, 33, 64, 101}) {
      for (int kind = 0; kind < 4; kind++) {
        float[] m = switch (kind) {
          case 0 -> matrix(n);
          case 1 -> new float[n * n];
          case 2 -> KroneckerOracle.narrow(SpdMatrices.matrix(n, (i, j) -> i == j ? n - i : 0));
          default -> KroneckerOracle.narrow(SpdMatrices.gaussian(Seeds.random("eigen rank", n), n, 1));
        };
        decomposition(target, m, n);
      }
    }
  }

  private static void decomposition(Target target, float[] m, int n) {
    float[] lower = m.clone();
    for (int i = 0; i < n; i++) {
      java.util.Arrays.fill(lower, i * n + i + 1, (i + 1) * n, Float.NaN);
    }
    try (Operands o = new Operands(target.backend())) {
      F32Buffer l = o.out(n);
      F32Matrix q = o.out(n, n);
      o.backend().kfac().symmetricEigen(o.in(lower, n, n), l, q, o.stream());
      double[] values = KroneckerOracle.widen(o.read(l));
      double[] vectors = KroneckerOracle.widen(o.read(q));
      double[] mq = KroneckerOracle.multiply(KroneckerOracle.widen(m), vectors, n, n, n);
      double[] ql = new double[n * n];
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
          ql[i * n + j] = vectors[i * n + j] * values[j];
        }
      }
      double norm = KroneckerOracle.norm1(KroneckerOracle.widen(m), n, n);
      double residual = KroneckerOracle.norm1(KroneckerOracle.combine(1, mq, -1, ql), n, n);
      assertThat(residual).as("%s n %d", target, n).isLessThanOrEqualTo(10 * norm * n * U);
      double[] qq = KroneckerOracle.multiply(KroneckerOracle.transpose(vectors, n, n), vectors, n, n, n);
      double orthogonality = KroneckerOracle.norm1(KroneckerOracle.combine(1, qq, -1, KroneckerOracle.identity(n)), n, n) / (n * U);
      Coverage.largest("orthogonality ratio of eigenvectors, " + target, orthogonality);
      assertThat(orthogonality).as("%s n %d", target, n).isLessThanOrEqualTo(10);
      for (int j = 0; j < n; j++) {
        int largest = 0;
        for (int i = 1; i < n; i++) {
          if (Math.abs(vectors[i * n + j]) > Math.abs(vectors[largest * n + j])) {
            largest = i;
          }
        }
        assertThat(vectors[largest * n + j]).isPositive();
        assertThat(j == 0 || values[j] >= values[j - 1]).isTrue();
      }
      KroneckerContracts.checked("symmetricEigen", target, (long) n * n);
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void notFinite(Target target) {
    try (Operands o = new Operands(target.backend())) {
      F32Matrix m = o.in(new float[] {1, 0, Float.NaN, 1}, 2, 2);
      assertThatThrownBy(() -> o.backend().kfac().symmetricEigen(m, o.out(2), o.out(2, 2), o.stream())).isInstanceOf(NonFiniteMatrixException.class);
    }
    KroneckerContracts.checked("symmetricEigen", target, 1);
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void inversesAndRoots(Target target) {
    int n = 37;
    double[][] eigen = KroneckerOracle.eigen(KroneckerOracle.widen(factor(1, n)), n);
    try (Operands o = new Operands(target.backend())) {
      KfacKernels k = o.backend().kfac();
      F32Buffer l = o.in(KroneckerOracle.narrow(eigen[0]));
      F32Matrix q = o.in(KroneckerOracle.narrow(eigen[1]), n, n);
      for (int root = 1; root <= 4; root++) {
        F32Matrix out = o.out(n, n);
        assertThat(k.inverseRootFromEigen(l, q, .05, root, out, o.stream())).isFalse();
        double[] power = KroneckerOracle.identity(n);
        double[] x = KroneckerOracle.widen(o.read(out));
        for (int i = 0; i < root; i++) {
          power = KroneckerOracle.multiply(power, x, n, n, n);
        }
        double[] product = KroneckerOracle.multiply(power, KroneckerOracle.damped(KroneckerOracle.widen(factor(1, n)), n, .05), n, n, n);
        close(product, KroneckerOracle.identity(n), 2e-4);
        KroneckerContracts.checked("inverseRootFromEigen", target, (long) n * n);
      }
      F32Matrix out = o.out(2, 2);
      F32Matrix identity = o.in(new float[] {1, 0, 0, 1}, 2, 2);
      assertThat(k.inverseRootFromEigen(o.in(new float[] {-3, 1}), identity, .5, 1, out, o.stream())).isTrue();
      close(KroneckerOracle.widen(o.read(out)), new double[] {2, 0, 0, 1 / 1.5}, 1e-6);
      float[] before = o.read(out);
      assertThatThrownBy(() -> k.inverseRootFromEigen(o.in(new float[] {-3, 1}), identity, 0, 1, out, o.stream())).isInstanceOf(IllegalArgumentException.class);
      assertThat(o.read(out)).isEqualTo(before);
    }
  }

  /** Solves (G (x) A + lambda I) V = dW by the full matrix. */
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void exactTikhonovDamping(Target target) {
    int m = 6;
    int n = 9;
    double[] g = KroneckerOracle.widen(factor(2, m));
    double[] a = KroneckerOracle.widen(factor(3, n));
    float[] w = values("gradient", m * n);
    double[] block = KroneckerOracle.damped(KroneckerOracle.kronecker(g, m, a, n), m * n, .02);
    double[] want = KroneckerOracle.multiply(KroneckerOracle.inverse(block, m * n), KroneckerOracle.widen(w), m * n, m * n, 1);
    double[][] eg = KroneckerOracle.eigen(g, m);
    double[][] ea = KroneckerOracle.eigen(a, n);
    try (Operands o = new Operands(target.backend())) {
      KfacKernels k = o.backend().kfac();
      F32Matrix out = o.out(m, n);
      F32Buffer lg = o.in(KroneckerOracle.narrow(eg[0]));
      F32Matrix qg = o.in(KroneckerOracle.narrow(eg[1]), m, m);
      F32Buffer la = o.in(KroneckerOracle.narrow(ea[0]));
      F32Matrix qa = o.in(KroneckerOracle.narrow(ea[1]), n, n);
      F32Matrix gradient = o.in(w, m, n);
      k.kroneckerPreconditionEigen(lg, qg, la, qa, gradient, .02, out, o.stream());
      close(KroneckerOracle.widen(o.read(out)), want, 1e-4);
      F32Matrix untouched = o.out(m, n);
      float[] before = o.read(untouched);
      assertThatThrownBy(() -> k.kroneckerPreconditionEigen(o.in(new float[m]), qg, la, qa, gradient, 0, untouched, o.stream()))
          .isInstanceOf(IllegalArgumentException.class);
      assertThat(o.read(untouched)).isEqualTo(before);
      // The same with the outer product of the eigenvalues given as second moments.
      F32Matrix s = o.in(KroneckerOracle.narrow(KroneckerOracle.outer(eg[0], ea[0])), m, n);
      F32Matrix other = o.out(m, n);
      k.ekfacPrecondition(qg, qa, s, gradient, .02, other, o.stream());
      close(KroneckerOracle.widen(o.read(other)), want, 1e-4);
    }
    KroneckerContracts.checked("kroneckerPreconditionEigen", target, m * n);
    KroneckerContracts.checked("ekfacPrecondition", target, m * n);
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void secondMomentsInTheEigenbasis(Target target) {
    int rows = 50;
    int m = 7;
    int cols = 11;
    for (boolean bias : new boolean[] {false, true}) {
      int n = bias ? cols + 1 : cols;
      float[] d = values("d", rows * m);
      float[] x = values("x", rows * cols);
      double[] qg = KroneckerOracle.eigen(KroneckerOracle.widen(factor(4, m)), m)[1];
      double[] qa = KroneckerOracle.eigen(KroneckerOracle.widen(factor(5, n)), n)[1];
      double[] wide = bias ? KroneckerOracle.withOnes(KroneckerOracle.widen(x), rows, cols) : KroneckerOracle.widen(x);
      double[] dq = KroneckerOracle.multiply(KroneckerOracle.widen(d), qg, rows, m, m);
      double[] xq = KroneckerOracle.multiply(wide, qa, rows, n, n);
      for (int i = 0; i < dq.length; i++) {
        dq[i] *= dq[i];
      }
      for (int i = 0; i < xq.length; i++) {
        xq[i] *= xq[i];
      }
      double[] want = KroneckerOracle.scaled(1.0 / rows, KroneckerOracle.multiply(KroneckerOracle.transpose(dq, rows, m), xq, m, rows, n));
      try (Operands o = new Operands(target.backend())) {
        F32Matrix s = o.out(m, n);
        o.backend()
            .kfac()
            .ekfacSecondMoment(
                o.in(d, rows, m), o.in(KroneckerOracle.narrow(qg), m, m), o.in(x, rows, cols), bias, o.in(KroneckerOracle.narrow(qa), n, n), s, o.stream());
        close(KroneckerOracle.widen(o.read(s)), want, 1e-5);
      }
      KroneckerContracts.checked("ekfacSecondMoment", target, (long) m * n);
    }
  }
}
