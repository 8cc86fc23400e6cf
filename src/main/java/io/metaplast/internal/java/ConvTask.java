package io.metaplast.internal.java;

import io.metaplast.binary.Conv2dShape;
import io.metaplast.internal.BitMatrixImpl;
import io.metaplast.internal.BufferImpl;
import java.util.Arrays;

/**
 * conv2d. First the channels of every pixel, and of every weight position, become 32-bit words in the workspace. A unit of the second phase
 * is a tile of output channels and output positions (of all items, counted through): a kernel position adds the bits in which its words and
 * the shifted pixels differ.
 */
final class ConvTask extends ParallelTask {
  private static final int WORD_BITS = 64;
  private static final int HALF_BITS = 32;
  private static final double NANOS_PER_BIT = 0.0015;
  private static final double NANOS_PER_PACKED_BIT = 0.5;

  private final ConvGrid grid = new ConvGrid();
  private Conv2dShape shape;
  private BitMatrixImpl x;
  private BitMatrixImpl w;
  private BufferImpl y;
  private int[] packed;
  private int channels; // of a group
  private int outs; // of a group
  private int words; // of 32 channels of a group
  private int pixels;
  private int taps;
  private int weightsAt; // where packed weights begin
  private boolean packing;
  private int lanes;
  private int outBlocks;
  private int positionBlocks;

  static long workspaceBytes(Conv2dShape shape) {
    long words = (shape.channels() / shape.groups() + HALF_BITS - 1L) / HALF_BITS;
    long pixels = (long) shape.batch() * shape.groups() * shape.height() * shape.width();
    long weights = (long) shape.outChannels() * shape.kernelHeight() * shape.kernelWidth();
    return (pixels + weights) * words * Integer.BYTES;
  }

  void run(WorkerPool pool, Scratch scratch, Conv2dShape shape, BitMatrixImpl x, BitMatrixImpl w, BufferImpl y, BufferImpl workspace) {
    this.shape = shape;
    this.x = x;
    this.w = w;
    this.y = y;
    grid.set(shape);
    packed = ((JavaMemory) workspace.memory()).scratch();
    channels = shape.channels() / shape.groups();
    outs = shape.outChannels() / shape.groups();
    words = Blocks.count(channels, HALF_BITS);
    pixels = shape.height() * shape.width();
    taps = shape.kernelHeight() * shape.kernelWidth();
    weightsAt = shape.batch() * shape.groups() * words * pixels;
    lanes = Blocks.lanes(grid.positions(), pool.threads());
    outBlocks = Blocks.count(outs, Tiles.ROWS);
    positionBlocks = Blocks.count(grid.positions(), lanes);
    try {
      packing = true;
      long planes = (long) shape.batch() * shape.groups();
      pool.run(this, planes + shape.outChannels(), NANOS_PER_PACKED_BIT * channels * Math.min(pixels, taps), scratch);
      packing = false;
      double nanos = NANOS_PER_BIT * Math.min(outs, Tiles.ROWS) * lanes * taps * words * HALF_BITS;
      pool.run(this, (long) shape.groups() * outBlocks * positionBlocks, nanos, scratch);
    } finally {
      clear();
    }
  }

  @Override
  void clear() {
    shape = null;
    x = null;
    w = null;
    y = null;
    packed = null;
  }

  @Override
  void run(long from, long to, Scratch scratch) {
    int planes = shape.batch() * shape.groups();
    for (long unit = from; unit < to; unit++) {
      if (!packing) {
        int column = (int) (unit % positionBlocks) * lanes;
        int block = (int) (unit / positionBlocks);
        int first = block % outBlocks * Tiles.ROWS;
        tile(block / outBlocks, first, Math.min(Tiles.ROWS, outs - first), column, Math.min(lanes, grid.positions() - column), scratch.tiles());
      } else if (unit < planes) {
        packPixels((int) unit, scratch.tiles().square);
      } else {
        packWeights((int) unit - planes);
      }
    }
  }

  /** The pixels of one group of one item: [word][pixel]. */
  private void packPixels(int plane, long[] square) {
    long[] bits = BitRows.words(x);
    int start = BitRows.start(x, plane / shape.groups());
    int end = start + x.rowWords();
    int firstBit = plane % shape.groups() * channels * pixels;
    for (int c = 0; c < channels; c += WORD_BITS) {
      int n = Math.min(WORD_BITS, channels - c);
      int to = (plane * words + c / HALF_BITS) * pixels;
      for (int pixel = 0; pixel < pixels; pixel += WORD_BITS) {
        for (int r = 0; r < n; r++) {
          square[r] = bitsFrom(bits, start, end, firstBit + (c + r) * pixels + pixel);
        }
        Arrays.fill(square, n, WORD_BITS, 0L);
        BitRows.transpose(square);
        for (int p = pixel; p < Math.min(pixels, pixel + WORD_BITS); p++) {
          packed[to + p] = (int) square[p - pixel];
          if (n > HALF_BITS) {
            packed[to + pixels + p] = (int) (square[p - pixel] >>> HALF_BITS);
          }
        }
      }
    }
  }

  /** 64 bits from {@code bit} on of a row that ends before word {@code end}. */
  private static long bitsFrom(long[] words, int start, int end, int bit) {
    int at = start + (bit >> 6);
    long low = words[at] >>> bit;
    return (bit & 63) == 0 || at + 1 == end ? low : low | words[at + 1] << -bit;
  }

  /** The weights of one output channel: [tap][word]. */
  private void packWeights(int out) {
    long[] bits = BitRows.words(w);
    int start = BitRows.start(w, out);
    int to = weightsAt + out * taps * words;
    Arrays.fill(packed, to, to + taps * words, 0);
    int bit = 0;
    for (int c = 0; c < channels; c++) {
      for (int tap = 0; tap < taps; tap++) {
        packed[to + tap * words + c / HALF_BITS] |= (int) (bits[start + (bit >> 6)] >>> bit & 1) << c;
        bit++;
      }
    }
  }

  private void tile(int group, int firstOut, int tall, int column, int n, Tiles tiles) {
    int[] terms = tiles.valid[0]; // that count, per position
    int[] outside = tiles.valid[1];
    Arrays.fill(terms, 0, n, 0);
    for (int r = 0; r < tall; r++) {
      Arrays.fill(tiles.count[r], 0, n, 0);
    }
    int weights = weightsAt + (group * outs + firstOut) * taps * words;
    for (int tap = 0; tap < taps; tap++) {
      for (int k = 0; k < words; k += Tiles.TERMS) {
        int here = Math.min(Tiles.TERMS, words - k);
        for (int l = 0; l < here; l++) {
          grid.shifted(packed, group * words + k + l, shape.groups() * words, tap, column, n, tiles.word[l]);
        }
        for (int r = 0; r < tall; r++) {
          Popcounts.differing(tiles.count[r], tiles.word, packed, weights + (r * taps + tap) * words + k, here, n);
        }
      }
      boolean any = grid.outside(tap, column, n, outside);
      addInside(terms, outside, channels, n);
      if (any) {
        for (int r = 0; r < tall; r++) {
          dropOutside(tiles.count[r], outside, setBits(weights + (r * taps + tap) * words), n);
        }
      }
    }
    put(group * outs + firstOut, tall, column, n, tiles);
  }

  private int setBits(int at) {
    int n = 0;
    for (int k = 0; k < words; k++) {
      n += Integer.bitCount(packed[at + k]);
    }
    return n;
  }

  private static void addInside(int[] terms, int[] outside, int channels, int n) {
    for (int i = 0; i < n; i++) {
      terms[i] += channels & ~outside[i];
    }
  }

  /** Pixels outside of the image were taken for zeros: the set bits of the weights, which they differ in, do not count. */
  private static void dropOutside(int[] count, int[] outside, int setBits, int n) {
    for (int i = 0; i < n; i++) {
      count[i] -= setBits & outside[i];
    }
  }

  private void put(int firstOut, int tall, int column, int n, Tiles tiles) {
    int[] target = ((JavaMemory) y.memory()).ints();
    int base = (int) (y.byteOffset() / Integer.BYTES);
    int[] terms = tiles.valid[0];
    for (int i = 0; i < n; ) {
      int item = (column + i) / grid.outPixels();
      int position = (column + i) % grid.outPixels();
      int end = Math.min(n, i + grid.outPixels() - position);
      for (int r = 0; r < tall; r++) {
        int to = base + (item * shape.outChannels() + firstOut + r) * grid.outPixels() + position - i;
        int[] count = tiles.count[r];
        for (int j = i; j < end; j++) {
          target[to + j] = terms[j] - 2 * count[j];
        }
      }
      i = end;
    }
  }
}
