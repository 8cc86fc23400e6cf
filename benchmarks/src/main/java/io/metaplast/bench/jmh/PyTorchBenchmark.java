package io.metaplast.bench.jmh;

import io.metaplast.bench.PyTorchPeer;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/** PyTorch's CPU library doing the work of our kernels; needs METAPLAST_PYTORCH=1. Verified against our kernels in the setup. */
public class PyTorchBenchmark extends Throughput {
  /** ratioChain: 34 tensor operations; carefulStep: published rule in place; randnSample: normal_ and addcmul; metaAdamChain: metaplastic Adam with signs. */
  @Param({"ratioChain", "carefulStep", "randnSample", "metaAdamChain"})
  public String work;

  /** Parameters. */
  @Param({"39700", "1000000"})
  public int n;

  /** Threads of PyTorch. */
  @Param("1")
  public int threads;

  private PyTorchPeer peer;

  /** Prepares and verifies. */
  @Setup
  public void open() {
    peer = PyTorchPeer.open(work, n, threads);
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
    rates.add(n, peer.bytes());
  }
}
