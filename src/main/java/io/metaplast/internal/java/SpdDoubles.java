package io.metaplast.internal.java;

import java.util.Arrays;

/**
 * A symmetric matrix on its way to its inverse, in double arithmetic: an array a row, because loops over rows vectorise only where all of them share one index. In place, three passes
 * over blocks of rows: M = U'U in the upper triangle; V = U^-1 there, from the last rows on; then V turned into the lower triangle, W = V', and X = W'W there.
 */
final class SpdDoubles {
  /** Rows of a block. */
  static final int BLOCK = 32;

  private static final int TURN = 16;

  double[][] a = new double[0][];
  private double[] diagonal = new double[0];
  private final double[] factor = new double[BLOCK];
  private int capacity;
  private double failedPivot;

  /** Room for n rows of n elements. */
  void reserve(int n) {
    if (n > capacity) {
      capacity = 0; // if memory runs out the old rows are gone
      a = new double[0][];
      double[][] rows = new double[n][];
      for (int i = 0; i < n; i++) {
        rows[i] = new double[RowLoops.length(n)];
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
    for (int from = 0; from < n; from += BLOCK) {
      int to = Math.min(n, from + BLOCK);
      for (int i = from; i < to; i++) {
        double[] row = a[i];
        for (int k = from; k < i; k++) {
          factor[k - from] = -a[k][i];
        }
        RowLoops.add(row, a, from, i - from, factor, i, n);
        double pivot = row[i];
        if (!(pivot > 0x1p-50 * diagonal[i])) {
          failedPivot = pivot;
          return i + 1;
        }
        RowLoops.scale(row, 1 / Math.sqrt(pivot), i, n);
      }
      for (int i = to; i < n; i++) {
        for (int k = from; k < to; k++) {
          factor[k - from] = -a[k][i];
        }
        RowLoops.add(a[i], a, from, to - from, factor, i, n);
      }
    }
    return 0;
  }

  /** U becomes its inverse. */
  void invertFactor(int n) {
    for (int from = (n - 1) / BLOCK * BLOCK; from >= 0; from -= BLOCK) {
      int to = Math.min(n, from + BLOCK);
      for (int i = to - 1; i >= from; i--) {
        double[] row = a[i];
        Arrays.fill(row, from, i, 0);
        double inverse = 1 / row[i];
        int terms = to - i - 1;
        for (int k = 0; k < terms; k++) {
          factor[k] = -row[i + 1 + k];
        }
        Arrays.fill(row, i + 1, to, 0);
        RowLoops.add(row, a, i + 1, terms, factor, i + 1, n);
        RowLoops.scale(row, inverse, i + 1, n);
        row[i] = inverse;
      }
      for (int i = 0; i < from; i++) {
        double[] row = a[i];
        for (int k = from; k < to; k++) {
          factor[k - from] = -row[k];
        }
        Arrays.fill(row, from, to, 0);
        RowLoops.add(row, a, from, to - from, factor, from, n);
      }
    }
  }

  /** V of the upper triangle becomes X = V V', both triangles. */
  void product(int n) {
    turnDown(n);
    for (int from = 0; from < n; from += BLOCK) {
      int to = Math.min(n, from + BLOCK);
      for (int i = 0; i < from; i++) {
        for (int k = from; k < to; k++) {
          factor[k - from] = a[k][i];
        }
        RowLoops.add(a[i], a, from, to - from, factor, 0, i + 1);
      }
      for (int i = from; i < to; i++) {
        double[] row = a[i];
        RowLoops.scale(row, row[i], 0, i + 1);
        int terms = to - i - 1;
        for (int k = 0; k < terms; k++) {
          factor[k] = a[i + 1 + k][i];
        }
        RowLoops.add(row, a, i + 1, terms, factor, 0, i + 1);
      }
    }
    turnUp(n);
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
