package io.metaplast.bench.jmh;

import io.metaplast.bench.BinaryWorkloads;
import io.metaplast.bench.Workload;
import org.openjdk.jmh.annotations.Param;

/** Batch norm of int32 dot products to signs and mask, and its backward pass; an item is an element. */
public class BatchNormBenchmark extends KernelBenchmark {
  /** Backward instead of forward. */
  @Param({"false", "true"})
  public boolean backward;

  /** Batch x channels. */
  @Param({"100x4096"})
  public String shape;

  @Override
  protected Workload.Factory factory() {
    int[] s = Shapes.of(shape);
    return BinaryWorkloads.batchNorm(s[0], s[1], backward);
  }
}
