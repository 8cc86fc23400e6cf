package io.metaplast.internal.java;

import io.metaplast.internal.BitMatrixImpl;
import io.metaplast.internal.BufferImpl;
import io.metaplast.internal.spi.AdamRows;
import java.util.Arrays;

/**
 * The products of reals with signs, the gradient product of two real operands, and the metaplastic step from a gradient product: a unit is
 * a tile of the result. Signs become rows of +-1, by which a multiplication is exact. Sums start from -0, to which any first term adds up
 * to itself; absent terms are -0 too.
 */
final class ProductTask extends ParallelTask {
  private enum Kind {
    NT,
    NN,
    TN,
    REAL
  }

  /** Columns of a block of the forward product. */
  private static final int BLOCK = 512;

  private static final double NANOS_PER_TERM = 0.025;

  // operands, and chunks
  private static final int LEFT = 0;
  private static final int RIGHT = 1;
  private static final int OUT = 2;
  private static final int W = 3;
  private static final int M = 4;
  private static final int V = 5;

  private Kind kind;
  private int rows; // of the result
  private int cols;
  private int terms;
  private BufferImpl left; // real
  private int ldLeft;
  private BufferImpl right; // real, or null
  private int ldRight;
  private BitMatrixImpl signs; // or null
  private BufferImpl out; // or null: the result is the gradient of a step
  private int ldOut;
  private BufferImpl w;
  private BufferImpl m;
  private BufferImpl v;
  private BitMatrixImpl signsOut; // or null
  private AdamRows adam;
  private int tileRows;
  private int lanes;
  private int columnBlocks;

  void nt(WorkerPool pool, Scratch scratch, int batch, BufferImpl x, int ldx, BitMatrixImpl w, BufferImpl y, int ldy) {
    result(y, ldy);
    start(pool, scratch, Kind.NT, batch, w.rows(), w.cols(), x, ldx, null, 0, w);
  }

  void nn(WorkerPool pool, Scratch scratch, int batch, BufferImpl dy, int lddy, BitMatrixImpl w, BufferImpl dx, int lddx) {
    result(dx, lddx);
    start(pool, scratch, Kind.NN, batch, w.cols(), w.rows(), dy, lddy, null, 0, w);
  }

  void tn(WorkerPool pool, Scratch scratch, int out, BufferImpl dy, int lddy, BitMatrixImpl x, BufferImpl dw, int lddw) {
    result(dw, lddw);
    start(pool, scratch, Kind.TN, out, x.cols(), x.rows(), dy, lddy, null, 0, x);
  }

  void real(
      WorkerPool pool, Scratch scratch, int batch, int out, int in, BufferImpl dy, int lddy, BufferImpl x, int ldx, BufferImpl dw, int lddw) {
    result(dw, lddw);
    start(pool, scratch, Kind.REAL, out, in, batch, dy, lddy, x, ldx, null);
  }

  /** A step with the gradient dy^T x; one of xOrNull and xSignsOrNull. */
  void step(
      WorkerPool pool, Scratch scratch, int batch, int out, int in, BufferImpl dy, int lddy, BufferImpl xOrNull, int ldx, BitMatrixImpl xSignsOrNull,
      BufferImpl w, BufferImpl m, BufferImpl v, BitMatrixImpl signsOrNull, AdamRows rows) {
    this.w = w;
    this.m = m;
    this.v = v;
    signsOut = signsOrNull;
    adam = rows;
    start(pool, scratch, xOrNull == null ? Kind.TN : Kind.REAL, out, in, batch, dy, lddy, xOrNull, ldx, xSignsOrNull);
  }

  private void result(BufferImpl newOut, int newLdOut) {
    out = newOut;
    ldOut = newLdOut;
  }

  private void start(
      WorkerPool pool, Scratch scratch, Kind newKind, int newRows, int newCols, int newTerms, BufferImpl newLeft, int newLdLeft, BufferImpl newRight,
      int newLdRight, BitMatrixImpl newSigns) {
    kind = newKind;
    rows = newRows;
    cols = newCols;
    terms = newTerms;
    left = newLeft;
    ldLeft = newLdLeft;
    right = newRight;
    ldRight = newLdRight;
    signs = newSigns;
    tileRows = kind == Kind.NT ? Tiles.ROWS / 2 : Tiles.ROWS; // the other half holds totals
    lanes = Blocks.lanes(cols, pool.threads());
    columnBlocks = Blocks.count(cols, lanes);
    long units = (long) Blocks.count(rows, tileRows) * columnBlocks;
    try {
      pool.run(this, units, NANOS_PER_TERM * Math.min(rows, tileRows) * lanes * terms, scratch);
    } finally {
      clear();
    }
  }

  @Override
  void clear() {
    left = null;
    right = null;
    signs = null;
    out = null;
    w = null;
    m = null;
    v = null;
    signsOut = null;
    adam = null;
  }

  @Override
  void run(long from, long to, Scratch scratch) {
    Operand[] o = scratch.operand;
    o[LEFT].set(left);
    if (right != null) {
      o[RIGHT].set(right);
    }
    if (out != null) {
      o[OUT].set(out);
    } else {
      o[W].set(w);
      o[M].set(m);
      o[V].set(v);
      scratch.tiles().adam.load(adam, 0);
    }
    for (long unit = from; unit < to; unit++) {
      int row = (int) (unit / columnBlocks) * tileRows;
      int column = (int) (unit % columnBlocks) * lanes;
      tile(row, Math.min(tileRows, rows - row), column, Math.min(lanes, cols - column), scratch);
    }
  }

  private void tile(int row, int tall, int column, int n, Scratch scratch) {
    Tiles tiles = scratch.tiles();
    float[][] sum = tiles.sum;
    float start = terms == 0 ? 0f : -0f;
    for (int r = 0; r < tall; r++) {
      Arrays.fill(sum[r], 0, n, start);
    }
    for (int t = 0; t < terms; t += Tiles.TERMS) {
      int here = Math.min(Tiles.TERMS, terms - t);
      if (kind == Kind.NT && t % BLOCK == 0 && t > 0) {
        closeBlock(sum, tall, n, t == BLOCK);
      }
      factors(row, tall, t, here, tiles.factor, scratch);
      termRows(t, here, column, n, tiles.term, scratch);
      for (int r = 0; r < tall; r++) {
        multiply(sum[r], tiles.term, tiles.factor, r * Tiles.TERMS, here, n);
      }
    }
    for (int r = 0; r < tall; r++) {
      if (kind == Kind.NT && terms > BLOCK) {
        float[] total = sum[tileRows + r];
        Products.add(total, sum[r], n);
        put(row + r, column, total, n, scratch);
      } else {
        put(row + r, column, sum[r], n, scratch);
      }
    }
  }

  /** Adds the sums of a block to the totals. */
  private void closeBlock(float[][] sum, int tall, int n, boolean first) {
    for (int r = 0; r < tall; r++) {
      if (first) {
        System.arraycopy(sum[r], 0, sum[tileRows + r], 0, n);
      } else {
        Products.add(sum[tileRows + r], sum[r], n);
      }
      Arrays.fill(sum[r], 0, n, -0f);
    }
  }

  private void multiply(float[] sum, float[][] x, float[] a, int at, int here, int n) {
    for (int t = 0; t < here; t += Products.QUAD) {
      float a0 = a[at + t];
      float a1 = a[at + t + 1];
      float a2 = a[at + t + 2];
      float a3 = a[at + t + 3];
      switch (kind) {
        case NT -> Products.pairs(sum, x[t], x[t + 1], x[t + 2], x[t + 3], a0, a1, a2, a3, n);
        case NN, TN -> Products.quad(sum, x[t], x[t + 1], x[t + 2], x[t + 3], a0, a1, a2, a3, n);
        case REAL -> Products.ascending(sum, x[t], x[t + 1], x[t + 2], x[t + 3], a0, a1, a2, a3, n);
      }
    }
  }

  /** Left operands of terms t..t+7; absent ones are -0, or +0 in the forward product, whose quads are full. */
  private void factors(int row, int tall, int t, int here, float[] factor, Scratch scratch) {
    if (here < Tiles.TERMS) {
      Arrays.fill(factor, 0, tall * Tiles.TERMS, kind == Kind.NT ? 0f : -0f);
    }
    Operand source = scratch.operand[LEFT];
    if (kind == Kind.NT || kind == Kind.NN) {
      for (int r = 0; r < tall; r++) {
        source.load((long) (row + r) * ldLeft + t, factor, r * Tiles.TERMS, here);
      }
    } else {
      float[] line = scratch.chunk[LEFT];
      for (int k = 0; k < here; k++) {
        source.load((long) (t + k) * ldLeft + row, line, 0, tall);
        for (int r = 0; r < tall; r++) {
          factor[r * Tiles.TERMS + k] = line[r];
        }
      }
    }
  }

  /** Right operands of terms t..t+7 in the columns of the tile; absent ones are +1. */
  private void termRows(int t, int here, int column, int n, float[][] term, Scratch scratch) {
    if (kind == Kind.NT) {
      turn(t, column, n, term);
    } else {
      for (int k = 0; k < here; k++) {
        if (kind == Kind.REAL) {
          scratch.operand[RIGHT].load((long) (t + k) * ldRight + column, term[k], 0, n);
        } else {
          BitRows.unpack(BitRows.words(signs), BitRows.start(signs, t + k) + (column >> 6), n, term[k], 0);
        }
      }
    }
    for (int k = here; k < Tiles.TERMS; k++) {
      Arrays.fill(term[k], 0, n, 1f);
    }
  }

  /** Columns t..t+7 of n rows of the signs as rows. */
  private void turn(int t, int column, int n, float[][] term) {
    long[] words = BitRows.words(signs);
    int stride = signs.rowWords();
    int at = BitRows.start(signs, column) + (t >> 6);
    int shift = t & 63;
    for (int j = 0; j < n; j++) {
      long word = words[at] >>> shift;
      for (int k = 0; k < Tiles.TERMS; k++) {
        term[k][j] = BitRows.value(word, k);
      }
      at += stride;
    }
  }

  /** Columns column..column+n-1 of a row of the result. */
  private void put(int row, int column, float[] sum, int n, Scratch scratch) {
    if (out != null) {
      scratch.operand[OUT].store((long) row * ldOut + column, sum, 0, n);
      return;
    }
    Operand[] o = scratch.operand;
    float[][] c = scratch.chunk;
    long at = (long) row * cols + column;
    o[W].load(at, c[W], 0, n);
    o[M].load(at, c[M], 0, n);
    o[V].load(at, c[V], 0, n);
    scratch.tiles().adam.step(c[W], sum, c[M], c[V], n);
    o[W].store(at, c[W], 0, n);
    o[M].store(at, c[M], 0, n);
    o[V].store(at, c[V], 0, n);
    if (signsOut != null) {
      scratch.tiles().packer.signs(c[W], 0, n, BitRows.words(signsOut), BitRows.start(signsOut, row) + (column >> 6));
      if (column + n == cols) {
        BitRows.pad(signsOut, row);
      }
    }
  }
}
