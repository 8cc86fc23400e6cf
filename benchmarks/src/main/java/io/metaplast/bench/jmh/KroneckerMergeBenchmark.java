package io.metaplast.bench.jmh;

import io.metaplast.bench.KfacWorkloads;
import io.metaplast.bench.Workload;
import org.openjdk.jmh.annotations.Param;

/** Two pairs of factors merged to one; an item is an element. */
public class KroneckerMergeBenchmark extends KernelBenchmark {
  /** Order of G x order of A. */
  @Param({"100x785", "1024x1025"})
  public String shape;

  @Override
  protected Workload.Factory factory() {
    int[] s = Shapes.of(shape);
    return KfacWorkloads.merge(s[0], s[1]);
  }
}
