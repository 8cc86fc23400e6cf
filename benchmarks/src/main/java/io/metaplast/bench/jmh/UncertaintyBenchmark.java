package io.metaplast.bench.jmh;

import io.metaplast.bench.CallWorkloads;
import io.metaplast.bench.Workload;
import org.openjdk.jmh.annotations.Param;

/** Uncertainty split, K = 10, ten classes. */
public class UncertaintyBenchmark extends KernelBenchmark {
  /** Items in the batch. */
  @Param({"1", "128"})
  public int batch;

  @Override
  protected Workload.Factory factory() {
    return CallWorkloads.uncertainty(batch);
  }
}
