package io.metaplast.bench.jmh;

import io.metaplast.bench.KfacWorkloads;
import io.metaplast.bench.Workload;
import org.openjdk.jmh.annotations.Param;

/** Moving average of the input factor of a 3 x 3 convolution; an item is an operation. */
public class Im2colFactorBenchmark extends KernelBenchmark {
  /** Batch x channels x height and width. */
  @Param({"32x64x14", "32x16x32"})
  public String shape;

  @Override
  protected Workload.Factory factory() {
    int[] s = Shapes.of(shape);
    return KfacWorkloads.im2colFactor(s[0], s[1], s[2]);
  }
}
