package io.metaplast.bench.jmh;

import io.metaplast.bench.KfacWorkloads;
import io.metaplast.bench.Workload;
import org.openjdk.jmh.annotations.Param;

/** Damped inverse of one matrix; an item is an operation. */
public class SpdInverseBenchmark extends KernelBenchmark {
  /** Order of the matrix. */
  @Param({"64", "256", "1024"})
  public int n;

  @Override
  protected Workload.Factory factory() {
    return KfacWorkloads.inverse(n);
  }
}
