package io.metaplast.bench.jmh;

import io.metaplast.bench.Workload;
import io.metaplast.bench.Workloads;
import org.openjdk.jmh.annotations.Param;

/** Weight samples. */
public class SampleBenchmark extends KernelBenchmark {
  /** Elements: in the cache of one core, and in memory. */
  @Param({"39700", "20000000"})
  public long n;

  /** Monte-Carlo samples. */
  @Param({"1", "10"})
  public int samples;

  @Override
  protected Workload.Factory factory() {
    return Workloads.sample(n, samples);
  }
}
