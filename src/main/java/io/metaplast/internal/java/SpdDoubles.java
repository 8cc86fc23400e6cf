package io.metaplast.internal.java;

import java.util.Arrays;

/**
 * A symmetric matrix on its way to its inverse, in double arithmetic: an array a row, because loops over rows vectorise only where all of them share one index. In place, three passes:
 * M = U'U in the upper triangle; V = U^-1 there, from the last rows on; then V turned into the lower triangle, W = V', and X = W'W there.
 *
 * <p>A pass goes through strips of 3 rows in blocks of 24 in blocks of 192; what is done is added to the rows that remain in the block around. The terms of a block are summed from 0 and
 * then added: the rounding errors of long sums would grow with n. Rows are added to in pairs that share their columns, so a sum may reach past the diagonal by a column, where the other
 * triangle is not in use. Nothing depends on how the rows are shared out.
 *
 * <p>{@link SpdFloats} is the same for the other element type: Java has no type parameter for elements of arrays, and every method here touches them.
 */
final class SpdDoubles extends ParallelTask {
  /** Which columns of a row take part. */
  private enum Pass {
    FACTOR, // from the diagonal on
    INVERT, // from the first term's row on
    PRODUCT // up to the diagonal
  }

  private static final int STRIP = 3;
  private static final int BLOCK = 24;
  private static final int LARGE = 192;

  /** Terms that are added to all rows of a group in turn; they stay in the first cache level. */
  private static final int TERMS = 6;

  /** Rows of a group, a unit of work; their sums stay in the second cache level. */
  private static final int GROUP = 32;

  private static final int TURN = 16;
  private static final double NANOS_PER_TERM = 0.02;

  /** What a thread needs to add a block to a group of rows. */
  static final class Sums {
    private final double[] factor = new double[GROUP * BLOCK]; // BLOCK a row
    private final double[][] large = new double[GROUP][];
    private final double[][] block = new double[GROUP][];
    private double[] zeros = new double[0];
    private int capacity;

    private void reserve(int n) {
      if (n > capacity) {
        capacity = 0;
        for (int i = 0; i < GROUP; i++) {
          large[i] = new double[RowLoops.doubles(n)];
        }
        for (int i = 0; i < GROUP; i++) {
          block[i] = new double[RowLoops.doubles(n)];
        }
        zeros = new double[n];
        capacity = n;
      }
    }
  }

  double[][] a = new double[0][];
  private double[] diagonal = new double[0];
  private int capacity;
  private double failedPivot;

  // of the inversion that runs
  private WorkerPool pool; // or null: on this thread
  private Scratch scratch;
  private Sums own;
  private int n;

  // of the rows that are added to
  private Pass pass;
  private int rowsFrom;
  private int rowsTo;
  private int first;
  private int last;

  /** Room for n rows of n elements. */
  void reserve(int size) {
    if (size > capacity) {
      capacity = 0; // if memory runs out the old rows are gone
      a = new double[0][];
      double[][] rows = new double[size][];
      for (int i = 0; i < size; i++) {
        rows[i] = new double[RowLoops.doubles(size)];
      }
      a = rows;
      diagonal = new double[size];
      capacity = size;
    }
  }

  /** Says where to run; poolOrNull null: on the calling thread. */
  void use(int size, WorkerPool poolOrNull, Scratch callers) {
    n = size;
    pool = poolOrNull;
    scratch = callers;
    own = callers.doublesSums();
    own.reserve(size);
  }

  @Override
  void clear() {
    pool = null;
    scratch = null;
    own = null;
  }

  double failedPivot() {
    return failedPivot;
  }

  /** Keeps the diagonal for the pivot rule and turns the lower triangle into the upper one. */
  void prepare() {
    for (int i = 0; i < n; i++) {
      diagonal[i] = a[i][i];
    }
    turnUp();
  }

  /** The upper triangle = the lower one. */
  void turnUp() {
    for (int i0 = 0; i0 < n; i0 += TURN) {
      for (int j0 = 0; j0 <= i0; j0 += TURN) {
        int iEnd = Math.min(n, i0 + TURN);
        for (int j = j0; j < Math.min(n, j0 + TURN); j++) {
          double[] to = a[j];
          for (int i = Math.max(i0, j); i < iEnd; i++) {
            to[i] = a[i][j];
          }
        }
      }
    }
  }

  /** The lower triangle = the upper one. */
  private void turnDown() {
    for (int i0 = 0; i0 < n; i0 += TURN) {
      for (int j0 = 0; j0 <= i0; j0 += TURN) {
        int jEnd = Math.min(n, j0 + TURN);
        for (int i = i0; i < Math.min(n, i0 + TURN); i++) {
          double[] to = a[i];
          for (int j = j0; j < Math.min(jEnd, i); j++) {
            to[j] = a[j][i];
          }
        }
      }
    }
  }

  private static int step(int rows) {
    return rows > LARGE ? LARGE : rows > BLOCK ? BLOCK : STRIP;
  }

  /** U of the upper triangle: 0, or the order whose pivot failed. */
  int factor() {
    return factor(0, n);
  }

  /** Rows from..to-1, to which all rows before were added. */
  private int factor(int from, int to) {
    if (to - from <= STRIP) {
      return factorStrip(from, to);
    }
    int step = step(to - from);
    for (int at = from; at < to; at += step) {
      int end = Math.min(to, at + step);
      int status = factor(at, end);
      if (status != 0) {
        return status;
      }
      addTo(Pass.FACTOR, end, to, at, end);
    }
    return 0;
  }

  private int factorStrip(int from, int to) {
    for (int i = from; i < to; i++) {
      columnFactors(own.factor, i, i + 1, from, i, -1);
      RowLoops.add(a[i], a, from, i - from, own.factor, 0, i, n);
      double pivot = a[i][i];
      if (!(pivot > 0x1p-50 * diagonal[i])) {
        failedPivot = pivot;
        return i + 1;
      }
      RowLoops.scale(a[i], 1 / Math.sqrt(pivot), i, n);
    }
    return 0;
  }

  /** U becomes its inverse. */
  void invertFactor() {
    invertFactor(0, n);
  }

  /** Rows from..to-1, to which all rows behind were added; left of the diagonal they become 0 from column from on. */
  private void invertFactor(int from, int to) {
    if (to - from <= STRIP) {
      for (int i = to - 1; i >= from; i--) {
        double[] row = a[i];
        double inverse = 1 / row[i];
        rowFactors(own.factor, i, i + 1, i + 1, to);
        RowLoops.add(row, a, i + 1, to - i - 1, own.factor, 0, i + 1, n);
        RowLoops.scale(row, inverse, i + 1, n);
        row[i] = inverse;
        Arrays.fill(row, from, i, 0);
      }
      return;
    }
    int step = step(to - from);
    for (int at = from + (to - from - 1) / step * step; at >= from; at -= step) {
      int end = Math.min(to, at + step);
      invertFactor(at, end);
      addTo(Pass.INVERT, from, at, at, end);
      for (int i = at; i < end; i++) {
        Arrays.fill(a[i], from, at, 0);
      }
    }
  }

  /** V of the upper triangle becomes X = V V', both triangles. */
  void product() {
    turnDown();
    product(0, n);
    turnUp();
  }

  /** Rows from..to-1, from which nothing is added yet to each other. */
  private void product(int from, int to) {
    if (to - from <= STRIP) {
      for (int i = from; i < to; i++) {
        columnFactors(own.factor, i, i + 1, i + 1, to, 1);
        RowLoops.scale(a[i], a[i][i], 0, i + 1);
        RowLoops.add(a[i], a, i + 1, to - i - 1, own.factor, 0, 0, i + 1);
      }
      return;
    }
    int step = step(to - from);
    for (int at = from; at < to; at += step) {
      int end = Math.min(to, at + step);
      addTo(Pass.PRODUCT, from, at, at, end);
      product(at, end);
    }
  }

  /** Adds rows newFirst..newLast-1 to rows i..to-1. */
  private void addTo(Pass newPass, int i, int to, int newFirst, int newLast) {
    pass = newPass;
    rowsFrom = i;
    rowsTo = to;
    first = newFirst;
    last = newLast;
    int groups = Blocks.count(to - i, GROUP);
    if (pool == null || last - first < BLOCK) {
      for (int g = 0; g < groups; g++) {
        addTo(g, own);
      }
    } else {
      pool.run(this, groups, NANOS_PER_TERM * GROUP * (last - first) * n, scratch);
    }
  }

  @Override
  void run(long from, long to, Scratch threads) {
    Sums sums = threads.doublesSums();
    sums.reserve(n);
    for (long unit = from; unit < to; unit++) {
      addTo((int) unit, sums);
    }
  }

  /** One group: blocks of terms are summed, and the sums of the blocks. */
  private void addTo(int group, Sums sums) {
    int i = rowsFrom + group * GROUP;
    int to = Math.min(rowsTo, i + GROUP);
    if (last - first <= STRIP) {
      factors(sums.factor, i, to, first, last);
      addTerms(a, 0, i, to, first, last, sums.factor);
      return;
    }
    for (int k = first; k < last; k += BLOCK) {
      int end = Math.min(last, k + BLOCK);
      double[][] target = k > first ? sums.block : sums.large;
      factors(sums.factor, i, to, k, end);
      for (int r = i; r < to; r++) {
        int from = from(r - (r - i) % 2); // the pair's columns
        System.arraycopy(sums.zeros, 0, target[r - i], from, Math.min(n, end(r + 1)) - from);
      }
      addTerms(target, i, i, to, k, end, sums.factor);
      for (int r = i; k > first && r < to; r++) {
        RowLoops.add(sums.large[r - i], sums.block[r - i], from(r), end(r));
      }
    }
    for (int r = i; r < to; r++) {
      RowLoops.add(a[r], sums.large[r - i], from(r), end(r));
    }
  }

  /** Adds rows from..end-1, times the factors, to rows i..to-1 of the target, in which row i is row i - shift. */
  private void addTerms(double[][] target, int shift, int i, int to, int from, int end, double[] factor) {
    for (int k = from; k < end; k += TERMS) {
      int terms = Math.min(TERMS, end - k);
      int at = k - from;
      int r = i;
      for (; r + 1 < to; r += 2, at += 2 * BLOCK) {
        int column = pass == Pass.INVERT ? k : from(r);
        RowLoops.add2(n, target[r - shift], target[r + 1 - shift], a, k, terms, factor, at, at + BLOCK, column, end(r + 1));
      }
      if (r < to) {
        RowLoops.add(target[r - shift], a, k, terms, factor, at, pass == Pass.INVERT ? k : from(r), end(r));
      }
    }
  }

  private int from(int row) {
    return switch (pass) {
      case FACTOR -> row;
      case INVERT -> first;
      case PRODUCT -> 0;
    };
  }

  private int end(int row) {
    return pass == Pass.PRODUCT ? row + 1 : n;
  }

  private void factors(double[] factor, int i, int to, int from, int end) {
    if (pass == Pass.INVERT) {
      rowFactors(factor, i, to, from, end);
    } else {
      columnFactors(factor, i, to, from, end, pass == Pass.FACTOR ? -1 : 1);
    }
  }

  /** The factors of rows i..to-1: sign times their columns in rows from..end-1. */
  private void columnFactors(double[] factor, int i, int to, int from, int end, int sign) {
    for (int k = from; k < end; k++) {
      double[] row = a[k];
      int at = k - from;
      for (int r = i; r < to; r++, at += BLOCK) {
        factor[at] = sign * row[r];
      }
    }
  }

  /** The factors of rows i..to-1: minus their columns from..end-1, which become 0. */
  private void rowFactors(double[] factor, int i, int to, int from, int end) {
    int at = 0;
    for (int r = i; r < to; r++, at += BLOCK) {
      double[] row = a[r];
      for (int k = from; k < end; k++) {
        factor[at + k - from] = -row[k];
        row[k] = 0;
      }
    }
  }

  /** The three passes: 0, or the order whose pivot failed. */
  int invert() {
    int status = factor();
    if (status == 0) {
      invertFactor();
      product();
    }
    return status;
  }
}
