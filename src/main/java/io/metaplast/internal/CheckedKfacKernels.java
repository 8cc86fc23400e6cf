package io.metaplast.internal;

import io.metaplast.Bf16Matrix;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.NonFiniteMatrixException;
import io.metaplast.NotPositiveDefiniteException;
import io.metaplast.RealMatrix;
import io.metaplast.Stream;
import io.metaplast.Workspace;
import io.metaplast.internal.spi.BackendProvider;
import io.metaplast.internal.spi.KfacProvider;
import io.metaplast.internal.spi.KroneckerTable;
import io.metaplast.internal.spi.SpdStatus;
import io.metaplast.internal.spi.SpdTable;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** The Kronecker kernels as users see them: checks every argument, then lets the backend's provider run. Nothing is written by a call that throws. */
final class CheckedKfacKernels implements KfacKernels {
  // METAPLAST_FACTOR_* of kfac.h.
  private static final int SECOND_MOMENT = 0;
  private static final int CENTRED = 1;
  private static final int MEAN = 2;
  private static final int BETWEEN = 3;

  /** Balances of two factors outside of 2^-60..2^60 are not used. */
  private static final double LARGEST_PI = 0x1p60;

  /** A quadratic form this far below 0, relative to the sum of absolute terms, is no rounding. */
  private static final double NEGATIVE_FORM = -1e-5;

  // Names of operands: a # is a place in a list.
  private static final String M = "m[#]";
  private static final String OUT = "out[#]";
  private static final String WEIGHTS = "weights[#]";
  private static final String GRADIENTS = "gradients[#]";
  private static final String ANCHORS = "tasks[#].anchors[#]";
  private static final String TERMS_G = "tasks[#].terms[#].pair.g";
  private static final String TERMS_A = "tasks[#].terms[#].pair.a";

  private final BackendImpl backend;
  private final BackendProvider provider;
  private final KfacProvider kfac;
  private final InverseLadder ladder;
  private final KroneckerComposites composites;
  private final boolean fullChecks;

  CheckedKfacKernels(BackendImpl backend) {
    this.backend = backend;
    this.provider = backend.provider();
    this.kfac = provider.kfac();
    this.ladder = new InverseLadder(provider);
    this.composites = new KroneckerComposites(backend);
    this.fullChecks = backend.options().fullChecks();
  }

  // ---- factor statistics

  @Override
  public void kroneckerFactorUpdate(RealMatrix x, boolean bias, double alpha, double beta, F32Matrix factor, Workspace workspace, Stream stream) {
    factor(SECOND_MOMENT, 0, x, bias, alpha, beta, "factor", factor, workspace, stream);
  }

  @Override
  public void kroneckerFactorUpdate(RealMatrix x, boolean bias, double alpha, double beta, MovingFactor factor, Workspace workspace, Stream stream) {
    Objects.requireNonNull(factor, "factor");
    // The first update does not read what lies in the memory.
    double used = factor.weight() == 0 && beta <= 1 && beta >= 0 ? 0 : beta;
    factor(SECOND_MOMENT, 0, x, bias, alpha, used, "factor.raw", factor.raw(), workspace, stream);
    factor.weight(beta * factor.weight() + 1);
  }

  @Override
  public void kroneckerFactorCentered(RealMatrix x, double alpha, double beta, F32Matrix factor, Workspace workspace, Stream stream) {
    factor(CENTRED, 2, x, false, alpha, beta, "factor", factor, workspace, stream);
  }

  @Override
  public void kroneckerFactorMean(RealMatrix x, double alpha, double beta, F32Matrix factor, Workspace workspace, Stream stream) {
    factor(MEAN, 1, x, false, alpha, beta, "factor", factor, workspace, stream);
  }

  @Override
  public void kroneckerFactorBetween(RealMatrix x, double alpha, double beta, F32Matrix factor, Workspace workspace, Stream stream) {
    factor(BETWEEN, 2, x, false, alpha, beta, "factor", factor, workspace, stream);
  }

  private void factor(
      int kind, int leastRows, RealMatrix x, boolean bias, double alpha, double beta, String name, F32Matrix factor, Workspace workspace, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      Objects.requireNonNull(x, "x");
      if (!(x instanceof F32Matrix || x instanceof Bf16Matrix)) {
        throw new IllegalArgumentException("x is a " + x.getClass().getName() + "; F32Matrix or Bf16Matrix is needed");
      }
      BufferImpl in = guard.input("x", x.data());
      BufferImpl out = output(guard, name, factor);
      BufferImpl space = guard.output("workspace", workspace);
      long handle = guard.stream(stream);
      order(name, factor, "x.cols", x.cols(), bias);
      if (x.rows() < leastRows) {
        throw new IllegalArgumentException("x.rows = " + x.rows() + " must be >= " + leastRows);
      }
      float a = Checks.finite("alpha", alpha);
      float b = decay(beta);
      space(space, kfac.factorWorkspaceBytes(x.rows(), x.cols(), bias));
      guard.checkOverlap();
      if (out.length() > 0) {
        if (b != 0) {
          symmetric(name, CallGuard.NO_PLACE, factor);
        }
        long bad = kfac.factorUpdate(kind, x, bias, a, b, factor, space, handle);
        if (bad >= 0) {
          int row = (int) (bad / x.cols());
          int column = (int) (bad % x.cols());
          throw new NonFiniteMatrixException("x", 0, row, column, HostMatrices.value(provider, in, (long) row * x.ld() + column));
        }
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public void kroneckerFactorValue(MovingFactor factor, F32Matrix out, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      Objects.requireNonNull(factor, "factor");
      F32Matrix raw = factor.raw();
      input(guard, "factor.raw", raw);
      BufferImpl o = output(guard, "out", out);
      long handle = guard.stream(stream);
      square("factor.raw", CallGuard.NO_PLACE, raw);
      same("out", CallGuard.NO_PLACE, out, "factor.raw", raw.rows(), raw.cols());
      if (factor.weight() == 0) {
        throw new IllegalArgumentException("factor.weight = 0.0: the moving sum was never updated");
      }
      float scale = Checks.positive("1/factor.weight", 1 / factor.weight());
      guard.allowInPlace("out", "factor.raw");
      guard.checkOverlap();
      if (o.length() > 0) {
        symmetric("factor.raw", CallGuard.NO_PLACE, raw);
        kfac.combine(scale, raw, 0, null, out, handle);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public long kroneckerFactorWorkspaceBytes(int rows, int cols, boolean bias) {
    Checks.dimension("rows", rows);
    Checks.dimension("cols", cols);
    return kfac.factorWorkspaceBytes(rows, cols, bias);
  }

  @Override
  public void im2colFactorUpdate(
      F32Buffer x, Im2colShape shape, boolean bias, double alpha, double beta, F32Matrix factor, Workspace workspace, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BufferImpl in = guard.input("x", x);
      Objects.requireNonNull(shape, "shape");
      BufferImpl out = output(guard, "factor", factor);
      BufferImpl space = guard.output("workspace", workspace);
      long handle = guard.stream(stream);
      int inputs = shape.geometry().inputs();
      Checks.length("x", in.length(), "batch*channels*height*width", (long) shape.geometry().batch() * inputs);
      order("factor", factor, "shape.cols", shape.cols(), bias);
      float a = Checks.finite("alpha", alpha);
      float b = decay(beta);
      space(space, kfac.im2colFactorWorkspaceBytes(shape, bias));
      guard.checkOverlap();
      if (out.length() > 0) {
        if (b != 0) {
          symmetric("factor", CallGuard.NO_PLACE, factor);
        }
        long bad = kfac.im2colFactorUpdate(shape, in, bias, a, b, factor, space, handle);
        if (bad >= 0) {
          throw new NonFiniteMatrixException("x", 0, (int) (bad / inputs), (int) (bad % inputs), HostMatrices.value(provider, in, bad));
        }
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public long im2colFactorWorkspaceBytes(Im2colShape shape, boolean bias) {
    Objects.requireNonNull(shape, "shape");
    return kfac.im2colFactorWorkspaceBytes(shape, bias);
  }

  // ---- damping

  @Override
  public List<PairDamping> damping(DampingMode mode, double lambda, List<KroneckerPair> pairs, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      Objects.requireNonNull(mode, "mode");
      Checks.nonNegative("lambda", lambda);
      Objects.requireNonNull(pairs, "pairs");
      List<F32Matrix> traced = new ArrayList<>();
      for (int p = 0; p < pairs.size(); p++) {
        KroneckerPair pair = pair(guard, "pairs[#]", "pairs[#].g", "pairs[#].a", p, pairs.get(p));
        if (pair.g().rows() > 0 && pair.a().rows() > 0) {
          traced.add(pair.g());
          traced.add(pair.a());
        }
      }
      long handle = guard.stream(stream);
      boolean balanced = mode == DampingMode.PI;
      double[] traces = new double[traced.size()];
      if (balanced && traces.length > 0) {
        kfac.traces(traced, traces, handle);
      }
      double both = mode == DampingMode.SAME ? lambda : Math.sqrt(lambda);
      List<PairDamping> result = new ArrayList<>();
      int t = 0;
      for (KroneckerPair pair : pairs) {
        int g = pair.g().rows();
        int a = pair.a().rows();
        boolean empty = g == 0 || a == 0;
        double pi = balanced && !empty ? Math.sqrt(traces[t + 1] / a / (traces[t] / g)) : 1;
        // Two negative traces would give a number too.
        boolean unusable = balanced && (empty || !(traces[t] > 0 && traces[t + 1] > 0) || !(pi >= 1 / LARGEST_PI && pi <= LARGEST_PI));
        t += empty ? 0 : 2;
        pi = unusable ? 1 : pi;
        result.add(new PairDamping(pi, both / pi, both * pi, unusable));
      }
      return List.copyOf(result);
    } finally {
      guard.exit();
    }
  }

  // ---- damped inverse

  @Override
  public void dampedSpdInverse(F32Matrix m, double damping, F32Matrix out, Workspace workspace, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    SpdTable table = SpdTable.OF_THREAD.get();
    try {
      input(guard, "m", m);
      output(guard, "out", out);
      BufferImpl space = guard.output("workspace", workspace);
      long handle = guard.stream(stream);
      square("m", CallGuard.NO_PLACE, m);
      same("out", CallGuard.NO_PLACE, out, "m", m.rows(), m.cols());
      Checks.nonNegative("damping", damping);
      int n = m.rows();
      if (n > 0) {
        table.add(m, damping, out, n);
      }
      space(space, inverseBytes(table, false));
      guard.allowInPlace("out", "m");
      guard.checkOverlap();
      if (n > 0) {
        symmetric("m", CallGuard.NO_PLACE, m);
        kfac.spdInverse(table, InverseOptions.DEFAULT_RESIDUAL_TOLERANCE, false, space, handle);
        if (table.status(0) != InverseReport.OK) {
          fail(table.status(0), m, damping, table.pivot(0), table.index(0), table.residual(0));
        }
        ladder.tell(table.status(0), table.flags(0), table.cond1(0), 0);
      }
    } finally {
      table.clear();
      guard.exit();
    }
  }

  /** Throws what a status that is not usable means. */
  private void fail(int status, F32Matrix m, double damping, double pivot, long index, double residual) {
    if (status == InverseReport.NOT_FINITE) {
      throw HostMatrices.notFinite(provider, "m", 0, m, damping, index);
    }
    throw new NotPositiveDefiniteException(0, Math.max(status, 0), pivot, damping, residual);
  }

  @Override
  public void batchedDampedSpdInverse(
      List<F32Matrix> m, double[] damping, List<F32Matrix> out, InverseOptions options, InverseReport report, Workspace workspace, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    SpdTable table = SpdTable.OF_THREAD.get();
    try {
      Objects.requireNonNull(m, "m");
      Objects.requireNonNull(damping, "damping");
      Objects.requireNonNull(out, "out");
      Objects.requireNonNull(options, "options");
      Objects.requireNonNull(report, "report");
      int count = m.size();
      Checks.length("damping", damping.length, "m.size", count);
      Checks.equal("out.size", out.size(), "m.size", count);
      table.of(m, out);
      takeMatrices(guard, table, m, damping);
      takeInverses(guard, table, out);
      BufferImpl space = guard.output("workspace", workspace);
      long handle = guard.stream(stream);
      space(space, inverseBytes(table, options.doublePrecision() || options.moreDamping()));
      guard.allowInPlace(OUT, M);
      if (!guard.listsApart()) {
        for (int b = 0; b < count; b++) {
          guard.compare(M, b, m.get(b).data(), false);
        }
        for (int b = 0; b < count; b++) {
          guard.compare(OUT, b, out.get(b).data(), true);
        }
      }
      guard.checkOverlap();
      if (fullChecks) {
        for (int b = 0; b < count; b++) {
          symmetric(M, b, m.get(b));
        }
      }
      report.reset(count);
      ladder.run(m, damping, out, options, report, table, space, handle);
    } finally {
      table.clear();
      guard.exit();
    }
  }

  // Of the lists every object is looked at once: the rows of the table have what the second list is compared with.

  private static void takeMatrices(CallGuard guard, SpdTable table, List<F32Matrix> m, double[] damping) {
    for (int b = 0; b < damping.length; b++) {
      F32Matrix matrix = listed(guard, M, b, m.get(b), false);
      square(M, b, matrix);
      double d = damping[b];
      if (!(d >= 0) || !Float.isFinite((float) d)) {
        Checks.nonNegative("damping[" + b + "]", d);
      }
      if (matrix.rows() > 0) {
        table.addInput(b, matrix, d);
      }
    }
  }

  private static void takeInverses(CallGuard guard, SpdTable table, List<F32Matrix> out) {
    int row = 0;
    int count = out.size();
    for (int b = 0; b < count; b++) {
      F32Matrix inverse = listed(guard, OUT, b, out.get(b), true);
      boolean empty = row == table.count() || table.place(row) != b;
      int n = empty ? 0 : table.n(row);
      same(OUT, b, inverse, M, n, n);
      if (!empty) {
        table.setOut(row++, inverse);
      }
    }
  }

  private static F32Matrix listed(CallGuard guard, String name, int place, F32Matrix matrix, boolean output) {
    if (matrix == null) {
      throw new NullPointerException(CallGuard.at(name, place));
    }
    guard.listed(name, place, matrix.data(), output);
    return matrix;
  }

  private long inverseBytes(SpdTable table, boolean doubleToo) {
    if (table.count() == 0) {
      return 0;
    }
    long bytes = kfac.spdInverseWorkspaceBytes(table, false);
    return doubleToo ? Math.max(bytes, kfac.spdInverseWorkspaceBytes(table, true)) : bytes;
  }

  @Override
  public long spdInverseWorkspaceBytes(int... n) {
    Objects.requireNonNull(n, "n");
    for (int b = 0; b < n.length; b++) {
      if (n[b] < 0) {
        Checks.dimension("n[" + b + "]", n[b]);
      }
    }
    SpdTable table = SpdTable.OF_THREAD.get();
    try {
      for (int order : n) {
        if (order > 0) {
          table.add(null, 0, null, order);
        }
      }
      return inverseBytes(table, true);
    } finally {
      table.clear();
    }
  }

  // ---- Cholesky pieces

  @Override
  public void dampedCholesky(F32Matrix m, double damping, F32Matrix factor, Workspace workspace, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      input(guard, "m", m);
      BufferImpl out = output(guard, "factor", factor);
      BufferImpl space = guard.output("workspace", workspace);
      long handle = guard.stream(stream);
      square("m", CallGuard.NO_PLACE, m);
      same("factor", CallGuard.NO_PLACE, factor, "m", m.rows(), m.cols());
      Checks.nonNegative("damping", damping);
      space(space, choleskyWorkspaceBytes(m.rows()));
      guard.allowInPlace("factor", "m");
      guard.checkOverlap();
      if (out.length() > 0) {
        symmetric("m", CallGuard.NO_PLACE, m);
        SpdStatus status = kfac.dampedCholesky(m, damping, factor, space, handle);
        if (status.status() != InverseReport.OK) {
          fail(status.status(), m, damping, status.pivot(), status.index(), 0);
        }
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public long choleskyWorkspaceBytes(int n) {
    Checks.dimension("n", n);
    return KroneckerComposites.choleskyBytes(n);
  }

  @Override
  public void triangularInverse(F32Matrix l, F32Matrix out, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BufferImpl in = input(guard, "l", l);
      BufferImpl o = output(guard, "out", out);
      long handle = guard.stream(stream);
      square("l", CallGuard.NO_PLACE, l);
      same("out", CallGuard.NO_PLACE, out, "l", l.rows(), l.cols());
      guard.allowInPlace("out", "l");
      guard.checkOverlap();
      if (o.length() > 0) {
        diagonal(kfac.triangularInverse(l, out, handle), in, l);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public void triangularSolve(F32Matrix l, boolean transposed, F32Matrix b, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BufferImpl in = input(guard, "l", l);
      BufferImpl o = output(guard, "b", b);
      long handle = guard.stream(stream);
      square("l", CallGuard.NO_PLACE, l);
      Checks.equal("b.rows", b.rows(), "l.rows", l.rows());
      guard.checkOverlap();
      if (o.length() > 0) {
        diagonal(kfac.triangularSolve(l, transposed, b, handle), in, l);
      }
    } finally {
      guard.exit();
    }
  }

  private void diagonal(int order, BufferImpl in, F32Matrix l) {
    if (order > 0) {
      int j = order - 1;
      throw new IllegalArgumentException("l: diagonal element (" + j + ", " + j + ") is " + HostMatrices.value(provider, in, (long) j * l.ld() + j) + ", must be finite and not 0");
    }
  }

  // ---- preconditioning and penalty

  @Override
  public void kroneckerPrecondition(List<KroneckerPair> inverses, List<F32Matrix> gradients, List<F32Matrix> out, Workspace workspace, Stream stream) {
    Objects.requireNonNull(inverses, "inverses");
    products("inverses", "inverses[#]", "inverses[#].g", "inverses[#].a", inverses, "gradients", GRADIENTS, gradients, out, workspace, stream);
  }

  @Override
  public void kroneckerMatVec(List<KroneckerPair> pairs, List<F32Matrix> v, List<F32Matrix> out, Workspace workspace, Stream stream) {
    Objects.requireNonNull(pairs, "pairs");
    products("pairs", "pairs[#]", "pairs[#].g", "pairs[#].a", pairs, "v", "v[#]", v, out, workspace, stream);
  }

  private void products(
      String pairsName, String pairName, String gName, String aName, List<KroneckerPair> pairs, String listName, String name, List<F32Matrix> v,
      List<F32Matrix> out, Workspace workspace, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    KroneckerTable table = KroneckerTable.OF_THREAD.get();
    try {
      Objects.requireNonNull(v, listName);
      Objects.requireNonNull(out, "out");
      if (pairs.size() != v.size()) {
        Checks.equal(pairsName + ".size", pairs.size(), listName + ".size", v.size());
      }
      if (out.size() != v.size()) {
        Checks.equal("out.size", out.size(), listName + ".size", v.size());
      }
      for (int l = 0; l < v.size(); l++) {
        pair(guard, pairName, gName, aName, l, pairs.get(l));
        input(guard, name, l, v.get(l));
        output(guard, OUT, l, out.get(l));
      }
      BufferImpl space = guard.output("workspace", workspace);
      long handle = guard.stream(stream);
      for (int l = 0; l < v.size(); l++) {
        KroneckerPair pair = pairs.get(l);
        F32Matrix in = v.get(l);
        fits(gName, aName, l, pair, name, l, in);
        same(OUT, l, out.get(l), name, in.rows(), in.cols());
        if (elements(in)) {
          table.add(pair, in, null, out.get(l), 0);
        }
      }
      space(space, table.count() == 0 ? 0 : kfac.kroneckerProductsWorkspaceBytes(table));
      guard.allowInPlace(OUT, name);
      guard.checkOverlap();
      if (fullChecks) {
        for (int l = 0; l < v.size(); l++) {
          symmetric(gName, l, pairs.get(l).g());
          symmetric(aName, l, pairs.get(l).a());
        }
      }
      if (table.count() > 0) {
        kfac.kroneckerProducts(table, space, handle);
      }
    } finally {
      table.clear();
      guard.exit();
    }
  }

  @Override
  public long kroneckerPreconditionWorkspaceBytes(List<F32Matrix> gradients) {
    Objects.requireNonNull(gradients, "gradients");
    KroneckerTable table = KroneckerTable.OF_THREAD.get();
    try {
      for (int l = 0; l < gradients.size(); l++) {
        F32Matrix gradient = own(GRADIENTS, l, gradients.get(l));
        if (elements(gradient)) {
          table.add(null, gradient, null, null, 0);
        }
      }
      return table.count() == 0 ? 0 : kfac.kroneckerProductsWorkspaceBytes(table);
    } finally {
      table.clear();
    }
  }

  @Override
  public PenaltyValue kroneckerQuadraticPenalty(
      List<PenaltyTask> tasks, List<F32Matrix> weights, List<F32Matrix> gradients, Workspace workspace, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    KroneckerTable table = KroneckerTable.OF_THREAD.get();
    try {
      Objects.requireNonNull(tasks, "tasks");
      Objects.requireNonNull(weights, "weights");
      int layers = weights.size();
      if (gradients != null) {
        Checks.equal("gradients.size", gradients.size(), "weights.size", layers);
      }
      for (int l = 0; l < layers; l++) {
        input(guard, WEIGHTS, l, weights.get(l));
        if (gradients != null) {
          output(guard, GRADIENTS, l, gradients.get(l));
        }
      }
      for (int t = 0; t < tasks.size(); t++) {
        PenaltyTask task = task(t, tasks.get(t), layers);
        for (int l = 0; l < layers; l++) {
          long place = CallGuard.place(t, l);
          input(guard, ANCHORS, place, task.anchors().get(l));
          List<PenaltyTerm> terms = task.terms().get(l);
          for (int k = 0; k < terms.size(); k++) {
            guard.input(TERMS_G, place, terms.get(k).pair().g().data());
            guard.input(TERMS_A, place, terms.get(k).pair().a().data());
          }
        }
      }
      BufferImpl space = guard.output("workspace", workspace);
      long handle = guard.stream(stream);
      if (gradients != null) {
        for (int l = 0; l < layers; l++) {
          same(GRADIENTS, l, gradients.get(l), WEIGHTS, weights.get(l).rows(), weights.get(l).cols());
        }
      }
      fill(table, tasks, weights, gradients, true);
      space(space, table.count() == 0 ? 0 : kfac.kroneckerPenaltyWorkspaceBytes(table));
      guard.checkOverlap();
      if (fullChecks) {
        checkTerms(tasks);
      }
      double[] sums = guard.sums();
      sums[0] = 0;
      sums[1] = 0;
      if (table.count() > 0) {
        kfac.kroneckerPenalty(table, sums, space, handle);
      }
      return new PenaltyValue(sums[0], sums[1], sums[0] < NEGATIVE_FORM * sums[1]);
    } finally {
      table.clear();
      guard.exit();
    }
  }

  private static PenaltyTask task(int t, PenaltyTask task, int layers) {
    if (task == null) {
      throw new NullPointerException("tasks[" + t + "]");
    }
    if (task.anchors().size() != layers) {
      Checks.equal("tasks[" + t + "].anchors.size", task.anchors().size(), "weights.size", layers);
    }
    return task;
  }

  /** Rows of the table: tasks, then layers, then terms. A term of weight 0 and a layer without elements add nothing. */
  private static void fill(KroneckerTable table, List<PenaltyTask> tasks, List<F32Matrix> weights, List<F32Matrix> gradientsOrNull, boolean operands) {
    for (int t = 0; t < tasks.size(); t++) {
      PenaltyTask task = tasks.get(t);
      for (int l = 0; l < weights.size(); l++) {
        F32Matrix w = weights.get(l);
        F32Matrix anchor = task.anchors().get(l);
        same(ANCHORS, CallGuard.place(t, l), anchor, WEIGHTS, l, w.rows(), w.cols());
        List<PenaltyTerm> terms = task.terms().get(l);
        for (int k = 0; k < terms.size(); k++) {
          double weight = task.lambda() * terms.get(k).weight();
          if (!Float.isFinite((float) weight)) {
            Checks.nonNegative("tasks[" + t + "].lambda*terms[" + l + "][" + k + "].weight", weight);
          }
          if (weight > 0 && elements(w)) {
            table.add(
                operands ? terms.get(k).pair() : null, w, operands ? anchor : null, operands && gradientsOrNull != null ? gradientsOrNull.get(l) : null, weight);
          }
        }
      }
    }
  }

  private void checkTerms(List<PenaltyTask> tasks) {
    for (int t = 0; t < tasks.size(); t++) {
      for (int l = 0; l < tasks.get(t).terms().size(); l++) {
        for (PenaltyTerm term : tasks.get(t).terms().get(l)) {
          symmetric(TERMS_G, CallGuard.place(t, l), term.pair().g());
          symmetric(TERMS_A, CallGuard.place(t, l), term.pair().a());
        }
      }
    }
  }

  @Override
  public long kroneckerPenaltyWorkspaceBytes(List<PenaltyTask> tasks, List<F32Matrix> weights) {
    Objects.requireNonNull(tasks, "tasks");
    Objects.requireNonNull(weights, "weights");
    KroneckerTable table = KroneckerTable.OF_THREAD.get();
    try {
      for (int l = 0; l < weights.size(); l++) {
        own(WEIGHTS, l, weights.get(l));
      }
      for (int t = 0; t < tasks.size(); t++) {
        task(t, tasks.get(t), weights.size());
      }
      fill(table, tasks, weights, null, false);
      return table.count() == 0 ? 0 : kfac.kroneckerPenaltyWorkspaceBytes(table);
    } finally {
      table.clear();
    }
  }

  @Override
  public MergeReport mergeKroneckerFactors(KroneckerPair first, KroneckerPair second, FactorMerge rule, KroneckerPair out, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      pair(guard, "first", "first.g", "first.a", CallGuard.NO_PLACE, first);
      pair(guard, "second", "second.g", "second.a", CallGuard.NO_PLACE, second);
      Objects.requireNonNull(rule, "rule");
      Objects.requireNonNull(out, "out");
      guard.output("out.g", out.g().data());
      guard.output("out.a", out.a().data());
      long handle = guard.stream(stream);
      int m = first.g().rows();
      int k = first.a().rows();
      same("second.g", CallGuard.NO_PLACE, second.g(), "first.g", m, m);
      same("second.a", CallGuard.NO_PLACE, second.a(), "first.a", k, k);
      same("out.g", CallGuard.NO_PLACE, out.g(), "first.g", m, m);
      same("out.a", CallGuard.NO_PLACE, out.a(), "first.a", k, k);
      double pi = 1;
      boolean zeroTrace = false;
      double a1 = rule.a1();
      double a2 = rule.a2();
      double g1 = rule.g1();
      double g2 = rule.g2();
      for (int i = 0; i < 2; i++) {
        guard.allowInPlace("out.g", i == 0 ? "first.g" : "second.g");
        guard.allowInPlace("out.a", i == 0 ? "first.a" : "second.a");
      }
      guard.checkOverlap();
      if (fullChecks) {
        symmetric("first.g", CallGuard.NO_PLACE, first.g());
        symmetric("first.a", CallGuard.NO_PLACE, first.a());
        symmetric("second.g", CallGuard.NO_PLACE, second.g());
        symmetric("second.a", CallGuard.NO_PLACE, second.a());
      }
      if (rule.traceMinimising() && m > 0 && k > 0) {
        double[] traces = new double[4];
        kfac.traces(List.of(first.g(), first.a(), second.g(), second.a()), traces, handle);
        double traceG1 = g1 * traces[0];
        double traceA1 = a1 * traces[1];
        double traceG2 = g2 * traces[2];
        double traceA2 = a2 * traces[3];
        boolean someFirst = traceG1 > 0 && traceA1 > 0;
        boolean someSecond = traceG2 > 0 && traceA2 > 0;
        if (someFirst && someSecond) {
          pi = Math.sqrt(traceG1 / traceG2) * Math.sqrt(traceA2 / traceA1);
          a2 /= pi;
          g2 *= pi;
        } else {
          zeroTrace = true;
          a1 = someFirst ? a1 : 0;
          g1 = someFirst ? g1 : 0;
          a2 = someFirst ? 0 : a2;
          g2 = someFirst ? 0 : g2;
        }
      }
      float firstA = Checks.finite("a1", a1);
      float secondA = Checks.finite("a2/pi", a2);
      float firstG = Checks.finite("g1", g1);
      float secondG = Checks.finite("g2*pi", g2);
      sum(firstA, first.a(), secondA, second.a(), out.a(), zeroTrace, handle);
      sum(firstG, first.g(), secondG, second.g(), out.g(), zeroTrace, handle);
      return new MergeReport(pi, zeroTrace);
    } finally {
      guard.exit();
    }
  }

  /** out = a x + b y. Where one of them drops out it is not read: it may hold NaN. */
  private void sum(float a, F32Matrix x, float b, F32Matrix y, F32Matrix out, boolean one, long handle) {
    if (!elements(out)) {
      return;
    }
    if (one) {
      boolean keepFirst = a != 0;
      kfac.combine(keepFirst ? a : b, keepFirst ? x : y, 0, null, out, handle);
    } else {
      kfac.combine(a, x, b, y, out, handle);
    }
  }

  @Override
  public KlClip klClipCoefficient(List<F32Matrix> v, List<F32Matrix> gradients, double learningRate, double kappa, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      Objects.requireNonNull(v, "v");
      Objects.requireNonNull(gradients, "gradients");
      Checks.equal("v.size", v.size(), "gradients.size", gradients.size());
      boolean empty = false;
      boolean some = false;
      for (int l = 0; l < v.size(); l++) {
        input(guard, "v[#]", l, v.get(l));
        input(guard, GRADIENTS, l, gradients.get(l));
        same("v[#]", l, v.get(l), GRADIENTS, gradients.get(l).rows(), gradients.get(l).cols());
        empty |= !elements(v.get(l));
        some |= elements(v.get(l));
      }
      long handle = guard.stream(stream);
      Checks.finite("learningRate", learningRate);
      Checks.positive("kappa", kappa);
      List<F32Matrix> x = empty ? v.stream().filter(CheckedKfacKernels::elements).toList() : v;
      List<F32Matrix> y = empty ? gradients.stream().filter(CheckedKfacKernels::elements).toList() : gradients;
      double sum = learningRate * learningRate * (some ? kfac.innerProducts(x, y, handle) : 0);
      boolean none = sum == 0 || Double.isNaN(sum);
      return new KlClip(none ? 1 : Math.min(1, Math.sqrt(kappa / Math.abs(sum))), sum, Double.isNaN(sum));
    } finally {
      guard.exit();
    }
  }

  // ---- batch norm

  @Override
  public void mergeBatchNorm(BatchNormMerge layer, F32Matrix mergedWeight, F32Buffer mergedBias, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      layer(guard, layer);
      output(guard, "mergedWeight", mergedWeight);
      BufferImpl bias = guard.output("mergedBias", mergedBias);
      long handle = guard.stream(stream);
      F32Matrix w = layer.weight();
      same("mergedWeight", CallGuard.NO_PLACE, mergedWeight, "layer.weight", w.rows(), w.cols());
      Checks.length("mergedBias", bias.length(), "layer.weight.rows", w.rows());
      guard.allowInPlace("mergedWeight", "layer.weight");
      guard.checkOverlap();
      if (bias.length() > 0) {
        variance(layer, kfac.mergeBatchNorm(layer, mergedWeight, bias, handle));
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public void mergeBatchNormBackward(BatchNormMerge layer, F32Matrix gradWeight, F32Buffer gradBias, BatchNormMergeGradients out, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      layer(guard, layer);
      input(guard, "gradWeight", gradWeight);
      BufferImpl bias = guard.input("gradBias", gradBias);
      Objects.requireNonNull(out, "out");
      output(guard, "out.weight", out.weight());
      BufferImpl db = guard.outputOrNull("out.bias", out.bias());
      BufferImpl dgamma = guard.output("out.gamma", out.gamma());
      BufferImpl dbeta = guard.output("out.beta", out.beta());
      BufferImpl dmean = guard.outputOrNull("out.mean", out.mean());
      BufferImpl dvariance = guard.outputOrNull("out.variance", out.variance());
      long handle = guard.stream(stream);
      F32Matrix w = layer.weight();
      same("gradWeight", CallGuard.NO_PLACE, gradWeight, "layer.weight", w.rows(), w.cols());
      Checks.length("gradBias", bias.length(), "layer.weight.rows", w.rows());
      same("out.weight", CallGuard.NO_PLACE, out.weight(), "layer.weight", w.rows(), w.cols());
      lengthOrNull("out.bias", db, w.rows());
      lengthOrNull("out.gamma", dgamma, w.rows());
      lengthOrNull("out.beta", dbeta, w.rows());
      lengthOrNull("out.mean", dmean, w.rows());
      lengthOrNull("out.variance", dvariance, w.rows());
      guard.allowInPlace("out.weight", "gradWeight");
      guard.checkOverlap();
      if (bias.length() > 0) {
        variance(layer, kfac.mergeBatchNormBackward(layer, gradWeight, bias, out, handle));
      }
    } finally {
      guard.exit();
    }
  }

  private static void layer(CallGuard guard, BatchNormMerge layer) {
    Objects.requireNonNull(layer, "layer");
    guard.input("layer.weight", layer.weight().data());
    if (layer.bias() != null) {
      guard.input("layer.bias", layer.bias());
    }
    guard.input("layer.gamma", layer.gamma());
    guard.input("layer.beta", layer.beta());
    guard.input("layer.mean", layer.mean());
    guard.input("layer.variance", layer.variance());
  }

  private static void lengthOrNull(String name, BufferImpl bufferOrNull, int wanted) {
    if (bufferOrNull != null) {
      Checks.length(name, bufferOrNull.length(), "layer.weight.rows", wanted);
    }
  }

  private void variance(BatchNormMerge layer, long channel) {
    if (channel >= 0) {
      throw new IllegalArgumentException(
          "layer.variance[" + channel + "] + eps = " + HostMatrices.value(provider, (BufferImpl) layer.variance(), channel) + " + " + layer.eps()
              + " must be positive and finite");
    }
  }

  // ---- eigenvectors and other pieces

  @Override
  public void symmetricEigen(F32Matrix m, F32Buffer values, F32Matrix vectors, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      input(guard, "m", m);
      BufferImpl l = guard.output("values", values);
      output(guard, "vectors", vectors);
      guard.stream(stream);
      square("m", CallGuard.NO_PLACE, m);
      Checks.length("values", l.length(), "m.rows", m.rows());
      same("vectors", CallGuard.NO_PLACE, vectors, "m", m.rows(), m.cols());
      guard.checkOverlap();
      if (l.length() > 0) {
        symmetric("m", CallGuard.NO_PLACE, m);
        composites.symmetricEigen(m, l, vectors);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public boolean inverseRootFromEigen(F32Buffer values, F32Matrix vectors, double damping, int root, F32Matrix out, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BufferImpl l = eigen(guard, "values", values, "vectors", vectors);
      output(guard, "out", out);
      long handle = guard.stream(stream);
      same("out", CallGuard.NO_PLACE, out, "vectors", vectors.rows(), vectors.cols());
      Checks.nonNegative("damping", damping);
      if (root < 1) {
        throw new IllegalArgumentException("root = " + root + " must be >= 1");
      }
      guard.checkOverlap();
      return l.length() > 0 && composites.inverseRootFromEigen(l, vectors, damping, root, out, handle);
    } finally {
      guard.exit();
    }
  }

  @Override
  public void kroneckerPreconditionEigen(
      F32Buffer valuesG, F32Matrix vectorsG, F32Buffer valuesA, F32Matrix vectorsA, F32Matrix gradient, double lambda, F32Matrix out, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BufferImpl g = eigen(guard, "valuesG", valuesG, "vectorsG", vectorsG);
      BufferImpl a = eigen(guard, "valuesA", valuesA, "vectorsA", vectorsA);
      inBasis(guard, g, vectorsG, a, vectorsA, null, gradient, lambda, out, stream);
    } finally {
      guard.exit();
    }
  }

  @Override
  public void ekfacPrecondition(F32Matrix vectorsG, F32Matrix vectorsA, F32Matrix s, F32Matrix gradient, double lambda, F32Matrix out, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      basis(guard, "vectorsG", vectorsG);
      basis(guard, "vectorsA", vectorsA);
      input(guard, "s", s);
      inBasis(guard, null, vectorsG, null, vectorsA, s, gradient, lambda, out, stream);
    } finally {
      guard.exit();
    }
  }

  private void inBasis(
      CallGuard guard, BufferImpl valuesG, F32Matrix vectorsG, BufferImpl valuesA, F32Matrix vectorsA, F32Matrix sOrNull, F32Matrix gradient, double lambda,
      F32Matrix out, Stream stream) {
    input(guard, "gradient", gradient);
    BufferImpl o = output(guard, "out", out);
    long handle = guard.stream(stream);
    Checks.equal("gradient.rows", gradient.rows(), "vectorsG.rows", vectorsG.rows());
    Checks.equal("gradient.cols", gradient.cols(), "vectorsA.rows", vectorsA.rows());
    if (sOrNull != null) {
      same("s", CallGuard.NO_PLACE, sOrNull, "gradient", gradient.rows(), gradient.cols());
    }
    same("out", CallGuard.NO_PLACE, out, "gradient", gradient.rows(), gradient.cols());
    float shift = Checks.nonNegative("lambda", lambda);
    guard.checkOverlap();
    if (o.length() > 0) {
      long bad = composites.preconditionEigen(valuesG, vectorsG, valuesA, vectorsA, sOrNull, gradient, shift, out, handle);
      if (bad > 0) {
        throw new IllegalArgumentException(
            bad + " of " + gradient.rows() + "*" + gradient.cols() + " denominators " + (sOrNull == null ? "valuesG*valuesA" : "s")
                + " + lambda are not positive, lambda = " + lambda);
      }
    }
  }

  @Override
  public void ekfacSecondMoment(F32Matrix d, F32Matrix vectorsG, F32Matrix x, boolean bias, F32Matrix vectorsA, F32Matrix s, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      input(guard, "d", d);
      basis(guard, "vectorsG", vectorsG);
      input(guard, "x", x);
      basis(guard, "vectorsA", vectorsA);
      BufferImpl out = output(guard, "s", s);
      long handle = guard.stream(stream);
      Checks.equal("x.rows", x.rows(), "d.rows", d.rows());
      Checks.equal("vectorsG.rows", vectorsG.rows(), "d.cols", d.cols());
      order("vectorsA", vectorsA, "x.cols", x.cols(), bias);
      Checks.equal("s.rows", s.rows(), "d.cols", d.cols());
      Checks.equal("s.cols", s.cols(), "vectorsA.rows", vectorsA.rows());
      if (d.rows() < 1) {
        throw new IllegalArgumentException("d.rows = " + d.rows() + " must be >= 1");
      }
      guard.checkOverlap();
      if (out.length() > 0) {
        composites.ekfacSecondMoment(d, vectorsG, x, bias, vectorsA, s, handle);
      }
    } finally {
      guard.exit();
    }
  }

  private static void basis(CallGuard guard, String name, F32Matrix vectors) {
    input(guard, name, vectors);
    square(name, CallGuard.NO_PLACE, vectors);
  }

  private static BufferImpl eigen(CallGuard guard, String valuesName, F32Buffer values, String vectorsName, F32Matrix vectors) {
    BufferImpl l = guard.input(valuesName, values);
    basis(guard, vectorsName, vectors);
    if (l.length() != vectors.rows()) {
      Checks.length(valuesName, l.length(), vectorsName + ".rows", vectors.rows());
    }
    return l;
  }

  @Override
  public void woodburyInverse(F32Matrix x, double alpha, double damping, F32Matrix out, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      input(guard, "x", x);
      BufferImpl o = output(guard, "out", out);
      long handle = guard.stream(stream);
      Checks.equal("out.rows", out.rows(), "x.cols", x.cols());
      Checks.equal("out.cols", out.cols(), "x.cols", x.cols());
      Checks.positive("alpha", alpha);
      Checks.positive("damping", damping);
      Checks.positive("1/damping", 1 / damping);
      Checks.nonNegative("damping/alpha", damping / alpha);
      guard.checkOverlap();
      if (o.length() > 0) {
        composites.woodburyInverse(x, alpha, damping, out, handle);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public void kroneckerSumInverseApply(KroneckerPair first, KroneckerPair second, F32Matrix v, F32Matrix out, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      pair(guard, "first", "first.g", "first.a", CallGuard.NO_PLACE, first);
      pair(guard, "second", "second.g", "second.a", CallGuard.NO_PLACE, second);
      input(guard, "v", v);
      BufferImpl o = output(guard, "out", out);
      long handle = guard.stream(stream);
      fits("first.g", "first.a", CallGuard.NO_PLACE, first, "v", CallGuard.NO_PLACE, v);
      fits("second.g", "second.a", CallGuard.NO_PLACE, second, "v", CallGuard.NO_PLACE, v);
      same("out", CallGuard.NO_PLACE, out, "v", v.rows(), v.cols());
      guard.allowInPlace("out", "v");
      guard.checkOverlap();
      symmetric("first.g", CallGuard.NO_PLACE, first.g());
      symmetric("first.a", CallGuard.NO_PLACE, first.a());
      symmetric("second.g", CallGuard.NO_PLACE, second.g());
      symmetric("second.a", CallGuard.NO_PLACE, second.a());
      if (o.length() > 0) {
        composites.kroneckerSumInverseApply(first, second, v, out, handle);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public double kroneckerLogDet(KroneckerPair pair, PairDamping damping, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      dampedPair(guard, pair, damping);
      long handle = guard.stream(stream);
      return pair.g().rows() == 0 || pair.a().rows() == 0 ? 0 : composites.kroneckerLogDet(pair, damping, handle);
    } finally {
      guard.exit();
    }
  }

  private void dampedPair(CallGuard guard, KroneckerPair pair, PairDamping damping) {
    pair(guard, "pair", "pair.g", "pair.a", CallGuard.NO_PLACE, pair);
    Objects.requireNonNull(damping, "damping");
    Checks.nonNegative("damping.g", damping.g());
    Checks.nonNegative("damping.a", damping.a());
    if (fullChecks) {
      guard.publish();
    }
    symmetric("pair.g", CallGuard.NO_PLACE, pair.g());
    symmetric("pair.a", CallGuard.NO_PLACE, pair.a());
  }

  @Override
  public void matrixNormalSample(F32Matrix mean, KroneckerPair pair, PairDamping damping, F32Matrix e, F32Matrix out, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      input(guard, "mean", mean);
      dampedPair(guard, pair, damping);
      input(guard, "e", e);
      BufferImpl o = output(guard, "out", out);
      long handle = guard.stream(stream);
      fits("pair.g", "pair.a", CallGuard.NO_PLACE, pair, "mean", CallGuard.NO_PLACE, mean);
      same("e", CallGuard.NO_PLACE, e, "mean", mean.rows(), mean.cols());
      same("out", CallGuard.NO_PLACE, out, "mean", mean.rows(), mean.cols());
      guard.checkOverlap();
      if (o.length() > 0) {
        composites.matrixNormalSample(mean, pair, damping, e, out, handle);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public double[] newtonSchulzInverse(F32Matrix m, double tolerance, int maxIterations, F32Matrix out, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      input(guard, "m", m);
      BufferImpl o = output(guard, "out", out);
      long handle = guard.stream(stream);
      square("m", CallGuard.NO_PLACE, m);
      same("out", CallGuard.NO_PLACE, out, "m", m.rows(), m.cols());
      Checks.positive("tolerance", tolerance);
      if (maxIterations < 1) {
        throw new IllegalArgumentException("maxIterations = " + maxIterations + " must be >= 1");
      }
      guard.checkOverlap();
      symmetric("m", CallGuard.NO_PLACE, m);
      return o.length() == 0 ? new double[0] : composites.newtonSchulzInverse(m, tolerance, maxIterations, out, handle);
    } finally {
      guard.exit();
    }
  }

  // ---- checks

  private static BufferImpl input(CallGuard guard, String name, F32Matrix matrix) {
    Objects.requireNonNull(matrix, name);
    return guard.input(name, matrix.data());
  }

  private static BufferImpl output(CallGuard guard, String name, F32Matrix matrix) {
    Objects.requireNonNull(matrix, name);
    return guard.output(name, matrix.data());
  }

  private static BufferImpl input(CallGuard guard, String name, long place, F32Matrix matrix) {
    if (matrix == null) {
      throw new NullPointerException(CallGuard.at(name, place));
    }
    return guard.input(name, place, matrix.data());
  }

  private static BufferImpl output(CallGuard guard, String name, long place, F32Matrix matrix) {
    if (matrix == null) {
      throw new NullPointerException(CallGuard.at(name, place));
    }
    return guard.output(name, place, matrix.data());
  }

  private static KroneckerPair pair(CallGuard guard, String name, String gName, String aName, long place, KroneckerPair pair) {
    if (pair == null) {
      throw new NullPointerException(CallGuard.at(name, place));
    }
    guard.input(gName, place, pair.g().data());
    guard.input(aName, place, pair.a().data());
    return pair;
  }

  /** A matrix of this library, for calls that look at its sizes only. */
  private static F32Matrix own(String name, long place, F32Matrix matrix) {
    if (matrix == null) {
      throw new NullPointerException(CallGuard.at(name, place));
    }
    if (!(matrix.data() instanceof BufferImpl)) {
      throw new IllegalArgumentException(
          CallGuard.at(name, place) + " is a " + matrix.data().getClass().getName() + ", which this library did not make");
    }
    return matrix;
  }

  private static boolean elements(F32Matrix matrix) {
    return matrix.rows() > 0 && matrix.cols() > 0;
  }

  // Names are put together only for a message: a call that is right allocates nothing.

  private static void square(String name, long place, F32Matrix matrix) {
    if (matrix.rows() != matrix.cols()) {
      throw new IllegalArgumentException(CallGuard.at(name, place) + " is " + matrix.rows() + " x " + matrix.cols() + ", must be square");
    }
  }

  private static void same(String name, long place, F32Matrix matrix, String wantedName, int rows, int cols) {
    same(name, place, matrix, wantedName, place, rows, cols);
  }

  private static void same(String name, long place, F32Matrix matrix, String wantedName, long wantedPlace, int rows, int cols) {
    if (matrix.rows() != rows) {
      Checks.equal(CallGuard.at(name, place) + ".rows", matrix.rows(), CallGuard.at(wantedName, wantedPlace) + ".rows", rows);
    }
    if (matrix.cols() != cols) {
      Checks.equal(CallGuard.at(name, place) + ".cols", matrix.cols(), CallGuard.at(wantedName, wantedPlace) + ".cols", cols);
    }
  }

  private static void fits(String gName, String aName, long place, KroneckerPair pair, String name, long matrixPlace, F32Matrix matrix) {
    if (pair.g().rows() != matrix.rows()) {
      Checks.equal(CallGuard.at(gName, place) + ".rows", pair.g().rows(), CallGuard.at(name, matrixPlace) + ".rows", matrix.rows());
    }
    if (pair.a().rows() != matrix.cols()) {
      Checks.equal(CallGuard.at(aName, place) + ".rows", pair.a().rows(), CallGuard.at(name, matrixPlace) + ".cols", matrix.cols());
    }
  }

  /** A factor over {@code cols} columns and the bias coordinate, if there is one. */
  private static void order(String name, F32Matrix factor, String colsName, int cols, boolean bias) {
    long d = bias ? cols + 1L : cols;
    if (factor.rows() != d) {
      Checks.equal(name + ".rows", factor.rows(), bias ? colsName + " " + cols + " + 1 =" : colsName, d);
    }
    if (factor.cols() != d) {
      Checks.equal(name + ".cols", factor.cols(), bias ? colsName + " " + cols + " + 1 =" : colsName, d);
    }
  }

  private static float decay(double beta) {
    if (!(beta >= 0 && beta <= 1)) {
      throw new IllegalArgumentException("beta = " + beta + " must be in 0..1");
    }
    return (float) beta;
  }

  private static void space(BufferImpl workspace, long needed) {
    if (workspace.length() < needed) {
      throw new IllegalArgumentException("workspace.length " + workspace.length() + " < needed " + needed + " bytes");
    }
  }

  /** With full checks: both triangles must agree. Waits for the work that is queued on the matrix. */
  private void symmetric(String name, long place, F32Matrix matrix) {
    if (fullChecks && matrix.rows() > 1) {
      SymmetryCheck.check(provider, name, place, matrix);
    }
  }
}
