package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.metaplast.Coverage;
import io.metaplast.F32Matrix;
import io.metaplast.NonFiniteMatrixException;
import io.metaplast.NotPositiveDefiniteException;
import io.metaplast.Seeds;
import io.metaplast.TestBackends;
import io.metaplast.TestBackends.Target;
import io.metaplast.contract.SpdMatrices.Spectrum;
import io.metaplast.kfac.KfacKernels;
import io.metaplast.oracle.KroneckerOracle;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Cholesky factor, triangular inverse and solves. */
class CholeskyPiecesTest {
  private static final double U = 0x1p-24;
  private static final int[] SIZES = {1, 2, 3, 8, 16, 17, 33, 64, 100, 129, 260};

  private static float[] matrix(int n) {
    return KroneckerOracle.narrow(SpdMatrices.random(Seeds.random("cholesky", n), n, Spectrum.GEOMETRIC, 1e3, 3));
  }

  private static float[] lowerOnly(float[] m, int n) {
    float[] l = m.clone();
    for (int i = 0; i < n; i++) {
      Arrays.fill(l, i * n + i + 1, (i + 1) * n, Float.NaN);
    }
    return l;
  }

  private static float[] factor(Target target, float[] m, int n, double damping, boolean inPlace, int threads) {
    try (Operands o = new Operands(threads == 0 ? target.backend() : TestBackends.withThreads(target, threads))) {
      KfacKernels k = o.backend().kfac();
      F32Matrix in = inPlace ? o.inOut(m, n, n) : o.in(m, n, n);
      F32Matrix out = inPlace ? in : o.out(n, n);
      k.dampedCholesky(in, damping, out, o.workspace(k.choleskyWorkspaceBytes(n)), o.stream());
      return o.read(out);
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void factors(Target target) {
    for (int n : SIZES) {
      float[] m = lowerOnly(matrix(n), n);
      for (double damping : new double[] {0, .25}) {
        float[] l = factor(target, m, n, damping, false, 0);
        double[] wide = KroneckerOracle.widen(l);
        for (int i = 0; i < n; i++) {
          for (int j = i + 1; j < n; j++) {
            assertThat(l[i * n + j]).isZero();
          }
        }
        double[] want = KroneckerOracle.damped(KroneckerOracle.symmetric(KroneckerOracle.widen(m), n), n, damping);
        double[] product = KroneckerOracle.multiply(wide, KroneckerOracle.transpose(wide, n, n), n, n, n);
        double ratio = KroneckerOracle.norm1(KroneckerOracle.combine(1, product, -1, want), n, n) / (KroneckerOracle.norm1(want, n, n) * U);
        Coverage.largest("residual ratio of Cholesky, " + target, ratio);
        assertThat(ratio).as("%s n %d", target, n).isLessThanOrEqualTo(10);
        assertThat(factor(target, m, n, damping, true, 0)).isEqualTo(l);
        assertThat(factor(target, m, n, damping, false, 1)).isEqualTo(l);
        assertThat(factor(target, m, n, damping, false, 3)).isEqualTo(l);
        KroneckerContracts.checked("dampedCholesky", target, 4);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void failuresAreNamedAndNothingIsWritten(Target target) {
    try (Operands o = new Operands(target.backend())) {
      KfacKernels k = o.backend().kfac();
      F32Matrix out = o.out(3, 3);
      float[] before = o.read(out);
      F32Matrix singular = o.in(new float[] {8.5f, 11, 13.5f, 11, 14.5f, 18, 13.5f, 18, 22.5f}, 3, 3);
      NotPositiveDefiniteException e =
          catchThrowableOfType(
              NotPositiveDefiniteException.class, () -> k.dampedCholesky(singular, 0, out, o.workspace(k.choleskyWorkspaceBytes(3)), o.stream()));
      assertThat(e).isNotNull();
      assertThat(e.order()).isEqualTo(3);
      F32Matrix infinite = o.in(new float[] {1, 0, 0, 0, 1, 0, Float.POSITIVE_INFINITY, 0, 1}, 3, 3);
      NonFiniteMatrixException f =
          catchThrowableOfType(
              NonFiniteMatrixException.class, () -> k.dampedCholesky(infinite, 0, out, o.workspace(k.choleskyWorkspaceBytes(3)), o.stream()));
      assertThat(f).isNotNull();
      assertThat(new int[] {f.row(), f.column()}).containsExactly(2, 0);
      F32Matrix zero = o.in(new float[] {1, 0, 0, 5, 0, 0, 2, 2, 2}, 3, 3);
      assertThatThrownBy(() -> k.triangularInverse(zero, out, o.stream())).isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> k.triangularSolve(zero, false, out, o.stream())).isInstanceOf(IllegalArgumentException.class);
      assertThat(o.read(out)).isEqualTo(before);
    }
    KroneckerContracts.checked("dampedCholesky", target, 2);
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void triangularPieces(Target target) {
    for (int n : SIZES) {
      float[] l = KroneckerOracle.narrow(KroneckerOracle.cholesky(KroneckerOracle.widen(matrix(n)), n));
      float[] garbage = lowerOnly(l, n);
      double[] wide = KroneckerOracle.widen(l);
      try (Operands o = new Operands(target.backend())) {
        KfacKernels k = o.backend().kfac();
        F32Matrix in = o.in(garbage, n, n);
        F32Matrix out = o.out(n, n);
        k.triangularInverse(in, out, o.stream());
        float[] y = o.read(out);
        double[] r = KroneckerOracle.combine(1, KroneckerOracle.multiply(KroneckerOracle.widen(y), wide, n, n, n), -1, KroneckerOracle.identity(n));
        double size = KroneckerOracle.norm1(KroneckerOracle.widen(y), n, n) * KroneckerOracle.norm1(wide, n, n);
        assertThat(KroneckerOracle.norm1(r, n, n)).as("%s n %d", target, n).isLessThanOrEqualTo(10 * U * size);
        for (int i = 0; i < n; i++) {
          for (int j = i + 1; j < n; j++) {
            assertThat(y[i * n + j]).isZero();
          }
        }
        F32Matrix same = o.inOut(garbage, n, n);
        k.triangularInverse(same, same, o.stream());
        assertThat(o.read(same)).isEqualTo(y);
        KroneckerContracts.checked("triangularInverse", target, 2);
        for (int columns : new int[] {1, 5, 40}) {
          for (boolean transposed : new boolean[] {false, true}) {
            float[] b = KroneckerOracle.narrow(Seeds.random("solve", n).doubles((long) n * columns, -1, 1).toArray());
            F32Matrix x = o.inOut(b, n, columns);
            k.triangularSolve(in, transposed, x, o.stream());
            double[] got = KroneckerOracle.widen(o.read(x));
            double[] t = transposed ? KroneckerOracle.transpose(wide, n, n) : wide;
            double[] back = KroneckerOracle.multiply(t, got, n, n, columns);
            double[] scale = KroneckerOracle.multiply(KroneckerOracle.abs(t), KroneckerOracle.abs(got), n, n, columns);
            for (int i = 0; i < b.length; i++) {
              assertThat(Math.abs(back[i] - b[i])).as("%s n %d columns %d", target, n, columns).isLessThanOrEqualTo((n + 4) * U * (scale[i] + 1));
            }
            KroneckerContracts.checked("triangularSolve", target, b.length);
          }
        }
      }
    }
  }
}
