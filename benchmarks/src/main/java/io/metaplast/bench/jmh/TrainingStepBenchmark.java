package io.metaplast.bench.jmh;

import io.metaplast.bench.Workload;
import io.metaplast.bench.Workloads;
import org.openjdk.jmh.annotations.Param;

/** A whole training step of the paper's experiment: 784-50-10, batch 1, K = 10. */
public class TrainingStepBenchmark extends KernelBenchmark {
  /** Whether epsilon is stored between the passes or regenerated. */
  @Param({"true", "false"})
  public boolean stored;

  @Override
  protected Workload.Factory factory() {
    return Workloads.trainingStep(stored);
  }
}
