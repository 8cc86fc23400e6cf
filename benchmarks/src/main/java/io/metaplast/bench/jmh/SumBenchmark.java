package io.metaplast.bench.jmh;

import io.metaplast.bench.CallWorkloads;
import io.metaplast.bench.Workload;
import org.openjdk.jmh.annotations.Param;

/** Fixed-order sum. */
public class SumBenchmark extends KernelBenchmark {
  /** Elements: in the cache of one core, and in memory. */
  @Param({"39700", "20000000"})
  public long n;

  @Override
  protected Workload.Factory factory() {
    return CallWorkloads.sum(n);
  }
}
