package io.metaplast.bench.jmh;

import io.metaplast.bench.KfacWorkloads;
import io.metaplast.bench.Workload;
import org.openjdk.jmh.annotations.Param;

/** Preconditioning of all layers of a network in one call; an item is an operation. */
public class KroneckerPreconditionBenchmark extends KernelBenchmark {
  /** Widths of the layers. */
  @Param({"784-100-100-10", "784-1024-512-256-128-64-10"})
  public String network;

  @Override
  protected Workload.Factory factory() {
    return KfacWorkloads.precondition(Shapes.network(network));
  }
}
