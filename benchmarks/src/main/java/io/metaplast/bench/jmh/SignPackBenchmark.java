package io.metaplast.bench.jmh;

import io.metaplast.bench.BinaryWorkloads;
import io.metaplast.bench.Workload;
import org.openjdk.jmh.annotations.Param;

/** Sign packing; an item is an element. */
public class SignPackBenchmark extends KernelBenchmark {
  /** Rows x columns. */
  @Param({"100x784", "1920x4608", "4096x4096"})
  public String shape;

  @Override
  protected Workload.Factory factory() {
    int[] s = Shapes.of(shape);
    return BinaryWorkloads.pack(s[0], s[1]);
  }
}
