package io.metaplast.bench.jmh;

import io.metaplast.bench.BinaryWorkloads;
import io.metaplast.bench.Workload;
import org.openjdk.jmh.annotations.Param;

/** Exact Gram matrix of sign rows; an item is a multiply-accumulate of the full square. */
public class XnorSyrkBenchmark extends KernelBenchmark {
  /** Batch x inputs. */
  @Param({"512x785", "4096x1153"})
  public String shape;

  @Override
  protected Workload.Factory factory() {
    int[] s = Shapes.of(shape);
    return BinaryWorkloads.syrk(s[0], s[1]);
  }
}
