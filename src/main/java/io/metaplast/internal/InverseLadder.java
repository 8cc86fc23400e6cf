package io.metaplast.internal;

import io.metaplast.F32Matrix;
import io.metaplast.internal.spi.KfacProvider;
import io.metaplast.internal.spi.SpdTable;
import io.metaplast.kfac.InverseOptions;
import io.metaplast.kfac.InverseReport;
import java.util.List;

/**
 * Damped inverses of a batch, and what is tried for those that fail. A rung runs for the failing matrices alone; those that are done are not touched again. The finite scan
 * ends the ladder: no rung mends NaN.
 */
final class InverseLadder {
  private static final int SCAN = 1;
  private static final int FP32 = 2;
  private static final int DOUBLE = 3;
  private static final int DAMPING = 4;
  private static final int PREVIOUS = 6;

  /** Least damping that is multiplied, relative to the mean diagonal element. */
  private static final double LEAST_DAMPING = 1e-8;

  private final KfacProvider kfac;

  InverseLadder(KfacProvider kfac) {
    this.kfac = kfac;
  }

  /** Inverts. {@code table} holds the matrices that have elements; its content is lost. */
  void run(
      List<F32Matrix> m, double[] damping, List<F32Matrix> out, InverseOptions options, InverseReport report, SpdTable table, BufferImpl space, long stream) {
    for (int b = 0; b < m.size(); b++) {
      report.set(b, InverseReport.OK, 0, 0, 0, 0, 0, 0, damping[b]);
    }
    if (table.count() == 0) {
      return;
    }
    kfac.spdInverse(table, options.residualTolerance(), false, space, stream);
    boolean failures = false;
    int row = 0;
    for (int b = 0; b < m.size(); b++) {
      if (m.get(b).rows() > 0) {
        take(report, b, table, row++, FP32, InverseReport.OK);
        failures |= failed(report, b);
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
    if (options.keepPrevious()) {
      for (int b = 0; b < m.size(); b++) {
        if (failed(report, b)) {
          report.set(b, InverseReport.KEPT_PREVIOUS, 0, PREVIOUS, 0, 0, 0, 0, damping[b]);
        }
      }
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
    for (int b = 0; b < m.size(); b++) {
      if (failed(report, b)) {
        double d = factor == 0 ? damping[b] : factor * Math.max(damping[b], LEAST_DAMPING * meanDiagonal(m.get(b), stream));
        if (factor == 0 || d > 0) {
          table.add(m.get(b), d, out.get(b), m.get(b).rows());
        }
      }
    }
    if (table.count() == 0) {
      return;
    }
    kfac.spdInverse(table, options.residualTolerance(), true, space, stream);
    int row = 0;
    for (int b = 0; b < m.size() && row < table.count(); b++) {
      if (failed(report, b) && table.out(row) == out.get(b)) {
        take(report, b, table, row++, factor == 0 ? DOUBLE : DAMPING, factor == 0 ? InverseReport.RECOVERED_DOUBLE : InverseReport.RECOVERED_DAMPING);
      }
    }
  }

  private double meanDiagonal(F32Matrix m, long stream) {
    double[] trace = new double[1];
    kfac.traces(List.of(m), trace, stream);
    return trace[0] / m.rows();
  }
}
