package io.metaplast.internal.java;

import io.metaplast.internal.BitMatrixImpl;
import io.metaplast.internal.BufferImpl;
import java.util.Arrays;

/** transpose and signPackTransposed: a unit is a word of columns and as many rows as fill eight words of an output row. */
final class TransposeTask extends ParallelTask {
  private static final int WORD_BITS = 64;
  private static final int GROUP = 8;
  private static final double NANOS = 0.3;
  private static final int X = 0;

  private int rows;
  private int cols;
  private int groups; // of rows
  private BufferImpl x; // or null
  private int ldx;
  private BitMatrixImpl bits; // or null
  private BitMatrixImpl out;

  void run(WorkerPool pool, Scratch scratch, int rows, int cols, BufferImpl x, int ldx, BitMatrixImpl out) {
    this.x = x;
    this.ldx = ldx;
    start(pool, scratch, rows, cols, out);
  }

  void run(WorkerPool pool, Scratch scratch, BitMatrixImpl bits, BitMatrixImpl out) {
    this.bits = bits;
    start(pool, scratch, bits.rows(), bits.cols(), out);
  }

  private void start(WorkerPool pool, Scratch scratch, int newRows, int newCols, BitMatrixImpl newOut) {
    rows = newRows;
    cols = newCols;
    out = newOut;
    groups = out.rowWords() / GROUP;
    try {
      pool.run(this, (long) BitRows.used(cols) * groups, NANOS * GROUP * WORD_BITS * WORD_BITS, scratch);
    } finally {
      clear();
    }
  }

  @Override
  void clear() {
    x = null;
    bits = null;
    out = null;
  }

  @Override
  void run(long from, long to, Scratch scratch) {
    if (x != null) {
      scratch.operand[X].set(x);
    }
    long[] square = scratch.tiles().square;
    long[] target = BitRows.words(out);
    for (long unit = from; unit < to; unit++) {
      int column = (int) (unit / groups) * WORD_BITS;
      int width = Math.min(WORD_BITS, cols - column);
      int word = (int) (unit % groups) * GROUP;
      for (int end = word + GROUP; word < end; word++) {
        load(word * WORD_BITS, column, width, square, scratch);
        BitRows.transpose(square);
        for (int c = 0; c < width; c++) {
          target[BitRows.start(out, column + c) + word] = square[c];
        }
      }
    }
  }

  /** 64 rows from {@code row} of 64 columns; zeros where there are none. */
  private void load(int row, int column, int width, long[] square, Scratch scratch) {
    int n = Math.max(0, Math.min(WORD_BITS, rows - row));
    for (int r = 0; r < n; r++) {
      if (x == null) {
        square[r] = BitRows.words(bits)[BitRows.start(bits, row + r) + (column >> 6)];
      } else {
        scratch.operand[X].load((long) (row + r) * ldx + column, scratch.chunk[X], 0, width);
        BitRows.packSigns(scratch.chunk[X], 0, width, square, r);
      }
    }
    Arrays.fill(square, n, WORD_BITS, 0L);
  }
}
