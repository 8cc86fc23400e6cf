package io.metaplast.oracle;

import java.util.Arrays;

/** The Kronecker family in double precision, written from the formulas. Matrices are row-major arrays. */
public final class KroneckerOracle {
  private KroneckerOracle() {}

  public static double[] widen(float[] x) {
    double[] d = new double[x.length];
    for (int i = 0; i < d.length; i++) {
      d[i] = x[i];
    }
    return d;
  }

  public static float[] narrow(double[] x) {
    float[] f = new float[x.length];
    for (int i = 0; i < f.length; i++) {
      f[i] = (float) x[i];
    }
    return f;
  }

  public static double[] abs(double[] x) {
    return Arrays.stream(x).map(Math::abs).toArray();
  }

  public static double[] transpose(double[] x, int rows, int cols) {
    double[] t = new double[x.length];
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < cols; c++) {
        t[c * rows + r] = x[r * cols + c];
      }
    }
    return t;
  }

  /** x [m][inner] times y [inner][n]. */
  public static double[] multiply(double[] x, double[] y, int m, int inner, int n) {
    double[] z = new double[m * n];
    for (int i = 0; i < m; i++) {
      for (int k = 0; k < inner; k++) {
        double a = x[i * inner + k];
        for (int j = 0; j < n; j++) {
          z[i * n + j] += a * y[k * n + j];
        }
      }
    }
    return z;
  }

  /** G W A. */
  public static double[] sandwich(double[] g, double[] w, double[] a, int m, int k) {
    return multiply(g, multiply(w, a, m, k, k), m, m, k);
  }

  public static double dot(double[] x, double[] y) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += x[i] * y[i];
    }
    return sum;
  }

  public static double trace(double[] m, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += m[i * n + i];
    }
    return sum;
  }

  /** X with a last column of ones. */
  public static double[] withOnes(double[] x, int rows, int cols) {
    double[] y = new double[rows * (cols + 1)];
    for (int r = 0; r < rows; r++) {
      System.arraycopy(x, r * cols, y, r * (cols + 1), cols);
      y[r * (cols + 1) + cols] = 1;
    }
    return y;
  }

  /** X'X. */
  public static double[] gram(double[] x, int rows, int cols) {
    return multiply(transpose(x, rows, cols), x, cols, rows, cols);
  }

  public static double[] mean(double[] x, int rows, int cols) {
    double[] m = new double[cols];
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < cols; c++) {
        m[c] += x[r * cols + c] / rows;
      }
    }
    return m;
  }

  /** x - m in every row. */
  public static double[] shifted(double[] x, double[] m, int rows, int cols) {
    double[] y = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      y[i] = x[i] - m[i % cols];
    }
    return y;
  }

  public static double[] outer(double[] x, double[] y) {
    return multiply(x, y, x.length, 1, y.length);
  }

  public static double[] scaled(double factor, double[] x) {
    return Arrays.stream(x).map(v -> factor * v).toArray();
  }

  /** a x + b y. */
  public static double[] combine(double a, double[] x, double b, double[] y) {
    double[] z = new double[x.length];
    for (int i = 0; i < z.length; i++) {
      z[i] = a * x[i] + b * y[i];
    }
    return z;
  }

  public static double[] centred(double[] x, int rows, int cols) {
    return scaled(1.0 / rows, gram(shifted(x, mean(x, rows, cols), rows, cols), rows, cols));
  }

  public static double[] meanOuter(double[] x, int rows, int cols) {
    double[] m = mean(x, rows, cols);
    return outer(m, m);
  }

  /** Mean over pairs of different rows, from its definition. */
  public static double[] between(double[] x, int rows, int cols) {
    double[] s = scaled(rows, mean(x, rows, cols));
    return scaled(1.0 / ((double) rows * (rows - 1)), combine(1, outer(s, s), -1, gram(x, rows, cols)));
  }

  public static double[] identity(int n) {
    double[] m = new double[n * n];
    for (int i = 0; i < n; i++) {
      m[i * n + i] = 1;
    }
    return m;
  }

  /** M + d I. */
  public static double[] damped(double[] m, int n, double d) {
    double[] y = m.clone();
    for (int i = 0; i < n; i++) {
      y[i * n + i] += d;
    }
    return y;
  }

  /** The lower triangle, mirrored. */
  public static double[] symmetric(double[] m, int n) {
    double[] y = m.clone();
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < i; j++) {
        y[j * n + i] = y[i * n + j];
      }
    }
    return y;
  }

  /** L with L L' = M; throws if M is not positive definite. */
  public static double[] cholesky(double[] m, int n) {
    double[] l = new double[n * n];
    for (int j = 0; j < n; j++) {
      for (int i = j; i < n; i++) {
        double sum = m[i * n + j];
        for (int k = 0; k < j; k++) {
          sum -= l[i * n + k] * l[j * n + k];
        }
        if (i == j) {
          if (!(sum > 0)) {
            throw new ArithmeticException("pivot " + j + " is " + sum);
          }
          l[j * n + j] = Math.sqrt(sum);
        } else {
          l[i * n + j] = sum / l[j * n + j];
        }
      }
    }
    return l;
  }

  public static double[] lowerInverse(double[] l, int n) {
    double[] x = new double[n * n];
    for (int j = 0; j < n; j++) {
      for (int i = j; i < n; i++) {
        double sum = i == j ? 1 : 0;
        for (int k = j; k < i; k++) {
          sum -= l[i * n + k] * x[k * n + j];
        }
        x[i * n + j] = sum / l[i * n + i];
      }
    }
    return x;
  }

  /** Inverse of a symmetric positive definite matrix. */
  public static double[] inverse(double[] m, int n) {
    double[] y = lowerInverse(cholesky(m, n), n);
    return multiply(transpose(y, n, n), y, n, n, n);
  }

  public static double logDet(double[] m, int n) {
    double[] l = cholesky(m, n);
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += 2 * Math.log(l[i * n + i]);
    }
    return sum;
  }

  /** Largest column sum of absolute values. */
  public static double norm1(double[] m, int rows, int cols) {
    double largest = 0;
    for (int c = 0; c < cols; c++) {
      double sum = 0;
      for (int r = 0; r < rows; r++) {
        sum += Math.abs(m[r * cols + c]);
      }
      largest = Math.max(largest, sum);
    }
    return largest;
  }

  /** Eigenvalues ascending, then eigenvectors in columns with their largest entry positive: cyclic Jacobi. */
  public static double[][] eigen(double[] matrix, int n) {
    double[] m = matrix.clone();
    double[] q = identity(n);
    for (int sweep = 0; sweep < 60; sweep++) {
      double off = 0;
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < i; j++) {
          off += m[i * n + j] * m[i * n + j];
        }
      }
      if (off < 1e-300) {
        break;
      }
      for (int p = 0; p < n; p++) {
        for (int r = p + 1; r < n; r++) {
          rotate(m, q, n, p, r);
        }
      }
    }
    Integer[] order = new Integer[n];
    Arrays.setAll(order, i -> i);
    double[] source = m;
    Arrays.sort(order, (i, j) -> Double.compare(source[i * n + i], source[j * n + j]));
    double[] values = new double[n];
    double[] vectors = new double[n * n];
    for (int c = 0; c < n; c++) {
      values[c] = m[order[c] * n + order[c]];
      int largest = 0;
      for (int r = 1; r < n; r++) {
        if (Math.abs(q[r * n + order[c]]) > Math.abs(q[largest * n + order[c]])) {
          largest = r;
        }
      }
      double sign = q[largest * n + order[c]] < 0 ? -1 : 1;
      for (int r = 0; r < n; r++) {
        vectors[r * n + c] = sign * q[r * n + order[c]];
      }
    }
    return new double[][] {values, vectors};
  }

  private static void rotate(double[] m, double[] q, int n, int p, int r) {
    if (m[p * n + r] == 0) {
      return;
    }
    double theta = (m[r * n + r] - m[p * n + p]) / (2 * m[p * n + r]);
    double t = Math.signum(theta == 0 ? 1 : theta) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
    double c = 1 / Math.sqrt(t * t + 1);
    double s = t * c;
    for (int k = 0; k < n; k++) {
      double a = m[k * n + p];
      double b = m[k * n + r];
      m[k * n + p] = c * a - s * b;
      m[k * n + r] = s * a + c * b;
    }
    for (int k = 0; k < n; k++) {
      double a = m[p * n + k];
      double b = m[r * n + k];
      m[p * n + k] = c * a - s * b;
      m[r * n + k] = s * a + c * b;
    }
    for (int k = 0; k < n; k++) {
      double a = q[k * n + p];
      double b = q[k * n + r];
      q[k * n + p] = c * a - s * b;
      q[k * n + r] = s * a + c * b;
    }
  }

  /** B (x) C of square matrices. */
  public static double[] kronecker(double[] b, int m, double[] c, int k) {
    int n = m * k;
    double[] z = new double[n * n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        z[i * n + j] = b[i / k * m + j / k] * c[i % k * k + j % k];
      }
    }
    return z;
  }
}
