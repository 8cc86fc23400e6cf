package io.metaplast.internal.java;

import io.metaplast.internal.BufferImpl;

/** c = alpha op(a) op(b) + beta c; a unit is a tile of c. Operands are buffers or arrays of the caller. */
final class RealGemmTask extends RealTilesTask {
  // operands
  private static final int A = 0;
  private static final int B = 1;
  private static final int C = 2;

  private boolean transposeA;
  private boolean transposeB;
  private int rows;
  private int cols;
  private int inner;
  private float alpha;
  private float beta;
  private final BufferImpl[] buffer = new BufferImpl[C + 1];
  private final float[][] array = new float[C + 1][];
  private final int[] ld = new int[C + 1];
  private int lanes;
  private int columnBlocks;

  /** A buffer as an operand. */
  private void operand(int i, BufferImpl newBuffer, float[] newArray, int newLd) {
    buffer[i] = newBuffer;
    array[i] = newArray;
    ld[i] = newLd;
  }

  /** Of each operand either the buffer or the array is null. */
  void a(BufferImpl bufferOrNull, float[] arrayOrNull, int newLd) {
    operand(A, bufferOrNull, arrayOrNull, newLd);
  }

  void b(BufferImpl bufferOrNull, float[] arrayOrNull, int newLd) {
    operand(B, bufferOrNull, arrayOrNull, newLd);
  }

  void c(BufferImpl bufferOrNull, float[] arrayOrNull, int newLd) {
    operand(C, bufferOrNull, arrayOrNull, newLd);
  }

  /** The operands were set before. */
  void run(WorkerPool pool, Scratch scratch, boolean turnA, boolean turnB, int m, int n, int newInner, float newAlpha, float newBeta) {
    transposeA = turnA;
    transposeB = turnB;
    rows = m;
    cols = n;
    inner = newInner;
    alpha = newAlpha;
    beta = newBeta;
    lanes = Blocks.lanes(cols, pool.threads());
    columnBlocks = Blocks.count(cols, lanes);
    long units = (long) Blocks.count(rows, TALL) * columnBlocks;
    try {
      pool.run(this, units, NANOS_PER_TERM * Math.min(rows, TALL) * Math.min(lanes, cols) * (inner + 1.0), scratch);
    } finally {
      clear();
    }
  }

  @Override
  void clear() {
    for (int i = A; i <= C; i++) {
      operand(i, null, null, 0);
    }
  }

  @Override
  void run(long from, long to, Scratch scratch) {
    for (int i = A; i <= C; i++) {
      if (array[i] != null) {
        scratch.operand[i].set(array[i]);
      } else {
        scratch.operand[i].set(buffer[i]);
      }
    }
    for (long unit = from; unit < to; unit++) {
      int row = (int) (unit / columnBlocks) * TALL;
      int column = (int) (unit % columnBlocks) * lanes;
      tile(row, Math.min(TALL, rows - row), column, Math.min(lanes, cols - column), inner, scratch);
    }
  }

  @Override
  void factors(int row, int tall, int t, int here, float[] factor, Scratch scratch) {
    Operand a = scratch.operand[A];
    if (transposeA) {
      float[] line = scratch.chunk[A];
      for (int k = 0; k < here; k++) {
        a.load((long) (t + k) * ld[A] + row, line, 0, tall);
        for (int r = 0; r < tall; r++) {
          factor[r * Tiles.TERMS + k] = line[r];
        }
      }
    } else {
      for (int r = 0; r < tall; r++) {
        a.load((long) (row + r) * ld[A] + t, factor, r * Tiles.TERMS, here);
      }
    }
  }

  @Override
  void terms(int t, int here, int column, int n, float[][] term, Scratch scratch) {
    Operand b = scratch.operand[B];
    if (transposeB) {
      float[] line = scratch.chunk[B];
      for (int j = 0; j < n; j++) {
        b.load((long) (column + j) * ld[B] + t, line, 0, here);
        for (int k = 0; k < here; k++) {
          term[k][j] = line[k];
        }
      }
    } else {
      for (int k = 0; k < here; k++) {
        b.load((long) (t + k) * ld[B] + column, term[k], 0, n);
      }
    }
  }

  @Override
  void put(int row, int column, float[] sum, int n, Scratch scratch) {
    Operand c = scratch.operand[C];
    long at = (long) row * ld[C] + column;
    if (beta == 0) {
      scale(sum, alpha, n);
    } else {
      float[] old = scratch.chunk[C];
      c.load(at, old, 0, n);
      merge(sum, old, alpha, beta, n);
    }
    c.store(at, sum, 0, n);
  }

  private static void scale(float[] sum, float alpha, int n) {
    for (int i = 0; i < n; i++) {
      sum[i] = alpha * sum[i];
    }
  }

  private static void merge(float[] sum, float[] old, float alpha, float beta, int n) {
    for (int i = 0; i < n; i++) {
      sum[i] = beta * old[i] + alpha * sum[i];
    }
  }
}
