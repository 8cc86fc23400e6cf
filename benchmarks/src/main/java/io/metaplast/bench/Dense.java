package io.metaplast.bench;

/** Dense matrices of doubles in rows: what results within a bound are compared with. */
final class Dense {
  static final double U = 0x1p-24;

  private Dense() {}

  static double[] of(float[] values) {
    double[] result = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      result[i] = values[i];
    }
    return result;
  }

  static double[] absolute(double[] values) {
    double[] result = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      result[i] = Math.abs(values[i]);
    }
    return result;
  }

  static double[] identity(int n) {
    double[] result = new double[n * n];
    for (int i = 0; i < n; i++) {
      result[i * n + i] = 1;
    }
    return result;
  }

  /** a [m][k] b [k][n]. */
  static double[] product(int m, int k, int n, double[] a, double[] b) {
    double[] c = new double[m * n];
    for (int i = 0; i < m; i++) {
      for (int p = 0; p < k; p++) {
        double x = a[i * k + p];
        for (int j = 0; j < n; j++) {
          c[i * n + j] += x * b[p * n + j];
        }
      }
    }
    return c;
  }

  static double[] transposed(int rows, int cols, double[] a) {
    double[] t = new double[a.length];
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < cols; j++) {
        t[j * rows + i] = a[i * cols + j];
      }
    }
    return t;
  }

  /** scale a + b. */
  static double[] sum(double scale, double[] a, double[] b) {
    double[] c = new double[a.length];
    for (int i = 0; i < a.length; i++) {
      c[i] = scale * a[i] + b[i];
    }
    return c;
  }

  static double[] scaled(double scale, double[] a) {
    return sum(scale, a, new double[a.length]);
  }

  /** Largest sum of absolute values of a column. */
  static double norm1(int rows, int cols, double[] a) {
    double norm = 0;
    for (int j = 0; j < cols; j++) {
      double sum = 0;
      for (int i = 0; i < rows; i++) {
        sum += Math.abs(a[i * cols + j]);
      }
      // NaN stays
      norm = sum <= norm ? norm : sum;
    }
    return norm;
  }

  /** G V A. */
  static double[] sandwich(int m, int k, double[] g, double[] v, double[] a) {
    return product(m, m, k, g, product(m, k, k, v, a));
  }

  /** Inverse of a positive definite matrix, by Gauss-Jordan without exchanges. */
  static double[] inverse(int n, double[] m) {
    double[] a = m.clone();
    double[] x = identity(n);
    for (int p = 0; p < n; p++) {
      double pivot = 1 / a[p * n + p];
      for (int j = 0; j < n; j++) {
        a[p * n + j] *= pivot;
        x[p * n + j] *= pivot;
      }
      for (int i = 0; i < n; i++) {
        double f = a[i * n + p];
        if (i != p && f != 0) {
          for (int j = 0; j < n; j++) {
            a[i * n + j] -= f * a[p * n + j];
            x[i * n + j] -= f * x[p * n + j];
          }
        }
      }
    }
    return x;
  }

  /** The Kronecker product of g [m][m] and a [k][k]. */
  static double[] kronecker(int m, int k, double[] g, double[] a) {
    int n = m * k;
    double[] c = new double[n * n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        c[i * n + j] = g[i / k * m + j / k] * a[i % k * k + j % k];
      }
    }
    return c;
  }

  /** Null if every |mine - expected| is at most its bound, else the first that is not. */
  static String beyond(float[] mine, double[] expected, double[] bound) {
    for (int i = 0; i < mine.length; i++) {
      if (!(Math.abs(mine[i] - expected[i]) <= bound[i])) {
        return "[" + i + "] is " + mine[i] + " instead of " + expected[i] + ", allowed are +-" + bound[i];
      }
    }
    return null;
  }

  /** As {@link #beyond}, with a bound relative to the largest element. */
  static String beyond(float[] mine, double[] expected, double relative) {
    double largest = 0;
    for (double value : expected) {
      largest = Math.max(largest, Math.abs(value));
    }
    double[] bound = new double[expected.length];
    java.util.Arrays.fill(bound, relative * largest);
    return beyond(mine, expected, bound);
  }

  /** Null if {@code size} is at most {@code limit}. */
  static String above(String what, double size, double limit) {
    return size <= limit ? null : what + " has the size " + size + ", allowed are " + limit;
  }
}
