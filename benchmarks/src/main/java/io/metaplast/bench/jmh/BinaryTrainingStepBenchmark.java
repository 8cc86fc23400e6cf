package io.metaplast.bench.jmh;

import io.metaplast.bench.BinaryWorkloads;
import io.metaplast.bench.Workload;
import org.openjdk.jmh.annotations.Param;

/** Whole training step of a binarized 784-h-h-10 network. */
public class BinaryTrainingStepBenchmark extends KernelBenchmark {
  /** h. */
  @Param({"512", "4096"})
  public int hidden;

  /** Items of a batch. */
  @Param("100")
  public int batch;

  @Override
  protected Workload.Factory factory() {
    return BinaryWorkloads.trainingStep(hidden, batch);
  }
}
