package io.metaplast.bench.jmh;

import io.metaplast.bench.GemmPeer;
import java.util.Random;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/** Products of GEMM libraries in the shapes of ours, y = x W^T; needs METAPLAST_PEERS=1 for all but OpenBLAS. An item is a multiply-accumulate. */
public class GemmPeerBenchmark extends Throughput {
  /** Which library; its version and instruction set are printed when it opens. */
  @Param({"OPENBLAS", "ONEDNN", "ONEDNN_INT8", "MKL"})
  public GemmPeer.Kind library;

  /** M x N x K. */
  @Param({"1920x1920x4608", "4096x4096x4096", "480x960x1024", "100x4096x4096"})
  public String shape;

  private GemmPeer peer;
  private double items;

  /** Prepares and verifies. */
  @Setup
  public void open() {
    int[] s = Shapes.of(shape);
    items = (double) s[0] * s[1] * s[2];
    peer = GemmPeer.open(library, false, true, s[0], s[1], s[2], signs(s[0] * s[2], 0), signs(s[1] * s[2], -1), 1);
    System.out.println("# peer: " + GemmPeer.describe(library));
  }

  /** The left operand of the integer product is unsigned. */
  private float[] signs(int n, int seed) {
    Random random = new Random(seed);
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = random.nextBoolean() ? 1 : seed == 0 && library == GemmPeer.Kind.ONEDNN_INT8 ? 0 : -1;
    }
    return values;
  }

  /** Releases everything. */
  @TearDown
  public void close() {
    peer.close();
  }

  /** One call. */
  @Benchmark
  public void run(KernelBenchmark.Rates rates) {
    peer.run();
    rates.add(items, 0);
  }
}
