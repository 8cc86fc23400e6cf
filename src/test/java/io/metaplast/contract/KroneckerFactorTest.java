package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.metaplast.Backend;
import io.metaplast.F32Matrix;
import io.metaplast.NonFiniteMatrixException;
import io.metaplast.RealMatrix;
import io.metaplast.Seeds;
import io.metaplast.TestBackends;
import io.metaplast.TestBackends.Target;
import io.metaplast.Workspace;
import io.metaplast.kfac.KfacKernels;
import io.metaplast.kfac.MovingFactor;
import io.metaplast.oracle.KroneckerOracle;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Factor statistics on every backend: bounds, exact integers, symmetry, what is read and written, class B equality, bad values. */
class KroneckerFactorTest {
  private static final double U = 0x1p-24;
  private static final int[] ROWS = {1, 2, 3, 17, 255, 256, 257, 700};
  private static final int[] COLS = {1, 2, 7, 16, 33, 50, 129};

  private enum Kind {
    SECOND_MOMENT("kroneckerFactorUpdate"),
    CENTRED("kroneckerFactorCentered"),
    MEAN("kroneckerFactorMean"),
    BETWEEN("kroneckerFactorBetween");

    final String kernel;

    Kind(String kernel) {
      this.kernel = kernel;
    }

    void call(Operands o, RealMatrix x, boolean bias, double alpha, double beta, F32Matrix factor) {
      KfacKernels k = o.backend().kfac();
      Workspace w = o.workspace(k.kroneckerFactorWorkspaceBytes(x.rows(), x.cols(), bias));
      switch (this) {
        case SECOND_MOMENT -> k.kroneckerFactorUpdate(x, bias, alpha, beta, factor, w, o.stream());
        case CENTRED -> k.kroneckerFactorCentered(x, alpha, beta, factor, w, o.stream());
        case MEAN -> k.kroneckerFactorMean(x, alpha, beta, factor, w, o.stream());
        case BETWEEN -> k.kroneckerFactorBetween(x, alpha, beta, factor, w, o.stream());
      }
    }
  }

  private static float[] normals(SplittableRandom r, int n, double mean) {
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      x[i] = (float) (r.nextGaussian() + mean);
    }
    return x;
  }

  /** A symmetric start whose upper triangle holds NaN: it must not be read. */
  private static float[] start(SplittableRandom r, int d) {
    float[] f = normals(r, d * d, 0);
    for (int i = 0; i < d; i++) {
      Arrays.fill(f, i * d + i + 1, (i + 1) * d, Float.NaN);
    }
    return f;
  }

  private static void assertSymmetric(float[] f, int d) {
    for (int i = 0; i < d; i++) {
      for (int j = 0; j < i; j++) {
        assertThat(Float.floatToRawIntBits(f[i * d + j])).as("(%d, %d)", i, j).isEqualTo(Float.floatToRawIntBits(f[j * d + i]));
      }
    }
  }

  private static double[] floatMean(double[] x, int rows, int cols) {
    return KroneckerOracle.widen(KroneckerOracle.narrow(KroneckerOracle.mean(x, rows, cols)));
  }

  /** The value, and the sum of absolute terms behind it. */
  private static double[][] expected(Kind kind, double[] given, boolean bias, int rows, int cols) {
    double[] x = bias ? KroneckerOracle.withOnes(given, rows, cols) : given;
    int d = bias ? cols + 1 : cols;
    double[] m = floatMean(x, rows, d);
    double[] centred = KroneckerOracle.shifted(x, m, rows, d);
    double[] c = KroneckerOracle.scaled(1.0 / rows, KroneckerOracle.gram(centred, rows, d));
    double[] cAbs = KroneckerOracle.scaled(1.0 / rows, KroneckerOracle.gram(KroneckerOracle.abs(centred), rows, d));
    double[] mean = KroneckerOracle.outer(m, m);
    double[] meanAbs = KroneckerOracle.abs(mean);
    return switch (kind) {
      case SECOND_MOMENT -> new double[][] {KroneckerOracle.gram(x, rows, d), KroneckerOracle.gram(KroneckerOracle.abs(x), rows, d)};
      case CENTRED -> new double[][] {c, cAbs};
      case MEAN -> new double[][] {mean, meanAbs};
      case BETWEEN -> new double[][] {
        KroneckerOracle.combine(1, mean, -1.0 / (rows - 1), c), KroneckerOracle.combine(1, meanAbs, 1.0 / (rows - 1), cAbs)
      };
    };
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void withinBounds(Target target) {
    for (Kind kind : Kind.values()) {
      for (int rows : ROWS) {
        for (int cols : COLS) {
          if (rows < 2 && kind != Kind.SECOND_MOMENT && kind != Kind.MEAN) {
            continue;
          }
          for (int form = 0; form < 4; form++) {
            boolean bias = kind == Kind.SECOND_MOMENT && form % 2 == 1;
            withinBounds(target, kind, rows, cols, bias, form / 2 == 1);
          }
        }
      }
    }
  }

  private static void withinBounds(Target target, Kind kind, int rows, int cols, boolean bias, boolean bf16) {
    SplittableRandom r = Seeds.random("factor " + kind, rows * 1000L + cols);
    int d = bias ? cols + 1 : cols;
    float[] x = normals(r, rows * cols, kind == Kind.SECOND_MOMENT ? 0.3 : 3);
    float[] f0 = start(r, d);
    double alpha = .37;
    double beta = rows % 2 == 0 ? 0 : .95;
    if (beta == 0) {
      Arrays.fill(f0, Float.NaN);
    }
    try (Operands o = new Operands(target.backend())) {
      RealMatrix m = bf16 ? o.bf16(x, rows, cols) : o.in(x, rows, cols);
      double[] given = new double[rows * cols];
      if (bf16) {
        float[] all = ((io.metaplast.Bf16Matrix) m).data().toArray();
        for (int i = 0; i < given.length; i++) {
          given[i] = all[i / cols * m.ld() + i % cols];
        }
      } else {
        given = KroneckerOracle.widen(x);
      }
      F32Matrix f = o.inOut(f0, d, d);
      kind.call(o, m, bias, alpha, beta, f);
      float[] after = o.read(f);
      assertSymmetric(after, d);
      double[][] want = expected(kind, given, bias, rows, cols);
      for (int i = 0; i < d; i++) {
        for (int j = 0; j <= i; j++) {
          double old = beta == 0 ? 0 : (float) beta * (double) f0[i * d + j];
          double exact = (float) alpha * want[0][i * d + j] + old;
          double bound = U * ((rows + 8) * (float) alpha * want[1][i * d + j] + 2 * Math.abs(old) + Math.abs(exact)) + 1e-44;
          assertThat(Math.abs(after[i * d + j] - exact))
              .as("%s %s rows %d cols %d bias %s bf16 %s (%d, %d): %s, exact %s", target, kind, rows, cols, bias, bf16, i, j, after[i * d + j], exact)
              .isLessThanOrEqualTo(bound);
        }
      }
    }
    KroneckerContracts.checked(kind.kernel, target, (long) d * (d + 1) / 2);
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void integersAreExact(Target target) {
    SplittableRandom r = Seeds.random("integer factors", 0);
    int[][] shapes = {{1, 1}, {256, 40}, {1000, 65}, {5000, 17}, {262_144, 3}};
    for (int[] shape : shapes) {
      int rows = shape[0];
      int cols = shape[1];
      float[] x = new float[rows * cols];
      for (int i = 0; i < x.length; i++) {
        x[i] = r.nextInt(-8, 9);
      }
      double[] exact = KroneckerOracle.gram(KroneckerOracle.withOnes(KroneckerOracle.widen(x), rows, cols), rows, cols + 1);
      try (Operands o = new Operands(target.backend())) {
        F32Matrix f = o.out(cols + 1, cols + 1);
        Kind.SECOND_MOMENT.call(o, o.in(x, rows, cols), true, 1, 0, f);
        assertThat(KroneckerOracle.widen(o.read(f))).isEqualTo(exact);
      }
      KroneckerContracts.checked("kroneckerFactorUpdate", target, exact.length);
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void threadsAndRepetitionDoNotChangeBits(Target target) {
    for (Kind kind : Kind.values()) {
      for (int[] shape : new int[][] {{37, 5}, {600, 130}, {1500, 300}}) {
        float[] first = once(kind, TestBackends.withThreads(target, 1), shape);
        for (int threads = 1; threads <= 4; threads++) {
          Backend backend = TestBackends.withThreads(target, threads);
          for (int repeat = 0; repeat < 3; repeat++) {
            assertThat(once(kind, backend, shape)).as("%s %s, %d threads", target, kind, threads).isEqualTo(first);
            KroneckerContracts.checked(kind.kernel, target, 1);
          }
        }
      }
    }
  }

  private static float[] once(Kind kind, Backend backend, int[] shape) {
    float[] x = normals(Seeds.random("threads", shape[0]), shape[0] * shape[1], 1);
    try (Operands o = new Operands(backend)) {
      F32Matrix f = o.out(shape[1], shape[1]);
      kind.call(o, o.in(x, shape[0], shape[1]), false, .01, 0, f);
      return o.read(f);
    }
  }

  /** One-pass centring is wrong by more than the variance at this mean; two passes are not. */
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void largeMeansDoNotSpoilCentring(Target target) {
    int rows = 1024;
    int cols = 12;
    float[] x = normals(Seeds.random("large mean", 0), rows * cols, 1000);
    double[] exact = KroneckerOracle.centred(KroneckerOracle.widen(x), rows, cols);
    try (Operands o = new Operands(target.backend())) {
      F32Matrix f = o.out(cols, cols);
      Kind.CENTRED.call(o, o.in(x, rows, cols), false, 1, 0, f);
      float[] after = o.read(f);
      for (int i = 0; i < after.length; i++) {
        assertThat((double) after[i]).isCloseTo(exact[i], org.assertj.core.data.Offset.offset(2e-6));
      }
    }
    KroneckerContracts.checked("kroneckerFactorCentered", target, cols * cols);
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void movingSumKnowsItsWeight(Target target) {
    int rows = 40;
    int cols = 9;
    double beta = .9;
    try (Operands o = new Operands(target.backend())) {
      KfacKernels k = o.backend().kfac();
      float[] garbage = new float[cols * cols];
      Arrays.fill(garbage, Float.NaN);
      MovingFactor factor = new MovingFactor(o.inOut(garbage, cols, cols));
      F32Matrix value = o.out(cols, cols);
      assertThatThrownBy(() -> k.kroneckerFactorValue(factor, value, o.stream())).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("weight");
      double[] raw = new double[cols * cols];
      double weight = 0;
      for (int step = 0; step < 5; step++) {
        float[] x = normals(Seeds.random("moving", step), rows * cols, 0);
        k.kroneckerFactorUpdate(
            o.in(x, rows, cols), false, 1.0 / rows, beta, factor, o.workspace(k.kroneckerFactorWorkspaceBytes(rows, cols, false)), o.stream());
        raw = KroneckerOracle.combine(beta, raw, 1.0 / rows, KroneckerOracle.gram(KroneckerOracle.widen(x), rows, cols));
        weight = beta * weight + 1;
        assertThat(factor.weight()).isCloseTo(weight, org.assertj.core.data.Offset.offset(1e-12));
      }
      k.kroneckerFactorValue(factor, value, o.stream());
      float[] after = o.read(value);
      assertSymmetric(after, cols);
      for (int i = 0; i < after.length; i++) {
        assertThat((double) after[i]).isCloseTo(raw[i] / weight, org.assertj.core.data.Offset.offset(1e-5));
      }
      KroneckerContracts.checked("kroneckerFactorValue", target, after.length);
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void valuesThatAreNotFiniteAreNamedAndNothingIsWritten(Target target) {
    int rows = 300;
    int cols = 21;
    for (Kind kind : Kind.values()) {
      for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
        for (int[] at : new int[][] {{0, 0}, {299, 20}, {255, 16}, {130, 7}}) {
          float[] x = normals(Seeds.random("not finite", 1), rows * cols, 0);
          x[at[0] * cols + at[1]] = bad;
          x[rows * cols - 1] = bad;
          float[] before = normals(Seeds.random("not finite", 2), cols * cols, 0);
          try (Operands o = new Operands(target.backend())) {
            F32Matrix f = o.inOut(before, cols, cols);
            F32Matrix m = o.in(x, rows, cols);
            NonFiniteMatrixException e = catchThrowableOfType(NonFiniteMatrixException.class, () -> kind.call(o, m, false, 1, .5, f));
            assertThat(e).isNotNull();
            assertThat(e.row()).isEqualTo(at[0]);
            assertThat(e.column()).isEqualTo(at[1]);
            assertThat(Double.compare(e.value(), bad)).isZero();
            assertThat(o.read(f)).isEqualTo(before);
          }
          KroneckerContracts.checked(kind.kernel, target, 1);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void noRowsLeaveTheOldPart(Target target) {
    try (Operands o = new Operands(target.backend())) {
      F32Matrix f = o.inOut(new float[] {4, Float.NaN, 2, 8}, 2, 2);
      Kind.SECOND_MOMENT.call(o, o.in(new float[0], 0, 2), false, 1, .5, f);
      assertThat(o.read(f)).containsExactly(2, 1, 1, 4);
      F32Matrix none = o.in(new float[0], 0, 0);
      Kind.SECOND_MOMENT.call(o, o.in(new float[0], 3, 0), false, 1, .5, none);
      F32Matrix corner = o.out(1, 1);
      Kind.SECOND_MOMENT.call(o, o.in(new float[0], 3, 0), true, 2, 0, corner);
      assertThat(o.read(corner)).containsExactly(6);
    }
  }
}
