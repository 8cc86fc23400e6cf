package io.metaplast.bench;

import java.util.Arrays;

/**
 * A symmetric positive definite matrix like a damped curvature factor: eight random directions over a diagonal. Made row by row, the same on every machine; condition about
 * 2n with {@link #DAMPING}.
 */
final class SpdMatrix {
  /** What is added to the diagonal by the inverse. */
  static final double DAMPING = 0.5;

  private static final int RANK = 8;
  private static final double DIAGONAL = 0.5;
  private static final double U = 0x1p-24;

  /** norm1(I - M X) <= GATE u norm1(M) norm1(X), kfac.h. */
  private static final double GATE = 10;

  private final int n;
  private final float[][] directions = new float[RANK][];

  SpdMatrix(int n, long seed) {
    this.n = n;
    HostData data = new HostData(seed);
    for (int r = 0; r < RANK; r++) {
      directions[r] = data.normal(n, 1 / Math.sqrt(RANK));
    }
  }

  int n() {
    return n;
  }

  /** Row i, without damping. */
  void row(int i, float[] row, int at) {
    Arrays.fill(row, at, at + n, 0);
    row[at + i] = (float) DIAGONAL;
    for (float[] direction : directions) {
      add(direction[i], direction, row, at);
    }
  }

  private void add(float factor, float[] direction, float[] row, int at) {
    for (int j = 0; j < n; j++) {
      row[at + j] += factor * direction[j];
    }
  }

  /** All rows. */
  float[] all() {
    float[] rows = new float[n * n];
    for (int i = 0; i < n; i++) {
      row(i, rows, i * n);
    }
    return rows;
  }

  /**
   * Compares four columns of (M + DAMPING I) X with those of I, sums in double.
   *
   * @param x [n][n], both triangles
   * @return null if they are within the published bound and x is symmetric to the bit, else what is wrong
   */
  String wrong(float[] x) {
    return wrong(x, Math.min(n, 4));
  }

  /** As the other form, for so many columns. */
  String wrong(float[] x, int columns) {
    double[][] product = new double[columns][n];
    double[] residual = new double[columns];
    float[] row = new float[n];
    double normM = 0;
    double normX = 0;
    for (int i = 0; i < n; i++) {
      row(i, row, 0);
      row[i] = (float) (row[i] + DAMPING);
      double sizeM = 0;
      double sizeX = 0;
      for (int k = 0; k < n; k++) {
        sizeM += Math.abs(row[k]);
        sizeX += Math.abs(x[i * n + k]);
      }
      normM = Math.max(normM, sizeM);
      normX = Math.max(normX, sizeX);
      for (int c = 0; c < columns; c++) {
        int column = column(c, columns) * n;
        double sum = 0;
        for (int k = 0; k < n; k++) {
          // column = row: x is symmetric
          sum += (double) row[k] * x[column + k];
        }
        product[c][i] = sum;
      }
    }
    for (int c = 0; c < columns; c++) {
      for (int i = 0; i < n; i++) {
        residual[c] += Math.abs(product[c][i] - (i == column(c, columns) ? 1 : 0));
      }
      double limit = GATE * U * normM * normX;
      if (!(residual[c] <= limit)) {
        return "n = " + n + ": column " + column(c, columns) + " of I - M X has the size " + residual[c] + ", allowed are " + limit;
      }
    }
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < i; j++) {
        if (Float.floatToIntBits(x[i * n + j]) != Float.floatToIntBits(x[j * n + i])) {
          return "n = " + n + ": (" + i + ", " + j + ") and its mirror differ";
        }
      }
    }
    return null;
  }

  private int column(int c, int columns) {
    return columns == 1 ? 0 : (int) ((long) c * (n - 1) / (columns - 1));
  }
}
