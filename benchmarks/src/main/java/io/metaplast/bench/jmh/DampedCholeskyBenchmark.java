package io.metaplast.bench.jmh;

import io.metaplast.bench.KfacWorkloads;
import io.metaplast.bench.Workload;
import org.openjdk.jmh.annotations.Param;

/** Cholesky factor of a damped matrix; an item is an operation. */
public class DampedCholeskyBenchmark extends KernelBenchmark {
  /** Order of the matrix. */
  @Param({"256", "1024"})
  public int n;

  @Override
  protected Workload.Factory factory() {
    return KfacWorkloads.cholesky(n);
  }
}
