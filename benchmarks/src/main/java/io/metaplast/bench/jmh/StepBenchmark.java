package io.metaplast.bench.jmh;

import io.metaplast.bench.Workload;
import io.metaplast.bench.Workloads;
import org.openjdk.jmh.annotations.Param;

/** The update rules, in place. */
public class StepBenchmark extends KernelBenchmark {
  /** Update rule; mesuBf16 is MESU with bf16 gradients. */
  @Param({"mesu", "mesuBf16", "ratio", "bgd"})
  public String rule;

  /** Parameters: in the cache of one core, about a small network, in memory. */
  @Param({"39700", "1000000", "20000000"})
  public long n;

  @Override
  protected Workload.Factory factory() {
    return switch (rule) {
      case "mesu" -> Workloads.mesuStep(n);
      case "mesuBf16" -> Workloads.mesuStepBf16(n);
      case "ratio" -> Workloads.ratioStep(n);
      case "bgd" -> Workloads.bgdStep(n);
      default -> throw new IllegalArgumentException("rule '" + rule + "' is unknown; valid: mesu, mesuBf16, ratio, bgd");
    };
  }
}
