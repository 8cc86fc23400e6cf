package io.metaplast.bench.jmh;

import io.metaplast.bench.CallWorkloads;
import io.metaplast.bench.Workload;
import org.openjdk.jmh.annotations.Param;

/** epsilon of K samples of all weights. */
public class EpsilonBenchmark extends KernelBenchmark {
  /** Elements. */
  @Param("39700")
  public long n;

  /** Monte-Carlo samples. */
  @Param({"1", "10"})
  public int samples;

  @Override
  protected Workload.Factory factory() {
    return CallWorkloads.epsilon(n, samples);
  }
}
