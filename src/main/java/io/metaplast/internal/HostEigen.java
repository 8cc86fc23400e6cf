package io.metaplast.internal;

import io.metaplast.KernelException;
import io.metaplast.internal.eigen.SymmetricEigensolver;

/** Eigenvalues and eigenvectors of a symmetric host matrix, whatever its scale and however sparse it is. */
final class HostEigen {
  /** Status of an iteration that did not converge. */
  static final int NOT_CONVERGED = -8;

  private final int n;
  private final double[] values;
  private final double[] vectors;

  private HostEigen(int n, double[] values, double[] vectors) {
    this.n = n;
    this.values = values;
    this.vectors = vectors;
  }

  /**
   * Decomposes.
   *
   * @param name for the message
   * @param a both triangles, finite; not kept, its content is lost
   * @throws KernelException if the iteration did not converge
   */
  static HostEigen of(String name, int n, double[] a, SymmetricEigensolver solver) {
    HostEigen eigen = ofOrNull(n, a, solver);
    if (eigen == null) {
      throw new KernelException(
          "the eigenvalue iteration (" + solver.name() + ") did not converge for " + name + ", " + n + " x " + n, NOT_CONVERGED, 0, "");
    }
    return eigen;
  }

  /** As {@link #of}; null if the iteration did not converge. */
  static HostEigen ofOrNull(int n, double[] a, SymmetricEigensolver solver) {
    double largest = 0;
    double offDiagonal = 0;
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        double x = Math.abs(a[i * n + j]);
        largest = Math.max(largest, x);
        offDiagonal = i == j ? offDiagonal : Math.max(offDiagonal, x);
      }
    }
    if (offDiagonal == 0) {
      return diagonal(n, a);
    }
    // To about 1 by a power of two, which changes no digit.
    int exponent = -Math.getExponent(largest);
    for (int i = 0; i < n * n; i++) {
      a[i] = Math.scalb(a[i], exponent);
    }
    double[] values = new double[n];
    if (!solver.solve(n, a, values)) {
      return null;
    }
    for (int j = 0; j < n; j++) {
      values[j] = Math.scalb(values[j], -exponent);
    }
    return new HostEigen(n, values, a);
  }

  /** Sorted by value, equal ones by place. */
  private static HostEigen diagonal(int n, double[] a) {
    Integer[] order = new Integer[n];
    java.util.Arrays.setAll(order, i -> i);
    java.util.Arrays.sort(order, java.util.Comparator.comparingDouble(i -> a[i * n + i]));
    double[] values = new double[n];
    double[] vectors = new double[n * n];
    for (int j = 0; j < n; j++) {
      values[j] = a[order[j] * n + order[j]] + 0.0; // no -0
      vectors[j * n + order[j]] = 1;
    }
    return new HostEigen(n, values, vectors);
  }

  int order() {
    return n;
  }

  /** Eigenvalue j, ascending. */
  double value(int j) {
    return values[j];
  }

  /** Element i of eigenvector j. */
  double vector(int i, int j) {
    return vectors[j * n + i];
  }

  /** Eigenvectors one after the other. */
  double[] vectors() {
    return vectors;
  }
}
