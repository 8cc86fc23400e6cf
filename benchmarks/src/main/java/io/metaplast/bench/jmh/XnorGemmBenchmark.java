package io.metaplast.bench.jmh;

import io.metaplast.bench.BinaryWorkloads;
import io.metaplast.bench.Workload;
import org.openjdk.jmh.annotations.Param;

/** Bits x bits; an item is a multiply-accumulate. */
public class XnorGemmBenchmark extends KernelBenchmark {
  /** What is written; PACK_AND_BITS packs one operand from fp32 in the same call. */
  @Param({"INT32", "BITS", "PACK_AND_BITS"})
  public BinaryWorkloads.XnorOutput output;

  /** M x N x K. */
  @Param({"1920x1920x4608", "4096x4096x4096", "100x4096x4096"})
  public String shape;

  @Override
  protected Workload.Factory factory() {
    int[] s = Shapes.of(shape);
    return BinaryWorkloads.xnor(s[0], s[1], s[2], output);
  }
}
