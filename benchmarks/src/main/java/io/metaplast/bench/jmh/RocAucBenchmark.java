package io.metaplast.bench.jmh;

import io.metaplast.bench.CallWorkloads;
import io.metaplast.bench.Workload;
import org.openjdk.jmh.annotations.Param;

/** Exact AUC of two sets of n scores. */
public class RocAucBenchmark extends KernelBenchmark {
  /** Scores in each set. */
  @Param("10000")
  public int n;

  @Override
  protected Workload.Factory factory() {
    return CallWorkloads.rocAuc(n);
  }
}
