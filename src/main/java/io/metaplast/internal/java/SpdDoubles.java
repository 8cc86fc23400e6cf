package io.metaplast.internal.java;

import java.util.Arrays;

/**
 * A symmetric matrix on its way to its inverse, in double arithmetic: an array a row, because loops over rows vectorise only where all of them share one index. In place, three passes:
 * M = U'U in the upper triangle; V = U^-1 there, from the last rows on; then V turned into the lower triangle, W = V', and X = W'W there. A pass goes through blocks of rows, whose rows are
 * the terms that it adds to the others, and through strips of a block. A sum may reach past the diagonal by a column, where the other triangle is not in use.
 */
final class SpdDoubles {
  /** Rows of a strip inside of a block. */
  private static final int STRIP = 3;

  /** Terms that are added to all rows of a group in turn; they stay in the first cache level. */
  private static final int TERMS = 6;

  /** Rows of a block: the rows that it is added to are read once a block. */
  private static final int BLOCK = 48;

  /** Rows that a block is added to at a time, strip by strip; they stay in the second cache level. */
  private static final int GROUP = 64;

  private static final int TURN = 16;

  double[][] a = new double[0][];
  private double[] diagonal = new double[0];
  private final double[] factor = new double[GROUP * BLOCK]; // of a group, BLOCK a row
  private int capacity;
  private double failedPivot;

  /** Room for n rows of n elements. */
  void reserve(int n) {
    if (n > capacity) {
      capacity = 0; // if memory runs out the old rows are gone
      a = new double[0][];
      double[][] rows = new double[n][];
      for (int i = 0; i < n; i++) {
        rows[i] = new double[RowLoops.doubles(n)];
      }
      a = rows;
      diagonal = new double[n];
      capacity = n;
    }
  }

  double failedPivot() {
    return failedPivot;
  }

  /** Keeps the diagonal for the pivot rule and turns the lower triangle into the upper one. */
  void prepare(int n) {
    for (int i = 0; i < n; i++) {
      diagonal[i] = a[i][i];
    }
    turnUp(n);
  }

  /** The upper triangle = the lower one. */
  void turnUp(int n) {
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
  private void turnDown(int n) {
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

  /** U of the upper triangle: 0, or the order whose pivot failed. */
  int factor(int n) {
    for (int block = 0; block < n; block += BLOCK) {
      int end = Math.min(n, block + BLOCK);
      for (int strip = block; strip < end; strip += STRIP) {
        int to = Math.min(end, strip + STRIP);
        for (int i = strip; i < to; i++) {
          columnFactors(i, i + 1, strip, i, -1);
          RowLoops.add(a[i], a, strip, i - strip, factor, 0, i, n);
          double pivot = a[i][i];
          if (!(pivot > 0x1p-50 * diagonal[i])) {
            failedPivot = pivot;
            return i + 1;
          }
          RowLoops.scale(a[i], 1 / Math.sqrt(pivot), i, n);
        }
        eliminate(to, end, strip, to, n);
      }
      for (int i = end; i < n; i += GROUP) {
        eliminate(i, Math.min(n, i + GROUP), block, end, n);
      }
    }
    return 0;
  }

  /** Takes rows first..last-1 of U from rows i..to-1, from the diagonal on. */
  private void eliminate(int i, int to, int first, int last, int n) {
    columnFactors(i, to, first, last, -1);
    for (int k = first; k < last; k += TERMS) {
      int terms = Math.min(TERMS, last - k);
      int at = k - first;
      int r = i;
      for (; r + 1 < to; r += 2, at += 2 * BLOCK) {
        RowLoops.add2(a[r], a[r + 1], a, k, terms, factor, at, at + BLOCK, r, n);
      }
      if (r < to) {
        RowLoops.add(a[r], a, k, terms, factor, at, r, n);
      }
    }
  }

  /** The factors of rows i..to-1: sign times their columns in rows first..last-1. */
  private void columnFactors(int i, int to, int first, int last, int sign) {
    for (int k = first; k < last; k++) {
      double[] row = a[k];
      int at = k - first;
      for (int r = i; r < to; r++, at += BLOCK) {
        factor[at] = sign * row[r];
      }
    }
  }

  /** U becomes its inverse. */
  void invertFactor(int n) {
    for (int end = n; end > 0; end -= BLOCK) {
      int block = Math.max(0, end - BLOCK);
      for (int to = end; to > block; to -= STRIP) {
        int strip = Math.max(block, to - STRIP);
        for (int i = to - 1; i >= strip; i--) {
          double[] row = a[i];
          double inverse = 1 / row[i];
          rowFactors(i, i + 1, i + 1, to);
          RowLoops.add(row, a, i + 1, to - i - 1, factor, 0, i + 1, n);
          RowLoops.scale(row, inverse, i + 1, n);
          row[i] = inverse;
          Arrays.fill(row, block, i, 0);
        }
        substitute(block, strip, strip, to, n);
      }
      for (int i = 0; i < block; i += GROUP) {
        substitute(i, Math.min(block, i + GROUP), block, end, n);
      }
    }
  }

  /** Takes rows first..last-1 of V from rows i..to-1, columns from first on. */
  private void substitute(int i, int to, int first, int last, int n) {
    rowFactors(i, to, first, last);
    for (int k = first; k < last; k += TERMS) {
      int terms = Math.min(TERMS, last - k);
      int at = k - first;
      int r = i;
      for (; r + 1 < to; r += 2, at += 2 * BLOCK) {
        RowLoops.add2(a[r], a[r + 1], a, k, terms, factor, at, at + BLOCK, k, n);
      }
      if (r < to) {
        RowLoops.add(a[r], a, k, terms, factor, at, k, n);
      }
    }
  }

  /** The factors of rows i..to-1: minus their columns first..last-1, which become 0. */
  private void rowFactors(int i, int to, int first, int last) {
    int at = 0;
    for (int r = i; r < to; r++, at += BLOCK) {
      double[] row = a[r];
      for (int k = first; k < last; k++) {
        factor[at + k - first] = -row[k];
        row[k] = 0;
      }
    }
  }

  /** V of the upper triangle becomes X = V V', both triangles. */
  void product(int n) {
    turnDown(n);
    for (int block = 0; block < n; block += BLOCK) {
      int end = Math.min(n, block + BLOCK);
      for (int i = 0; i < block; i += GROUP) {
        multiply(i, Math.min(block, i + GROUP), block, end);
      }
      for (int strip = block; strip < end; strip += STRIP) {
        int to = Math.min(end, strip + STRIP);
        multiply(block, strip, strip, to);
        for (int i = strip; i < to; i++) {
          columnFactors(i, i + 1, i + 1, to, 1);
          RowLoops.scale(a[i], a[i][i], 0, i + 1);
          RowLoops.add(a[i], a, i + 1, to - i - 1, factor, 0, 0, i + 1);
        }
      }
    }
    turnUp(n);
  }

  /** Adds rows first..last-1 of W to rows i..to-1, up to the diagonal. */
  private void multiply(int i, int to, int first, int last) {
    columnFactors(i, to, first, last, 1);
    for (int k = first; k < last; k += TERMS) {
      int terms = Math.min(TERMS, last - k);
      int at = k - first;
      int r = i;
      for (; r + 1 < to; r += 2, at += 2 * BLOCK) {
        RowLoops.add2(a[r], a[r + 1], a, k, terms, factor, at, at + BLOCK, 0, r + 2);
      }
      if (r < to) {
        RowLoops.add(a[r], a, k, terms, factor, at, 0, r + 1);
      }
    }
  }

  /** The three passes: 0, or the order whose pivot failed. */
  int invert(int n) {
    int status = factor(n);
    if (status == 0) {
      invertFactor(n);
      product(n);
    }
    return status;
  }
}
