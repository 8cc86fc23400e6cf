package io.metaplast.bench.jmh;

import io.metaplast.bench.Workload;
import io.metaplast.bench.Workloads;
import org.openjdk.jmh.annotations.Param;

/** Normals. */
public class GaussianBenchmark extends KernelBenchmark {
  /** Elements. */
  @Param("39700")
  public long n;

  @Override
  protected Workload.Factory factory() {
    return Workloads.gaussian(n);
  }
}
