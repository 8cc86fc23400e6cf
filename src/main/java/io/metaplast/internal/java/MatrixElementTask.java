package io.metaplast.internal.java;

import io.metaplast.F32Matrix;
import io.metaplast.internal.BufferImpl;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;

/** The element-wise operations on a matrix. Those that divide count the denominators that are not positive first, and write only if there is none. */
final class MatrixElementTask extends RowTask {
  // METAPLAST_ELEMENT_* of kfac.h
  static final int SQUARE = 0;
  static final int SCALE_ROWS = 1;
  static final int SCALE_COLUMNS = 2;
  static final int DIVIDE_OUTER = 3;
  static final int DIVIDE = 4;

  private static final double NANOS = 0.5;

  // operands and chunks
  private static final int T = 0;
  private static final int ROW = 1;
  private static final int COLUMN = 2;
  private static final int S = 3;

  private final AtomicLong notPositive = new AtomicLong();
  private int operation;
  private boolean counting;
  private BufferImpl rowFactors; // or null, as those that follow
  private BufferImpl columnFactors;
  private F32Matrix s;
  private F32Matrix t;
  private float shift;

  /** Denominators that are not positive. */
  long run(
      WorkerPool pool, Scratch scratch, int newOperation, BufferImpl rowOrNull, BufferImpl columnOrNull, F32Matrix sOrNull, float newShift,
      F32Matrix newT) {
    operation = newOperation;
    shift = newShift;
    notPositive.set(0);
    for (int pass = operation < DIVIDE_OUTER ? 1 : 0; pass < 2 && notPositive.get() == 0; pass++) {
      counting = pass == 0;
      rowFactors = rowOrNull;
      columnFactors = columnOrNull;
      s = sOrNull;
      t = newT;
      start(pool, scratch, newT.rows(), newT.cols(), NANOS);
    }
    return notPositive.get();
  }

  @Override
  void clear() {
    rowFactors = null;
    columnFactors = null;
    s = null;
    t = null;
  }

  @Override
  void operands(Scratch scratch) {
    scratch.operand[T].set((BufferImpl) t.data());
    if (rowFactors != null) {
      scratch.operand[ROW].set(rowFactors);
    }
    if (columnFactors != null) {
      scratch.operand[COLUMN].set(columnFactors);
    }
    if (s != null) {
      scratch.operand[S].set((BufferImpl) s.data());
    }
  }

  @Override
  void piece(int row, int at, int n, Scratch scratch) {
    float[] values = scratch.chunk[T];
    float[] other = scratch.chunk[S];
    long first = (long) row * t.ld() + at;
    if (!counting) {
      scratch.operand[T].load(first, values, 0, n);
    }
    switch (operation) {
      case SQUARE -> multiply(values, values, n);
      case SCALE_ROWS -> {
        Arrays.fill(other, 0, n, scratch.operand[ROW].get(row));
        multiply(values, other, n);
      }
      case SCALE_COLUMNS -> {
        scratch.operand[COLUMN].load(at, other, 0, n);
        multiply(values, other, n);
      }
      default -> {
        denominators(row, at, n, other, scratch);
        if (counting) {
          count(other, n);
          return;
        }
        divide(values, other, n);
      }
    }
    scratch.operand[T].store(first, values, 0, n);
  }

  private void denominators(int row, int at, int n, float[] other, Scratch scratch) {
    if (operation == DIVIDE_OUTER) {
      scratch.operand[COLUMN].load(at, other, 0, n);
      float f = scratch.operand[ROW].get(row);
      for (int i = 0; i < n; i++) {
        other[i] = f * other[i] + shift;
      }
    } else {
      scratch.operand[S].load((long) row * s.ld() + at, other, 0, n);
      for (int i = 0; i < n; i++) {
        other[i] = other[i] + shift;
      }
    }
  }

  private void count(float[] denominators, int n) {
    int bad = 0;
    for (int i = 0; i < n; i++) {
      if (!(denominators[i] > 0)) {
        bad++;
      }
    }
    if (bad > 0) {
      notPositive.addAndGet(bad);
    }
  }

  private static void multiply(float[] values, float[] other, int n) {
    for (int i = 0; i < n; i++) {
      values[i] = values[i] * other[i];
    }
  }

  private static void divide(float[] values, float[] other, int n) {
    for (int i = 0; i < n; i++) {
      values[i] = values[i] / other[i];
    }
  }
}
