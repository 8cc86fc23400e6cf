package io.metaplast.bench.jmh;

import io.metaplast.bench.KfacWorkloads;
import io.metaplast.bench.Workload;
import org.openjdk.jmh.annotations.Param;

/** Damped inverses of many matrices of one order in one call; an item is an operation. */
public class BatchedSpdInverseBenchmark extends KernelBenchmark {
  /** Count x order. */
  @Param({"1024x8", "1024x16", "1024x32"})
  public String shape;

  @Override
  protected Workload.Factory factory() {
    int[] s = Shapes.of(shape);
    return KfacWorkloads.inverses(KfacWorkloads.times(s[0], s[1]));
  }
}
