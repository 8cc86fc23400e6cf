package io.metaplast.internal;

import io.metaplast.F32Matrix;
import io.metaplast.NonFiniteMatrixException;
import io.metaplast.internal.spi.BackendProvider;

/** Matrices of a backend as double arrays on the host, row by row without gaps. Reading waits for the work that is queued on them. */
final class HostMatrices {
  /** What an array can hold. */
  private static final int LIMIT = Integer.MAX_VALUE - 8;

  private HostMatrices() {}

  private static int elements(String name, long rows, long cols) {
    if (rows * cols > LIMIT) {
      throw new IllegalArgumentException(name + ": rows*cols = " + rows + "*" + cols + " = " + rows * cols + " exceeds the limit of " + LIMIT + " elements");
    }
    return (int) (rows * cols);
  }

  /**
   * A symmetric matrix, from its lower triangle.
   *
   * @throws NonFiniteMatrixException naming the first element of the lower triangle that is not finite
   */
  static double[] symmetric(BackendProvider provider, String name, F32Matrix m) {
    int n = m.rows();
    double[] a = new double[elements(name, n, n)];
    float[] row = new float[n];
    BufferImpl data = (BufferImpl) m.data();
    for (int i = 0; i < n; i++) {
      provider.read(data.memory(), data.byteOffset() + (long) i * m.ld() * Float.BYTES, row, 0, i + 1);
      for (int j = 0; j <= i; j++) {
        if (!Float.isFinite(row[j])) {
          throw new NonFiniteMatrixException(name, 0, i, j, row[j]);
        }
        a[i * n + j] = row[j];
        a[j * n + i] = row[j];
      }
    }
    return a;
  }

  /** Both triangles. */
  static double[] read(BackendProvider provider, String name, F32Matrix m) {
    double[] a = new double[elements(name, m.rows(), m.cols())];
    float[] row = new float[m.cols()];
    BufferImpl data = (BufferImpl) m.data();
    for (int i = 0; i < m.rows(); i++) {
      provider.read(data.memory(), data.byteOffset() + (long) i * m.ld() * Float.BYTES, row, 0, row.length);
      for (int j = 0; j < row.length; j++) {
        a[i * row.length + j] = row[j];
      }
    }
    return a;
  }

  static double[] read(BackendProvider provider, BufferImpl values) {
    float[] v = new float[elements("values", values.length(), 1)];
    provider.read(values.memory(), values.byteOffset(), v, 0, v.length);
    double[] a = new double[v.length];
    for (int i = 0; i < v.length; i++) {
      a[i] = v[i];
    }
    return a;
  }

  /** Rounds {@code a} into the matrix. */
  static void write(BackendProvider provider, F32Matrix m, double[] a) {
    float[] row = new float[m.cols()];
    BufferImpl data = (BufferImpl) m.data();
    for (int i = 0; i < m.rows(); i++) {
      for (int j = 0; j < row.length; j++) {
        row[j] = (float) a[i * row.length + j];
      }
      provider.write(data.memory(), data.byteOffset() + (long) i * m.ld() * Float.BYTES, row, 0, row.length);
    }
  }

  /** Rounds {@code a} into the buffer. */
  static void write(BackendProvider provider, BufferImpl values, double[] a) {
    float[] v = new float[a.length];
    for (int i = 0; i < v.length; i++) {
      v[i] = (float) a[i];
    }
    provider.write(values.memory(), values.byteOffset(), v, 0, v.length);
  }

  /** The exception for what a finite scan found: element {@code index} = row*n + column of m + damping I. */
  static NonFiniteMatrixException notFinite(BackendProvider provider, String name, int batchIndex, F32Matrix m, double damping, long index) {
    int row = (int) (index / m.rows());
    int column = (int) (index % m.rows());
    double value = value(provider, (BufferImpl) m.data(), (long) row * m.ld() + column);
    // A finite element may be taken out of the range of fp32 by the damping.
    return new NonFiniteMatrixException(name, batchIndex, row, column, Double.isFinite(value) ? (float) (value + damping) : value);
  }

  /** One element of an fp32 or bf16 buffer. */
  static double value(BackendProvider provider, BufferImpl buffer, long element) {
    if (buffer instanceof BufferImpl.Bf16) {
      short[] bits = new short[1];
      provider.read(buffer.memory(), buffer.byteOffset() + element * Short.BYTES, bits, 0, 1);
      return BufferImpl.Bf16.toFloat(bits[0]);
    }
    float[] values = new float[1];
    provider.read(buffer.memory(), buffer.byteOffset() + element * Float.BYTES, values, 0, 1);
    return values[0];
  }

  /** {@code scale} on the diagonal, 0 elsewhere. */
  static void identity(BackendProvider provider, F32Matrix m, double scale) {
    float[] row = new float[m.cols()];
    BufferImpl data = (BufferImpl) m.data();
    for (int i = 0; i < m.rows(); i++) {
      row[i] = (float) scale;
      provider.write(data.memory(), data.byteOffset() + (long) i * m.ld() * Float.BYTES, row, 0, row.length);
      row[i] = 0;
    }
  }

  /**
   * Lower Cholesky factor of a, in place; the upper triangle is not touched. The pivot rule is that of kfac.h in double.
   *
   * @param pivot receives the failing pivot
   * @return 0, or the order of the leading minor that failed
   */
  static int cholesky(int n, double[] a, double[] pivot) {
    for (int j = 0; j < n; j++) {
      for (int i = 0; i <= j; i++) {
        double sum = 0;
        for (int k = 0; k < i; k++) {
          sum += a[j * n + k] * a[i * n + k];
        }
        double rest = a[j * n + i] - sum;
        if (i < j) {
          a[j * n + i] = rest / a[i * n + i];
        } else if (!(rest > 8 * 0x1p-53 * a[j * n + j])) {
          pivot[0] = rest;
          return j + 1;
        } else {
          a[j * n + j] = Math.sqrt(rest);
        }
      }
    }
    return 0;
  }

  /** Each row of {@code x}, taken as a vector v, becomes L^-1 v. */
  static void forwardRows(int n, double[] l, double[] x) {
    for (int r = 0; r < n; r++) {
      for (int i = 0; i < n; i++) {
        double sum = 0;
        for (int k = 0; k < i; k++) {
          sum += l[i * n + k] * x[r * n + k];
        }
        x[r * n + i] = (x[r * n + i] - sum) / l[i * n + i];
      }
    }
  }

  /** Each row of {@code x}, taken as a vector v, becomes L^-T v. */
  static void backwardRows(int n, double[] l, double[] x) {
    for (int r = 0; r < n; r++) {
      for (int i = n - 1; i >= 0; i--) {
        double v = x[r * n + i] / l[i * n + i];
        x[r * n + i] = v;
        for (int k = 0; k < i; k++) {
          x[r * n + k] -= l[i * n + k] * v;
        }
      }
    }
  }

  static void transpose(int n, double[] a) {
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < i; j++) {
        double t = a[i * n + j];
        a[i * n + j] = a[j * n + i];
        a[j * n + i] = t;
      }
    }
  }

  /** Takes the lower triangle for both. */
  static void mirror(int n, double[] a) {
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < i; j++) {
        a[j * n + i] = a[i * n + j];
      }
    }
  }
}
