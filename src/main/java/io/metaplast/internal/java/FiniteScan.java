package io.metaplast.internal.java;

import io.metaplast.internal.BufferImpl;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;

/** Finds the first element of a matrix that is NaN or infinite; a unit is a group of rows. */
final class FiniteScan extends ParallelTask {
  private static final int ROWS = 16;
  private static final double NANOS = 0.2;
  private static final int X = 0;
  private static final int MARKS = 1;

  private final AtomicLong first = new AtomicLong();
  private BufferImpl x;
  private int rows;
  private int cols;
  private int ld;

  /** row*cols + column of the first such element, or -1. */
  long run(WorkerPool pool, Scratch scratch, BufferImpl newX, int newRows, int newCols, int newLd) {
    x = newX;
    rows = newRows;
    cols = newCols;
    ld = newLd;
    first.set(Long.MAX_VALUE);
    try {
      pool.run(this, cols == 0 ? 0 : Blocks.count(rows, ROWS), NANOS * ROWS * cols, scratch);
    } finally {
      clear();
    }
    long found = first.get();
    return found == Long.MAX_VALUE ? -1 : found;
  }

  @Override
  void clear() {
    x = null;
  }

  @Override
  void run(long from, long to, Scratch scratch) {
    Operand o = scratch.operand[X];
    o.set(x);
    float[] values = scratch.chunk[X];
    float[] marks = scratch.chunk[MARKS];
    for (long unit = from; unit < to; unit++) {
      int row = (int) unit * ROWS;
      int tall = Math.min(ROWS, rows - row);
      for (int at = 0; at < cols; at += Scratch.CHUNK) {
        int n = Math.min(Scratch.CHUNK, cols - at);
        Arrays.fill(marks, 0, n, 0f);
        for (int r = 0; r < tall; r++) {
          o.load((long) (row + r) * ld + at, values, 0, n);
          mark(values, marks, n);
        }
        if (anyNaN(marks, n)) {
          find(o, row, tall);
          break;
        }
      }
    }
  }

  /** marks = NaN where a value is not finite: a loop that vectorises, unlike one that leaves. */
  private static void mark(float[] values, float[] marks, int n) {
    for (int i = 0; i < n; i++) {
      marks[i] = marks[i] + values[i] * 0f;
    }
  }

  private static boolean anyNaN(float[] marks, int n) {
    for (int i = 0; i < n; i++) {
      if (marks[i] != 0f) {
        return true;
      }
    }
    return false;
  }

  private void find(Operand o, int row, int tall) {
    for (int r = row; r < row + tall; r++) {
      for (int c = 0; c < cols; c++) {
        if (!Float.isFinite(o.get((long) r * ld + c))) {
          long place = (long) r * cols + c;
          first.accumulateAndGet(place, Math::min);
          return;
        }
      }
    }
  }
}
