package io.metaplast.internal.eigen;

/** Eigenvalues and eigenvectors of symmetric matrices in double precision on the host. Thread-safe. */
public interface SymmetricEigensolver {
  /**
   * Decomposes a = V diag(values) V^T.
   *
   * @param n order, at least 1
   * @param a both triangles, finite; afterwards eigenvector j, of length 1, stands in elements j*n to j*n + n - 1
   * @param values n eigenvalues, ascending
   * @return false if the iteration did not converge; then the contents of both arrays are undefined
   */
  boolean solve(int n, double[] a, double[] values);

  /** As messages name it. */
  String name();

  /** LAPACK where the class path has it and it loads, otherwise EJML. */
  static SymmetricEigensolver best() {
    return Choice.BEST;
  }
}
