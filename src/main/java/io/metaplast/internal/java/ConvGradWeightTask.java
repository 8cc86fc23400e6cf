package io.metaplast.internal.java;

import io.metaplast.binary.Conv2dShape;
import io.metaplast.internal.BitMatrixImpl;
import io.metaplast.internal.BufferImpl;
import java.util.Arrays;

/**
 * conv2dGradWeight: a unit is a tile of output channels and columns of dw; its terms are the output positions. Where a position meets no
 * pixel the sign is 0, a term that leaves the sum as it is, unless the gradient is not finite: such terms are added one at a time.
 */
final class ConvGradWeightTask extends ParallelTask {
  private static final double NANOS_PER_TERM = 0.05;
  private static final int DY = 0;
  private static final int DW = 1;

  // rows of tiles.word: what a column of dw stands for
  private static final int BIT = 0;
  private static final int ROW = 1;
  private static final int COLUMN = 2;

  private final ConvGrid grid = new ConvGrid();
  private Conv2dShape shape;
  private BufferImpl dy;
  private BitMatrixImpl x;
  private BufferImpl dw;
  private int outs; // of a group
  private int taps;
  private int lanes;
  private int outBlocks;
  private int columnBlocks;

  void run(WorkerPool pool, Scratch scratch, Conv2dShape shape, BufferImpl dy, BitMatrixImpl x, BufferImpl dw) {
    this.shape = shape;
    this.dy = dy;
    this.x = x;
    this.dw = dw;
    grid.set(shape);
    outs = shape.outChannels() / shape.groups();
    taps = shape.kernelHeight() * shape.kernelWidth();
    lanes = Blocks.lanes(shape.patch(), pool.threads());
    outBlocks = Blocks.count(outs, Tiles.ROWS);
    columnBlocks = Blocks.count(shape.patch(), lanes);
    try {
      double nanos = NANOS_PER_TERM * Math.min(outs, Tiles.ROWS) * lanes * grid.positions();
      pool.run(this, (long) shape.groups() * outBlocks * columnBlocks, nanos, scratch);
    } finally {
      clear();
    }
  }

  @Override
  void clear() {
    shape = null;
    dy = null;
    x = null;
    dw = null;
  }

  @Override
  void run(long from, long to, Scratch scratch) {
    scratch.operand[DY].set(dy);
    scratch.operand[DW].set(dw);
    for (long unit = from; unit < to; unit++) {
      int column = (int) (unit % columnBlocks) * lanes;
      int block = (int) (unit / columnBlocks);
      int first = block % outBlocks * Tiles.ROWS;
      tile(block / outBlocks, first, Math.min(Tiles.ROWS, outs - first), column, Math.min(lanes, shape.patch() - column), scratch);
    }
  }

  private void tile(int group, int first, int tall, int column, int n, Scratch scratch) {
    Tiles tiles = scratch.tiles();
    int out = group * outs + first;
    columns(group, column, n, tiles.word);
    for (int r = 0; r < tall; r++) {
      Arrays.fill(tiles.sum[r], 0, n, 0f);
    }
    for (int k = 0; k < Tiles.TERMS; k++) {
      Arrays.fill(tiles.term[k], 0, n, 1f);
    }
    for (int item = 0; item < shape.batch(); item++) {
      for (int p = 0; p < grid.outPixels(); p += Tiles.TERMS) {
        int here = Math.min(Tiles.TERMS, grid.outPixels() - p);
        boolean finite = factors(item, out, tall, p, here, tiles.factor, scratch);
        boolean inside = true;
        for (int k = 0; k < here; k++) {
          inside &= signs(item, p + k, n, tiles.word, tiles.term[k]);
        }
        for (int r = 0; r < tall; r++) {
          if (inside || finite) {
            Products.ascending(tiles.sum[r], tiles.term, tiles.factor, r * Tiles.TERMS, here, n);
          } else {
            oneByOne(tiles.sum[r], tiles.term, tiles.factor, r * Tiles.TERMS, here, n);
          }
        }
      }
    }
    for (int r = 0; r < tall; r++) {
      scratch.operand[DW].store((long) (out + r) * shape.patch() + column, tiles.sum[r], 0, n);
    }
  }

  /** Channel, kernel row and kernel column of every column of the tile, as the distance of its pixel from that of tap 0 in bits, rows and columns. */
  private void columns(int group, int column, int n, int[][] word) {
    int channel = group * (shape.channels() / shape.groups());
    for (int j = 0; j < n; j++) {
      int tap = (column + j) % taps;
      int row = tap / shape.kernelWidth() * shape.dilationHeight();
      int col = tap % shape.kernelWidth() * shape.dilationWidth();
      word[BIT][j] = ((channel + (column + j) / taps) * shape.height() + row) * shape.width() + col;
      word[ROW][j] = row;
      word[COLUMN][j] = col;
    }
  }

  /** Gradients of positions p.. of {@code tall} output channels, absent ones -0; whether all are finite. */
  private boolean factors(int item, int out, int tall, int p, int here, float[] factor, Scratch scratch) {
    Arrays.fill(factor, 0, tall * Tiles.TERMS, -0f);
    float nonFinite = 0f;
    for (int r = 0; r < tall; r++) {
      long at = (long) (item * shape.outChannels() + out + r) * grid.outPixels() + p;
      scratch.operand[DY].load(at, factor, r * Tiles.TERMS, here);
      for (int k = 0; k < here; k++) {
        nonFinite += 0f * factor[r * Tiles.TERMS + k]; // NaN as soon as one is not
      }
    }
    return nonFinite == 0f;
  }

  /** Signs of the pixels that a position meets, 0 outside of the image; whether all lie inside. */
  private boolean signs(int item, int position, int n, int[][] word, float[] term) {
    int row = grid.inRow(position / grid.outWidth(), 0);
    int column = grid.firstColumn(0) + position % grid.outWidth() * shape.strideWidth();
    int height = shape.height();
    int width = shape.width();
    int start = BitRows.start(x, item);
    int origin = row * width + column;
    long[] bits = BitRows.words(x);
    boolean inside = true;
    for (int j = 0; j < n; j++) {
      int h = row + word[ROW][j];
      int w = column + word[COLUMN][j];
      if (h >= 0 && h < height && w >= 0 && w < width) {
        int bit = origin + word[BIT][j];
        term[j] = BitRows.value(bits[start + (bit >> 6)], bit);
      } else {
        term[j] = 0f;
        inside = false;
      }
    }
    return inside;
  }

  private static void oneByOne(float[] sum, float[][] term, float[] factor, int at, int here, int n) {
    for (int k = 0; k < here; k++) {
      float a = factor[at + k];
      for (int j = 0; j < n; j++) {
        if (term[k][j] != 0f) {
          sum[j] = sum[j] + a * term[k][j];
        }
      }
    }
  }
}
