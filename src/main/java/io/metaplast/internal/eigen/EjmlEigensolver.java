package io.metaplast.internal.eigen;

import java.util.Arrays;
import java.util.Comparator;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.EigenDecomposition_F64;

/** Tridiagonal form and QR iteration of EJML: pure Java, one thread. */
final class EjmlEigensolver implements SymmetricEigensolver {
  @Override
  public boolean solve(int n, double[] a, double[] values) {
    return solve(n, a, values, 0) || solve(n, a, values, 2 * norm(n, a));
  }

  /**
   * Decomposes a + shift I. The iteration compares off-diagonal elements with their neighbours on the diagonal and may not end where those are rounding errors around 0, as with
   * matrices of low rank; a shift above the norm takes the diagonal away from 0 and costs no more accuracy than the norm allows.
   */
  private static boolean solve(int n, double[] a, double[] values, double shift) {
    double[] shifted = a.clone();
    for (int i = 0; i < n; i++) {
      shifted[i * n + i] += shift;
    }
    EigenDecomposition_F64<DMatrixRMaj> solver = DecompositionFactory_DDRM.eig(n, true, true);
    if (!solver.decompose(DMatrixRMaj.wrap(n, n, shifted))) {
      return false;
    }
    Integer[] order = new Integer[n];
    Arrays.setAll(order, i -> i);
    Arrays.sort(order, Comparator.comparingDouble(i -> solver.getEigenvalue(i).getReal()));
    for (int j = 0; j < n; j++) {
      values[j] = solver.getEigenvalue(order[j]).getReal() - shift;
      System.arraycopy(solver.getEigenVector(order[j]).getData(), 0, a, j * n, n);
    }
    return true;
  }

  private static double norm(int n, double[] a) {
    double norm = 0;
    for (int i = 0; i < n; i++) {
      double sum = 0;
      for (int j = 0; j < n; j++) {
        sum += Math.abs(a[i * n + j]);
      }
      norm = Math.max(norm, sum);
    }
    return norm;
  }

  @Override
  public String name() {
    return "EJML";
  }
}
