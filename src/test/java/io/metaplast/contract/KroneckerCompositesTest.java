package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.within;

import io.metaplast.Backend;
import io.metaplast.BackendKind;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.KernelException;
import io.metaplast.NonFiniteMatrixException;
import io.metaplast.NotPositiveDefiniteException;
import io.metaplast.Stream;
import io.metaplast.TestBackends;
import io.metaplast.TestBackends.Target;
import io.metaplast.Workspace;
import io.metaplast.kfac.BatchNormMerge;
import io.metaplast.kfac.InverseOptions;
import io.metaplast.kfac.InverseReport;
import io.metaplast.kfac.KfacKernels;
import io.metaplast.kfac.KroneckerPair;
import io.metaplast.kfac.PairDamping;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Functions that the layer above the kernels composes, against dense double arithmetic, and the ladder of inverses on matrices that need it. */
class KroneckerCompositesTest {
  private static final double U = 0x1p-24;

  /** The backends that have this family. */
  static java.util.stream.Stream<Target> targets() {
    return TestBackends.kinds().filter(t -> t.options().kind() != BackendKind.CUDA);
  }

  private static final class Lab {
    final Backend backend;
    final KfacKernels kfac;
    final Stream stream;
    final SplittableRandom random = new SplittableRandom(11);

    Lab(Target target) {
      backend = target.backend();
      kfac = backend.kfac();
      stream = backend.defaultStream();
    }

    /** A matrix with a gap behind each row. */
    F32Matrix put(double[][] a) {
      int rows = a.length;
      int cols = rows == 0 ? 0 : a[0].length;
      int ld = cols + 3;
      F32Matrix m = new F32Matrix(backend.allocate((long) rows * ld), rows, cols, ld);
      for (int i = 0; i < rows; i++) {
        for (int j = 0; j < cols; j++) {
          m.data().upload((long) i * ld + j, new float[] {(float) a[i][j]}, 0, 1);
        }
      }
      return m;
    }

    F32Matrix empty(int rows, int cols) {
      F32Matrix m = put(new double[rows][cols]);
      m.data().fill(7);
      return m;
    }

    double[][] get(F32Matrix m) {
      float[] v = m.data().toArray();
      double[][] a = new double[m.rows()][m.cols()];
      for (int i = 0; i < m.rows(); i++) {
        for (int j = 0; j < m.cols(); j++) {
          a[i][j] = v[i * m.ld() + j];
        }
      }
      return a;
    }

    double[][] normal(int rows, int cols) {
      double[][] a = new double[rows][cols];
      for (double[] row : a) {
        Arrays.setAll(row, j -> (float) (random.nextDouble(-1, 1) + random.nextDouble(-1, 1)));
      }
      return a;
    }

    /** Symmetric positive definite, condition of some tens. */
    double[][] spd(int n) {
      double[][] x = normal(n, 2 * n + 2);
      double[][] a = product(x, transposed(x));
      for (int i = 0; i < n; i++) {
        for (int j = 0; j <= i; j++) {
          a[i][j] = a[j][i] = (float) (a[i][j] / n);
        }
      }
      return a;
    }

    F32Buffer vector(double... v) {
      F32Buffer b = backend.allocate(v.length);
      for (int i = 0; i < v.length; i++) {
        b.upload(i, new float[] {(float) v[i]}, 0, 1);
      }
      return b;
    }
  }

  // ---- dense double arithmetic

  private static double[][] product(double[][] a, double[][] b) {
    double[][] c = new double[a.length][b[0].length];
    for (int i = 0; i < a.length; i++) {
      for (int k = 0; k < b.length; k++) {
        for (int j = 0; j < b[0].length; j++) {
          c[i][j] += a[i][k] * b[k][j];
        }
      }
    }
    return c;
  }

  private static double[][] transposed(double[][] a) {
    double[][] t = new double[a[0].length][a.length];
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < a[0].length; j++) {
        t[j][i] = a[i][j];
      }
    }
    return t;
  }

  private static double[][] kronecker(double[][] g, double[][] a) {
    int k = a.length;
    double[][] c = new double[g.length * k][g.length * k];
    for (int i = 0; i < c.length; i++) {
      for (int j = 0; j < c.length; j++) {
        c[i][j] = g[i / k][j / k] * a[i % k][j % k];
      }
    }
    return c;
  }

  private static double[][] plus(double[][] a, double damping) {
    double[][] c = new double[a.length][];
    for (int i = 0; i < a.length; i++) {
      c[i] = a[i].clone();
      c[i][i] += damping;
    }
    return c;
  }

  /** Solves a x = b by Gauss-Jordan with pivoting; returns log |det a|. */
  private static double solve(double[][] a, double[] b) {
    int n = a.length;
    double logDet = 0;
    for (int j = 0; j < n; j++) {
      int p = j;
      for (int i = j; i < n; i++) {
        p = Math.abs(a[i][j]) > Math.abs(a[p][j]) ? i : p;
      }
      double[] row = a[p];
      a[p] = a[j];
      a[j] = row;
      double t = b[p];
      b[p] = b[j];
      b[j] = t;
      logDet += Math.log(Math.abs(a[j][j]));
      for (int i = 0; i < n; i++) {
        double f = a[i][j] / a[j][j];
        if (i != j && f != 0) {
          for (int k = j; k < n; k++) {
            a[i][k] -= f * a[j][k];
          }
          b[i] -= f * b[j];
        }
      }
    }
    for (int i = 0; i < n; i++) {
      b[i] /= a[i][i];
    }
    return logDet;
  }

  private static double[][] inverse(double[][] a) {
    double[][] x = new double[a.length][];
    for (int i = 0; i < a.length; i++) {
      double[] e = new double[a.length];
      e[i] = 1;
      solve(plus(a, 0), e);
      x[i] = e;
    }
    return x;
  }

  private static double[] flat(double[][] a) {
    return Arrays.stream(a).flatMapToDouble(Arrays::stream).toArray();
  }

  private static double norm1(double[][] a) {
    return Arrays.stream(transposed(a)).mapToDouble(c -> Arrays.stream(c).map(Math::abs).sum()).max().orElse(0);
  }

  private static void close(double[] found, double[] wanted, double relative) {
    double largest = Arrays.stream(wanted).map(Math::abs).max().orElse(0);
    assertThat(found).hasSameSizeAs(wanted);
    for (int i = 0; i < found.length; i++) {
      assertThat(found[i]).as("element %d", i).isCloseTo(wanted[i], within(relative * largest));
    }
  }

  private static void symmetricBits(double[][] a) {
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < i; j++) {
        assertThat(a[i][j]).as("(%d, %d)", i, j).isEqualTo(a[j][i]);
      }
    }
  }

  // ---- eigenvectors

  @ParameterizedTest
  @MethodSource("targets")
  void eigenvectors(Target target) {
    Lab lab = new Lab(target);
    List<double[][]> matrices = new ArrayList<>();
    for (int n : new int[] {1, 2, 3, 17, 64}) {
      double[][] a = lab.spd(n);
      matrices.add(a);
      double[][] indefinite = plus(a, -2);
      matrices.add(indefinite);
      matrices.add(new double[n][n]);
      double[][] diagonal = new double[n][n];
      for (int i = 0; i < n; i++) {
        diagonal[i][i] = i % 3 - 1;
      }
      matrices.add(diagonal);
      double[][] sparse = plus(diagonal, 0);
      sparse[n - 1][0] = sparse[0][n - 1] = 0.5;
      matrices.add(sparse);
      for (double scale : new double[] {0x1p-100, 0x1p100}) {
        double[][] scaled = plus(a, 0);
        Arrays.stream(scaled).forEach(row -> Arrays.setAll(row, j -> row[j] * scale));
        matrices.add(scaled);
      }
    }
    for (double[][] a : matrices) {
      int n = a.length;
      F32Matrix m = lab.put(a);
      F32Matrix q = lab.empty(n, n);
      F32Buffer l = lab.backend.allocate(n);
      lab.kfac.symmetricEigen(m, l, q, lab.stream);
      double[][] v = lab.get(q);
      double[] values = new double[n];
      float[] found = l.toArray();
      Arrays.setAll(values, i -> found[i]);
      assertThat(values).isSorted();
      double[][] mq = product(a, v);
      double[][] qq = product(transposed(v), v);
      for (int j = 0; j < n; j++) {
        int largest = 0;
        for (int i = 0; i < n; i++) {
          mq[i][j] -= v[i][j] * values[j];
          qq[i][j] -= i == j ? 1 : 0;
          largest = Math.abs(v[i][j]) > Math.abs(v[largest][j]) ? i : largest;
        }
        assertThat(v[largest][j]).as("sign of column %d", j).isPositive();
      }
      assertThat(norm1(mq)).isLessThanOrEqualTo(10 * n * U * norm1(a));
      assertThat(norm1(qq)).isLessThanOrEqualTo(10 * n * U);
    }
    double[][] bad = lab.spd(3);
    bad[2][1] = Double.NaN;
    F32Matrix q = lab.empty(3, 3);
    NonFiniteMatrixException e =
        catchThrowableOfType(
            NonFiniteMatrixException.class, () -> lab.kfac.symmetricEigen(lab.put(bad), lab.backend.allocate(3), q, lab.stream));
    assertThat(e.row()).isEqualTo(2);
    assertThat(e.column()).isEqualTo(1);
    assertThat(flat(lab.get(q))).containsOnly(7);
  }

  @ParameterizedTest
  @MethodSource("targets")
  void rootsFromEigenvectors(Target target) {
    Lab lab = new Lab(target);
    for (int n : new int[] {1, 3, 20}) {
      double[][] a = lab.spd(n);
      F32Matrix q = lab.empty(n, n);
      F32Buffer l = lab.backend.allocate(n);
      lab.kfac.symmetricEigen(lab.put(a), l, q, lab.stream);
      for (int root : new int[] {1, 2, 4}) {
        F32Matrix out = lab.empty(n, n);
        assertThat(lab.kfac.inverseRootFromEigen(l, q, 0.25, root, out, lab.stream)).isFalse();
        double[][] x = lab.get(out);
        symmetricBits(x);
        double[][] power = x;
        for (int p = 1; p < root; p++) {
          power = product(power, x);
        }
        close(flat(power), flat(inverse(plus(a, 0.25))), 1e-5);
      }
    }
    F32Matrix unit = lab.put(plus(new double[2][2], 1));
    F32Matrix out = lab.empty(2, 2);
    assertThat(lab.kfac.inverseRootFromEigen(lab.vector(-1, 3), unit, 1, 1, out, lab.stream)).isTrue();
    close(flat(lab.get(out)), new double[] {1, 0, 0, 0.25}, 1e-6);
    F32Matrix untouched = lab.empty(2, 2);
    assertThatThrownBy(() -> lab.kfac.inverseRootFromEigen(lab.vector(-1, 3), unit, 0, 1, untouched, lab.stream))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("values[0] = -1.0", "must be positive");
    assertThat(flat(lab.get(untouched))).containsOnly(7);
  }

  @ParameterizedTest
  @MethodSource("targets")
  void preconditioningInTheEigenbasis(Target target) {
    Lab lab = new Lab(target);
    double[][] g = lab.spd(3);
    double[][] a = lab.spd(4);
    double[][] w = lab.normal(3, 4);
    F32Matrix qg = lab.empty(3, 3);
    F32Matrix qa = lab.empty(4, 4);
    F32Buffer lg = lab.backend.allocate(3);
    F32Buffer la = lab.backend.allocate(4);
    lab.kfac.symmetricEigen(lab.put(g), lg, qg, lab.stream);
    lab.kfac.symmetricEigen(lab.put(a), la, qa, lab.stream);
    F32Matrix out = lab.empty(3, 4);
    lab.kfac.kroneckerPreconditionEigen(lg, qg, la, qa, lab.put(w), 0.1, out, lab.stream);
    double[] wanted = flat(w);
    solve(plus(kronecker(g, a), 0.1), wanted);
    close(flat(lab.get(out)), wanted, 1e-5);

    F32Matrix untouched = lab.empty(3, 4);
    assertThatThrownBy(() -> lab.kfac.kroneckerPreconditionEigen(lab.vector(0, 1, 2), qg, la, qa, lab.put(w), 0, untouched, lab.stream))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("4 of 3*4 denominators", "lambda = 0.0");
    assertThat(flat(lab.get(untouched))).containsOnly(7);

    // Second moments, with the coordinate that is 1.
    double[][] d = lab.normal(9, 3);
    double[][] x = lab.normal(9, 3);
    F32Matrix s = lab.empty(3, 4);
    lab.kfac.ekfacSecondMoment(lab.put(d), qg, lab.put(x), true, qa, s, lab.stream);
    double[][] vg = lab.get(qg);
    double[][] va = lab.get(qa);
    double[][] moments = new double[3][4];
    for (int n = 0; n < 9; n++) {
      double[][] dq = product(new double[][] {d[n]}, vg);
      double[][] xq = product(new double[][] {{x[n][0], x[n][1], x[n][2], 1}}, va);
      for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 4; j++) {
          moments[i][j] += dq[0][i] * dq[0][i] * xq[0][j] * xq[0][j] / 9;
        }
      }
    }
    close(flat(lab.get(s)), flat(moments), 1e-5);

    lab.kfac.ekfacPrecondition(qg, qa, s, lab.put(w), 0.1, out, lab.stream);
    double[][] t = product(transposed(vg), product(w, va));
    for (int i = 0; i < 3; i++) {
      for (int j = 0; j < 4; j++) {
        t[i][j] /= moments[i][j] + 0.1;
      }
    }
    close(flat(lab.get(out)), flat(product(vg, product(t, transposed(va)))), 1e-5);
  }

  // ---- inverses, determinants, samples

  @ParameterizedTest
  @MethodSource("targets")
  void woodbury(Target target) {
    Lab lab = new Lab(target);
    for (int rows : new int[] {0, 1, 5}) {
      double[][] x = lab.normal(rows, 12);
      F32Matrix in = rows == 0 ? F32Matrix.of(lab.backend.allocate(0), 0, 12) : lab.put(x);
      F32Matrix out = lab.empty(12, 12);
      lab.kfac.woodburyInverse(in, 0.2, 0.5, out, lab.stream);
      double[][] m = rows == 0 ? new double[12][12] : product(transposed(x), x);
      Arrays.stream(m).forEach(row -> Arrays.setAll(row, j -> 0.2 * row[j]));
      close(flat(lab.get(out)), flat(inverse(plus(m, 0.5))), 1e-5);
      symmetricBits(lab.get(out));
    }
    double[][] bad = lab.normal(2, 3);
    bad[1][2] = Double.POSITIVE_INFINITY;
    F32Matrix untouched = lab.empty(3, 3);
    assertThatThrownBy(() -> lab.kfac.woodburyInverse(lab.put(bad), 1, 1, untouched, lab.stream)).isInstanceOf(NonFiniteMatrixException.class);
    assertThat(flat(lab.get(untouched))).containsOnly(7);
  }

  @ParameterizedTest
  @MethodSource("targets")
  void kroneckerSums(Target target) {
    Lab lab = new Lab(target);
    double[][] g1 = lab.spd(3);
    double[][] a1 = lab.spd(5);
    double[][] g2 = plus(lab.spd(3), -0.3);
    double[][] a2 = lab.spd(5);
    double[][] v = lab.normal(3, 5);
    double[][] block = kronecker(g1, a1);
    double[][] second = kronecker(g2, a2);
    for (int i = 0; i < 15; i++) {
      for (int j = 0; j < 15; j++) {
        block[i][j] += second[i][j];
      }
    }
    double[] wanted = flat(v);
    solve(block, wanted);
    F32Matrix inOut = lab.put(v);
    KroneckerPair first = new KroneckerPair(lab.put(g1), lab.put(a1));
    lab.kfac.kroneckerSumInverseApply(first, new KroneckerPair(lab.put(g2), lab.put(a2)), inOut, inOut, lab.stream);
    close(flat(lab.get(inOut)), wanted, 1e-4);

    F32Matrix untouched = lab.empty(3, 5);
    KroneckerPair negative = new KroneckerPair(lab.put(plus(new double[3][3], -100)), lab.put(a2));
    assertThatThrownBy(() -> lab.kfac.kroneckerSumInverseApply(first, negative, inOut, untouched, lab.stream))
        .isInstanceOf(KernelException.class)
        .hasMessageContaining("15 of 15 denominators");
    KroneckerPair singular = new KroneckerPair(first.g(), lab.put(new double[5][5]));
    NotPositiveDefiniteException e =
        catchThrowableOfType(
            NotPositiveDefiniteException.class, () -> lab.kfac.kroneckerSumInverseApply(singular, first, inOut, untouched, lab.stream));
    assertThat(e.order()).isEqualTo(1);
    assertThat(e.batchIndex()).isEqualTo(1);
    assertThat(flat(lab.get(untouched))).containsOnly(7);
  }

  @ParameterizedTest
  @MethodSource("targets")
  void determinantsAndSamples(Target target) {
    Lab lab = new Lab(target);
    double[][] g = lab.spd(3);
    double[][] a = lab.spd(5);
    KroneckerPair pair = new KroneckerPair(lab.put(g), lab.put(a));
    PairDamping damping = new PairDamping(1, 0.25, 0.5, false);
    double[][] block = kronecker(plus(g, 0.25), plus(a, 0.5));
    assertThat(lab.kfac.kroneckerLogDet(pair, damping, lab.stream)).isCloseTo(solve(block, new double[15]), within(1e-5));

    // A sample shifts the mean by a vector v with v^T (G (x) A) v = |e|^2: the normals are what the factors make of it.
    double[][] mean = lab.normal(3, 5);
    double[][] e = lab.normal(3, 5);
    F32Matrix out = lab.empty(3, 5);
    lab.kfac.matrixNormalSample(lab.put(mean), pair, damping, lab.put(e), out, lab.stream);
    double[][] shift = lab.get(out);
    for (int i = 0; i < 3; i++) {
      for (int j = 0; j < 5; j++) {
        shift[i][j] -= mean[i][j];
      }
    }
    double[][] back = product(transposed(cholesky(plus(g, 0.25))), product(shift, cholesky(plus(a, 0.5))));
    close(flat(back), flat(e), 1e-4);

    KroneckerPair bad = new KroneckerPair(pair.g(), lab.put(plus(a, -50)));
    F32Matrix untouched = lab.empty(3, 5);
    assertThatThrownBy(() -> lab.kfac.kroneckerLogDet(bad, damping, lab.stream)).isInstanceOf(NotPositiveDefiniteException.class);
    assertThatThrownBy(() -> lab.kfac.matrixNormalSample(lab.put(mean), bad, damping, lab.put(e), untouched, lab.stream))
        .isInstanceOf(NotPositiveDefiniteException.class);
    assertThat(flat(lab.get(untouched))).containsOnly(7);
  }

  private static double[][] cholesky(double[][] a) {
    int n = a.length;
    double[][] l = new double[n][n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        double rest = a[i][j];
        for (int k = 0; k < j; k++) {
          rest -= l[i][k] * l[j][k];
        }
        l[i][j] = i == j ? Math.sqrt(rest) : rest / l[j][j];
      }
    }
    return l;
  }

  @ParameterizedTest
  @MethodSource("targets")
  void newtonSchulz(Target target) {
    Lab lab = new Lab(target);
    F32Matrix m = lab.put(new double[][] {{4, 1}, {1, 3}});
    F32Matrix out = lab.empty(2, 2);
    double[] errors = lab.kfac.newtonSchulzInverse(m, 1e-5, 20, out, lab.stream);
    close(errors, new double[] {0.4384, 0.25855232, 0.0922914406924288, 0.01177117041688129, 0.00019148583652586007, 5.0672306705827201e-8}, 2e-6);
    close(flat(lab.get(out)), new double[] {3 / 11.0, -1 / 11.0, -1 / 11.0, 4 / 11.0}, 1e-6);
    F32Matrix best = lab.empty(2, 2);
    assertThatThrownBy(() -> lab.kfac.newtonSchulzInverse(m, 1e-5, 4, best, lab.stream))
        .isInstanceOf(KernelException.class)
        .hasMessageContainingAll("in 4 steps", "wanted is 1.0E-5");
    double[][] x = lab.get(best);
    double[][] mx = product(new double[][] {{4, 1}, {1, 3}}, x);
    assertThat(Math.max(Math.abs(mx[0][0] - 1), Math.abs(mx[1][1] - 1))).isLessThan(0.0118).isGreaterThan(0.001);
    double[][] a = lab.spd(40);
    F32Matrix inverse = lab.empty(40, 40);
    lab.kfac.newtonSchulzInverse(lab.put(plus(a, 0.5)), 1e-4, 60, inverse, lab.stream);
    close(flat(lab.get(inverse)), flat(inverse(plus(a, 0.5))), 1e-4);
    symmetricBits(lab.get(inverse));
    assertThatThrownBy(() -> lab.kfac.newtonSchulzInverse(lab.put(new double[2][2]), 1e-5, 4, best, lab.stream))
        .isInstanceOf(NotPositiveDefiniteException.class);
  }

  /** Sums over nothing, and biases without inputs. */
  @ParameterizedTest
  @MethodSource("targets")
  void emptyInputs(Target target) {
    Lab lab = new Lab(target);
    F32Matrix one = lab.put(new double[][] {{4}});
    F32Matrix factor = lab.put(new double[][] {{4, 2}, {2, 6}});
    try (Workspace space = lab.backend.workspace(1 << 16)) {
      lab.kfac.kroneckerFactorUpdate(F32Matrix.of(lab.backend.allocate(0), 3, 0), true, 0.5, 0.25, one, space, lab.stream);
      lab.kfac.kroneckerFactorUpdate(F32Matrix.of(lab.backend.allocate(0), 0, 2), false, 1, 0.5, factor, space, lab.stream);
    }
    assertThat(flat(lab.get(one))).containsExactly(2.5);
    assertThat(flat(lab.get(factor))).containsExactly(2, 1, 1, 3);
    F32Matrix noInputs = F32Matrix.of(lab.backend.allocate(0), 2, 0);
    F32Buffer bias = lab.backend.allocate(2);
    lab.kfac.mergeBatchNorm(
        new BatchNormMerge(noInputs, lab.vector(3, 5), lab.vector(2, 2), lab.vector(1, 1), lab.vector(1, 2), lab.vector(4, 1), 0),
        F32Matrix.of(lab.backend.allocate(0), 2, 0), bias, lab.stream);
    assertThat(bias.toArray()).containsExactly(3, 7);
  }

  // ---- ladder

  private static double[][] moler(int n) {
    double[][] a = new double[n][n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        a[i][j] = i == j ? i + 1 : Math.min(i, j) - 1;
      }
    }
    return a;
  }

  private static InverseReport invert(Lab lab, List<F32Matrix> m, double[] damping, List<F32Matrix> out, InverseOptions options) {
    InverseReport report = new InverseReport();
    int[] orders = m.stream().mapToInt(F32Matrix::rows).toArray();
    try (Workspace space = lab.backend.workspace(lab.kfac.spdInverseWorkspaceBytes(orders))) {
      lab.kfac.batchedDampedSpdInverse(m, damping, out, options, report, space, lab.stream);
    }
    return report;
  }

  @ParameterizedTest
  @MethodSource("targets")
  void ladder(Target target) {
    Lab lab = new Lab(target);
    double[][] nan = lab.spd(4);
    nan[3][0] = Double.NaN;
    double[][] indefinite = {{1, 2}, {2, 1}};
    List<double[][]> in = List.of(lab.spd(20), moler(16), indefinite, nan, indefinite, lab.spd(33), new double[3][3]);
    double[] damping = {0.1, 0, 0.1, 1, 0, 0.2, 0};
    List<F32Matrix> m = in.stream().map(lab::put).toList();
    List<F32Matrix> bare = in.stream().map(a -> lab.empty(a.length, a.length)).toList();
    List<F32Matrix> out = in.stream().map(a -> lab.empty(a.length, a.length)).toList();
    InverseReport none = invert(lab, m, damping, bare, InverseOptions.NONE);
    InverseReport standard = invert(lab, m, damping, out, InverseOptions.STANDARD);
    int[] plain = {0, -3, 2, -2, 2, 0, 1};
    int[] climbed = {0, -5, -4, -2, -6, 0, -6};
    int[] rungs = {2, 3, 4, 1, 6, 2, 6};
    for (int b = 0; b < plain.length; b++) {
      assertThat(none.status(b)).as("bare %d", b).isEqualTo(plain[b]);
      assertThat(standard.status(b)).as("ladder %d", b).isEqualTo(climbed[b]);
      assertThat(standard.rung(b)).as("rung %d", b).isEqualTo(rungs[b]);
      boolean written = standard.status(b) == 0 || standard.status(b) == -5 || standard.status(b) == -4;
      if (!written) {
        assertThat(flat(lab.get(out.get(b)))).as("output %d", b).containsOnly(7);
      }
      if (none.status(b) == 0) {
        assertThat(lab.get(out.get(b))).as("bits %d", b).isDeepEqualTo(lab.get(bare.get(b)));
      }
    }
    // 0.1 and 1 leave the matrix singular or indefinite; 10 does not.
    assertThat(standard.dampingUsed(2)).isEqualTo(10, within(1e-12));
    close(flat(lab.get(out.get(2))), flat(inverse(plus(indefinite, 10))), 1e-6);
    close(flat(lab.get(out.get(1))), flat(inverse(moler(16))), 1e-5);
    assertThat(standard.dampingUsed(1)).isZero();
    assertThat(standard.usable(4)).isTrue();

    InverseOptions clamp = new InverseOptions(InverseOptions.DEFAULT_RESIDUAL_TOLERANCE, false, false, true, false);
    F32Matrix inPlace = lab.put(indefinite);
    InverseReport report = invert(lab, List.of(inPlace), new double[] {0.1}, List.of(inPlace), clamp);
    assertThat(report.status(0)).isEqualTo(InverseReport.RECOVERED_EIGEN);
    assertThat(report.rung(0)).isEqualTo(5);
    assertThat(report.flags(0)).isEqualTo(InverseReport.CLAMPED);
    // Eigenvalues 3 and -1 become 3.1 and 0.1.
    double p = (1 / 3.1 + 1 / 0.1) / 2;
    double q = (1 / 3.1 - 1 / 0.1) / 2;
    close(flat(lab.get(inPlace)), new double[] {p, q, q, p}, 1e-6);
    F32Matrix kept = lab.put(indefinite);
    assertThat(invert(lab, List.of(kept), new double[] {0}, List.of(kept), clamp).status(0)).isEqualTo(2);
    close(flat(lab.get(kept)), flat(indefinite), 0);
  }
}
