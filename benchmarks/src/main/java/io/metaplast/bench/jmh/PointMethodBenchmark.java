package io.metaplast.bench.jmh;

import io.metaplast.bench.CallWorkloads;
import io.metaplast.bench.Workload;
import org.openjdk.jmh.annotations.Param;

/** The kernels of SGD, EWC and SI. */
public class PointMethodBenchmark extends KernelBenchmark {
  /** Method of BayesKernels. */
  @Param({"sgdStep", "fisherAccumulate", "fisherMerge", "ewcPenaltyGradient", "siPath", "siConsolidate", "siPenaltyGradient"})
  public String kernel;

  /** Elements: in the cache of one core, and in memory. */
  @Param({"39700", "20000000"})
  public long n;

  @Override
  protected Workload.Factory factory() {
    return CallWorkloads.pointMethod(kernel, n);
  }
}
