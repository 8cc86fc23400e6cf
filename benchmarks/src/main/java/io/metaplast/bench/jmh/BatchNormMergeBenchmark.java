package io.metaplast.bench.jmh;

import io.metaplast.bench.KfacWorkloads;
import io.metaplast.bench.Workload;
import org.openjdk.jmh.annotations.Param;

/** Batch norm merged into the layer before it; an item is a weight. */
public class BatchNormMergeBenchmark extends KernelBenchmark {
  /** Outputs x inputs. */
  @Param({"100x784", "4096x4096"})
  public String shape;

  @Override
  protected Workload.Factory factory() {
    int[] s = Shapes.of(shape);
    return KfacWorkloads.batchNormMerge(s[0], s[1]);
  }
}
