package io.metaplast.internal.java;

import java.util.Arrays;

/**
 * A symmetric matrix on its way to its inverse, in float arithmetic: an array a row, because loops over rows vectorise only where all of them share one index. In place, three passes:
 * M = U'U in the upper triangle; V = U^-1 there, from the last rows on; then V turned into the lower triangle, W = V', and X = W'W there. A pass goes through blocks of rows, whose rows are
 * the terms that it adds to the others, and through strips of a block. The terms of a block are summed from 0 and then added, because rounding errors of long sums would grow with n. A sum may reach past the diagonal by a column,
 * where the other triangle is not in use.
 */
final class SpdFloats {
  /** Rows of a strip inside of a block. */
  private static final int STRIP = 3;

  /** Terms that are added to all rows of a group in turn; they stay in the first cache level. */
  private static final int TERMS = 6;

  /** Rows of a block: the rows that it is added to are read once a block. */
  private static final int BLOCK = 48;

  /** Rows that a block is added to at a time, strip by strip; they stay in the second cache level. */
  private static final int GROUP = 64;

  private static final int TURN = 16;

  float[][] a = new float[0][];
  private final float[][] sums = new float[GROUP][]; // of a block, for the rows of a group
  private float[] diagonal = new float[0];
  private final float[] factor = new float[GROUP * BLOCK]; // of a group, BLOCK a row
  private int capacity;
  private double failedPivot;

  /** Room for n rows of n elements. */
  void reserve(int n) {
    if (n > capacity) {
      capacity = 0; // if memory runs out the old rows are gone
      a = new float[0][];
      float[][] rows = new float[n][];
      for (int i = 0; i < n; i++) {
        rows[i] = new float[RowLoops.floats(n)];
      }
      for (int i = 0; i < GROUP; i++) {
        sums[i] = new float[RowLoops.floats(n)];
      }
      a = rows;
      diagonal = new float[n];
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
          float[] to = a[j];
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
          float[] to = a[i];
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
          float pivot = a[i][i];
          if (!(pivot > 0x1p-21 * diagonal[i])) {
            failedPivot = pivot;
            return i + 1;
          }
          RowLoops.scale(a[i], 1 / (float) Math.sqrt(pivot), i, n);
        }
        columnFactors(to, end, strip, to, -1);
        addTo(a, 0, Pass.FACTOR, to, end, strip, to, n);
      }
      for (int i = end; i < n; i += GROUP) {
        int groupEnd = Math.min(n, i + GROUP);
        columnFactors(i, groupEnd, block, end, -1);
        addBlock(Pass.FACTOR, i, groupEnd, block, end, n);
      }
    }
    return 0;
  }

  /** Which columns of a row take part. */
  private enum Pass {
    FACTOR, // from the diagonal on
    INVERT, // from the first term's row on
    PRODUCT // up to the diagonal
  }

  /** Adds rows first..last-1 of a block to rows i..to-1 with the factors that are set: block sums first. */
  private void addBlock(Pass pass, int i, int to, int first, int last, int n) {
    for (int r = i; r < to; r++) {
      Arrays.fill(sums[r - i], from(pass, r - (r - i) % 2, first), to(pass, r + 1, n), 0);
    }
    addTo(sums, i, pass, i, to, first, last, n);
    for (int r = i; r < to; r++) {
      RowLoops.add(a[r], sums[r - i], from(pass, r, first), to(pass, r, n));
    }
  }

  /** Adds rows first..last-1, times the factors, to rows i..to-1 of the target, in which row i is row i - shift. */
  private void addTo(float[][] target, int shift, Pass pass, int i, int to, int first, int last, int n) {
    for (int k = first; k < last; k += TERMS) {
      int terms = Math.min(TERMS, last - k);
      int at = k - first;
      int r = i;
      for (; r + 1 < to; r += 2, at += 2 * BLOCK) {
        RowLoops.add2(
            target[r - shift], target[r + 1 - shift], a, k, terms, factor, at, at + BLOCK, from(pass, r, k), to(pass, r + 1, n));
      }
      if (r < to) {
        RowLoops.add(target[r - shift], a, k, terms, factor, at, from(pass, r, k), to(pass, r, n));
      }
    }
  }

  private static int from(Pass pass, int row, int term) {
    return pass == Pass.FACTOR ? row : pass == Pass.INVERT ? term : 0;
  }

  private static int to(Pass pass, int row, int n) {
    return pass == Pass.PRODUCT ? Math.min(n, row + 1) : n;
  }

  /** The factors of rows i..to-1: sign times their columns in rows first..last-1. */
  private void columnFactors(int i, int to, int first, int last, int sign) {
    for (int k = first; k < last; k++) {
      float[] row = a[k];
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
          float[] row = a[i];
          float inverse = 1 / row[i];
          rowFactors(i, i + 1, i + 1, to);
          RowLoops.add(row, a, i + 1, to - i - 1, factor, 0, i + 1, n);
          RowLoops.scale(row, inverse, i + 1, n);
          row[i] = inverse;
          Arrays.fill(row, block, i, 0);
        }
        rowFactors(block, strip, strip, to);
        addTo(a, 0, Pass.INVERT, block, strip, strip, to, n);
      }
      for (int i = 0; i < block; i += GROUP) {
        int groupEnd = Math.min(block, i + GROUP);
        rowFactors(i, groupEnd, block, end);
        addBlock(Pass.INVERT, i, groupEnd, block, end, n);
      }
    }
  }

  /** The factors of rows i..to-1: minus their columns first..last-1, which become 0. */
  private void rowFactors(int i, int to, int first, int last) {
    int at = 0;
    for (int r = i; r < to; r++, at += BLOCK) {
      float[] row = a[r];
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
        int groupEnd = Math.min(block, i + GROUP);
        columnFactors(i, groupEnd, block, end, 1);
        addBlock(Pass.PRODUCT, i, groupEnd, block, end, n);
      }
      for (int strip = block; strip < end; strip += STRIP) {
        int to = Math.min(end, strip + STRIP);
        columnFactors(block, strip, strip, to, 1);
        addTo(a, 0, Pass.PRODUCT, block, strip, strip, to, n);
        for (int i = strip; i < to; i++) {
          columnFactors(i, i + 1, i + 1, to, 1);
          RowLoops.scale(a[i], a[i][i], 0, i + 1);
          RowLoops.add(a[i], a, i + 1, to - i - 1, factor, 0, 0, i + 1);
        }
      }
    }
    turnUp(n);
  }

  /** U of the upper triangle becomes L = U', zeros above. */
  void lowerOnly(int n) {
    turnDown(n);
    for (int i = 0; i < n; i++) {
      Arrays.fill(a[i], i + 1, n, 0);
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
