package io.metaplast.internal.java;

import io.metaplast.internal.BitMatrixImpl;
import io.metaplast.internal.BufferImpl;
import java.util.Arrays;

/**
 * xnorGemm: a unit is a tile of y. Words of b are turned so that one word of many rows lies in a row of the tile; the lanes of a vector
 * then count for different columns of y, and nothing has to be added across lanes.
 */
final class XnorTask extends ParallelTask {
  private static final double NANOS_PER_BIT = 0.001;
  private static final int LONGS = Tiles.TERMS / 2;

  /** Up to so many rows of a the words of b are not turned: that would take longer than the counting. */
  private static final int FEW_ROWS = 4;

  private static final int Y = 0;

  // also chunks
  private static final int SCALE = 1;
  private static final int BIAS = 2;

  private BitMatrixImpl a;
  private BitMatrixImpl b;
  private BufferImpl y; // int32 or fp32, or null
  private int ldy;
  private boolean real;
  private BufferImpl scale; // or null
  private BufferImpl bias; // or null
  private BufferImpl limit;
  private BufferImpl invert;
  private BitMatrixImpl signs; // instead of y
  private int lanes;
  private int columnBlocks;

  void integers(WorkerPool pool, Scratch scratch, BitMatrixImpl a, BitMatrixImpl b, BufferImpl y, int ldy) {
    this.y = y;
    this.ldy = ldy;
    real = false;
    start(pool, scratch, a, b);
  }

  void reals(
      WorkerPool pool, Scratch scratch, BitMatrixImpl a, BitMatrixImpl b, BufferImpl scaleOrNull, BufferImpl biasOrNull, BufferImpl y, int ldy) {
    this.y = y;
    this.ldy = ldy;
    real = true;
    scale = scaleOrNull;
    bias = biasOrNull;
    start(pool, scratch, a, b);
  }

  void signs(WorkerPool pool, Scratch scratch, BitMatrixImpl a, BitMatrixImpl b, BufferImpl limit, BufferImpl invert, BitMatrixImpl y) {
    this.limit = limit;
    this.invert = invert;
    signs = y;
    start(pool, scratch, a, b);
  }

  private void start(WorkerPool pool, Scratch scratch, BitMatrixImpl newA, BitMatrixImpl newB) {
    a = newA;
    b = newB;
    lanes = Blocks.lanes(b.rows(), pool.threads());
    columnBlocks = Blocks.count(b.rows(), lanes);
    long units = (long) Blocks.count(a.rows(), Tiles.ROWS) * columnBlocks;
    try {
      pool.run(this, units, NANOS_PER_BIT * Math.min(a.rows(), Tiles.ROWS) * lanes * a.cols(), scratch);
    } finally {
      clear();
    }
  }

  @Override
  void clear() {
    a = null;
    b = null;
    y = null;
    scale = null;
    bias = null;
    limit = null;
    invert = null;
    signs = null;
  }

  @Override
  void run(long from, long to, Scratch scratch) {
    for (long unit = from; unit < to; unit++) {
      int row = (int) (unit / columnBlocks) * Tiles.ROWS;
      int column = (int) (unit % columnBlocks) * lanes;
      tile(row, Math.min(Tiles.ROWS, a.rows() - row), column, Math.min(lanes, b.rows() - column), scratch);
    }
  }

  private void tile(int row, int rows, int column, int n, Scratch scratch) {
    Tiles tiles = scratch.tiles();
    int[][] count = tiles.count;
    if (rows <= FEW_ROWS) {
      countInPlace(row, rows, column, n, count);
    } else {
      count(row, rows, column, n, tiles);
    }
    if (signs != null) {
      putSigns(row, rows, column, n, count);
    } else if (real) {
      putReals(row, rows, column, n, count, scratch);
    } else {
      putIntegers(row, rows, column, n, count);
    }
  }

  private void countInPlace(int row, int rows, int column, int n, int[][] count) {
    int words = BitRows.used(a.cols());
    long[] left = BitRows.words(a);
    long[] right = BitRows.words(b);
    for (int j = 0; j < n; j++) {
      int at = BitRows.start(b, column + j);
      for (int r = 0; r < rows; r++) {
        count[r][j] = Popcounts.differing(left, BitRows.start(a, row + r), right, at, words);
      }
    }
  }

  private void count(int row, int rows, int column, int n, Tiles tiles) {
    for (int r = 0; r < rows; r++) {
      Arrays.fill(tiles.count[r], 0, n, 0);
    }
    int words = BitRows.used(a.cols());
    long[] left = BitRows.words(a);
    for (int k = 0; k < words; k += LONGS) {
      turn(k, column, n, tiles.word);
      for (int r = 0; r < rows; r++) {
        Popcounts.differing(tiles.count[r], tiles.word, left, BitRows.start(a, row + r) + k, Math.min(LONGS, words - k), n);
      }
    }
  }

  /** Words k..k+3 of n rows of b into the tile, low halves first. */
  private void turn(int k, int column, int n, int[][] tile) {
    long[] words = BitRows.words(b);
    int stride = b.rowWords();
    int at = BitRows.start(b, column) + k;
    for (int j = 0; j < n; j++) {
      for (int l = 0; l < LONGS; l++) {
        long word = words[at + l];
        tile[2 * l][j] = (int) word;
        tile[2 * l + 1][j] = (int) (word >>> 32);
      }
      at += stride;
    }
  }

  private void putIntegers(int row, int rows, int column, int n, int[][] count) {
    int[] target = ((JavaMemory) y.memory()).ints();
    int k = a.cols();
    for (int r = 0; r < rows; r++) {
      int to = (int) (y.byteOffset() / Integer.BYTES) + (row + r) * ldy + column;
      int[] c = count[r];
      for (int j = 0; j < n; j++) {
        target[to + j] = k - 2 * c[j];
      }
    }
  }

  private void putReals(int row, int rows, int column, int n, int[][] count, Scratch scratch) {
    Operand out = scratch.operand[Y];
    out.set(y);
    float[][] chunk = scratch.chunk;
    factors(scale, SCALE, column, n, scratch);
    factors(bias, BIAS, column, n, scratch);
    int k = a.cols();
    float[] v = chunk[Y];
    for (int r = 0; r < rows; r++) {
      int[] c = count[r];
      for (int j = 0; j < n; j++) {
        v[j] = k - 2 * c[j];
      }
      if (scale != null) {
        LinearTile.product(chunk[SCALE], v, v, n);
      }
      if (bias != null) {
        add(chunk[BIAS], v, n);
      }
      out.store((long) (row + r) * ldy + column, v, 0, n);
    }
  }

  private static void factors(BufferImpl bufferOrNull, int index, int column, int n, Scratch scratch) {
    if (bufferOrNull != null) {
      scratch.operand[index].set(bufferOrNull);
      scratch.operand[index].load(column, scratch.chunk[index], 0, n);
    }
  }

  private static void add(float[] x, float[] y, int n) {
    for (int i = 0; i < n; i++) {
      y[i] = y[i] + x[i];
    }
  }

  private void putSigns(int row, int rows, int column, int n, int[][] count) {
    int[] limits = ((JavaMemory) limit.memory()).ints();
    int[] inverts = ((JavaMemory) invert.memory()).ints();
    int l = (int) (limit.byteOffset() / Integer.BYTES) + column;
    int v = (int) (invert.byteOffset() / Integer.BYTES) + column;
    long[] target = BitRows.words(signs);
    for (int r = 0; r < rows; r++) {
      int to = BitRows.start(signs, row + r) + (column >> 6);
      int[] c = count[r];
      for (int i = 0; i < n; i += Long.SIZE) {
        long word = 0;
        for (int j = i; j < Math.min(n, i + Long.SIZE); j++) {
          long within = ((long) c[j] - limits[l + j] - 1) >>> 63; // c <= limit
          word |= (within ^ inverts[v + j]) << (j - i);
        }
        target[to + (i >> 6)] = word;
      }
      if (column + n == signs.cols()) {
        BitRows.pad(signs, row + r);
      }
    }
  }
}
