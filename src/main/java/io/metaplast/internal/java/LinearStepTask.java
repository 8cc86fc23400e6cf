package io.metaplast.internal.java;

import io.metaplast.bayes.LinearShape;
import io.metaplast.internal.BufferImpl;
import io.metaplast.internal.spi.RuleRows;
import java.util.Arrays;

/**
 * linearStep: backward pass and update of a layer, one pass over mu and sigma. Without dx a unit is a tile of rows. With dx a unit is a
 * block of columns, because dx adds up over rows in ascending order; blocks are wide, as the random numbers of a short piece of a row cost
 * relatively more.
 */
final class LinearStepTask extends ParallelTask {
  private static final int MIN_COLUMNS = 256;

  // operands
  private static final int MU = 0;
  private static final int SIGMA = 1;
  private static final int LOW = 2;
  private static final int X = 3;
  private static final int DELTA = 4;
  private static final int ACTIVE = 5;
  private static final int EPSILON = 6;
  private static final int DX = 7;
  // chunks, besides MU, SIGMA, LOW, X, DELTA and DX
  private static final int Z = 5;
  private static final int W = 6;
  private static final int GRAD_MEAN = 8;
  private static final int GRAD_SIGMA = 9;

  private BufferImpl mu;
  private BufferImpl sigma;
  private BufferImpl low; // or null
  private BufferImpl x;
  private BufferImpl delta;
  private BufferImpl active; // or null
  private BufferImpl epsilon; // or null
  private BufferImpl dx; // or null
  private BufferImpl report; // or null
  private LinearShape shape;
  private RuleRows rows;
  private int row;
  private int randomStream;
  private long seed;
  private int step;
  private int columns; // of a unit

  void run(
      WorkerPool pool, Scratch scratch, BufferImpl mu, BufferImpl sigma, BufferImpl lowOrNull, int tensorNumber, LinearShape shape,
      BufferImpl x, BufferImpl delta, BufferImpl activeOrNull, BufferImpl epsilonOrNull, long seed, int step, RuleRows rows, int row,
      BufferImpl dxOrNull, BufferImpl reportOrNull) {
    this.mu = mu;
    this.sigma = sigma;
    this.low = lowOrNull;
    this.x = x;
    this.delta = delta;
    this.active = activeOrNull;
    this.epsilon = epsilonOrNull;
    this.dx = dxOrNull;
    this.report = reportOrNull;
    this.shape = shape;
    this.rows = rows;
    this.row = row;
    this.randomStream = tensorNumber << 8;
    this.seed = seed;
    this.step = step;
    int in = shape.in();
    int share = (in + pool.threads() - 1) / pool.threads();
    columns = dx == null || pool.threads() == 1 ? in : Math.min(in, Math.max(MIN_COLUMNS, (share + 15) & -16));
    long units = dx == null ? (shape.out() + LinearTile.rows(in) - 1L) / LinearTile.rows(in) : (in + columns - 1L) / columns;
    try {
      pool.run(this, units, GaussianSource.NANOS * shape.samples() * shape.weights() / units, scratch);
    } finally {
      clear();
    }
  }

  @Override
  void clear() {
    mu = null;
    sigma = null;
    low = null;
    x = null;
    delta = null;
    active = null;
    epsilon = null;
    dx = null;
    report = null;
    shape = null;
    rows = null;
  }

  @Override
  void run(long from, long to, Scratch scratch) {
    Operand[] o = scratch.operand;
    o[MU].set(mu);
    o[SIGMA].set(sigma);
    o[X].set(x);
    o[DELTA].set(delta);
    set(o[LOW], low);
    set(o[ACTIVE], active);
    set(o[EPSILON], epsilon);
    set(o[DX], dx);
    scratch.rule.load(rows, row);
    int tileRows = LinearTile.rows(columns);
    for (long unit = from; unit < to; unit++) {
      if (dx == null) {
        int first = (int) (unit * tileRows);
        rows(first, Math.min(first + tileRows, shape.out()), 0, shape.in(), scratch);
      } else {
        int left = (int) (unit * columns);
        int right = Math.min(left + columns, shape.in());
        clearDx(left, right, scratch);
        rows(0, shape.out(), left, right, scratch);
      }
    }
  }

  private static void set(Operand operand, BufferImpl bufferOrNull) {
    if (bufferOrNull != null) {
      operand.set(bufferOrNull);
    }
  }

  private void clearDx(int left, int right, Scratch scratch) {
    float[] zeros = scratch.chunk[DX];
    Arrays.fill(zeros, 0f);
    for (int k = 0; k < shape.samples(); k++) {
      for (int i = left; i < right; i += Scratch.CHUNK) {
        scratch.operand[DX].store((long) k * shape.in() + i, zeros, 0, Math.min(Scratch.CHUNK, right - i));
      }
    }
  }

  /** Rows first..end-1, columns left..right-1, in tiles. */
  private void rows(int first, int end, int left, int right, Scratch scratch) {
    int width = right - left;
    int tileRows = width == shape.in() ? LinearTile.rows(width) : 1;
    for (int o = first; o < end; o += tileRows) {
      for (int i = left; i < right; i += Scratch.CHUNK) {
        tile(o, Math.min(tileRows, end - o), i, Math.min(Scratch.CHUNK, right - i), scratch);
      }
    }
  }

  /** {@code tileRows} rows from o, {@code width} columns from i; several rows only if they are whole. */
  private void tile(int o, int tileRows, int i, int width, Scratch scratch) {
    long first = (long) o * shape.in() + i;
    int n = tileRows * width;
    Operand[] operand = scratch.operand;
    float[][] c = scratch.chunk;
    operand[MU].load(first, c[MU], 0, n);
    operand[SIGMA].load(first, c[SIGMA], 0, n);
    Arrays.fill(c[GRAD_MEAN], 0, n, 0f);
    Arrays.fill(c[GRAD_SIGMA], 0, n, 0f);
    for (int k = 0; k < shape.samples(); k++) {
      if (inputs(k, o, tileRows, i, width, scratch)) {
        if (epsilon == null) {
          scratch.gaussian.normals(seed, randomStream + k, step, first, n, c[Z]);
        } else {
          operand[EPSILON].load(k * shape.weights() + first, c[Z], 0, n);
          clearUncounted(tileRows, width, scratch);
        }
        LinearTile.accumulate(c[DELTA], c[X], c[Z], c[GRAD_MEAN], c[GRAD_SIGMA], n);
        if (dx != null) {
          LinearTile.weights(c[MU], c[SIGMA], c[Z], c[W], n);
          addToDx(k, tileRows, i, width, scratch);
        }
      }
    }
    update(first, n, scratch);
  }

  /**
   * Spreads delta and x of sample k over the tile; false if all deltas are 0. Where delta is 0, x becomes 0 too: it must not count even if
   * it is not finite.
   */
  private boolean inputs(int k, int o, int tileRows, int i, int width, Scratch scratch) {
    boolean any = false;
    float[][] c = scratch.chunk;
    for (int r = 0; r < tileRows; r++) {
      float d = delta(k, o + r, scratch);
      int at = r * width;
      Arrays.fill(c[DELTA], at, at + width, d);
      if (d != 0f) {
        any = true;
        long inputRow = shape.sharedInput() ? 0 : (long) k * shape.in();
        scratch.operand[X].load(inputRow + i, c[X], at, width);
      } else {
        Arrays.fill(c[X], at, at + width, 0f);
      }
    }
    return any;
  }

  /** A stored epsilon that is not finite must not count where delta is 0, either. */
  private static void clearUncounted(int tileRows, int width, Scratch scratch) {
    for (int r = 0; r < tileRows; r++) {
      if (scratch.chunk[DELTA][r * width] == 0f) {
        Arrays.fill(scratch.chunk[Z], r * width, (r + 1) * width, 0f);
      }
    }
  }

  private float delta(int k, int o, Scratch scratch) {
    long at = (long) k * shape.out() + o;
    boolean counts = active == null || scratch.operand[ACTIVE].get(at) > 0f;
    return counts ? scratch.operand[DELTA].get(at) : 0f;
  }

  private void addToDx(int k, int tileRows, int i, int width, Scratch scratch) {
    float[][] c = scratch.chunk;
    long target = (long) k * shape.in() + i;
    for (int r = 0; r < tileRows; r++) {
      int at = r * width;
      float d = c[DELTA][at];
      if (d != 0f) {
        scratch.operand[DX].load(target, c[DX], at, width);
        LinearTile.addScaled(d, c[W], c[DX], at, at + width);
        scratch.operand[DX].store(target, c[DX], at, width);
      }
    }
  }

  private void update(long first, int n, Scratch scratch) {
    Operand[] operand = scratch.operand;
    float[][] c = scratch.chunk;
    if (low != null) {
      operand[LOW].load(first, c[LOW], 0, n);
    }
    scratch.rule.apply(c[MU], c[SIGMA], low == null ? null : c[LOW], c[GRAD_MEAN], c[GRAD_SIGMA], 0, n, c[W]);
    operand[MU].store(first, c[MU], 0, n);
    operand[SIGMA].store(first, c[SIGMA], 0, n);
    if (low != null) {
      operand[LOW].store(first, c[LOW], 0, n);
    }
    if (report != null) {
      ReportWords.add(report, ReportWords.SIGMA_NOT_POSITIVE, Positive.violations(c[SIGMA], 0, n, c[W]));
    }
  }
}
