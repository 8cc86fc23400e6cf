package io.metaplast.internal.java;

import io.metaplast.internal.BitMatrixImpl;
import io.metaplast.internal.BufferImpl;
import java.util.Arrays;

/**
 * xnorSyrk in two phases: the columns of x become rows of 32-bit words of the workspace, one row a word number; then units of rows of s,
 * each from its diagonal on, with what lies behind the unit's own columns mirrored.
 */
final class SyrkTask extends ParallelTask {
  private static final int WORD_BITS = 64;
  private static final double NANOS_PER_SQUARE = 1000;
  private static final double NANOS_PER_BIT = 0.001;
  private static final double NANOS_PER_OUTPUT = 1;

  private BitMatrixImpl x;
  private BufferImpl s;
  private int lds;
  private boolean accumulate;
  private int[] turned;
  private int in;
  private int words; // of 32 items
  private boolean turning;

  void run(WorkerPool pool, Scratch scratch, BitMatrixImpl x, boolean accumulate, BufferImpl s, int lds, BufferImpl workspace) {
    this.x = x;
    this.s = s;
    this.lds = lds;
    this.accumulate = accumulate;
    turned = ((JavaMemory) workspace.memory()).scratch();
    in = x.cols();
    words = 2 * BitRows.used(x.rows());
    try {
      turning = true;
      pool.run(this, BitRows.used(in), NANOS_PER_SQUARE * words / 2, scratch);
      turning = false;
      double nanos = Math.min(in, Tiles.ROWS) * (NANOS_PER_OUTPUT + NANOS_PER_BIT * x.rows()) * in / 2;
      pool.run(this, Blocks.count(in, Tiles.ROWS), nanos, scratch);
    } finally {
      clear();
    }
  }

  static long workspaceBytes(int batch, int in) {
    return (long) in * BitRows.used(batch) * Long.BYTES;
  }

  @Override
  void clear() {
    x = null;
    s = null;
    turned = null;
  }

  @Override
  void run(long from, long to, Scratch scratch) {
    for (long unit = from; unit < to; unit++) {
      if (turning) {
        turn((int) unit * WORD_BITS, scratch.tiles().square);
      } else {
        int row = (int) unit * Tiles.ROWS;
        int tall = Math.min(Tiles.ROWS, in - row);
        for (int column = row; column < in; column += Tiles.LANES) {
          tile(row, tall, column, Math.min(Tiles.LANES, in - column), scratch.tiles());
        }
      }
    }
  }

  /** All items of 64 columns. */
  private void turn(int column, long[] square) {
    long[] bits = BitRows.words(x);
    int width = Math.min(WORD_BITS, in - column);
    for (int k = 0; k < words; k += 2) {
      int first = k / 2 * WORD_BITS;
      int n = Math.min(WORD_BITS, x.rows() - first);
      for (int r = 0; r < n; r++) {
        square[r] = bits[BitRows.start(x, first + r) + (column >> 6)];
      }
      Arrays.fill(square, n, WORD_BITS, 0L);
      BitRows.transpose(square);
      for (int c = 0; c < width; c++) {
        turned[k * in + column + c] = (int) square[c];
        turned[(k + 1) * in + column + c] = (int) (square[c] >>> 32);
      }
    }
  }

  private void tile(int row, int tall, int column, int n, Tiles tiles) {
    int[][] count = tiles.count;
    for (int r = 0; r < tall; r++) {
      Arrays.fill(count[r], 0, n, 0);
    }
    for (int k = 0; k < words; k += Tiles.TERMS) {
      int here = Math.min(Tiles.TERMS, words - k);
      for (int l = 0; l < here; l++) {
        System.arraycopy(turned, (k + l) * in + column, tiles.word[l], 0, n);
      }
      for (int r = 0; r < tall; r++) {
        for (int l = 0; l < here; l += 2) {
          int at = (k + l) * in + row + r;
          Popcounts.two(count[r], tiles.word[l], tiles.word[l + 1], turned[at], turned[at + in], n);
        }
      }
    }
    put(row, tall, column, n, count);
  }

  private void put(int row, int tall, int column, int n, int[][] count) {
    int[] target = ((JavaMemory) s.memory()).ints();
    int base = (int) (s.byteOffset() / Integer.BYTES);
    int batch = x.rows();
    for (int r = 0; r < tall; r++) {
      int[] c = count[r];
      int to = base + (row + r) * lds + column;
      if (accumulate) {
        for (int j = 0; j < n; j++) {
          target[to + j] += batch - 2 * c[j];
        }
      } else {
        for (int j = 0; j < n; j++) {
          target[to + j] = batch - 2 * c[j];
        }
      }
    }
    for (int j = Math.max(0, row + tall - column); j < n; j++) {
      int to = base + (column + j) * lds + row;
      for (int r = 0; r < tall; r++) {
        target[to + r] = (accumulate ? target[to + r] : 0) + batch - 2 * count[r][j];
      }
    }
  }
}
