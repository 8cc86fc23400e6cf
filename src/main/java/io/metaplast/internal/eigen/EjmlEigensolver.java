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
    EigenDecomposition_F64<DMatrixRMaj> solver = DecompositionFactory_DDRM.eig(n, true, true);
    if (!solver.decompose(DMatrixRMaj.wrap(n, n, a.clone()))) {
      return false;
    }
    Integer[] order = new Integer[n];
    Arrays.setAll(order, i -> i);
    Arrays.sort(order, Comparator.comparingDouble(i -> solver.getEigenvalue(i).getReal()));
    for (int j = 0; j < n; j++) {
      values[j] = solver.getEigenvalue(order[j]).getReal();
      System.arraycopy(solver.getEigenVector(order[j]).getData(), 0, a, j * n, n);
    }
    return true;
  }

  @Override
  public String name() {
    return "EJML";
  }
}
