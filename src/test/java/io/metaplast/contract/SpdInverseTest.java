package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.metaplast.Backend;
import io.metaplast.Coverage;
import io.metaplast.F32Matrix;
import io.metaplast.NonFiniteMatrixException;
import io.metaplast.NotPositiveDefiniteException;
import io.metaplast.Seeds;
import io.metaplast.TestBackends;
import io.metaplast.TestBackends.Target;
import io.metaplast.contract.SpdMatrices.Family;
import io.metaplast.contract.SpdMatrices.Spectrum;
import io.metaplast.kfac.InverseOptions;
import io.metaplast.kfac.InverseReport;
import io.metaplast.kfac.KfacKernels;
import io.metaplast.oracle.KroneckerOracle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The damped inverse on every backend: the residual ratio norm1(I-MX)/(norm1(M) norm1(X) u), free of n, is at most 10; forward error; symmetry; closed forms, random spectra; batches, threads,
 * statuses, the zone in which a factorization ends and its inverse is useless, and every rung of the ladder.
 */
class SpdInverseTest {
  private static final double U = 0x1p-24;
  private static final int[] SIZES = {1, 2, 3, 5, 8, 16, 31, 32, 33, 64, 100, 127, 128, 129, 256, 511, 512, 513, 1024, 2048};

  /** Inverts; null if the status is not 0. */
  private static float[] invert(Backend backend, float[] m, int n, double damping, InverseReport report) {
    return invert(backend, m, n, damping, InverseOptions.NONE, report);
  }

  private static float[] invert(Backend backend, float[] m, int n, double damping, InverseOptions options, InverseReport report) {
    try (Operands o = new Operands(backend)) {
      KfacKernels k = backend.kfac();
      F32Matrix out = o.out(n, n);
      float[] before = o.read(out);
      k.batchedDampedSpdInverse(
          List.of(o.in(m, n, n)), new double[] {damping}, List.of(out), options, report, o.workspace(k.spdInverseWorkspaceBytes(n)), o.stream());
      float[] after = o.read(out);
      if (!report.usable(0)) {
        assertThat(after).as("output with status %d", report.status(0)).isEqualTo(before);
        return null;
      }
      return after;
    }
  }

  /** M + dI as the kernel forms it: the diagonal in double, rounded once. */
  private static double[] rounded(float[] m, int n, double damping) {
    double[] y = KroneckerOracle.symmetric(KroneckerOracle.widen(m), n);
    for (int i = 0; i < n; i++) {
      y[i * n + i] = (float) (m[i * n + i] + damping);
    }
    return y;
  }

  /** norm1(I - MX)/(norm1(M) norm1(X) u). */
  private static double ratio(double[] m, float[] inverse, int n) {
    double[] x = KroneckerOracle.widen(inverse);
    return ratio(KroneckerOracle.multiply(m, x, n, n, n), KroneckerOracle.norm1(m, n, n), x, n);
  }

  private static double ratio(double[] product, double norm, double[] x, int n) {
    double[] r = KroneckerOracle.combine(1, KroneckerOracle.identity(n), -1, product);
    return KroneckerOracle.norm1(r, n, n) / (norm * KroneckerOracle.norm1(x, n, n) * U);
  }

  /** MX for M = aI + b ones, or M = r^|i-j|: sums from above and from below. */
  private static double[] structuredProduct(Family f, double[] x, int n) {
    double[] product = new double[n * n];
    boolean ones = f.name().equals("aI + b ones");
    double r = ones ? 1 : f.matrix().at(1, 2);
    double b = ones ? f.matrix().at(1, 2) : 1;
    double a = ones ? f.matrix().at(1, 1) - b : 0;
    for (int c = 0; c < n; c++) {
      double above = 0;
      double below = 0;
      for (int i = 0; i < n; i++) {
        above = r * above + x[i * n + c];
        product[i * n + c] += b * above + a * x[i * n + c];
        int j = n - 1 - i;
        product[j * n + c] += b * r * below;
        below = r * below + x[j * n + c];
      }
    }
    return product;
  }

  private static void assertSymmetric(float[] x, int n) {
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < i; j++) {
        if (Float.floatToRawIntBits(x[i * n + j]) != Float.floatToRawIntBits(x[j * n + i])) {
          throw new AssertionError("(" + i + ", " + j + "): " + x[i * n + j] + " and " + x[j * n + i]);
        }
      }
    }
  }

  private static void assertRatio(Target target, String what, double[] m, float[] x, int n) {
    assertRatio(target, what, ratio(m, x, n), n);
  }

  private static void assertRatio(Target target, String what, double ratio, int n) {
    Coverage.largest("residual ratio of the inverse, " + target, ratio);
    Coverage.largest("LAPACK ratio (residual ratio over n) of the inverse, " + target, ratio / n);
    assertThat(ratio).as("%s %s n %d", target, what, n).isLessThanOrEqualTo(10);
  }

  private static List<Family> families(int n) {
    List<Family> families = new ArrayList<>(List.of(
        SpdMatrices.minimum(n), SpdMatrices.lehmer(n), SpdMatrices.secondDifference(n), SpdMatrices.hilbert(n), SpdMatrices.pascal(n), SpdMatrices.moler(n),
        SpdMatrices.powers(n, .5), SpdMatrices.powers(n, -.9), SpdMatrices.shiftedOnes(n, 1, .125), SpdMatrices.shiftedOnes(n, .25, 2)));
    if (Integer.bitCount(n) == 1 && n >= 8) {
      families.add(SpdMatrices.hadamard(n, n / 8, 0x1p-5));
      families.add(SpdMatrices.hadamard(n, n / 4, 0x1p-8));
    }
    return families;
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void closedForms(Target target) {
    InverseReport report = new InverseReport();
    for (int n = 1; n <= 64; n++) {
      for (Family f : families(n)) {
        if (n <= f.largest()) {
          closedForm(target, f, n, report, true);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void closedFormsOfLargerMatrices(Target target) {
    InverseReport report = new InverseReport();
    for (int n : SIZES) {
      if (n > 64) {
        for (Family f : families(n)) {
          // In double the residual of a large matrix costs more than its inverse: above 300 only where the product is a recurrence; the forward error everywhere.
          if (n <= f.largest() && (n <= 600 || f.name().startsWith("r^") || f.name().startsWith("aI"))) {
            closedForm(target, f, n, report, n <= 300 || Seeds.longCampaign());
          }
        }
      }
    }
  }

  private static void closedForm(Target target, Family f, int n, InverseReport report, boolean residual) {
    double[] exactMatrix = SpdMatrices.matrix(n, f.matrix());
    float[] m = KroneckerOracle.narrow(exactMatrix);
    float[] lower = m.clone();
    for (int i = 0; i < n; i++) {
      Arrays.fill(lower, i * n + i + 1, (i + 1) * n, Float.NaN);
    }
    float[] x = invert(target.backend(), lower, n, 0, report);
    assertThat(report.status(0)).as("%s %s n %d, residual %s", target, f.name(), n, report.residual(0)).isZero();
    assertSymmetric(x, n);
    double[] want = SpdMatrices.matrix(n, f.inverse());
    double[] got = KroneckerOracle.widen(x);
    double norm = KroneckerOracle.norm1(want, n, n);
    double cond1 = KroneckerOracle.norm1(exactMatrix, n, n) * norm;
    double error = KroneckerOracle.norm1(KroneckerOracle.combine(1, got, -1, want), n, n) / norm;
    // Rounding the matrix itself to fp32 costs cond1 u too where its elements are not fp32 numbers.
    assertThat(error).as("%s %s n %d forward, cond1 %.3g", target, f.name(), n, cond1).isLessThanOrEqualTo(10 * cond1 * U);
    assertThat(report.cond1(0)).isCloseTo(cond1, org.assertj.core.data.Percentage.withPercentage(1 + 1000 * cond1 * U));
    assertThat(report.flags(0)).isEqualTo((report.cond1(0) > 1e5 ? 1 : 0) + (report.cond1(0) > 1 / (10 * U) ? 2 : 0));
    if (residual) {
      assertRatio(target, f.name(), rounded(m, n, 0), x, n);
    } else if (f.name().equals("aI + b ones") || f.name().equals("r^|i-j|") && f.matrix().at(1, 2) == .5) {
      // Elements are fp32 numbers, and the product with them is a recurrence.
      assertRatio(target, f.name(), ratio(structuredProduct(f, got, n), KroneckerOracle.norm1(exactMatrix, n, n), got, n), n);
    }
    KroneckerContracts.checked("dampedSpdInverse", target, (long) n * n);
  }

  /** Five spectra, six conditions, three scales. */
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void randomSpectra(Target target) {
    InverseReport report = new InverseReport();
    int[] sizes = Seeds.longCampaign() ? new int[] {2, 5, 8, 16, 31, 33, 64, 100, 129, 256, 513} : new int[] {5, 16, 33, 100};
    for (int n : sizes) {
      for (Spectrum spectrum : Spectrum.values()) {
        for (double condition : new double[] {1, 1e1, 1e2, 1e3, 1e4, 1e5}) {
          for (double scale : new double[] {1e-6, 1, 1e6}) {
            float[] m = KroneckerOracle.narrow(SpdMatrices.random(Seeds.random("spectra", n + (long) condition), n, spectrum, condition, scale));
            float[] x = invert(target.backend(), m, n, 0, report);
            String what = spectrum + " condition " + condition + " scale " + scale;
            assertThat(report.status(0)).as("%s %s n %d, residual %s", target, what, n, report.residual(0)).isZero();
            assertSymmetric(x, n);
            assertRatio(target, what, rounded(m, n, 0), x, n);
            KroneckerContracts.checked("dampedSpdInverse", target, (long) n * n);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void dampedLowRankFactors(Target target) {
    InverseReport report = new InverseReport();
    for (int n : new int[] {8, 64, 128, 256}) {
      float[] m = KroneckerOracle.narrow(SpdMatrices.gaussian(Seeds.random("low rank", n), n, Math.max(1, n / 8)));
      for (double damping : new double[] {1e-1, 1e-2, 1e-3}) {
        float[] x = invert(target.backend(), m, n, damping, report);
        assertThat(report.status(0)).isZero();
        assertThat(report.dampingUsed(0)).isEqualTo(damping);
        assertThat(report.rung(0)).isEqualTo(2);
        assertRatio(target, "low rank, damping " + damping, rounded(m, n, damping), x, n);
        KroneckerContracts.checked("dampedSpdInverse", target, (long) n * n);
      }
    }
  }

  private static List<float[]> mixedBatch(int[] sizes) {
    List<float[]> matrices = new ArrayList<>();
    for (int i = 0; i < sizes.length; i++) {
      matrices.add(KroneckerOracle.narrow(SpdMatrices.random(Seeds.random("batch", i), sizes[i], Spectrum.GEOMETRIC, 1e3, 2)));
    }
    return matrices;
  }

  private static List<float[]> invertAll(Backend backend, List<float[]> matrices, int[] sizes, double[] damping, boolean inPlace, InverseReport report) {
    try (Operands o = new Operands(backend)) {
      KfacKernels k = backend.kfac();
      List<F32Matrix> in = new ArrayList<>();
      List<F32Matrix> out = new ArrayList<>();
      for (int i = 0; i < sizes.length; i++) {
        in.add(inPlace ? o.inOut(matrices.get(i), sizes[i], sizes[i]) : o.in(matrices.get(i), sizes[i], sizes[i]));
        out.add(inPlace ? in.get(i) : o.out(sizes[i], sizes[i]));
      }
      k.batchedDampedSpdInverse(in, damping, out, InverseOptions.NONE, report, o.workspace(k.spdInverseWorkspaceBytes(sizes)), o.stream());
      return out.stream().map(o::read).toList();
    }
  }

  private static void assertEqualBits(List<float[]> got, List<float[]> want, String what) {
    for (int i = 0; i < want.size(); i++) {
      assertThat(got.get(i)).as("%s, matrix %d", what, i).isEqualTo(want.get(i));
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void aBatchGivesTheBitsOfSingleCalls(Target target) {
    int[] list = {1, 2, 3, 5, 8, 8, 8, 16, 17, 31, 32, 33, 64, 64, 100, 129, 0, 257, 12, 12, 12, 12, 7, 48, 65};
    InverseReport report = new InverseReport();
    for (int count : new int[] {1, 2, 3, 17, 25}) {
      int[] sizes = Arrays.copyOf(list, count);
      List<float[]> matrices = mixedBatch(sizes);
      double[] damping = new double[count];
      Arrays.setAll(damping, i -> i % 3 * .01);
      List<float[]> singles = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        singles.add(sizes[i] == 0 ? new float[0] : invert(target.backend(), matrices.get(i), sizes[i], damping[i], report));
      }
      assertEqualBits(invertAll(target.backend(), matrices, sizes, damping, false, report), singles, target + " batch of " + count);
      assertEqualBits(invertAll(target.backend(), matrices, sizes, damping, true, report), singles, target + " in place");
      // The same matrices in another order.
      List<Integer> order = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        order.add(i);
      }
      Collections.shuffle(order, new java.util.Random(count));
      List<float[]> permuted =
          invertAll(
              target.backend(), order.stream().map(matrices::get).toList(), order.stream().mapToInt(i -> sizes[i]).toArray(),
              order.stream().mapToDouble(i -> damping[i]).toArray(), false, report);
      assertEqualBits(permuted, order.stream().map(singles::get).toList(), target + " permuted");
      for (int threads = 1; threads <= 4; threads++) {
        assertEqualBits(
            invertAll(TestBackends.withThreads(target, threads), matrices, sizes, damping, false, report), singles, target + " " + threads + " threads");
      }
      KroneckerContracts.checked("batchedDampedSpdInverse", target, 7L * count);
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void largeBatchesAndLargeMatricesDoNotDependOnThreads(Target target) {
    int[] sizes = new int[257];
    Arrays.setAll(sizes, i -> i < 250 ? 6 + i % 20 : 100 + 40 * (i - 250));
    List<float[]> matrices = mixedBatch(sizes);
    double[] damping = new double[sizes.length];
    InverseReport report = new InverseReport();
    List<float[]> first = invertAll(TestBackends.withThreads(target, 1), matrices, sizes, damping, false, report);
    for (int i = 0; i < sizes.length; i++) {
      assertThat(report.status(i)).as("%s matrix %d", target, i).isZero();
    }
    for (int threads = 2; threads <= 4; threads++) {
      assertEqualBits(invertAll(TestBackends.withThreads(target, threads), matrices, sizes, damping, false, report), first, target + " " + threads + " threads");
    }
    int[] large = {1100};
    List<float[]> one = List.of(KroneckerOracle.narrow(SpdMatrices.matrix(1100, SpdMatrices.powers(1100, .9).matrix())));
    List<float[]> single = invertAll(TestBackends.withThreads(target, 1), one, large, new double[] {.1}, false, report);
    assertThat(report.status(0)).isZero();
    for (int threads = 2; threads <= 4; threads++) {
      assertEqualBits(invertAll(TestBackends.withThreads(target, threads), one, large, new double[] {.1}, false, report), single, target + " large");
    }
    KroneckerContracts.checked("batchedDampedSpdInverse", target, 3L * sizes.length + 3);
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void statuses(Target target) {
    assertStatus(target, new float[] {1, 2, 2, 1}, 2, 0, 2);
    assertStatus(target, new float[] {-1, 0, 0, -1}, 2, 0, 1);
    assertStatus(target, new float[] {Float.POSITIVE_INFINITY}, 1, 0, InverseReport.NOT_FINITE);
    assertStatus(target, new float[] {2, Float.NaN, Float.NaN, 2}, 2, .1, InverseReport.NOT_FINITE);
    assertStatus(target, new float[] {8.5f, 11, 13.5f, 11, 14.5f, 18, 13.5f, 18, 22.5f}, 3, 0, 3);
    for (int n : new int[] {2, 9, 33, 70, 130}) {
      for (int zero : new int[] {1, (n + 1) / 2, n}) {
        float[] m = KroneckerOracle.narrow(SpdMatrices.matrix(n, SpdMatrices.powers(n, .5).matrix()));
        for (int i = 0; i < n; i++) {
          m[(zero - 1) * n + i] = 0;
          m[i * n + zero - 1] = 0;
        }
        assertStatus(target, m, n, 0, zero);
      }
      for (int[] at : new int[][] {{0, 0}, {n - 1, 0}, {n - 1, n - 1}, {n / 2, n / 3}}) {
        float[] m = KroneckerOracle.narrow(SpdMatrices.matrix(n, SpdMatrices.powers(n, .5).matrix()));
        m[at[0] * n + at[1]] = Float.NEGATIVE_INFINITY;
        InverseReport report = assertStatus(target, m, n, 1, InverseReport.NOT_FINITE);
        assertThat(report.index(0)).isEqualTo((long) at[0] * n + at[1]);
      }
    }
  }

  private static InverseReport assertStatus(Target target, float[] m, int n, double damping, int status) {
    InverseReport report = new InverseReport();
    assertThat(invert(target.backend(), m, n, damping, report)).isNull();
    assertThat(report.status(0)).as("%s n %d", target, n).isEqualTo(status);
    try (Operands o = new Operands(target.backend())) {
      KfacKernels k = target.backend().kfac();
      F32Matrix in = o.in(m, n, n);
      F32Matrix out = o.out(n, n);
      float[] before = o.read(out);
      if (status == InverseReport.NOT_FINITE) {
        NonFiniteMatrixException e =
            catchThrowableOfType(
                NonFiniteMatrixException.class, () -> k.dampedSpdInverse(in, damping, out, o.workspace(k.spdInverseWorkspaceBytes(n)), o.stream()));
        assertThat(e).isNotNull();
        assertThat((long) e.row() * n + e.column()).isEqualTo(report.index(0));
      } else {
        NotPositiveDefiniteException e =
            catchThrowableOfType(
                NotPositiveDefiniteException.class, () -> k.dampedSpdInverse(in, damping, out, o.workspace(k.spdInverseWorkspaceBytes(n)), o.stream()));
        assertThat(e).isNotNull();
        assertThat(e.order()).isEqualTo(Math.max(0, status));
        assertThat(e.damping()).isEqualTo(damping);
      }
      assertThat(o.read(out)).isEqualTo(before);
    }
    KroneckerContracts.checked("dampedSpdInverse", target, 2);
    return report;
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void oneBadMatrixDisturbsNoOther(Target target) {
    int[] sizes = {8, 8, 8, 20, 40, 70, 130, 8, 8};
    InverseReport report = new InverseReport();
    List<float[]> good = mixedBatch(sizes);
    List<float[]> want = invertAll(target.backend(), good, sizes, new double[sizes.length], false, report);
    for (int bad = 0; bad < sizes.length; bad++) {
      for (int kind = 0; kind < 3; kind++) {
        List<float[]> matrices = new ArrayList<>(good);
        float[] broken = good.get(bad).clone();
        broken[(sizes[bad] - 1) * sizes[bad] + (kind == 0 ? 0 : sizes[bad] - 1)] = kind == 0 ? Float.NaN : kind == 1 ? -5 : 0;
        matrices.set(bad, broken);
        List<float[]> got = invertAll(target.backend(), matrices, sizes, new double[sizes.length], kind == 2, report);
        for (int i = 0; i < sizes.length; i++) {
          assertThat(report.usable(i)).as("%s matrix %d of which %d is bad", target, i, bad).isEqualTo(i != bad);
          if (i != bad) {
            assertThat(got.get(i)).isEqualTo(want.get(i));
          } else if (kind == 2) {
            assertThat(got.get(i)).as("in place, not usable").isEqualTo(broken);
          }
        }
        KroneckerContracts.checked("batchedDampedSpdInverse", target, sizes.length);
      }
    }
  }

  /** The factorization ends without complaint, the inverse is useless: only the probe sees it. */
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void theSilentZoneIsReported(Target target) {
    InverseReport report = new InverseReport();
    int[][] shapes = Seeds.longCampaign() ? new int[][] {{512, 32}, {256, 16}, {1024, 128}} : new int[][] {{512, 32}, {256, 16}};
    for (int[] shape : shapes) {
      int n = shape[0];
      for (int seed = 0; seed < 3; seed++) {
        float[] m = KroneckerOracle.narrow(SpdMatrices.gaussian(Seeds.random("silent", seed), n, shape[1]));
        invert(target.backend(), m, n, 1e-5, report);
        assertThat(report.usable(0)).as("%s rank %d of %d: residual %s", target, shape[1], n, report.residual(0)).isFalse();
        float[] x = invert(target.backend(), m, n, 1e-3, report);
        assertThat(report.status(0)).isZero();
        assertThat(report.residual(0)).isLessThan(InverseOptions.DEFAULT_RESIDUAL_TOLERANCE);
        assertThat(x).isNotNull();
        KroneckerContracts.checked("dampedSpdInverse", target, 2);
      }
    }
    // Every pivot of the Moler matrix is 1.
    float[] moler = KroneckerOracle.narrow(SpdMatrices.matrix(16, SpdMatrices.moler(16).matrix()));
    assertStatus(target, moler, 16, 0, InverseReport.RESIDUAL);
  }

  /** The probe follows the true error. */
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void theProbeEstimatesTheResidual(Target target) {
    InverseReport report = new InverseReport();
    for (int n : new int[] {16, 64, 150}) {
      for (double condition : new double[] {1e2, 1e4}) {
        float[] m = KroneckerOracle.narrow(SpdMatrices.random(Seeds.random("probe", n), n, Spectrum.GEOMETRIC, condition, 1));
        float[] x = invert(target.backend(), m, n, 0, report);
        double[] r = KroneckerOracle.combine(1, KroneckerOracle.identity(n), -1, KroneckerOracle.multiply(KroneckerOracle.widen(x), rounded(m, n, 0), n, n, n));
        double truth = Math.sqrt(KroneckerOracle.dot(r, r) / n);
        assertThat(report.residual(0) / truth).as("%s n %d", target, n).isBetween(.08, 4.0);
        KroneckerContracts.checked("dampedSpdInverse", target, 1);
      }
    }
  }

  private static InverseOptions rungs(boolean twice, boolean damp, boolean clamp, boolean keep) {
    return new InverseOptions(InverseOptions.DEFAULT_RESIDUAL_TOLERANCE, twice, damp, clamp, keep);
  }

  /** Each rung of the ladder, with a matrix that needs it: without the rung the status is not usable. */
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void everyRungIsNeededSomewhere(Target target) {
    InverseReport report = new InverseReport();
    float[] lowRank = KroneckerOracle.narrow(SpdMatrices.gaussian(Seeds.random("rung", 3), 256, 16));
    rung(target, lowRank, 256, 1e-5, rungs(true, false, false, false), InverseReport.RECOVERED_DOUBLE, 3, 1e-5);
    float[] moler = KroneckerOracle.narrow(SpdMatrices.matrix(16, SpdMatrices.moler(16).matrix()));
    invert(target.backend(), moler, 16, 0, rungs(true, false, false, false), report);
    assertThat(report.status(0)).isEqualTo(InverseReport.RECOVERED_DOUBLE);
    rung(target, new float[] {8.5f, 11, 13.5f, 11, 14.5f, 18, 13.5f, 18, 22.5f}, 3, 0, rungs(false, true, false, false), InverseReport.RECOVERED_DAMPING, 4, -1);
    // Eigenvalues -1e4 and 1e4: a thousand times the damping is not enough.
    float[] indefinite = {0, 1e4f, 1e4f, 0};
    rung(target, indefinite, 2, 1, rungs(true, true, true, false), InverseReport.RECOVERED_EIGEN, 5, 1);
    float[] x = invert(target.backend(), indefinite, 2, 1, rungs(false, false, true, false), report);
    assertThat(report.flags(0) & InverseReport.CLAMPED).isNotZero();
    // max(l, 0) + 1: 1 and 10001, directions (1, -1) and (1, 1).
    double half = .5 / 10001;
    assertThat((double) x[0]).isCloseTo(.5 + half, org.assertj.core.data.Offset.offset(1e-6));
    assertThat((double) x[1]).isCloseTo(half - .5, org.assertj.core.data.Offset.offset(1e-6));
    float[] nothingHelps = {-1, 0, 0, -1};
    try (Operands o = new Operands(target.backend())) {
      KfacKernels k = target.backend().kfac();
      float[] previous = {3, 4, 4, 5};
      F32Matrix out = o.inOut(previous, 2, 2);
      k.batchedDampedSpdInverse(
          List.of(o.in(nothingHelps, 2, 2)), new double[] {0}, List.of(out), InverseOptions.STANDARD, report, o.workspace(k.spdInverseWorkspaceBytes(2)), o.stream());
      assertThat(report.status(0)).isEqualTo(InverseReport.KEPT_PREVIOUS);
      assertThat(report.usable(0)).isTrue();
      assertThat(report.rung(0)).isEqualTo(6);
      assertThat(o.read(out)).isEqualTo(previous);
      k.batchedDampedSpdInverse(
          List.of(o.in(nothingHelps, 2, 2)), new double[] {0}, List.of(out), rungs(true, true, true, false), report, o.workspace(k.spdInverseWorkspaceBytes(2)),
          o.stream());
      assertThat(report.usable(0)).isFalse();
      assertThat(o.read(out)).isEqualTo(previous);
    }
    // A matrix that is not finite: no rung helps.
    invert(target.backend(), new float[] {Float.NaN}, 1, 1, rungs(true, true, true, false), report);
    assertThat(report.status(0)).isEqualTo(InverseReport.NOT_FINITE);
  }

  private static void rung(Target target, float[] m, int n, double damping, InverseOptions with, int status, int rung, double dampingUsed) {
    InverseReport report = new InverseReport();
    assertThat(invert(target.backend(), m, n, damping, InverseOptions.NONE, report)).as("%s without rung %d", target, rung).isNull();
    InverseOptions below = rung == 5 ? rungs(true, true, false, false) : InverseOptions.NONE;
    assertThat(invert(target.backend(), m, n, damping, below, report)).as("%s below rung %d", target, rung).isNull();
    float[] x = invert(target.backend(), m, n, damping, with, report);
    assertThat(report.status(0)).as("%s rung %d", target, rung).isEqualTo(status);
    assertThat(report.rung(0)).isEqualTo(rung);
    if (dampingUsed >= 0) {
      assertThat(report.dampingUsed(0)).isEqualTo(dampingUsed);
    } else {
      assertThat(report.dampingUsed(0)).isGreaterThan(damping);
    }
    if (rung != 5) {
      assertSymmetric(x, n);
      double[] damped = KroneckerOracle.damped(KroneckerOracle.symmetric(KroneckerOracle.widen(m), n), n, report.dampingUsed(0));
      double[] r = KroneckerOracle.combine(1, KroneckerOracle.identity(n), -1, KroneckerOracle.multiply(KroneckerOracle.widen(x), damped, n, n, n));
      assertThat(Math.sqrt(KroneckerOracle.dot(r, r) / n)).isLessThan(.5);
    }
    KroneckerContracts.checked("batchedDampedSpdInverse", target, 1);
  }

  /** Escalation of one matrix leaves the bits of the others. */
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void escalationIsPerMatrix(Target target) {
    int[] sizes = {16, 8, 2, 33};
    List<float[]> matrices = new ArrayList<>(mixedBatch(sizes));
    matrices.set(0, KroneckerOracle.narrow(SpdMatrices.matrix(16, SpdMatrices.moler(16).matrix())));
    matrices.set(2, new float[] {-1, 0, 0, -1});
    InverseReport report = new InverseReport();
    try (Operands o = new Operands(target.backend())) {
      KfacKernels k = target.backend().kfac();
      List<F32Matrix> in = new ArrayList<>();
      List<F32Matrix> out = new ArrayList<>();
      for (int i = 0; i < sizes.length; i++) {
        in.add(o.in(matrices.get(i), sizes[i], sizes[i]));
        out.add(o.out(sizes[i], sizes[i]));
      }
      k.batchedDampedSpdInverse(in, new double[4], out, InverseOptions.STANDARD, report, o.workspace(k.spdInverseWorkspaceBytes(sizes)), o.stream());
      assertThat(new int[] {report.status(0), report.status(1), report.status(2), report.status(3)}).containsExactly(-5, 0, -6, 0);
      InverseReport single = new InverseReport();
      assertThat(o.read(out.get(1))).isEqualTo(invert(target.backend(), matrices.get(1), 8, 0, single));
      assertThat(o.read(out.get(3))).isEqualTo(invert(target.backend(), matrices.get(3), 33, 0, single));
    }
    KroneckerContracts.checked("batchedDampedSpdInverse", target, 4);
  }

  /** Batches beyond 65,535 matrices, where grids of other libraries end. */
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void manySmallMatrices(Target target) {
    int count = 65_537;
    SplittableRandom r = Seeds.random("many", 0);
    float[] all = new float[count * 4];
    for (int i = 0; i < count; i++) {
      float a = (float) (1 + r.nextDouble());
      float b = (float) (r.nextDouble() - .5);
      all[4 * i] = a;
      all[4 * i + 1] = b;
      all[4 * i + 2] = b;
      all[4 * i + 3] = a;
    }
    InverseReport report = new InverseReport();
    try (Operands o = new Operands(target.backend())) {
      KfacKernels k = target.backend().kfac();
      try (io.metaplast.F32Buffer in = target.backend().allocate(all.length); io.metaplast.F32Buffer out = target.backend().allocate(all.length)) {
        in.upload(all);
        List<F32Matrix> m = new ArrayList<>();
        List<F32Matrix> x = new ArrayList<>();
        for (int i = 0; i < count; i++) {
          m.add(F32Matrix.of(in.slice(4L * i, 4), 2, 2));
          x.add(F32Matrix.of(out.slice(4L * i, 4), 2, 2));
        }
        int[] sizes = new int[count];
        Arrays.fill(sizes, 2);
        k.batchedDampedSpdInverse(m, new double[count], x, InverseOptions.NONE, report, o.workspace(k.spdInverseWorkspaceBytes(sizes)), o.stream());
        o.stream().synchronize();
        float[] got = out.toArray();
        for (int i = 0; i < count; i++) {
          assertThat(report.status(i)).isZero();
          double det = (double) all[4 * i] * all[4 * i] - (double) all[4 * i + 1] * all[4 * i + 1];
          assertThat((double) got[4 * i]).isCloseTo(all[4 * i] / det, org.assertj.core.data.Percentage.withPercentage(1e-4));
          assertThat((double) got[4 * i + 1]).isCloseTo(-all[4 * i + 1] / det, org.assertj.core.data.Offset.offset(1e-6 * all[4 * i] / det));
          assertThat(got[4 * i + 2]).isEqualTo(got[4 * i + 1]);
          assertThat((double) got[4 * i + 3]).isCloseTo(all[4 * i] / det, org.assertj.core.data.Percentage.withPercentage(1e-4));
        }
      }
    }
    KroneckerContracts.checked("batchedDampedSpdInverse", target, count);
  }
}
