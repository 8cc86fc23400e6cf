package io.metaplast.bench;

import io.metaplast.Backend;
import io.metaplast.Bf16Buffer;
import io.metaplast.Bf16Matrix;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.RealMatrix;
import io.metaplast.Stream;
import io.metaplast.Workspace;
import io.metaplast.bench.KernelChecks.KernelCheck;
import io.metaplast.binary.Conv2dShape;
import io.metaplast.kfac.BatchNormMerge;
import io.metaplast.kfac.BatchNormMergeGradients;
import io.metaplast.kfac.DampingMode;
import io.metaplast.kfac.FactorMerge;
import io.metaplast.kfac.Im2colShape;
import io.metaplast.kfac.InverseOptions;
import io.metaplast.kfac.InverseReport;
import io.metaplast.kfac.KfacKernels;
import io.metaplast.kfac.KlClip;
import io.metaplast.kfac.KroneckerPair;
import io.metaplast.kfac.MergeReport;
import io.metaplast.kfac.MovingFactor;
import io.metaplast.kfac.PairDamping;
import io.metaplast.kfac.PenaltyTask;
import io.metaplast.kfac.PenaltyTerm;
import io.metaplast.kfac.PenaltyValue;
import io.metaplast.kfac.Sharing;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The rows of the verification that belong to the Kronecker family. What has the same bits everywhere is compared bit for bit; results whose bits belong to a backend are compared with sums in
 * double and the published bound, and bit for bit between thread counts.
 */
final class KfacKernelChecks {
  private static final double U = Dense.U;
  private static final int[] SIZES = {1, 2, 3, 7, 16, 17, 33, 64, 65};
  private static final int[] ORDERS = {1, 2, 5, 8, 15, 16, 17, 31, 32, 33, 48, 49, 64, 65, 100, 130};

  /** All rows. */
  static final List<KernelCheck> ALL =
      List.of(
          new KernelCheck("kroneckerFactorUpdate, integers", check(KfacKernelChecks::integerFactors), SIZES),
          new KernelCheck("kroneckerFactorUpdate", check(KfacKernelChecks::factors), SIZES),
          new KernelCheck("kroneckerFactorCentered, Mean, Between", check(KfacKernelChecks::centred), SIZES),
          new KernelCheck("im2colFactorUpdate, integers", check(KfacKernelChecks::im2col), 1, 2, 4),
          new KernelCheck("damping", check(KfacKernelChecks::damping), SIZES),
          new KernelCheck("dampedSpdInverse, batched", check(KfacKernelChecks::inverse), ORDERS),
          new KernelCheck("batchedDampedSpdInverse, statuses and ladder", check(KfacKernelChecks::ladder), 16),
          new KernelCheck("dampedCholesky, triangularInverse, Solve", check(KfacKernelChecks::cholesky), ORDERS),
          new KernelCheck("kroneckerPrecondition, MatVec, klClip", check(KfacKernelChecks::products), SIZES),
          new KernelCheck("kroneckerQuadraticPenalty", check(KfacKernelChecks::penalty), SIZES),
          new KernelCheck("mergeKroneckerFactors", check(KfacKernelChecks::merge), SIZES),
          new KernelCheck("mergeBatchNorm, Backward", check(KfacKernelChecks::batchNorm), SIZES),
          new KernelCheck("symmetricEigen, inverseRootFromEigen", check(KfacKernelChecks::eigen), 1, 2, 5, 17, 33),
          new KernelCheck("kroneckerPreconditionEigen, ekfac", check(KfacKernelChecks::eigenProducts), 1, 2, 5, 9),
          new KernelCheck("woodburyInverse, newtonSchulzInverse", check(KfacKernelChecks::otherInverses), 2, 5, 17, 33),
          new KernelCheck("kroneckerSumInverseApply", check(KfacKernelChecks::sumInverse), 1, 2, 5),
          new KernelCheck("kroneckerLogDet, matrixNormalSample", check(KfacKernelChecks::sample), 1, 2, 5, 17));

  private KfacKernelChecks() {}

  /** Operands of one case, released at its end. */
  private static final class Bench implements AutoCloseable {
    private final Backend backend;
    private final KfacKernels kfac;
    private final Stream stream;
    private final HostData data;
    private final int n;
    private final Outputs outputs;
    private final List<AutoCloseable> owned = new ArrayList<>();

    Bench(Backend backend, Stream stream, HostData data, int n, Outputs outputs) {
      this.backend = backend;
      this.kfac = backend.kfac();
      this.stream = stream;
      this.data = data;
      this.n = n;
      this.outputs = outputs;
    }

    F32Buffer vector(float... values) {
      F32Buffer buffer = backend.allocate(values.length);
      owned.add(buffer);
      buffer.upload(values);
      return buffer;
    }

    F32Matrix matrix(int rows, int cols, float... values) {
      return F32Matrix.of(vector(values), rows, cols);
    }

    F32Matrix zeros(int rows, int cols) {
      return matrix(rows, cols, new float[rows * cols]);
    }

    Workspace space(long bytes) {
      Workspace workspace = backend.workspace(bytes);
      owned.add(workspace);
      return workspace;
    }

    float[] normal(int count) {
      return data.normal(count, 1);
    }

    /** Positive definite, condition of some tens. */
    float[] spd(int order) {
      float[] m = new SpdMatrix(order, order + 7 * n).all();
      for (int i = 0; i < order; i++) {
        m[i * order + i] += 1;
      }
      return m;
    }

    float[] integers(int count, int bound) {
      int[] whole = data.integers(count, 2 * bound + 1);
      float[] values = new float[count];
      for (int i = 0; i < count; i++) {
        values[i] = whole[i] - bound;
      }
      return values;
    }

    float[] get(F32Matrix m) {
      return m.data().toArray();
    }

    void exact(String name, F32Matrix m) {
      outputs.add(name, get(m));
    }

    void exact(String name, double value) {
      outputs.addCount(name, Double.doubleToLongBits(value));
    }

    void bounded(String name, F32Matrix m, String wrong) {
      outputs.addBounded(name, get(m), wrong);
    }

    @Override
    public void close() {
      for (AutoCloseable one : owned) {
        try {
          one.close();
        } catch (Exception e) {
          throw new IllegalStateException("cannot release an operand", e);
        }
      }
    }
  }

  private interface Body {
    void run(Bench bench);
  }

  private static KernelChecks.Case check(Body body) {
    return (backend, stream, data, n, outputs) -> {
      try (Bench bench = new Bench(backend, stream, data, n, outputs)) {
        body.run(bench);
      }
    };
  }

  // ---- statistics

  /** Sums of small integers are exact, so their bits are the same everywhere; decay 1, as products with others round as a backend likes. */
  private static void integerFactors(Bench b) {
    int rows = b.n % 29 + 300;
    float[] values = b.integers(rows * b.n, 8);
    F32Matrix x = b.matrix(rows, b.n, values);
    Bf16Buffer half = b.backend.allocateBf16((long) rows * b.n);
    b.owned.add(half);
    half.upload(0, values, 0, values.length);
    F32Matrix plain = b.zeros(b.n, b.n);
    F32Matrix biased = b.zeros(b.n + 1, b.n + 1);
    MovingFactor moving = new MovingFactor(b.zeros(b.n + 1, b.n + 1));
    F32Matrix value = b.zeros(b.n + 1, b.n + 1);
    Workspace workspace = b.space(b.kfac.kroneckerFactorWorkspaceBytes(rows, b.n, true));
    RealMatrix bf16 = new Bf16Matrix(half, rows, b.n, b.n);
    b.kfac.kroneckerFactorUpdate(x, false, 1.0 / rows, 0, plain, workspace, b.stream);
    b.kfac.kroneckerFactorUpdate(bf16, false, 0.3, 1, plain, workspace, b.stream);
    b.kfac.kroneckerFactorUpdate(bf16, true, 0.05 / rows, 1, biased, workspace, b.stream);
    for (int step = 0; step < 2; step++) {
      b.kfac.kroneckerFactorUpdate(x, true, 1.0 / rows, 1, moving, workspace, b.stream);
    }
    b.kfac.kroneckerFactorValue(moving, value, b.stream);
    b.stream.synchronize();
    b.exact("plain", plain);
    b.exact("bias", biased);
    b.exact("moving", moving.raw());
    b.exact("weight", moving.weight());
    b.exact("value", value);
  }

  private static double[] gram(int rows, int cols, double[] x) {
    return Dense.product(cols, rows, cols, Dense.transposed(rows, cols, x), x);
  }

  private static void factors(Bench b) {
    int rows = b.n % 29 + 40;
    int d = b.n + 1;
    float[] values = b.normal(rows * b.n);
    float[] before = b.spd(d);
    F32Matrix factor = b.matrix(d, d, before);
    double alpha = 0.25;
    double beta = 0.75;
    b.kfac.kroneckerFactorUpdate(
        b.matrix(rows, b.n, values), true, alpha, beta, factor, b.space(b.kfac.kroneckerFactorWorkspaceBytes(rows, b.n, true)), b.stream);
    b.stream.synchronize();
    double[] x = new double[rows * d];
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < d; c++) {
        x[r * d + c] = c < b.n ? values[r * b.n + c] : 1;
      }
    }
    double[] old = Dense.of(before);
    double[] size = Dense.scaled(2 * U * beta, Dense.absolute(old));
    double[] bound = Dense.sum((rows + 5) * U * alpha, gram(rows, d, Dense.absolute(x)), size);
    double[] expected = Dense.sum(alpha, gram(rows, d, x), Dense.scaled(beta, old));
    b.bounded("factor", factor, Dense.beyond(b.get(factor), expected, bound));
    b.outputs.require("factor", asymmetric(d, b.get(factor)));
  }

  private static String asymmetric(int n, float[] m) {
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < i; j++) {
        if (Float.floatToIntBits(m[i * n + j]) != Float.floatToIntBits(m[j * n + i])) {
          return "(" + i + ", " + j + ") and its mirror differ";
        }
      }
    }
    return null;
  }

  private static void centred(Bench b) {
    int rows = b.n % 29 + 40;
    float[] values = b.normal(rows * b.n);
    F32Matrix x = b.matrix(rows, b.n, values);
    Workspace workspace = b.space(b.kfac.kroneckerFactorWorkspaceBytes(rows, b.n, false));
    F32Matrix centred = b.zeros(b.n, b.n);
    F32Matrix mean = b.zeros(b.n, b.n);
    F32Matrix between = b.zeros(b.n, b.n);
    b.kfac.kroneckerFactorCentered(x, 1, 0, centred, workspace, b.stream);
    b.kfac.kroneckerFactorMean(x, 1, 0, mean, workspace, b.stream);
    b.kfac.kroneckerFactorBetween(x, 1, 0, between, workspace, b.stream);
    b.stream.synchronize();
    double[] m = new double[b.n];
    for (int i = 0; i < values.length; i++) {
      m[i % b.n] += values[i];
    }
    double[] shifted = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      // The contract subtracts the mean rounded to float.
      shifted[i] = values[i] - (double) (float) (m[i % b.n] / rows);
    }
    double[] c = Dense.scaled(1.0 / rows, gram(rows, b.n, shifted));
    double[] size = Dense.scaled(1.0 / rows, gram(rows, b.n, Dense.absolute(shifted)));
    double[] outer = new double[b.n * b.n];
    for (int i = 0; i < outer.length; i++) {
      outer[i] = (float) (m[i / b.n] / rows) * (double) (float) (m[i % b.n] / rows);
    }
    double[] boundC = Dense.scaled((rows + 5) * U, size);
    double[] boundM = Dense.scaled(3 * U, Dense.absolute(outer));
    b.bounded("centred", centred, Dense.beyond(b.get(centred), c, boundC));
    b.bounded("mean", mean, Dense.beyond(b.get(mean), outer, boundM));
    double[] boundB = Dense.sum(3, boundM, boundC);
    b.bounded("between", between, Dense.beyond(b.get(between), Dense.sum(-1.0 / (rows - 1), c, outer), boundB));
  }

  private static void im2col(Bench b) {
    for (Sharing sharing : Sharing.values()) {
      // 4 x 4 positions: dividing by their number is exact
      int channels = 2 * b.n;
      boolean sums = sharing == Sharing.REDUCE_SUM;
      Im2colShape shape =
          sums
              ? Im2colShape.gradients(3, channels, 4, 4, sharing)
              : new Im2colShape(new Conv2dShape(3, channels, 4, 4, 2, 3, 3, 1, 1, 1, 1, 1, 1, 2), sharing);
      F32Buffer x = b.vector(b.integers(3 * channels * 16, sums ? 1 : 8));
      for (boolean bias : new boolean[] {false, true}) {
        int d = shape.cols() + (bias ? 1 : 0);
        F32Matrix factor = b.zeros(d, d);
        Workspace workspace = b.space(b.kfac.im2colFactorWorkspaceBytes(shape, bias));
        b.kfac.im2colFactorUpdate(x, shape, bias, 1.0 / 48, 0, factor, workspace, b.stream);
        b.kfac.im2colFactorUpdate(x, shape, bias, 1.0 / 48, 1, factor, workspace, b.stream);
        b.stream.synchronize();
        b.exact(sharing + (bias ? " bias" : ""), factor);
      }
    }
  }

  // ---- damping and inverses

  private static void damping(Bench b) {
    int m = b.n % 7 + 1;
    List<KroneckerPair> pairs =
        List.of(
            new KroneckerPair(b.matrix(m, m, b.spd(m)), b.matrix(b.n, b.n, b.spd(b.n))),
            new KroneckerPair(b.matrix(m, m, b.normal(m * m)), b.matrix(b.n, b.n, b.normal(b.n * b.n))),
            new KroneckerPair(b.zeros(m, m), b.matrix(b.n, b.n, b.spd(b.n))));
    for (DampingMode mode : DampingMode.values()) {
      for (PairDamping one : b.kfac.damping(mode, 0.03, pairs, b.stream)) {
        b.exact(mode + " pi", one.pi());
        b.exact(mode + " g", one.g());
        b.exact(mode + " a", one.a());
        b.outputs.addCount(mode + " zero trace", one.zeroTrace() ? 1 : 0);
      }
    }
  }

  private static void inverse(Bench b) {
    List<SpdMatrix> spd = List.of(new SpdMatrix(b.n, 1), new SpdMatrix(b.n / 2 + 1, 2), new SpdMatrix(b.n, 3));
    int[] orders = spd.stream().mapToInt(SpdMatrix::n).toArray();
    List<F32Matrix> m = spd.stream().map(one -> b.matrix(one.n(), one.n(), one.all())).toList();
    List<F32Matrix> out = spd.stream().map(one -> b.zeros(one.n(), one.n())).toList();
    F32Matrix single = b.zeros(b.n, b.n);
    Workspace workspace = b.space(b.kfac.spdInverseWorkspaceBytes(orders));
    double[] damping = new double[orders.length];
    Arrays.fill(damping, SpdMatrix.DAMPING);
    InverseReport report = new InverseReport();
    b.kfac.batchedDampedSpdInverse(m, damping, out, InverseOptions.NONE, report, workspace, b.stream);
    b.kfac.dampedSpdInverse(m.get(2), SpdMatrix.DAMPING, single, workspace, b.stream);
    b.stream.synchronize();
    for (int i = 0; i < orders.length; i++) {
      b.outputs.addCount("status", report.status(i));
      b.bounded("inverse", out.get(i), spd.get(i).wrong(b.get(out.get(i)), orders[i]));
    }
    b.outputs.require("single", Arrays.equals(b.get(single), b.get(out.get(2))) ? null : "differs from the same matrix in a batch");
  }

  /** Unit lower triangular K with -1 below the diagonal gives K K^T: every pivot is 1, the inverse of order 16 is huge. */
  private static float[] moler(int n) {
    float[] m = new float[n * n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        m[i * n + j] = i == j ? i + 1 : Math.min(i, j) - 1;
      }
    }
    return m;
  }

  private static void ladder(Bench b) {
    float[] holed = b.spd(b.n);
    holed[5 * b.n + 2] = Float.NaN;
    for (InverseOptions options : new InverseOptions[] {InverseOptions.NONE, InverseOptions.STANDARD}) {
      List<F32Matrix> m =
          List.of(b.matrix(b.n, b.n, b.spd(b.n)), b.matrix(2, 2, 1, 2, 2, 1), b.matrix(b.n, b.n, holed), b.matrix(b.n, b.n, moler(b.n)));
      List<F32Matrix> out = m.stream().map(one -> b.zeros(one.rows(), one.rows())).toList();
      InverseReport report = new InverseReport();
      Workspace workspace = b.space(b.kfac.spdInverseWorkspaceBytes(m.stream().mapToInt(F32Matrix::rows).toArray()));
      b.kfac.batchedDampedSpdInverse(m, new double[m.size()], out, options, report, workspace, b.stream);
      b.stream.synchronize();
      for (int i = 0; i < m.size(); i++) {
        b.outputs.addCount("status", report.status(i));
        b.outputs.addCount("rung", report.rung(i));
        b.outputs.addCount("index", report.index(i));
      }
    }
  }

  private static void cholesky(Bench b) {
    int n = b.n;
    int columns = n % 5 + 1;
    float[] values = new SpdMatrix(n, 4).all();
    float[] right = b.normal(n * columns);
    F32Matrix l = b.zeros(n, n);
    F32Matrix inverse = b.zeros(n, n);
    b.kfac.dampedCholesky(b.matrix(n, n, values), SpdMatrix.DAMPING, l, b.space(b.kfac.choleskyWorkspaceBytes(n)), b.stream);
    b.kfac.triangularInverse(l, inverse, b.stream);
    F32Matrix forward = b.matrix(n, columns, right);
    F32Matrix backward = b.matrix(n, columns, right);
    b.kfac.triangularSolve(l, false, forward, b.stream);
    b.kfac.triangularSolve(l, true, backward, b.stream);
    b.stream.synchronize();
    double[] wanted = Dense.of(values);
    for (int i = 0; i < n; i++) {
      wanted[i * n + i] = (float) (wanted[i * n + i] + SpdMatrix.DAMPING);
    }
    double[] factor = Dense.of(b.get(l));
    double[] turned = Dense.transposed(n, n, factor);
    double[] rest = Dense.sum(-1, wanted, Dense.product(n, n, n, factor, turned));
    b.bounded("l", l, Dense.above("L L^T - M", Dense.norm1(n, n, rest), 10 * U * Dense.norm1(n, n, wanted)));
    double[] x = Dense.of(b.get(inverse));
    double[] unit = Dense.sum(-1, Dense.identity(n), Dense.product(n, n, n, factor, x));
    double size = Dense.norm1(n, n, Dense.product(n, n, n, Dense.absolute(factor), Dense.absolute(x)));
    b.bounded("inverse", inverse, Dense.above("L X - I", Dense.norm1(n, n, unit), 10 * U * size));
    b.bounded("forward", forward, unsolved(n, columns, factor, b.get(forward), right));
    b.bounded("backward", backward, unsolved(n, columns, turned, b.get(backward), right));
  }

  private static String unsolved(int n, int columns, double[] l, float[] solution, float[] right) {
    double[] x = Dense.of(solution);
    double[] back = Dense.product(n, n, columns, l, x);
    double[] size = Dense.product(n, n, columns, Dense.absolute(l), Dense.absolute(x));
    for (int i = 0; i < back.length; i++) {
      if (!(Math.abs(back[i] - right[i]) <= (n + 4) * U * (size[i] + 1))) {
        return "[" + i + "]: L X is " + back[i] + " instead of " + right[i];
      }
    }
    return null;
  }

  // ---- products

  private static void products(Bench b) {
    List<Integer> outs = List.of(b.n % 11 + 1, b.n);
    List<KroneckerPair> pairs = new ArrayList<>();
    List<F32Matrix> v = new ArrayList<>();
    List<F32Matrix> out = new ArrayList<>();
    List<F32Matrix> again = new ArrayList<>();
    for (int m : outs) {
      pairs.add(new KroneckerPair(b.matrix(m, m, b.spd(m)), b.matrix(b.n, b.n, b.spd(b.n))));
      v.add(b.matrix(m, b.n, b.normal(m * b.n)));
      out.add(b.zeros(m, b.n));
      again.add(b.zeros(m, b.n));
    }
    Workspace workspace = b.space(b.kfac.kroneckerPreconditionWorkspaceBytes(v));
    b.kfac.kroneckerPrecondition(pairs, v, out, workspace, b.stream);
    b.kfac.kroneckerMatVec(pairs, v, again, workspace, b.stream);
    KlClip clip = b.kfac.klClipCoefficient(out, v, 0.1, 0.001, b.stream);
    b.stream.synchronize();
    double inner = 0;
    double size = 0;
    for (int l = 0; l < outs.size(); l++) {
      int m = outs.get(l);
      double[] g = Dense.of(b.get(pairs.get(l).g()));
      double[] a = Dense.of(b.get(pairs.get(l).a()));
      double[] w = Dense.of(b.get(v.get(l)));
      double[] bound = Dense.sandwich(m, b.n, Dense.absolute(g), Dense.absolute(w), Dense.absolute(a));
      double[] scaled = Dense.scaled((m + b.n + 4) * U, bound);
      b.bounded("precondition", out.get(l), Dense.beyond(b.get(out.get(l)), Dense.sandwich(m, b.n, g, w, a), scaled));
      b.outputs.require("matVec", Arrays.equals(b.get(out.get(l)), b.get(again.get(l))) ? null : "differs from precondition");
      float[] preconditioned = b.get(out.get(l));
      for (int i = 0; i < w.length; i++) {
        inner += preconditioned[i] * w[i];
        size += Math.abs(preconditioned[i] * w[i]);
      }
    }
    b.outputs.require("klClip", Dense.above("the error of the sum", Math.abs(clip.sum() - 0.01 * inner), 1e-12 * size));
    double nu = Math.min(1, Math.sqrt(0.001 / Math.abs(clip.sum())));
    b.outputs.require("klClip", Dense.above("the error of nu", Math.abs(clip.nu() - nu), 1e-12));
  }

  private static void penalty(Bench b) {
    int m = b.n % 11 + 1;
    int k = b.n;
    float[] weights = b.normal(m * k);
    float[] before = b.normal(m * k);
    F32Matrix w = b.matrix(m, k, weights);
    F32Matrix gradient = b.matrix(m, k, before);
    double[] expected = Dense.of(before);
    double[] bound = Dense.scaled(4 * U, Dense.absolute(expected));
    double value = 0;
    double size = 0;
    List<PenaltyTask> tasks = new ArrayList<>();
    for (int t = 0; t < 2; t++) {
      float[] anchor = b.normal(m * k);
      List<PenaltyTerm> terms = new ArrayList<>();
      for (int i = 0; i <= t; i++) {
        float[] gs = b.spd(m);
        float[] as = b.spd(k);
        double weight = 0.5 + i;
        terms.add(new PenaltyTerm(new KroneckerPair(b.matrix(m, m, gs), b.matrix(k, k, as)), weight));
        double[] d = new double[m * k];
        for (int j = 0; j < d.length; j++) {
          d[j] = weights[j] - anchor[j];
        }
        double[] p = Dense.sandwich(m, k, Dense.of(gs), d, Dense.of(as));
        double[] pSize = Dense.sandwich(m, k, Dense.absolute(Dense.of(gs)), Dense.absolute(d), Dense.absolute(Dense.of(as)));
        double scale = 0.75 * weight;
        expected = Dense.sum(scale, p, expected);
        bound = Dense.sum((m + k + 10) * U * scale, pSize, bound);
        for (int j = 0; j < d.length; j++) {
          value += scale / 2 * d[j] * p[j];
          size += scale / 2 * Math.abs(d[j]) * pSize[j];
        }
      }
      tasks.add(new PenaltyTask(0.75, List.of(b.matrix(m, k, anchor)), List.of(terms)));
    }
    Workspace workspace = b.space(b.kfac.kroneckerPenaltyWorkspaceBytes(tasks, List.of(w)));
    PenaltyValue found = b.kfac.kroneckerQuadraticPenalty(tasks, List.of(w), List.of(gradient), workspace, b.stream);
    b.stream.synchronize();
    b.bounded("gradient", gradient, Dense.beyond(b.get(gradient), expected, bound));
    b.outputs.require("value", Dense.above("the error", Math.abs(found.value() - value), (m + k + 8) * U * size));
    b.outputs.addCount("negative form", found.negativeForm() ? 1 : 0);
  }

  private static void merge(Bench b) {
    int m = b.n % 7 + 1;
    for (FactorMerge rule : new FactorMerge[] {FactorMerge.traceMinimising(0.9), FactorMerge.sum(0.25, 0.75)}) {
      KroneckerPair first = new KroneckerPair(b.matrix(m, m, b.spd(m)), b.matrix(b.n, b.n, b.spd(b.n)));
      KroneckerPair second = new KroneckerPair(b.matrix(m, m, new SpdMatrix(m, 99).all()), b.matrix(b.n, b.n, new SpdMatrix(b.n, 98).all()));
      KroneckerPair out = new KroneckerPair(b.zeros(m, m), b.zeros(b.n, b.n));
      MergeReport report = b.kfac.mergeKroneckerFactors(first, second, rule, out, b.stream);
      b.stream.synchronize();
      b.exact("pi", report.pi());
      b.exact("g", out.g());
      b.exact("a", out.a());
    }
  }

  private static void batchNorm(Bench b) {
    int out = b.n % 13 + 1;
    F32Matrix w = b.matrix(out, b.n, b.normal(out * b.n));
    BatchNormMerge layer =
        new BatchNormMerge(
            w, b.vector(b.normal(out)), b.vector(b.normal(out)), b.vector(b.normal(out)), b.vector(b.normal(out)),
            b.vector(b.data.between(out, 0, 2)), 1e-5);
    F32Matrix merged = b.zeros(out, b.n);
    F32Matrix bias = b.zeros(1, out);
    b.kfac.mergeBatchNorm(layer, merged, bias.data(), b.stream);
    F32Matrix dw = b.zeros(out, b.n);
    F32Matrix parts = b.zeros(5, out);
    BatchNormMergeGradients gradients =
        new BatchNormMergeGradients(
            dw, parts.data().slice(0, out), parts.data().slice(out, out), parts.data().slice(2L * out, out), parts.data().slice(3L * out, out),
            parts.data().slice(4L * out, out));
    b.kfac.mergeBatchNormBackward(layer, b.matrix(out, b.n, b.normal(out * b.n)), b.vector(b.normal(out)), gradients, b.stream);
    b.stream.synchronize();
    b.exact("weight", merged);
    b.exact("bias", bias);
    b.exact("dw", dw);
    b.exact("gradients", parts);
  }

  // ---- compositions

  private static void eigen(Bench b) {
    int n = b.n;
    float[] values = b.spd(n);
    F32Buffer found = b.vector(new float[n]);
    F32Matrix q = b.zeros(n, n);
    F32Matrix root = b.zeros(n, n);
    b.kfac.symmetricEigen(b.matrix(n, n, values), found, q, b.stream);
    b.kfac.inverseRootFromEigen(found, q, 0.5, 2, root, b.stream);
    b.stream.synchronize();
    double[] vectors = Dense.of(b.get(q));
    double[] turned = Dense.transposed(n, n, vectors);
    double[] lambda = Dense.of(found.toArray());
    double[] m = Dense.of(values);
    double[] rest = Dense.product(n, n, n, m, vectors);
    for (int i = 0; i < rest.length; i++) {
      rest[i] -= vectors[i] * lambda[i % n];
    }
    b.bounded("vectors", q, Dense.above("M Q - Q L", Dense.norm1(n, n, rest), 10 * n * U * Dense.norm1(n, n, m)));
    double[] unit = Dense.sum(-1, Dense.identity(n), Dense.product(n, n, n, turned, vectors));
    b.outputs.require("vectors", Dense.above("Q^T Q - I", Dense.norm1(n, n, unit), 10 * n * U));
    // The square of the root is the inverse.
    double[] r = Dense.of(b.get(root));
    double[] wanted = Dense.inverse(n, Dense.sum(0.5, Dense.identity(n), m));
    b.bounded("root", root, null);
    b.outputs.require("root", Dense.beyond(floats(Dense.product(n, n, n, r, r)), wanted, 1e-5));
  }

  private static float[] floats(double[] values) {
    float[] result = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      result[i] = (float) values[i];
    }
    return result;
  }

  private static void eigenProducts(Bench b) {
    int m = b.n / 2 + 1;
    int k = b.n + 1;
    int rows = 6;
    float[] g = b.spd(m);
    float[] a = b.spd(k);
    float[] w = b.normal(m * k);
    F32Buffer valuesG = b.vector(new float[m]);
    F32Buffer valuesA = b.vector(new float[k]);
    F32Matrix vectorsG = b.zeros(m, m);
    F32Matrix vectorsA = b.zeros(k, k);
    b.kfac.symmetricEigen(b.matrix(m, m, g), valuesG, vectorsG, b.stream);
    b.kfac.symmetricEigen(b.matrix(k, k, a), valuesA, vectorsA, b.stream);
    F32Matrix out = b.zeros(m, k);
    F32Matrix gradient = b.matrix(m, k, w);
    b.kfac.kroneckerPreconditionEigen(valuesG, vectorsG, valuesA, vectorsA, gradient, 0.5, out, b.stream);
    float[] d = b.normal(rows * m);
    float[] x = b.normal(rows * b.n);
    F32Matrix s = b.zeros(m, k);
    b.kfac.ekfacSecondMoment(b.matrix(rows, m, d), vectorsG, b.matrix(rows, b.n, x), true, vectorsA, s, b.stream);
    F32Matrix scaled = b.zeros(m, k);
    b.kfac.ekfacPrecondition(vectorsG, vectorsA, s, gradient, 0.5, scaled, b.stream);
    b.stream.synchronize();
    int all = m * k;
    double[] block = Dense.sum(0.5, Dense.identity(all), Dense.kronecker(m, k, Dense.of(g), Dense.of(a)));
    double[] wanted = Dense.product(all, all, 1, Dense.inverse(all, block), Dense.of(w));
    b.bounded("preconditionEigen", out, Dense.beyond(b.get(out), wanted, 1e-5));
    double[] qg = Dense.of(b.get(vectorsG));
    double[] qa = Dense.of(b.get(vectorsA));
    double[] biased = new double[rows * k];
    for (int i = 0; i < biased.length; i++) {
      biased[i] = i % k < b.n ? x[i / k * b.n + i % k] : 1;
    }
    double[] left = Dense.product(rows, m, m, Dense.of(d), qg);
    double[] right = Dense.product(rows, k, k, biased, qa);
    double[] moment = new double[all];
    for (int r = 0; r < rows; r++) {
      for (int i = 0; i < all; i++) {
        moment[i] += Math.pow(left[r * m + i / k] * right[r * k + i % k], 2) / rows;
      }
    }
    b.bounded("secondMoment", s, Dense.beyond(b.get(s), moment, 1e-5));
    double[] turned = Dense.product(m, m, k, Dense.transposed(m, m, qg), Dense.product(m, k, k, Dense.of(w), qa));
    double[] used = Dense.of(b.get(s));
    for (int i = 0; i < all; i++) {
      turned[i] /= used[i] + 0.5;
    }
    double[] back = Dense.product(m, m, k, qg, Dense.product(m, k, k, turned, Dense.transposed(k, k, qa)));
    b.bounded("ekfacPrecondition", scaled, Dense.beyond(b.get(scaled), back, 1e-5));
  }

  private static void otherInverses(Bench b) {
    int n = b.n;
    int rows = n / 2;
    float[] x = b.normal(rows * n);
    F32Matrix woodbury = b.zeros(n, n);
    b.kfac.woodburyInverse(b.matrix(rows, n, x), 0.5, 0.5, woodbury, b.stream);
    double[] m = Dense.sum(0.5, gram(rows, n, Dense.of(x)), Dense.scaled(0.5, Dense.identity(n)));
    b.bounded("woodbury", woodbury, Dense.beyond(b.get(woodbury), Dense.inverse(n, m), 1e-5));
    float[] values = b.spd(n);
    F32Matrix iterated = b.zeros(n, n);
    b.kfac.newtonSchulzInverse(b.matrix(n, n, values), 1e-4, 60, iterated, b.stream);
    b.bounded("newtonSchulz", iterated, Dense.beyond(b.get(iterated), Dense.inverse(n, Dense.of(values)), 1e-4));
  }

  private static void sumInverse(Bench b) {
    int m = b.n / 2 + 1;
    int k = b.n + 1;
    int all = m * k;
    float[] g1 = b.spd(m);
    float[] a1 = b.spd(k);
    float[] g2 = new SpdMatrix(m, 90).all();
    float[] a2 = new SpdMatrix(k, 91).all();
    float[] v = b.normal(all);
    F32Matrix out = b.zeros(m, k);
    b.kfac.kroneckerSumInverseApply(
        new KroneckerPair(b.matrix(m, m, g1), b.matrix(k, k, a1)), new KroneckerPair(b.matrix(m, m, g2), b.matrix(k, k, a2)), b.matrix(m, k, v), out,
        b.stream);
    double[] block =
        Dense.sum(1, Dense.kronecker(m, k, Dense.of(g1), Dense.of(a1)), Dense.kronecker(m, k, Dense.of(g2), Dense.of(a2)));
    double[] wanted = Dense.product(all, all, 1, Dense.inverse(all, block), Dense.of(v));
    b.bounded("out", out, Dense.beyond(b.get(out), wanted, 1e-4));
  }

  private static void sample(Bench b) {
    int m = b.n / 2 + 1;
    int k = b.n + 1;
    float[] g = b.spd(m);
    float[] a = b.spd(k);
    float[] e = b.normal(m * k);
    KroneckerPair pair = new KroneckerPair(b.matrix(m, m, g), b.matrix(k, k, a));
    PairDamping damping = new PairDamping(1, 0.25, 0.5, false);
    double found = b.kfac.kroneckerLogDet(pair, damping, b.stream);
    double[] lg = lower(m, Dense.sum(0.25, Dense.identity(m), Dense.of(g)));
    double[] la = lower(k, Dense.sum(0.5, Dense.identity(k), Dense.of(a)));
    double wanted = 2 * k * logDiagonal(m, lg) + 2 * m * logDiagonal(k, la);
    b.outputs.require("logDet", Dense.above("the error", Math.abs(found - wanted), 1e-5 * (1 + m * k)));
    F32Matrix out = b.zeros(m, k);
    b.kfac.matrixNormalSample(b.zeros(m, k), pair, damping, b.matrix(m, k, e), out, b.stream);
    // Lg^T out La gives back E.
    double[] back = Dense.product(m, m, k, Dense.transposed(m, m, lg), Dense.product(m, k, k, Dense.of(b.get(out)), la));
    b.bounded("sample", out, null);
    b.outputs.require("sample", Dense.beyond(floats(back), Dense.of(e), 1e-4));
  }

  private static double logDiagonal(int n, double[] l) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += Math.log(l[i * n + i]);
    }
    return sum;
  }

  private static double[] lower(int n, double[] m) {
    double[] l = new double[n * n];
    for (int j = 0; j < n; j++) {
      for (int i = j; i < n; i++) {
        double sum = m[i * n + j];
        for (int p = 0; p < j; p++) {
          sum -= l[i * n + p] * l[j * n + p];
        }
        l[i * n + j] = i == j ? Math.sqrt(sum) : sum / l[j * n + j];
      }
    }
    return l;
  }
}
