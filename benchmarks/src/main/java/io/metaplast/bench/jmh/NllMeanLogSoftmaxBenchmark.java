package io.metaplast.bench.jmh;

import io.metaplast.bench.CallWorkloads;
import io.metaplast.bench.Workload;
import org.openjdk.jmh.annotations.Param;

/** Loss and its gradient, K = 10, ten classes. */
public class NllMeanLogSoftmaxBenchmark extends KernelBenchmark {
  /** Items in the batch. */
  @Param({"1", "128"})
  public int batch;

  @Override
  protected Workload.Factory factory() {
    return CallWorkloads.nll(batch);
  }
}
