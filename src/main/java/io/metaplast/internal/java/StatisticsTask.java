package io.metaplast.internal.java;

import io.metaplast.F32Matrix;
import io.metaplast.RealMatrix;
import io.metaplast.internal.BufferImpl;
import io.metaplast.kfac.Im2colShape;
import io.metaplast.kfac.Sharing;
import java.util.Arrays;

/**
 * F = beta F + alpha S for the statistics S of the rows of X, which are a matrix or the patches of an image batch. A unit is a tile of the upper triangle; it reads and writes the
 * mirrored elements of F too.
 */
final class StatisticsTask extends RealTilesTask {
  // METAPLAST_FACTOR_* of kfac.h
  static final int SECOND_MOMENT = 0;
  static final int CENTRED = 1;
  static final int MEAN = 2;
  static final int BETWEEN = 3;

  private enum Phase {
    MEANS,
    REDUCE,
    SUMS
  }

  /** Columns of a unit of the column means. */
  private static final int MEAN_COLUMNS = 512;

  private static final double NANOS_PER_MEAN = 1;
  private static final double NANOS_PER_PATCH = 1.5;

  // operands and chunks
  private static final int X = 0;
  private static final int F = 1;
  private static final int LINE = 2;

  private final FiniteScan scan = new FiniteScan();
  private final PatchRows patches = new PatchRows();
  private Phase phase;
  private int kind;
  private BufferImpl x; // null: rows are those of reduced
  private int ldx;
  private int items; // of an image batch
  private boolean expand; // the rows are patches
  private boolean average;
  private int terms;
  private int cols; // without the bias coordinate
  private int d;
  private float biasValue;
  private float alpha;
  private float beta;
  private BufferImpl f;
  private int ldf;
  private float[] mean = new float[0];
  private float[] reduced = new float[0];
  private BufferImpl image;
  private int lanes;
  private int rowBlocks;

  /** -1, or the place of the first element that is not finite. */
  long update(
      WorkerPool pool, Scratch scratch, int newKind, RealMatrix newX, boolean bias, float newAlpha, float newBeta, F32Matrix factor) {
    BufferImpl data = (BufferImpl) newX.data();
    long bad = scan.run(pool, scratch, data, newX.rows(), newX.cols(), newX.ld());
    if (bad >= 0) {
      return bad;
    }
    kind = newKind;
    x = data;
    ldx = newX.ld();
    expand = false;
    terms = newX.rows();
    result(newX.cols(), bias, 1f, newAlpha, newBeta, factor);
    try {
      if (kind != SECOND_MOMENT) {
        if (mean.length < cols) {
          mean = new float[cols];
        }
        phase = Phase.MEANS;
        pool.run(this, Blocks.count(cols, MEAN_COLUMNS), NANOS_PER_MEAN * MEAN_COLUMNS * terms, scratch);
      }
      sums(pool, scratch);
    } finally {
      clear();
    }
    return -1;
  }

  /** The same for patches; the place is one in newX. */
  long patches(
      WorkerPool pool, Scratch scratch, Im2colShape shape, BufferImpl newX, boolean bias, float newAlpha, float newBeta, F32Matrix factor) {
    int batch = shape.geometry().batch();
    long bad = scan.run(pool, scratch, newX, batch, shape.geometry().inputs(), shape.geometry().inputs());
    if (bad >= 0) {
      return bad;
    }
    kind = SECOND_MOMENT;
    patches.set(shape);
    items = batch;
    int groups = shape.geometry().groups();
    expand = shape.sharing() == Sharing.EXPAND;
    average = shape.sharing() == Sharing.REDUCE_MEAN;
    long rows = groups * shape.rows();
    if (rows > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(rows + " rows of patches exceed the limit of the JAVA backend, " + Integer.MAX_VALUE);
    }
    terms = (int) rows;
    result(shape.cols(), bias, shape.sharing() == Sharing.REDUCE_SUM ? patches.positions() : 1f, newAlpha, newBeta, factor);
    try {
      if (expand) {
        x = newX;
      } else {
        reduce(pool, scratch, newX);
      }
      sums(pool, scratch);
    } finally {
      clear();
    }
    return -1;
  }

  private void result(int newCols, boolean bias, float newBiasValue, float newAlpha, float newBeta, F32Matrix factor) {
    cols = newCols;
    d = bias ? cols + 1 : cols;
    biasValue = newBiasValue;
    alpha = newAlpha;
    beta = newBeta;
    f = (BufferImpl) factor.data();
    ldf = factor.ld();
  }

  private void reduce(WorkerPool pool, Scratch scratch, BufferImpl newX) {
    long elements = (long) terms * cols;
    if (elements > JavaMemory.MAX_ELEMENTS) {
      throw new IllegalArgumentException(elements + " elements of reduced patches exceed the limit of the JAVA backend, " + JavaMemory.MAX_ELEMENTS);
    }
    if (reduced.length < elements) {
      reduced = new float[(int) elements];
    }
    image = newX;
    phase = Phase.REDUCE;
    pool.run(this, terms, NANOS_PER_PATCH * cols * patches.positions(), scratch);
    x = null;
    ldx = cols;
  }

  private void sums(WorkerPool pool, Scratch scratch) {
    phase = Phase.SUMS;
    lanes = Blocks.lanes(d, pool.threads());
    rowBlocks = Blocks.count(d, TALL);
    long units = (long) rowBlocks * Blocks.count(d, lanes);
    int length = kind == MEAN ? 0 : terms;
    pool.run(this, units, NANOS_PER_TERM * Math.min(d, TALL) * Math.min(lanes, d) * (length + 1.0) / 2, scratch);
  }

  @Override
  void clear() {
    x = null;
    f = null;
    image = null;
    patches.clear();
  }

  @Override
  void run(long from, long to, Scratch scratch) {
    for (long unit = from; unit < to; unit++) {
      switch (phase) {
        case MEANS -> means((int) unit * MEAN_COLUMNS, scratch);
        case REDUCE -> reduceRow((int) unit, scratch);
        case SUMS -> part((int) (unit % rowBlocks) * TALL, (int) (unit / rowBlocks) * lanes, scratch);
      }
    }
  }

  /** The tile's part of the upper triangle. */
  private void part(int row, int firstColumn, Scratch scratch) {
    int column = Math.max(row, firstColumn);
    int end = Math.min(d, firstColumn + lanes);
    if (column >= end) {
      return;
    }
    if (x != null) {
      scratch.operand[X].set(x);
    } else {
      scratch.operand[X].set(reduced);
    }
    scratch.operand[F].set(f);
    tile(row, Math.min(TALL, d - row), column, end - column, kind == MEAN ? 0 : terms, scratch);
  }

  /** Column means in double, rounded once. */
  private void means(int column, Scratch scratch) {
    int n = Math.min(MEAN_COLUMNS, cols - column);
    Operand o = scratch.operand[X];
    o.set(x);
    float[] line = scratch.chunk[LINE];
    double[] sum = scratch.doubles();
    Arrays.fill(sum, 0, n, 0);
    for (int r = 0; r < terms; r++) {
      o.load((long) r * ldx + column, line, 0, n);
      for (int j = 0; j < n; j++) {
        sum[j] += line[j];
      }
    }
    for (int j = 0; j < n; j++) {
      mean[column + j] = (float) (sum[j] / terms);
    }
  }

  /** Row (group, item): its patches summed in double, or averaged. */
  private void reduceRow(int row, Scratch scratch) {
    Operand o = scratch.operand[X];
    o.set(image);
    int group = row / items;
    int item = row % items;
    int positions = patches.positions();
    double[] sum = scratch.doubles();
    float[] line = scratch.chunk[LINE];
    for (int column = 0; column < cols; column += Scratch.CHUNK) {
      int n = Math.min(Scratch.CHUNK, cols - column);
      Arrays.fill(sum, 0, n, 0);
      for (int p = 0; p < positions; p++) {
        patches.patch(o, group, item, p, column, n, line, 0);
        for (int j = 0; j < n; j++) {
          sum[j] += line[j];
        }
      }
      for (int j = 0; j < n; j++) {
        reduced[row * cols + column + j] = (float) (average && positions > 0 ? sum[j] / positions : sum[j]);
      }
    }
  }

  @Override
  void factors(int row, int tall, int t, int here, float[] factor, Scratch scratch) {
    float[] line = scratch.chunk[LINE];
    for (int k = 0; k < here; k++) {
      load(t + k, row, tall, line, scratch);
      for (int r = 0; r < tall; r++) {
        factor[r * Tiles.TERMS + k] = line[r];
      }
    }
  }

  @Override
  void terms(int t, int here, int column, int n, float[][] term, Scratch scratch) {
    for (int k = 0; k < here; k++) {
      load(t + k, column, n, term[k], scratch);
    }
  }

  /** target[0..n) = columns column.. of a row, as its kind of statistics has it. */
  private void load(int t, int column, int n, float[] target, Scratch scratch) {
    Operand o = scratch.operand[X];
    int real = Math.min(n, cols - column);
    if (expand) {
      int positions = patches.positions();
      int row = t / positions;
      patches.patch(o, row / items, row % items, t % positions, column, real, target, 0);
    } else {
      o.load((long) t * ldx + column, target, 0, real);
    }
    if (real < n) {
      target[Math.max(0, real)] = biasValue;
    }
    if (kind != SECOND_MOMENT) {
      subtract(target, mean, column, real);
    }
  }

  private static void subtract(float[] target, float[] mean, int column, int n) {
    for (int j = 0; j < n; j++) {
      target[j] = target[j] - mean[column + j];
    }
  }

  @Override
  void put(int row, int column, float[] sum, int n, Scratch scratch) {
    int skip = Math.min(n, Math.max(0, row - column)); // left of the diagonal
    for (int j = skip; j < n; j++) {
      sum[j] = scaled(sum[j], row, column + j);
    }
    Operand o = scratch.operand[F];
    for (int j = skip; j < n; j++) {
      long mirror = (long) (column + j) * ldf + row;
      if (beta != 0) {
        sum[j] = beta * o.get(mirror) + sum[j];
      }
      o.put(mirror, sum[j]);
    }
    o.store((long) row * ldf + column + skip, sum, skip, n - skip);
  }

  /** alpha S of one element. */
  private float scaled(float sum, int row, int column) {
    double n = terms;
    return switch (kind) {
      case CENTRED -> (float) (alpha * (sum / n));
      case MEAN -> alpha * (mean[row] * mean[column]);
      case BETWEEN -> (float) (alpha * ((double) mean[row] * mean[column] - sum / (n * (n - 1))));
      default -> alpha * sum;
    };
  }
}
