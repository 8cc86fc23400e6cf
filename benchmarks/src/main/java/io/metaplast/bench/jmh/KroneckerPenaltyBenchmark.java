package io.metaplast.bench.jmh;

import io.metaplast.bench.KfacWorkloads;
import io.metaplast.bench.Workload;
import org.openjdk.jmh.annotations.Param;

/** Value and gradient of the quadratic penalty of one task; an item is an operation. */
public class KroneckerPenaltyBenchmark extends KernelBenchmark {
  /** Widths of the layers. */
  @Param("784-100-100-10")
  public String network;

  @Override
  protected Workload.Factory factory() {
    return KfacWorkloads.penalty(Shapes.network(network));
  }
}
