package io.metaplast.internal.java;

/** The loops over rows of triangular matrices, in the written order. */
final class RowLoops {
  private static final int QUAD = 4;

  private RowLoops() {}

  /** Length of the array of a row of n elements. */
  static int length(int n) {
    return n;
  }

  /** sum += f[0] times row first, then f[1] times the next, and so on; columns from..to-1. */
  static void add(float[] sum, float[][] rows, int first, int terms, float[] f, int from, int to) {
    int t = 0;
    for (; t + QUAD <= terms; t += QUAD) {
      int k = first + t;
      four(sum, rows[k], rows[k + 1], rows[k + 2], rows[k + 3], f[t], f[t + 1], f[t + 2], f[t + 3], from, to);
    }
    for (; t < terms; t++) {
      one(sum, rows[first + t], f[t], from, to);
    }
  }

  private static void four(
      float[] sum, float[] x0, float[] x1, float[] x2, float[] x3, float f0, float f1, float f2, float f3, int from, int to) {
    for (int j = from; j < to; j++) {
      sum[j] = (((sum[j] + f0 * x0[j]) + f1 * x1[j]) + f2 * x2[j]) + f3 * x3[j];
    }
  }

  static void one(float[] sum, float[] x, float f, int from, int to) {
    for (int j = from; j < to; j++) {
      sum[j] = sum[j] + f * x[j];
    }
  }

  /** row *= f. */
  static void scale(float[] row, float f, int from, int to) {
    for (int j = from; j < to; j++) {
      row[j] = row[j] * f;
    }
  }

  /** sum += f[0] times row first, then f[1] times the next, and so on; columns from..to-1. */
  static void add(double[] sum, double[][] rows, int first, int terms, double[] f, int from, int to) {
    int t = 0;
    for (; t + QUAD <= terms; t += QUAD) {
      int k = first + t;
      four(sum, rows[k], rows[k + 1], rows[k + 2], rows[k + 3], f[t], f[t + 1], f[t + 2], f[t + 3], from, to);
    }
    for (; t < terms; t++) {
      one(sum, rows[first + t], f[t], from, to);
    }
  }

  private static void four(
      double[] sum, double[] x0, double[] x1, double[] x2, double[] x3, double f0, double f1, double f2, double f3, int from, int to) {
    for (int j = from; j < to; j++) {
      sum[j] = (((sum[j] + f0 * x0[j]) + f1 * x1[j]) + f2 * x2[j]) + f3 * x3[j];
    }
  }

  private static void one(double[] sum, double[] x, double f, int from, int to) {
    for (int j = from; j < to; j++) {
      sum[j] = sum[j] + f * x[j];
    }
  }

  /** row *= f. */
  static void scale(double[] row, double f, int from, int to) {
    for (int j = from; j < to; j++) {
      row[j] = row[j] * f;
    }
  }

  /** row /= f. */
  static void divide(float[] row, float f, int from, int to) {
    for (int j = from; j < to; j++) {
      row[j] = row[j] / f;
    }
  }
}
