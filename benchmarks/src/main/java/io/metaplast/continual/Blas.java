package io.metaplast.continual;

import static org.bytedeco.openblas.global.openblas_nolapack.CblasNoTrans;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasRowMajor;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasTrans;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.openblas.global.openblas_nolapack;

/** Plain float products from OpenBLAS, and the memory they work on. Everything is row-major. */
final class Blas {
  private static final int CACHE_LINE = 64;

  private Blas() {}

  /**
   * Loads the library.
   *
   * @throws IllegalStateException if it cannot be loaded here; the message says why
   */
  static void load() {
    try {
      openblas_nolapack.blas_get_num_threads();
    } catch (LinkageError e) {
      Throwable cause = e;
      while (cause.getCause() != null) {
        cause = cause.getCause();
      }
      throw new IllegalStateException(
          "OpenBLAS (org.bytedeco:openblas) cannot be loaded on this platform, and learn needs it for tests and point networks: "
              + cause, e);
    }
  }

  /** Threads of the products that follow. */
  static void threads(int threads) {
    openblas_nolapack.blas_set_num_threads(threads);
  }

  /** Zeroed floats outside the Java heap, aligned to a cache line; freed by the garbage collector. */
  static FloatBuffer floats(int n) {
    // An aligned slice loses up to a line at either end.
    ByteBuffer bytes = ByteBuffer.allocateDirect(Math.addExact(Math.multiplyExact(4, n), 2 * CACHE_LINE));
    return bytes.alignedSlice(CACHE_LINE).order(ByteOrder.nativeOrder()).asFloatBuffer().slice(0, n);
  }

  /** The pointer form of a buffer made by {@link #floats}; keeps the buffer alive. */
  static FloatPointer pointer(FloatBuffer buffer) {
    return new FloatPointer(buffer);
  }

  /** c[m][n] (pitch ldc) = a[m][k] (pitch lda) * b[n][k]^T. */
  static void productTransposed(int m, int n, int k, FloatPointer a, int lda, FloatPointer b, FloatPointer c, int ldc) {
    openblas_nolapack.cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, k, 1f, a, lda, b, k, 0f, c, ldc);
  }

  /** c[m][n] = a[m][k] * b[n][k]^T, all with their pitches. */
  static void productNT(int m, int n, int k, FloatPointer a, int lda, FloatPointer b, int ldb, FloatPointer c, int ldc) {
    openblas_nolapack.cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, k, 1f, a, lda, b, ldb, 0f, c, ldc);
  }

  /** c[m][n] = a[m][k] * b[k][n], all with their pitches. */
  static void productNN(int m, int n, int k, FloatPointer a, int lda, FloatPointer b, int ldb, FloatPointer c, int ldc) {
    openblas_nolapack.cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1f, a, lda, b, ldb, 0f, c, ldc);
  }

  /** c[m][n] = a[k][m]^T * b[k][n], all with their pitches. */
  static void productTN(int m, int n, int k, FloatPointer a, int lda, FloatPointer b, int ldb, FloatPointer c, int ldc) {
    openblas_nolapack.cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, m, n, k, 1f, a, lda, b, ldb, 0f, c, ldc);
  }

  /** y[m] = a[m][n] * x[n]. */
  static void timesVector(int m, int n, FloatPointer a, FloatPointer x, FloatPointer y) {
    openblas_nolapack.cblas_sgemv(CblasRowMajor, CblasNoTrans, m, n, 1f, a, n, x, 1, 0f, y, 1);
  }

  /** y[n] = a[m][n]^T * x[m]. */
  static void transposedTimesVector(int m, int n, FloatPointer a, FloatPointer x, FloatPointer y) {
    openblas_nolapack.cblas_sgemv(CblasRowMajor, CblasTrans, m, n, 1f, a, n, x, 1, 0f, y, 1);
  }

  /** a[m][n] = x[m] * y[n]^T. */
  static void outerProduct(int m, int n, FloatPointer x, FloatPointer y, FloatPointer a) {
    openblas_nolapack.cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, 1, 1f, x, 1, y, n, 0f, a, n);
  }
}
