package io.metaplast.internal.java;

import io.metaplast.F32Matrix;
import io.metaplast.internal.BufferImpl;
import io.metaplast.internal.spi.SpdStatus;
import io.metaplast.internal.spi.SpdTable;
import java.util.Arrays;

/** Damped inverses of the matrices of a table, and the damped Cholesky factor. The threads share a large matrix; of the others a unit is a matrix, largest first. */
final class SpdTask extends ParallelTask {
  private static final double NANOS_PER_CUBE = 0.04;

  /** Above this size the threads share one matrix. */
  private static final int SHARED = 512;

  // operands
  private static final int M = 0;
  private static final int OUT = 1;

  private SpdTable table;
  private double tolerance;
  private boolean doublePrecision;
  private long[] order = new long[0]; // n and number of the matrices, ascending
  private int single; // matrices that have a thread of their own

  void run(WorkerPool pool, Scratch scratch, SpdTable newTable, double residualTolerance, boolean inDouble) {
    table = newTable;
    tolerance = residualTolerance;
    doublePrecision = inDouble;
    int count = table.count();
    if (order.length < count) {
      order = new long[count];
    }
    double cubes = 0;
    single = 0;
    for (int i = 0; i < count; i++) {
      double n = table.n(i);
      order[i] = (long) table.n(i) << 32 | i;
      if (n <= SHARED || pool.threads() == 1) {
        cubes += n * n * n;
        single++;
      }
    }
    Arrays.sort(order, 0, count);
    try {
      for (int i = count - 1; i >= single; i--) {
        invert((int) order[i], pool, scratch);
        scratch.release();
      }
      pool.run(this, single, NANOS_PER_CUBE * cubes / Math.max(1, single), scratch);
    } finally {
      clear();
    }
  }

  @Override
  void clear() {
    table = null;
  }

  @Override
  void run(long from, long to, Scratch scratch) {
    for (long unit = from; unit < to; unit++) {
      invert((int) order[single - 1 - (int) unit], null, scratch);
    }
  }

  private void invert(int i, WorkerPool poolOrNull, Scratch scratch) {
    SpdProbe probe = scratch.spdProbe();
    int n = table.n(i);
    double damping = table.damping(i);
    if (n == 0) {
      table.result(i, 0, 0, 0, 0, 0, 0);
      return;
    }
    if (!dampingAllowed(damping)) {
      table.result(i, SpdProbe.ARGUMENT, 0, 0, 0, 0, 0);
      return;
    }
    if (doublePrecision) {
      SpdDoubles work = scratch.spdDoubles();
      work.reserve(n);
      work.use(n, poolOrNull, scratch);
      doubles(i, n, damping, work, probe, scratch);
      work.clear();
    } else {
      SpdFloats work = scratch.spdFloats();
      work.reserve(n);
      work.use(n, poolOrNull, scratch);
      floats(i, n, damping, work, probe, scratch);
      work.clear();
    }
  }

  /** An operand, which a phase of the work in between may have cleared. */
  private static Operand operand(Scratch scratch, int place, F32Matrix matrix) {
    Operand o = scratch.operand[place];
    o.clear();
    o.set((BufferImpl) matrix.data());
    return o;
  }

  static boolean dampingAllowed(double damping) {
    return damping >= 0 && damping < Double.POSITIVE_INFINITY;
  }

  private void floats(int i, int n, double damping, SpdFloats work, SpdProbe probe, Scratch scratch) {
    load(n, damping, operand(scratch, M, table.m(i)), table.m(i).ld(), work);
    work.prepare();
    if (!probe.before(n, work.a)) {
      table.result(i, SpdProbe.NOT_FINITE, 0, 0, 0, 0, notFinite(n, work));
      return;
    }
    int status = work.invert();
    if (status == 0) {
      probe.after(n, work.a);
    }
    if (verdict(i, status, work.failedPivot(), probe)) {
      Operand out = operand(scratch, OUT, table.out(i));
      for (int r = 0; r < n; r++) {
        out.store((long) r * table.out(i).ld(), work.a[r], 0, n);
      }
    }
  }

  private void doubles(int i, int n, double damping, SpdDoubles work, SpdProbe probe, Scratch scratch) {
    Operand m = operand(scratch, M, table.m(i));
    float[] line = scratch.chunk[M];
    int ld = table.m(i).ld();
    for (int r = 0; r < n; r++) {
      double[] row = work.a[r];
      for (int at = 0; at <= r; at += Scratch.CHUNK) {
        int width = Math.min(Scratch.CHUNK, r + 1 - at);
        m.load((long) r * ld + at, line, 0, width);
        for (int c = 0; c < width; c++) {
          row[at + c] = line[c];
        }
      }
      row[r] += damping;
    }
    work.prepare();
    if (!probe.before(n, work.a)) {
      table.result(i, SpdProbe.NOT_FINITE, 0, 0, 0, 0, notFinite(n, work));
      return;
    }
    int status = work.invert();
    if (status == 0) {
      probe.after(n, work.a);
    }
    if (verdict(i, status, work.failedPivot(), probe)) {
      Operand out = operand(scratch, OUT, table.out(i));
      for (int r = 0; r < n; r++) {
        double[] row = work.a[r];
        for (int at = 0; at < n; at += Scratch.CHUNK) {
          int width = Math.min(Scratch.CHUNK, n - at);
          for (int c = 0; c < width; c++) {
            line[c] = (float) row[at + c];
          }
          out.store((long) r * table.out(i).ld() + at, line, 0, width);
        }
      }
    }
  }

  /** Sets the result; whether the inverse may be used. */
  private boolean verdict(int i, int status, double pivot, SpdProbe probe) {
    if (status > 0) {
      table.result(i, status, 0, 0, 0, pivot, 0);
      return false;
    }
    boolean usable = probe.residual() <= tolerance;
    table.result(i, usable ? 0 : SpdProbe.RESIDUAL, probe.flags(), probe.residual(), probe.cond1(), 0, 0);
    return usable;
  }

  /** The lower triangle, damped. */
  private static void load(int n, double damping, Operand m, int ld, SpdFloats work) {
    for (int r = 0; r < n; r++) {
      float[] row = work.a[r];
      m.load((long) r * ld, row, 0, r + 1);
      row[r] = (float) (row[r] + damping);
    }
  }

  /** -1, or the place of the first element of the lower triangle that is not finite. */
  private static long notFinite(int n, SpdFloats work) {
    for (int r = 0; r < n; r++) {
      for (int c = 0; c <= r; c++) {
        if (!Float.isFinite(work.a[r][c])) {
          return (long) r * n + c;
        }
      }
    }
    return -1;
  }

  /** As the form for floats; the diagonal holds the last places where only the norm overflowed. */
  private static long notFinite(int n, SpdDoubles work) {
    for (int r = 0; r < n; r++) {
      for (int c = 0; c <= r; c++) {
        if (!Double.isFinite(work.a[r][c])) {
          return (long) r * n + c;
        }
      }
    }
    return -1;
  }

  /** L of M + damping I in l. */
  SpdStatus cholesky(WorkerPool pool, Scratch scratch, F32Matrix m, double damping, F32Matrix l) {
    int n = m.rows();
    if (!dampingAllowed(damping)) {
      return new SpdStatus(SpdProbe.ARGUMENT, 0, 0);
    }
    SpdFloats work = scratch.spdFloats();
    try {
      work.reserve(n);
      work.use(n, n > SHARED ? pool : null, scratch);
      load(n, damping, operand(scratch, M, m), m.ld(), work);
      long bad = notFinite(n, work);
      if (bad >= 0) {
        return new SpdStatus(SpdProbe.NOT_FINITE, 0, bad);
      }
      work.prepare();
      int status = work.factor();
      if (status > 0) {
        return new SpdStatus(status, work.failedPivot(), 0);
      }
      work.lowerOnly();
      Operand to = operand(scratch, OUT, l);
      for (int r = 0; r < n; r++) {
        to.store((long) r * l.ld(), work.a[r], 0, n);
      }
      return new SpdStatus(0, 0, 0);
    } finally {
      work.clear();
      scratch.release();
    }
  }
}
