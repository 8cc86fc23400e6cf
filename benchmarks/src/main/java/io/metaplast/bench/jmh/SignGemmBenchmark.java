package io.metaplast.bench.jmh;

import io.metaplast.bench.BinaryWorkloads;
import io.metaplast.bench.Workload;
import org.openjdk.jmh.annotations.Param;

/** Real x sign; an item is a multiply-accumulate. */
public class SignGemmBenchmark extends KernelBenchmark {
  /** Which product of a layer. */
  @Param({"NT", "NN", "TN", "REAL_TN"})
  public BinaryWorkloads.SignProduct product;

  /** Batch x outputs x inputs. */
  @Param({"480x960x1024", "100x4096x4096"})
  public String shape;

  @Override
  protected Workload.Factory factory() {
    int[] s = Shapes.of(shape);
    return BinaryWorkloads.sign(product, s[0], s[1], s[2]);
  }
}
