package io.metaplast.bench.jmh;

import io.metaplast.bench.KfacWorkloads;
import io.metaplast.bench.Workload;
import org.openjdk.jmh.annotations.Param;

/** Eigenvalues and eigenvectors, on the host on every backend; an item is an operation. */
public class SymmetricEigenBenchmark extends KernelBenchmark {
  /** Order of the matrix. */
  @Param("256")
  public int n;

  @Override
  protected Workload.Factory factory() {
    return KfacWorkloads.eigen(n);
  }
}
