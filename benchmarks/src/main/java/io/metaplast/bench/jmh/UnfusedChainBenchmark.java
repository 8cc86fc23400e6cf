package io.metaplast.bench.jmh;

import io.metaplast.bench.Workload;
import io.metaplast.bench.Workloads;
import org.openjdk.jmh.annotations.Param;

/** What {@link StepFromSamplesAndSampleBenchmark} does, as four calls with epsilon stored. */
public class UnfusedChainBenchmark extends KernelBenchmark {
  /** Elements: in the cache of one core, and in memory. */
  @Param({"39700", "20000000"})
  public long n;

  @Override
  protected Workload.Factory factory() {
    return Workloads.unfused(n);
  }
}
