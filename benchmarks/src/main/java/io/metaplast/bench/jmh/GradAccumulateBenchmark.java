package io.metaplast.bench.jmh;

import io.metaplast.bench.Workload;
import io.metaplast.bench.Workloads;
import org.openjdk.jmh.annotations.Param;

/** Monte-Carlo gradients. */
public class GradAccumulateBenchmark extends KernelBenchmark {
  /** Elements. */
  @Param("39700")
  public long n;

  /** Monte-Carlo samples. */
  @Param({"1", "10"})
  public int samples;

  /** Whether epsilon is stored between the passes or regenerated. */
  @Param({"true", "false"})
  public boolean stored;

  @Override
  protected Workload.Factory factory() {
    return Workloads.gradAccumulate(n, samples, stored);
  }
}
