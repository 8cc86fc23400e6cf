package io.metaplast.bench.jmh;

import io.metaplast.bench.BinaryWorkloads;
import io.metaplast.bench.Workload;
import io.metaplast.binary.Conv2dShape;
import org.openjdk.jmh.annotations.Param;

/** Convolution of signs, 3 x 3, padding 1; an item is a multiply-accumulate. */
public class BinaryConv2dBenchmark extends KernelBenchmark {
  /** Batch x channels x height (= width) x output channels. */
  @Param({"64x128x32x128", "64x256x16x256"})
  public String shape;

  @Override
  protected Workload.Factory factory() {
    int[] s = Shapes.of(shape);
    return BinaryWorkloads.conv2d(Conv2dShape.of(s[0], s[1], s[2], s[2], s[3], 3, 1, 1));
  }
}
