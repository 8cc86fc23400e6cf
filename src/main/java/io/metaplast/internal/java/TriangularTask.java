package io.metaplast.internal.java;

import io.metaplast.F32Matrix;
import io.metaplast.internal.BufferImpl;

/** Inverse of a lower triangular matrix, and systems with one: there a unit is a range of right sides. */
final class TriangularTask extends ParallelTask {
  private static final double NANOS_PER_TERM = 0.1;

  // operands
  private static final int L = 0;
  private static final int B = 1;

  private F32Matrix l;
  private F32Matrix b;
  private boolean transposed;
  private int lanes;

  /** 0, or the order at which the diagonal is 0 or not finite. */
  private static int badDiagonal(Operand values, F32Matrix l) {
    for (int i = 0; i < l.rows(); i++) {
      float x = values.get((long) i * l.ld() + i);
      if (x == 0 || !Float.isFinite(x)) {
        return i + 1;
      }
    }
    return 0;
  }

  int inverse(Scratch scratch, F32Matrix l, F32Matrix out) {
    int n = l.rows();
    Operand from = scratch.operand[L];
    from.set((BufferImpl) l.data());
    try {
      int bad = badDiagonal(from, l);
      if (bad > 0) {
        return bad;
      }
      SpdFloats work = scratch.spdFloats();
      work.reserve(n);
      work.use(n, null, scratch);
      for (int r = 0; r < n; r++) {
        from.load((long) r * l.ld(), work.a[r], 0, r + 1);
      }
      work.turnUp();
      work.invertFactor();
      work.lowerOnly();
      Operand to = scratch.operand[B];
      to.set((BufferImpl) out.data());
      for (int r = 0; r < n; r++) {
        to.store((long) r * out.ld(), work.a[r], 0, n);
      }
      work.clear();
      return 0;
    } finally {
      scratch.release();
    }
  }

  int solve(WorkerPool pool, Scratch scratch, F32Matrix newL, boolean newTransposed, F32Matrix newB) {
    scratch.operand[L].set((BufferImpl) newL.data());
    int bad = badDiagonal(scratch.operand[L], newL);
    scratch.release();
    if (bad > 0) {
      return bad;
    }
    l = newL;
    b = newB;
    transposed = newTransposed;
    lanes = Blocks.lanes(b.cols(), pool.threads());
    try {
      double n = l.rows();
      pool.run(this, Blocks.count(b.cols(), lanes), NANOS_PER_TERM * n * n * lanes, scratch);
    } finally {
      clear();
    }
    return 0;
  }

  @Override
  void clear() {
    l = null;
    b = null;
  }

  @Override
  void run(long from, long to, Scratch scratch) {
    scratch.operand[L].set((BufferImpl) l.data());
    scratch.operand[B].set((BufferImpl) b.data());
    for (long unit = from; unit < to; unit++) {
      int column = (int) unit * lanes;
      columns(column, Math.min(lanes, b.cols() - column), scratch);
    }
  }

  private void columns(int column, int width, Scratch scratch) {
    int n = l.rows();
    float[][] x = scratch.rows(n);
    Operand right = scratch.operand[B];
    for (int r = 0; r < n; r++) {
      right.load((long) r * b.ld() + column, x[r], 0, width);
    }
    if (transposed) {
      backward(n, width, x, scratch);
    } else {
      forward(n, width, x, scratch);
    }
    for (int r = 0; r < n; r++) {
      right.store((long) r * b.ld() + column, x[r], 0, width);
    }
  }

  private void forward(int n, int width, float[][] x, Scratch scratch) {
    Operand values = scratch.operand[L];
    float[] f = scratch.chunk[L];
    for (int i = 0; i < n; i++) {
      long row = (long) i * l.ld();
      for (int at = 0; at < i; at += Scratch.CHUNK) {
        int terms = Math.min(Scratch.CHUNK, i - at);
        values.load(row + at, f, 0, terms);
        negate(f, terms);
        RowLoops.add(x[i], x, at, terms, f, 0, 0, width);
      }
      RowLoops.divide(x[i], values.get(row + i), 0, width);
    }
  }

  /** Row by row from the last one on; each solved row is taken from those above it. */
  private void backward(int n, int width, float[][] x, Scratch scratch) {
    Operand values = scratch.operand[L];
    float[] f = scratch.chunk[L];
    for (int i = n - 1; i >= 0; i--) {
      RowLoops.divide(x[i], values.get((long) i * l.ld() + i), 0, width);
      for (int at = 0; at < i; at += Scratch.CHUNK) {
        int terms = Math.min(Scratch.CHUNK, i - at);
        values.load((long) i * l.ld() + at, f, 0, terms);
        for (int k = 0; k < terms; k++) {
          RowLoops.one(x[at + k], x[i], -f[k], 0, width);
        }
      }
    }
  }

  private static void negate(float[] f, int n) {
    for (int k = 0; k < n; k++) {
      f[k] = -f[k];
    }
  }
}
