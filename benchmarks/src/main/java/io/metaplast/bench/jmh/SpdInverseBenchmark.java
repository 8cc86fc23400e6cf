package io.metaplast.bench.jmh;

import io.metaplast.bench.KfacWorkloads;
import io.metaplast.bench.Workload;
import org.openjdk.jmh.annotations.Param;

/** Damped inverse of one matrix; an item is an operation. {@code -p n=4609} is the largest of the family. */
public class SpdInverseBenchmark extends KernelBenchmark {
  /** Order of the matrix. */
  @Param({"64", "128", "256", "512", "1024", "2048"})
  public int n;

  @Override
  protected Workload.Factory factory() {
    return KfacWorkloads.inverse(n);
  }
}
