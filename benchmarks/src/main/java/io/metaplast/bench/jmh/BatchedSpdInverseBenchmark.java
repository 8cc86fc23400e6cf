package io.metaplast.bench.jmh;

import io.metaplast.bench.KfacWorkloads;
import io.metaplast.bench.Workload;
import org.openjdk.jmh.annotations.Param;

/** Damped inverses of many matrices in one call; an item is an operation. */
public class BatchedSpdInverseBenchmark extends KernelBenchmark {
  /** COUNTxN, or resnet50 for the 108 factors of ResNet-50, which take seconds a call. */
  @Param({"1024x8", "1024x16", "1024x32"})
  public String shape;

  @Override
  protected Workload.Factory factory() {
    return KfacWorkloads.inverses(Shapes.orders(shape));
  }
}
