package io.metaplast.bench.jmh;

import io.metaplast.bench.CallWorkloads;
import io.metaplast.bench.Workload;
import org.openjdk.jmh.annotations.Param;

/** Backward pass and update of the 784-50 layer, batch 1, K = 10. */
public class LinearStepBenchmark extends KernelBenchmark {
  /** Whether epsilon is stored between the passes or regenerated. */
  @Param({"true", "false"})
  public boolean stored;

  @Override
  protected Workload.Factory factory() {
    return CallWorkloads.linearStep(stored);
  }
}
