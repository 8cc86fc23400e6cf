package io.metaplast.bench.jmh;

import io.metaplast.bench.CudaLapackPeer;
import io.metaplast.bench.JavaInversePeer;
import io.metaplast.bench.LapackPeer;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/**
 * What other libraries need for the work of the Kronecker family: calls through JavaCPP in a loop, or a Java library. MKL needs METAPLAST_PEERS=1; the Java libraries have the inverses only.
 * CUDA, cuSOLVER and cuBLAS, needs METAPLAST_CUDA_PEERS=1 and a GPU.
 */
public class LapackPeerBenchmark extends Throughput {
  /** OPENBLAS, MKL, CUDA, EJML or OJALGO (one matrix). */
  @Param({"OPENBLAS", "MKL"})
  public String library;

  /** inverse COUNTxN or inverse resnet50, factor ROWSxCOLS, precondition or penalty and the widths of a network. */
  @Param({"inverse 1x64", "inverse 1x128", "inverse 1x256", "inverse 1x512", "inverse 1x1024", "inverse 1x2048", "inverse 1024x8", "inverse 1024x16",
      "inverse 1024x32", "factor 512x785", "factor 4096x1153", "precondition 784-100-100-10", "precondition 784-1024-512-256-128-64-10",
      "penalty 784-100-100-10"})
  public String work;

  /** Threads of OpenBLAS and MKL; the others have one on the host. */
  @Param("1")
  public int threads;

  private Runnable body;
  private AutoCloseable peer;

  /** Prepares and verifies. */
  @Setup
  public void open() {
    String[] words = work.split(" ");
    boolean java = library.equals("EJML") || library.equals("OJALGO");
    if ((java || library.equals("CUDA")) && threads != 1) {
      throw new IllegalArgumentException(library + " has one thread only");
    }
    if (java) {
      body = JavaInversePeer.open(JavaInversePeer.Library.valueOf(library), orders(words))::run;
      return;
    }
    if (library.equals("CUDA")) {
      CudaLapackPeer cuda =
          switch (words[0]) {
            case "factor" -> CudaLapackPeer.factor(Shapes.of(words[1])[0], Shapes.of(words[1])[1]);
            case "precondition" -> CudaLapackPeer.precondition(Shapes.network(words[1]));
            case "penalty" -> CudaLapackPeer.penalty(Shapes.network(words[1]));
            default -> CudaLapackPeer.inverses(orders(words));
          };
      peer = cuda;
      body = cuda::run;
      System.out.println("# peer: " + CudaLapackPeer.describe());
      return;
    }
    LapackPeer.Library lapack = LapackPeer.Library.valueOf(library);
    LapackPeer host =
        switch (words[0]) {
          case "factor" -> LapackPeer.factor(lapack, threads, Shapes.of(words[1])[0], Shapes.of(words[1])[1]);
          case "precondition" -> LapackPeer.precondition(lapack, threads, Shapes.network(words[1]));
          case "penalty" -> LapackPeer.penalty(lapack, threads, Shapes.network(words[1]));
          default -> LapackPeer.inverses(lapack, threads, orders(words));
        };
    peer = host;
    body = host::run;
    System.out.println("# peer: " + lapack.describe());
  }

  private int[] orders(String... words) {
    if (!words[0].equals("inverse")) {
      throw new IllegalArgumentException("work '" + work + "' is not there for " + library);
    }
    return Shapes.orders(words[1]);
  }

  /** Releases everything. */
  @TearDown
  public void close() throws Exception {
    if (peer != null) {
      peer.close();
    }
  }

  /** One call. */
  @Benchmark
  public void run() {
    body.run();
  }
}
