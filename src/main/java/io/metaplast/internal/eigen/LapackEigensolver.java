package io.metaplast.internal.eigen;

import org.bytedeco.openblas.global.openblas;

/** dsyevd of the LAPACK inside OpenBLAS: divide and conquer, on several threads. Only usable where org.bytedeco:openblas is on the class path. */
final class LapackEigensolver implements SymmetricEigensolver {
  @Override
  public boolean solve(int n, double[] a, double[] values) {
    // By columns, so that the eigenvectors come back one after the other. Both triangles are there: which one is read does not matter.
    int info = openblas.LAPACKE_dsyevd(openblas.LAPACK_COL_MAJOR, (byte) 'V', (byte) 'L', n, a, n, values);
    if (info < 0) {
      throw new IllegalStateException("LAPACKE_dsyevd refused argument " + -info);
    }
    return info == 0;
  }

  @Override
  public String name() {
    return "LAPACK";
  }
}
