package io.metaplast.bench;

import org.bytedeco.javacpp.FloatPointer;

/**
 * Calls every OpenBLAS function that the benchmarks use once. The dynamic linker looks a function up on its first call, and MKL, once loaded, offers the same names to the whole process: what
 * is looked up later would be MKL's under OpenBLAS's name.
 */
final class OpenBlasBinding {
  private static final int ROW_MAJOR = 101;
  private static final int COLUMN_MAJOR = 102;
  private static final int PLAIN = 111;
  private static final int LOWER = 122;
  private static boolean done;

  private OpenBlasBinding() {}

  /** To be called before anything of MKL is. */
  static synchronized void bind() {
    if (done) {
      return;
    }
    done = true;
    try (FloatPointer x = new FloatPointer(1f); FloatPointer y = new FloatPointer(1f)) {
      org.bytedeco.openblas.global.openblas_nolapack.blas_set_num_threads(1);
      org.bytedeco.openblas.global.openblas_nolapack.cblas_sgemm(ROW_MAJOR, PLAIN, PLAIN, 1, 1, 1, 1f, x, 1, x, 1, 0f, y, 1);
      org.bytedeco.openblas.global.openblas.blas_set_num_threads(1);
      org.bytedeco.openblas.global.openblas.cblas_sgemm(ROW_MAJOR, PLAIN, PLAIN, 1, 1, 1, 1f, x, 1, x, 1, 0f, y, 1);
      org.bytedeco.openblas.global.openblas.cblas_ssyrk(ROW_MAJOR, LOWER, PLAIN, 1, 1, 1f, x, 1, 0f, y, 1);
      org.bytedeco.openblas.global.openblas.cblas_saxpy(1, 1f, x, 1, y, 1);
      org.bytedeco.openblas.global.openblas.cblas_sdot(1, x, 1, y, 1);
      org.bytedeco.openblas.global.openblas.LAPACKE_spotrf_work(COLUMN_MAJOR, (byte) 'L', 1, y, 1);
      org.bytedeco.openblas.global.openblas.LAPACKE_spotri_work(COLUMN_MAJOR, (byte) 'L', 1, y, 1);
    }
  }
}
