package io.metaplast.internal.java;

import io.metaplast.binary.BatchNormShape;
import io.metaplast.internal.BitMatrixImpl;
import io.metaplast.internal.BufferImpl;
import java.util.Arrays;

/**
 * The sums of a batch norm. With one value a channel and item a unit is a block of channels, which are neighbours in memory: one loop then
 * adds to all of them. Else a unit is a channel, whose values are gathered a chunk at a time.
 */
final class BatchNormSums extends ParallelTask {
  private enum Sum {
    VALUES,
    SQUARED_DEVIATIONS,
    GRADIENTS,
    GRADIENTS_TIMES_VALUES
  }

  private static final int CHANNELS = 512;
  private static final int LANES = 16; // of R16
  private static final double NANOS = 0.7;

  // operands
  private static final int Y = 0;
  private static final int MEAN = 1;
  private static final int INV = 2;
  private static final int RUNNING_MEAN = 3;
  private static final int RUNNING_VARIANCE = 4;
  private static final int GRADIENT = 5;
  private static final int GRAD_GAMMA = 6;
  private static final int GRAD_BETA = 7;

  // chunks, besides Y, MEAN, INV and GRADIENT
  private static final int FIRST = 6;
  private static final int SECOND = 7;

  private BatchNormShape shape;
  private boolean integer;
  private BufferImpl y;
  private double eps;
  private BufferImpl mean;
  private BufferImpl inv;
  private float momentum;
  private BufferImpl runningMean; // or null
  private BufferImpl runningVariance; // or null
  private BufferImpl gradient; // or null: statistics
  private BitMatrixImpl mask; // or null
  private BufferImpl gradGamma; // or null
  private BufferImpl gradBeta; // or null
  private int block; // channels of a unit
  private float[] firsts = new float[0];
  private float[] seconds = new float[0];

  /** Writes mean, inv and the running statistics. */
  void statistics(
      WorkerPool pool, Scratch scratch, BatchNormShape shape, boolean integer, BufferImpl y, double eps, BufferImpl mean, BufferImpl inv,
      float momentum, BufferImpl runningMeanOrNull, BufferImpl runningVarianceOrNull) {
    this.eps = eps;
    this.momentum = momentum;
    runningMean = runningMeanOrNull;
    runningVariance = runningVarianceOrNull;
    start(pool, scratch, shape, integer, y, mean, inv);
  }

  /** Sums d and d * xh of every channel, for {@link #firsts} and {@link #seconds}, and writes them where they are wanted. */
  void gradients(
      WorkerPool pool, Scratch scratch, BatchNormShape shape, boolean integer, BufferImpl y, BufferImpl mean, BufferImpl inv, BufferImpl gradOutput,
      BitMatrixImpl maskOrNull, BufferImpl gradGammaOrNull, BufferImpl gradBetaOrNull) {
    gradient = gradOutput;
    mask = maskOrNull;
    gradGamma = gradGammaOrNull;
    gradBeta = gradBetaOrNull;
    if (firsts.length < shape.channels()) {
      firsts = new float[shape.channels()];
      seconds = new float[shape.channels()];
    }
    start(pool, scratch, shape, integer, y, mean, inv);
  }

  /** Sums of d of the channels. */
  float[] firsts() {
    return firsts;
  }

  /** Sums of d * xh of the channels. */
  float[] seconds() {
    return seconds;
  }

  private void start(
      WorkerPool pool, Scratch scratch, BatchNormShape newShape, boolean newInteger, BufferImpl newY, BufferImpl newMean, BufferImpl newInv) {
    shape = newShape;
    integer = newInteger;
    y = newY;
    mean = newMean;
    inv = newInv;
    block = shape.spatial() == 1 ? Math.min(CHANNELS, Blocks.lanes(shape.channels(), pool.threads())) : 1;
    try {
      pool.run(this, Blocks.count(shape.channels(), block), NANOS * block * shape.values(), scratch);
    } finally {
      clear();
    }
  }

  @Override
  void clear() {
    shape = null;
    y = null;
    mean = null;
    inv = null;
    runningMean = null;
    runningVariance = null;
    gradient = null;
    mask = null;
    gradGamma = null;
    gradBeta = null;
  }

  @Override
  void run(long from, long to, Scratch scratch) {
    Operand[] o = scratch.operand;
    if (!integer) {
      o[Y].set(y);
    }
    o[MEAN].set(mean);
    o[INV].set(inv);
    set(o[RUNNING_MEAN], runningMean);
    set(o[RUNNING_VARIANCE], runningVariance);
    set(o[GRADIENT], gradient);
    set(o[GRAD_GAMMA], gradGamma);
    set(o[GRAD_BETA], gradBeta);
    for (long unit = from; unit < to; unit++) {
      int channel = (int) unit * block;
      int n = Math.min(block, shape.channels() - channel);
      if (gradient != null) {
        gradients(channel, n, scratch);
      } else if (integer) {
        integerStatistics(channel, n, scratch);
      } else {
        realStatistics(channel, n, scratch);
      }
    }
  }

  private static void set(Operand operand, BufferImpl bufferOrNull) {
    if (bufferOrNull != null) {
      operand.set(bufferOrNull);
    }
  }

  private void integerStatistics(int channel, int n, Scratch scratch) {
    long[] s1 = scratch.tiles().sums;
    long[] s2 = scratch.tiles().squares;
    Arrays.fill(s1, 0, n, 0L);
    Arrays.fill(s2, 0, n, 0L);
    int[] values = ((JavaMemory) y.memory()).ints();
    int spatial = shape.spatial();
    for (int item = 0; item < shape.batch(); item++) {
      int at = (int) (y.byteOffset() / Integer.BYTES) + (item * shape.channels() + channel) * spatial;
      if (spatial == 1) {
        add(values, at, n, s1, s2);
      } else {
        add(values, at, spatial, s1, s2, 0);
      }
    }
    long b = shape.values();
    for (int j = 0; j < n; j++) {
      double meanOf = (double) s1[j] / b;
      double varianceOf = (double) (b * s2[j] - s1[j] * s1[j]) / (double) (b * b);
      float inverse = (float) (1.0 / Math.sqrt(varianceOf + eps));
      float unbiased = runningVariance == null ? 0f : (float) (varianceOf * ((double) b / (b - 1)));
      put(channel + j, (float) meanOf, inverse, unbiased, scratch);
    }
  }

  private static void add(int[] values, int at, int n, long[] s1, long[] s2) {
    for (int j = 0; j < n; j++) {
      long v = values[at + j];
      s1[j] += v;
      s2[j] += v * v;
    }
  }

  private static void add(int[] values, int at, int n, long[] s1, long[] s2, int channel) {
    long sum = 0;
    long squares = 0;
    for (int j = 0; j < n; j++) {
      long v = values[at + j];
      sum += v;
      squares += v * v;
    }
    s1[channel] += sum;
    s2[channel] += squares;
  }

  private void realStatistics(int channel, int n, Scratch scratch) {
    float[][] c = scratch.chunk;
    long b = shape.values();
    float inverseCount = (float) (1.0 / b);
    float correction = b > 1 ? (float) ((double) b / (b - 1)) : 0f;
    reduce(Sum.VALUES, channel, n, c[FIRST], scratch);
    for (int j = 0; j < n; j++) {
      c[FIRST][j] = c[FIRST][j] * inverseCount;
    }
    spread(c[FIRST], c[MEAN], n);
    reduce(Sum.SQUARED_DEVIATIONS, channel, n, c[SECOND], scratch);
    for (int j = 0; j < n; j++) {
      float varianceOf = c[SECOND][j] * inverseCount;
      float inverse = 1f / Elementary.sqrt(varianceOf + (float) eps);
      put(channel + j, c[FIRST][j], inverse, varianceOf * correction, scratch);
    }
  }

  /** Constants of the unit's channels to where they are used: one a channel, or all those of its only channel. */
  private void spread(float[] values, float[] target, int n) {
    if (shape.spatial() == 1) {
      System.arraycopy(values, 0, target, 0, n);
    } else {
      Arrays.fill(target, values[0]);
    }
  }

  private void put(int channel, float meanOf, float inverse, float unbiased, Scratch scratch) {
    Operand[] o = scratch.operand;
    o[MEAN].put(channel, meanOf);
    o[INV].put(channel, inverse);
    if (runningMean != null) {
      float keep = (float) (1.0 - momentum);
      o[RUNNING_MEAN].put(channel, keep * o[RUNNING_MEAN].get(channel) + momentum * meanOf);
      o[RUNNING_VARIANCE].put(channel, keep * o[RUNNING_VARIANCE].get(channel) + momentum * unbiased);
    }
  }

  private void gradients(int channel, int n, Scratch scratch) {
    Operand[] o = scratch.operand;
    float[][] c = scratch.chunk;
    o[MEAN].load(channel, c[FIRST], 0, n);
    spread(c[FIRST], c[MEAN], n);
    o[INV].load(channel, c[FIRST], 0, n);
    spread(c[FIRST], c[INV], n);
    reduce(Sum.GRADIENTS, channel, n, c[FIRST], scratch);
    reduce(Sum.GRADIENTS_TIMES_VALUES, channel, n, c[SECOND], scratch);
    System.arraycopy(c[FIRST], 0, firsts, channel, n);
    System.arraycopy(c[SECOND], 0, seconds, channel, n);
    if (gradBeta != null) {
      o[GRAD_BETA].store(channel, c[FIRST], 0, n);
    }
    if (gradGamma != null) {
      o[GRAD_GAMMA].store(channel, c[SECOND], 0, n);
    }
  }

  /** target[j] = R16 over the values of channel + j. */
  private void reduce(Sum sum, int channel, int n, float[] target, Scratch scratch) {
    int chunks = (int) Scratch.chunks(shape.values());
    float[] chunkSums = scratch.sums.chunkSums(chunks * n);
    for (int k = 0; k < chunks; k++) {
      long first = (long) k * Scratch.CHUNK;
      int count = (int) Math.min(Scratch.CHUNK, shape.values() - first);
      if (shape.spatial() == 1) {
        float[] sums = lanes(sum, channel, n, (int) first, count, scratch);
        for (int j = 0; j < n; j++) {
          chunkSums[j * chunks + k] = sums[j];
        }
      } else {
        gather(sum, channel, first, count, scratch);
        chunkSums[k] = scratch.sums.chunk(scratch.chunk[Y], 0, count);
      }
    }
    for (int j = 0; j < n; j++) {
      target[j] = scratch.sums.ofChunkSums(chunkSums, j * chunks, chunks);
    }
  }

  /** Sums over items first..first+count-1 of n channels, the lanes of R16 being rows of a tile. */
  private float[] lanes(Sum sum, int channel, int n, int first, int count, Scratch scratch) {
    float[][] lane = scratch.tiles().sum;
    float[] values = scratch.chunk[Y];
    for (int b = 0; b < count; b++) {
      load(sum, first + b, channel, (long) (first + b) * shape.channels() + channel, 0, n, scratch);
      terms(sum, n, scratch);
      if (b < LANES) {
        System.arraycopy(values, 0, lane[b], 0, n);
      } else {
        Products.add(lane[b % LANES], values, n);
      }
    }
    for (int j = count; j < LANES; j++) {
      Arrays.fill(lane[j], 0, n, 0f);
    }
    for (int h = LANES / 2; h > 0; h >>= 1) {
      for (int j = 0; j < h; j++) {
        Products.add(lane[j], lane[j + h], n);
      }
    }
    return lane[0];
  }

  /** Terms first..first+count-1 of a channel into a chunk. */
  private void gather(Sum sum, int channel, long first, int count, Scratch scratch) {
    int spatial = shape.spatial();
    for (int i = 0; i < count; ) {
      int item = (int) ((first + i) / spatial);
      int position = (int) ((first + i) % spatial);
      int n = Math.min(spatial - position, count - i);
      int column = channel * spatial + position;
      load(sum, item, column, (long) item * shape.channels() * spatial + column, i, n, scratch);
      i += n;
    }
    terms(sum, count, scratch);
  }

  /** Values and gradients of n columns of an item into the chunks, from {@code to} on. */
  private void load(Sum sum, int item, int column, long element, int to, int n, Scratch scratch) {
    float[][] c = scratch.chunk;
    if (sum != Sum.GRADIENTS) {
      BatchNormTask.load(y, integer, scratch.operand[Y], element, c[Y], to, n);
    }
    if (gradient != null) {
      scratch.operand[GRADIENT].load(element, c[GRADIENT], to, n);
      if (mask != null) {
        BitRows.mask(BitRows.words(mask), BitRows.start(mask, item), column, n, c[GRADIENT], to);
      }
    }
  }

  /** Values and gradients to the terms of the sum, in chunk Y. */
  private static void terms(Sum sum, int n, Scratch scratch) {
    float[][] c = scratch.chunk;
    switch (sum) {
      case VALUES -> {}
      case SQUARED_DEVIATIONS -> squares(c[Y], c[MEAN], n);
      case GRADIENTS -> System.arraycopy(c[GRADIENT], 0, c[Y], 0, n);
      case GRADIENTS_TIMES_VALUES -> products(c[Y], c[MEAN], c[INV], c[GRADIENT], n);
    }
  }

  private static void squares(float[] y, float[] mean, int n) {
    for (int i = 0; i < n; i++) {
      float d = y[i] - mean[i];
      y[i] = d * d;
    }
  }

  private static void products(float[] y, float[] mean, float[] inv, float[] d, int n) {
    for (int i = 0; i < n; i++) {
      y[i] = d[i] * ((y[i] - mean[i]) * inv[i]);
    }
  }
}
