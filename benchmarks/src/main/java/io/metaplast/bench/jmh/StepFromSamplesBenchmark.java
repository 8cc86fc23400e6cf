package io.metaplast.bench.jmh;

import io.metaplast.bench.Workload;
import io.metaplast.bench.Workloads;
import org.openjdk.jmh.annotations.Param;

/** Gradient of K = 1 samples and update in one pass. */
public class StepFromSamplesBenchmark extends KernelBenchmark {
  /** Elements: in the cache of one core, and in memory. */
  @Param({"39700", "20000000"})
  public long n;

  @Override
  protected Workload.Factory factory() {
    return Workloads.stepFromSamples(n);
  }
}
