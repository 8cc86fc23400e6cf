package io.metaplast.bench.jmh;

import io.metaplast.bench.CallWorkloads;
import io.metaplast.bench.Workload;
import org.openjdk.jmh.annotations.Param;

/** Uniforms. */
public class UniformBenchmark extends KernelBenchmark {
  /** Elements. */
  @Param("39700")
  public long n;

  @Override
  protected Workload.Factory factory() {
    return CallWorkloads.uniform(n);
  }
}
