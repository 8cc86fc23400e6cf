package io.metaplast.internal.java;

/** The loops of the real matrix products: one output row, four input rows, in the written order. */
final class Products {
  /** Rows that a loop reads. */
  static final int QUAD = 4;

  private Products() {}

  /** sum += (a0 x0 + a1 x1) + (a2 x2 + a3 x3). */
  static void pairs(float[] sum, float[] x0, float[] x1, float[] x2, float[] x3, float a0, float a1, float a2, float a3, int n) {
    for (int i = 0; i < n; i++) {
      sum[i] = sum[i] + ((a0 * x0[i] + a1 * x1[i]) + (a2 * x2[i] + a3 * x3[i]));
    }
  }

  /** sum += ((a0 x0 + a1 x1) + a2 x2) + a3 x3. */
  static void quad(float[] sum, float[] x0, float[] x1, float[] x2, float[] x3, float a0, float a1, float a2, float a3, int n) {
    for (int i = 0; i < n; i++) {
      sum[i] = sum[i] + (((a0 * x0[i] + a1 * x1[i]) + a2 * x2[i]) + a3 * x3[i]);
    }
  }

  /** sum += a0 x0, then a1 x1, a2 x2 and a3 x3. */
  static void ascending(float[] sum, float[] x0, float[] x1, float[] x2, float[] x3, float a0, float a1, float a2, float a3, int n) {
    for (int i = 0; i < n; i++) {
      sum[i] = (((sum[i] + a0 * x0[i]) + a1 * x1[i]) + a2 * x2[i]) + a3 * x3[i];
    }
  }

  /** sum += a[at..at+here) times the rows of x, one by one; up to three more factors and rows are read, which must come to -0. */
  static void ascending(float[] sum, float[][] x, float[] a, int at, int here, int n) {
    for (int t = 0; t < here; t += QUAD) {
      ascending(sum, x[t], x[t + 1], x[t + 2], x[t + 3], a[at + t], a[at + t + 1], a[at + t + 2], a[at + t + 3], n);
    }
  }

  /** sum += x. */
  static void add(float[] sum, float[] x, int n) {
    for (int i = 0; i < n; i++) {
      sum[i] = sum[i] + x[i];
    }
  }
}
