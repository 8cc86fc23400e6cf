package io.metaplast.bench.jmh;

import io.metaplast.bench.BinaryWorkloads;
import io.metaplast.bench.Workload;
import org.openjdk.jmh.annotations.Param;

/** Metaplastic Adam; an item is a weight. */
public class MetaAdamBenchmark extends KernelBenchmark {
  /** Weights: in the cache of one core, in memory. */
  @Param({"32768", "20000768"})
  public int n;

  @Override
  protected Workload.Factory factory() {
    return BinaryWorkloads.metaAdam(n);
  }
}
