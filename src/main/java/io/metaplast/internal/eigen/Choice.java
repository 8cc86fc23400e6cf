package io.metaplast.internal.eigen;

/** Which solver this process uses: found out once, when the first decomposition is asked for. */
final class Choice {
  private static final System.Logger LOG = System.getLogger("io.metaplast");

  static final SymmetricEigensolver BEST = choose();

  private Choice() {}

  private static SymmetricEigensolver choose() {
    try {
      SymmetricEigensolver lapack = new LapackEigensolver();
      // One decomposition, so that a library that is there and does not work is found here.
      double[] a = {2, 1, 1, 2};
      double[] values = new double[2];
      if (lapack.solve(2, a, values) && Math.abs(values[0] - 1) < 1e-12 && Math.abs(values[1] - 3) < 1e-12) {
        return lapack;
      }
      LOG.log(System.Logger.Level.WARNING, "OpenBLAS on the class path gives wrong eigenvalues; EJML is used");
    } catch (LinkageError | RuntimeException e) {
      LOG.log(System.Logger.Level.DEBUG, "eigenvectors by EJML: OpenBLAS (org.bytedeco:openblas) is not to be had: " + e);
    }
    return new EjmlEigensolver();
  }
}
