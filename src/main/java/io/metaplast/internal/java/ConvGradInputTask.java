package io.metaplast.internal.java;

import io.metaplast.binary.Conv2dShape;
import io.metaplast.internal.BitMatrixImpl;
import io.metaplast.internal.BufferImpl;
import java.util.Arrays;

/**
 * conv2dGradInput: a unit is a tile of input channels and pixels (of all items, counted through). Where a tap meets no output position the
 * terms are +0, which leave a sum as it is: it starts from +0 and so is never -0.
 */
final class ConvGradInputTask extends ParallelTask {
  private static final int ROWS = Tiles.ROWS / 2; // the other half holds totals
  private static final double NANOS_PER_TERM = 0.025;
  private static final int DY = 0;
  private static final int DX = 1;

  private final ConvGrid grid = new ConvGrid();
  private Conv2dShape shape;
  private BufferImpl dy;
  private BitMatrixImpl w;
  private BufferImpl dx;
  private int channels; // of a group
  private int outs; // of a group
  private int taps;
  private int lanes;
  private int channelBlocks;
  private int pixelBlocks;

  void run(WorkerPool pool, Scratch scratch, Conv2dShape shape, BufferImpl dy, BitMatrixImpl w, BufferImpl dx) {
    this.shape = shape;
    this.dy = dy;
    this.w = w;
    this.dx = dx;
    grid.set(shape);
    channels = shape.channels() / shape.groups();
    outs = shape.outChannels() / shape.groups();
    taps = shape.kernelHeight() * shape.kernelWidth();
    lanes = Blocks.lanes(grid.pixels(), pool.threads());
    channelBlocks = Blocks.count(channels, ROWS);
    pixelBlocks = Blocks.count(grid.pixels(), lanes);
    try {
      double nanos = NANOS_PER_TERM * Math.min(channels, ROWS) * lanes * taps * outs;
      pool.run(this, (long) shape.groups() * channelBlocks * pixelBlocks, nanos, scratch);
    } finally {
      clear();
    }
  }

  @Override
  void clear() {
    shape = null;
    dy = null;
    w = null;
    dx = null;
  }

  @Override
  void run(long from, long to, Scratch scratch) {
    scratch.operand[DY].set(dy);
    scratch.operand[DX].set(dx);
    for (long unit = from; unit < to; unit++) {
      int pixel = (int) (unit % pixelBlocks) * lanes;
      int block = (int) (unit / pixelBlocks);
      int first = block % channelBlocks * ROWS;
      tile(block / channelBlocks, first, Math.min(ROWS, channels - first), pixel, Math.min(lanes, grid.pixels() - pixel), scratch);
    }
  }

  private void tile(int group, int first, int tall, int pixel, int n, Scratch scratch) {
    Tiles tiles = scratch.tiles();
    float[][] sum = tiles.sum;
    for (int r = 0; r < tall; r++) {
      Arrays.fill(sum[ROWS + r], 0, n, 0f);
    }
    for (int tap = 0; tap < taps && grid.outPixels() > 0; tap++) {
      for (int r = 0; r < tall; r++) {
        Arrays.fill(sum[r], 0, n, -0f); // to which the first term adds up to itself
      }
      for (int o = 0; o < outs; o += Tiles.TERMS) {
        int here = Math.min(Tiles.TERMS, outs - o);
        for (int k = 0; k < here; k++) {
          grid.scattered(scratch.operand[DY], group * outs + o + k, shape.outChannels(), tap, pixel, n, tiles.term[k]);
        }
        for (int k = here; k < Tiles.TERMS; k++) {
          Arrays.fill(tiles.term[k], 0, n, 1f);
        }
        for (int r = 0; r < tall; r++) {
          signs(group * outs + o, here, (first + r) * taps + tap, tiles.factor);
          Products.ascending(sum[r], tiles.term, tiles.factor, 0, here, n);
        }
      }
      for (int r = 0; r < tall; r++) {
        Products.add(sum[ROWS + r], sum[r], n);
      }
    }
    put(group * channels + first, tall, pixel, n, sum, scratch);
  }

  /** Factors +-1 of one weight of {@code here} output channels, absent ones -0. */
  private void signs(int out, int here, int column, float[] factor) {
    long[] words = BitRows.words(w);
    for (int k = 0; k < here; k++) {
      factor[k] = BitRows.value(words[BitRows.start(w, out + k) + (column >> 6)], column);
    }
    Arrays.fill(factor, here, Tiles.TERMS, -0f);
  }

  private void put(int channel, int tall, int pixel, int n, float[][] sum, Scratch scratch) {
    int size = shape.height() * shape.width();
    for (int i = 0; i < n; ) {
      int item = (pixel + i) / size;
      int at = (pixel + i) % size;
      int count = Math.min(n - i, size - at);
      for (int r = 0; r < tall; r++) {
        scratch.operand[DX].store((long) (item * shape.channels() + channel + r) * size + at, sum[ROWS + r], i, count);
      }
      i += count;
    }
  }
}
