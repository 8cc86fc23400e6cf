package io.metaplast.bench.jmh;

import io.metaplast.bench.KfacWorkloads;
import io.metaplast.bench.Workload;
import org.openjdk.jmh.annotations.Param;

/** Factor statistics X^T X/rows; an item is an operation. */
public class FactorUpdateBenchmark extends KernelBenchmark {
  /** Rows x columns. */
  @Param({"512x785", "4096x1153"})
  public String shape;

  /** Whether a coordinate that is 1 in every row is added. */
  @Param("false")
  public boolean bias;

  @Override
  protected Workload.Factory factory() {
    int[] s = Shapes.of(shape);
    return KfacWorkloads.factorUpdate(s[0], s[1], bias);
  }
}
