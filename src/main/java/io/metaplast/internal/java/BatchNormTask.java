package io.metaplast.internal.java;

import io.metaplast.binary.BatchNormShape;
import io.metaplast.internal.BitMatrixImpl;
import io.metaplast.internal.BufferImpl;
import java.util.Arrays;

/**
 * Batch norm. Statistics: a unit is a block of neighbouring channels whose values lie side by side (one value a channel and item), or one
 * channel. The values themselves: a unit is a piece of a row, in which the constants of a column are those of its channel.
 */
final class BatchNormTask extends RowTask {
  private enum Kind {
    FORWARD,
    INFERENCE,
    BACKWARD
  }

  private static final double NANOS = 1;

  // operands
  private static final int Y = 0;
  private static final int MEAN = 1;
  private static final int INV = 2;
  private static final int GAMMA = 3;
  private static final int BETA = 4; // or the sum of d * xh
  private static final int OUT = 5;
  private static final int GRADIENT = 6;
  private static final int VARIANCE = 7;
  // chunks besides: the sum of d
  private static final int SUM = 8;

  private final BatchNormSums sums = new BatchNormSums();
  private Kind kind;
  private BatchNormShape shape;
  private boolean integer;
  private BufferImpl y;
  private BufferImpl gamma; // or null
  private BufferImpl beta; // or null
  private double eps;
  private BufferImpl mean;
  private BufferImpl inv; // or null
  private BufferImpl variance; // or null
  private BufferImpl out; // or null
  private BitMatrixImpl sign; // or null
  private BitMatrixImpl mask; // or null
  private BufferImpl gradient;

  void forward(
      WorkerPool pool, Scratch scratch, BatchNormShape shape, boolean integer, BufferImpl y, BufferImpl gammaOrNull, BufferImpl betaOrNull,
      double eps, BufferImpl mean, BufferImpl inv, float momentum, BufferImpl runningMeanOrNull, BufferImpl runningVarianceOrNull,
      BufferImpl outOrNull, BitMatrixImpl signOrNull, BitMatrixImpl maskOrNull) {
    sums.statistics(pool, scratch, shape, integer, y, eps, mean, inv, momentum, runningMeanOrNull, runningVarianceOrNull);
    operands(Kind.FORWARD, shape, integer, y, gammaOrNull, mean);
    this.inv = inv;
    beta = betaOrNull;
    out = outOrNull;
    sign = signOrNull;
    mask = maskOrNull;
    start(pool, scratch, shape.batch(), shape.channels() * shape.spatial(), NANOS);
  }

  void inference(
      WorkerPool pool, Scratch scratch, BatchNormShape shape, boolean integer, BufferImpl y, BufferImpl gammaOrNull, BufferImpl betaOrNull,
      double eps, BufferImpl mean, BufferImpl variance, BufferImpl outOrNull, BitMatrixImpl signOrNull) {
    operands(Kind.INFERENCE, shape, integer, y, gammaOrNull, mean);
    this.variance = variance;
    this.eps = eps;
    beta = betaOrNull;
    out = outOrNull;
    sign = signOrNull;
    start(pool, scratch, shape.batch(), shape.channels() * shape.spatial(), NANOS);
  }

  void backward(
      WorkerPool pool, Scratch scratch, BatchNormShape shape, boolean integer, BufferImpl y, BufferImpl gammaOrNull, BufferImpl mean, BufferImpl inv,
      BufferImpl gradOutput, BitMatrixImpl maskOrNull, BufferImpl gradInput, BufferImpl gradGammaOrNull, BufferImpl gradBetaOrNull) {
    sums.gradients(pool, scratch, shape, integer, y, mean, inv, gradOutput, maskOrNull, gradGammaOrNull, gradBetaOrNull);
    operands(Kind.BACKWARD, shape, integer, y, gammaOrNull, mean);
    this.inv = inv;
    gradient = gradOutput;
    mask = maskOrNull;
    out = gradInput;
    start(pool, scratch, shape.batch(), shape.channels() * shape.spatial(), NANOS);
  }

  private void operands(Kind newKind, BatchNormShape newShape, boolean newInteger, BufferImpl newY, BufferImpl newGamma, BufferImpl newMean) {
    kind = newKind;
    shape = newShape;
    integer = newInteger;
    y = newY;
    gamma = newGamma;
    mean = newMean;
  }

  @Override
  void clear() {
    shape = null;
    y = null;
    gamma = null;
    beta = null;
    mean = null;
    inv = null;
    variance = null;
    out = null;
    sign = null;
    mask = null;
    gradient = null;
  }

  @Override
  void operands(Scratch scratch) {
    Operand[] o = scratch.operand;
    if (!integer) {
      o[Y].set(y);
    }
    set(o[MEAN], mean);
    set(o[INV], inv);
    set(o[VARIANCE], variance);
    set(o[GAMMA], gamma);
    set(o[BETA], beta);
    set(o[OUT], out);
    set(o[GRADIENT], gradient);
  }

  private static void set(Operand operand, BufferImpl bufferOrNull) {
    if (bufferOrNull != null) {
      operand.set(bufferOrNull);
    }
  }

  @Override
  void piece(int row, int at, int n, Scratch scratch) {
    float[][] c = scratch.chunk;
    constants(at, n, scratch);
    long element = (long) row * shape.channels() * shape.spatial() + at;
    load(y, integer, scratch.operand[Y], element, c[Y], 0, n);
    if (kind == Kind.BACKWARD) {
      scratch.operand[GRADIENT].load(element, c[GRADIENT], 0, n);
      if (mask != null) {
        BitRows.mask(BitRows.words(mask), BitRows.start(mask, row), at, n, c[GRADIENT], 0);
      }
      float inverse = (float) (1.0 / shape.values());
      if (gamma != null) {
        LinearTile.product(c[GAMMA], c[INV], c[GAMMA], n);
      }
      float[] a = gamma == null ? c[INV] : c[GAMMA];
      gradients(c[Y], c[MEAN], c[INV], a, c[GRADIENT], c[SUM], c[BETA], inverse, n);
      scratch.operand[OUT].store(element, c[GRADIENT], 0, n);
      return;
    }
    normalise(c[Y], c[MEAN], c[INV], n);
    if (gamma != null) {
      scale(c[Y], c[GAMMA], c[BETA], n);
    }
    put(row, at, n, element, scratch);
  }

  private void put(int row, int at, int n, long element, Scratch scratch) {
    float[] values = scratch.chunk[Y];
    if (out != null) {
      scratch.operand[OUT].store(element, values, 0, n);
    }
    if (sign != null) {
      scratch.tiles().packer.signs(values, 0, n, BitRows.words(sign), BitRows.start(sign, row) + (at >> 6));
      if (endsRow(at + n)) {
        BitRows.pad(sign, row);
      }
    }
    if (mask != null) {
      scratch.tiles().packer.within(values, 0, n, BitRows.words(mask), BitRows.start(mask, row) + (at >> 6));
      if (endsRow(at + n)) {
        BitRows.pad(mask, row);
      }
    }
  }

  /** target[to..to+n) = values from {@code at} on; the operand is that of y if it is fp32. */
  static void load(BufferImpl y, boolean integer, Operand operand, long at, float[] target, int to, int n) {
    if (integer) {
      int[] ints = ((JavaMemory) y.memory()).ints();
      int from = (int) (y.byteOffset() / Integer.BYTES + at);
      for (int i = 0; i < n; i++) {
        target[to + i] = ints[from + i];
      }
    } else {
      operand.load(at, target, to, n);
    }
  }

  /** The constants of columns at..at+n-1, one a column. */
  private void constants(int at, int n, Scratch scratch) {
    Operand[] o = scratch.operand;
    spread(o[MEAN], MEAN, at, n, scratch);
    if (kind == Kind.INFERENCE) {
      spread(o[VARIANCE], INV, at, n, scratch);
      invert(scratch.chunk[INV], eps, n);
    } else {
      spread(o[INV], INV, at, n, scratch);
    }
    if (gamma != null) {
      spread(o[GAMMA], GAMMA, at, n, scratch);
    }
    if (beta != null) {
      spread(o[BETA], BETA, at, n, scratch);
    }
    if (kind == Kind.BACKWARD) {
      spread(sums.firsts(), scratch.chunk[SUM], at, n);
      spread(sums.seconds(), scratch.chunk[BETA], at, n);
    }
  }

  private void spread(Operand source, int chunk, int at, int n, Scratch scratch) {
    float[] target = scratch.chunk[chunk];
    int spatial = shape.spatial();
    if (spatial == 1) {
      source.load(at, target, 0, n);
      return;
    }
    for (int i = 0; i < n; ) {
      int channel = (at + i) / spatial;
      int end = (int) Math.min(n, (channel + 1L) * spatial - at);
      Arrays.fill(target, i, end, source.get(channel));
      i = end;
    }
  }

  private void spread(float[] source, float[] target, int at, int n) {
    int spatial = shape.spatial();
    if (spatial == 1) {
      System.arraycopy(source, at, target, 0, n);
      return;
    }
    for (int i = 0; i < n; ) {
      int channel = (at + i) / spatial;
      int end = (int) Math.min(n, (channel + 1L) * spatial - at);
      Arrays.fill(target, i, end, source[channel]);
      i = end;
    }
  }

  private static void invert(float[] variance, double eps, int n) {
    for (int i = 0; i < n; i++) {
      variance[i] = (float) (1.0 / Math.sqrt(variance[i] + eps));
    }
  }

  private static void normalise(float[] y, float[] mean, float[] inv, int n) {
    for (int i = 0; i < n; i++) {
      y[i] = (y[i] - mean[i]) * inv[i];
    }
  }

  private static void scale(float[] x, float[] gamma, float[] beta, int n) {
    for (int i = 0; i < n; i++) {
      x[i] = gamma[i] * x[i] + beta[i];
    }
  }

  private static void gradients(
      float[] y, float[] mean, float[] inv, float[] a, float[] d, float[] s1, float[] s2, float inverse, int n) {
    for (int i = 0; i < n; i++) {
      float xh = (y[i] - mean[i]) * inv[i];
      d[i] = a[i] * ((d[i] - s1[i] * inverse) - xh * (s2[i] * inverse));
    }
  }
}
