package io.metaplast.internal;

import io.metaplast.F32Matrix;
import io.metaplast.internal.eigen.SymmetricEigensolver;
import io.metaplast.internal.spi.BackendProvider;
import io.metaplast.internal.spi.KfacProvider;
import io.metaplast.internal.spi.SpdTable;
import io.metaplast.kfac.InverseOptions;
import io.metaplast.kfac.InverseReport;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Damped inverses of a batch, and what is tried for those that fail. A rung runs for the failing matrices alone; those that are done are not touched again. The finite scan
 * ends the ladder: no rung mends NaN.
 */
final class InverseLadder {
  private static final System.Logger LOG = System.getLogger("io.metaplast");

  private static final int SCAN = 1;
  private static final int FP32 = 2;
  private static final int DOUBLE = 3;
  private static final int DAMPING = 4;
  private static final int EIGEN = 5;
  private static final int PREVIOUS = 6;

  // Bounds of cond1 for the flags of kfac.h.
  private static final double ILL_CONDITIONED = 1e5;
  private static final double UNRELIABLE = 1.7e6;

  /** Least damping that is multiplied, relative to the mean diagonal element. */
  private static final double LEAST_DAMPING = 1e-8;

  private final BackendProvider provider;
  private final KfacProvider kfac;
  private final AtomicBoolean told = new AtomicBoolean();

  InverseLadder(BackendProvider provider) {
    this.provider = provider;
    this.kfac = provider.kfac();
  }

  /** Inverts. {@code table} holds the matrices that have elements; its content is lost. */
  void run(
      List<F32Matrix> m, double[] damping, List<F32Matrix> out, InverseOptions options, InverseReport report, SpdTable table, BufferImpl space, long stream) {
    int rows = table.count();
    if (rows < m.size()) {
      for (int b = 0; b < m.size(); b++) {
        report.set(b, InverseReport.OK, 0, 0, 0, 0, 0, 0, damping[b]);
      }
    }
    if (rows == 0) {
      return;
    }
    kfac.spdInverse(table, options.residualTolerance(), false, space, stream);
    boolean failures = false;
    for (int row = 0; row < rows; row++) {
      int b = table.place(row);
      if (table.plain(row)) {
        report.set(b, InverseReport.OK, 0, FP32, table.residual(row), table.cond1(row), 0, 0, damping[b]);
      } else {
        take(report, b, table, row, FP32, InverseReport.OK);
        failures |= failed(report, b);
        tell(table.status(row), table.flags(row), table.cond1(row), b);
      }
    }
    if (!failures) {
      return;
    }
    if (options.doublePrecision()) {
      tryDouble(m, damping, out, options, report, table, space, stream, 0);
    }
    for (double factor = 10; options.moreDamping() && factor <= 1000; factor *= 10) {
      tryDouble(m, damping, out, options, report, table, space, stream, factor);
    }
    for (int b = 0; options.clampEigenvalues() && b < m.size(); b++) {
      if (failed(report, b)) {
        tryEigen(m.get(b), damping[b], out.get(b), report, b);
      }
    }
    if (options.keepPrevious()) {
      for (int b = 0; b < m.size(); b++) {
        if (failed(report, b)) {
          report.set(b, InverseReport.KEPT_PREVIOUS, 0, PREVIOUS, 0, 0, 0, 0, damping[b]);
        }
      }
    }
  }

  /** Logs the first inverse of this backend that is good by its probe and unreliable by its condition. */
  void tell(int status, int flags, double cond1, int b) {
    if (status == InverseReport.OK && (flags & InverseReport.UNRELIABLE) != 0 && told.compareAndSet(false, true)) {
      LOG.log(
          System.Logger.Level.WARNING,
          "the inverse of matrix [" + b + "] is unreliable, cond1 = " + cond1 + ": raise the damping. Further ones are not logged; InverseReport flags them");
    }
  }

  private static boolean failed(InverseReport report, int b) {
    return report.status(b) > 0 || report.status(b) == InverseReport.RESIDUAL;
  }

  private static void take(InverseReport report, int b, SpdTable table, int row, int rung, int statusOfSuccess) {
    int status = table.status(row);
    report.set(
        b, status == InverseReport.OK ? statusOfSuccess : status, table.flags(row), status == InverseReport.NOT_FINITE ? SCAN : rung, table.residual(row),
        table.cond1(row), table.pivot(row), table.index(row), table.damping(row));
  }

  /** In double, with the damping that was asked for (factor 0) or more. */
  private void tryDouble(
      List<F32Matrix> m, double[] damping, List<F32Matrix> out, InverseOptions options, InverseReport report, SpdTable table, BufferImpl space, long stream,
      double factor) {
    table.clear();
    table.of(m, out);
    for (int b = 0; b < m.size(); b++) {
      if (failed(report, b)) {
        double d = factor == 0 ? damping[b] : factor * Math.max(damping[b], LEAST_DAMPING * meanDiagonal(m.get(b), stream));
        if (factor == 0 || d > 0) {
          table.add(b, d);
        }
      }
    }
    if (table.count() == 0) {
      return;
    }
    kfac.spdInverse(table, options.residualTolerance(), true, space, stream);
    for (int row = 0; row < table.count(); row++) {
      take(
          report, table.place(row), table, row, factor == 0 ? DOUBLE : DAMPING,
          factor == 0 ? InverseReport.RECOVERED_DOUBLE : InverseReport.RECOVERED_DAMPING);
    }
  }

  private double meanDiagonal(F32Matrix m, long stream) {
    double[] trace = new double[1];
    kfac.traces(List.of(m), trace, stream);
    return trace[0] / m.rows();
  }

  /** From eigenvalues on the host. A denominator that is lost in the rounding errors of the others gives no inverse. */
  private void tryEigen(F32Matrix m, double damping, F32Matrix out, InverseReport report, int b) {
    int n = m.rows();
    double[] a = HostMatrices.symmetric(provider, "m[" + b + "]", m);
    double norm = norm1(n, a, damping);
    HostEigen eigen = HostEigen.ofOrNull(n, a, SymmetricEigensolver.best());
    if (eigen == null) {
      return;
    }
    double least = n * 0x1p-53 * Math.max(Math.abs(eigen.value(0)), Math.abs(eigen.value(n - 1)));
    double[] x = new double[n * n];
    double[] t = new double[n];
    for (int j = 0; j < n; j++) {
      double denominator = Math.max(eigen.value(j), 0) + damping;
      if (!(denominator > least)) {
        return;
      }
      double scale = 1 / Math.sqrt(denominator);
      for (int i = 0; i < n; i++) {
        t[i] = scale * eigen.vector(i, j);
      }
      for (int i = 0; i < n; i++) {
        for (int k = 0; k <= i; k++) {
          x[i * n + k] += t[i] * t[k];
        }
      }
    }
    HostMatrices.mirror(n, x);
    double cond1 = norm * norm1(n, x, 0);
    if (!(norm1(n, x, 0) <= Float.MAX_VALUE)) {
      return;
    }
    HostMatrices.write(provider, out, x);
    int flags =
        (eigen.value(0) < 0 ? InverseReport.CLAMPED : 0) + (cond1 > ILL_CONDITIONED ? InverseReport.ILL_CONDITIONED : 0)
            + (cond1 > UNRELIABLE ? InverseReport.UNRELIABLE : 0);
    report.set(b, InverseReport.RECOVERED_EIGEN, flags, EIGEN, 0, cond1, 0, 0, damping);
  }

  private static double norm1(int n, double[] a, double damping) {
    double norm = 0;
    for (int i = 0; i < n; i++) {
      double sum = 0;
      for (int j = 0; j < n; j++) {
        sum += Math.abs(a[i * n + j] + (i == j ? damping : 0));
      }
      norm = Math.max(norm, sum);
    }
    return norm;
  }
}
