package io.metaplast.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.metaplast.bench.jmh.LapackPeerBenchmark;
import org.junit.jupiter.api.Test;

class KfacPeersTest {
  @Test
  void everyPeerPassesTheCheckOfItsSection() {
    LapackPeer.Library openblas = LapackPeer.Library.OPENBLAS;
    try (LapackPeer inverses = LapackPeer.inverses(openblas, 1, 5, 1, 33); LapackPeer factor = LapackPeer.factor(openblas, 1, 9, 17);
        LapackPeer precondition = LapackPeer.precondition(openblas, 1, 7, 5, 3); LapackPeer penalty = LapackPeer.penalty(openblas, 1, 7, 5, 3)) {
      inverses.run();
      factor.run();
      precondition.run();
      penalty.run();
    }
    JavaInversePeer.open(JavaInversePeer.Library.EJML, 8, 8).run();
    JavaInversePeer.open(JavaInversePeer.Library.OJALGO, 9).run();
    assertThatThrownBy(() -> JavaInversePeer.open(JavaInversePeer.Library.OJALGO, 9, 9)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void cudaLibrariesRefuseWithTheReasonWhereTheyAreMissing() {
    String missing = CudaLapackPeer.missing();
    assumeThat(missing).isNotNull();
    assertThat(missing).startsWith(CudaLapackPeer.LABEL + " skipped: ").doesNotContain("\n")
        .containsAnyOf("METAPLAST_CUDA_PEERS=1", "NVIDIA driver", "no usable GPU");
    assertThatThrownBy(() -> CudaLapackPeer.inverses(5)).isInstanceOf(IllegalStateException.class).hasMessage(missing);
    assertThatThrownBy(() -> CudaLapackPeer.factor(9, 17)).isInstanceOf(IllegalStateException.class).hasMessage(missing);
    assertThatThrownBy(() -> CudaLapackPeer.precondition(7, 5, 3)).isInstanceOf(IllegalStateException.class).hasMessage(missing);
    assertThatThrownBy(() -> CudaLapackPeer.penalty(7, 5, 3)).isInstanceOf(IllegalStateException.class).hasMessage(missing);
    LapackPeerBenchmark benchmark = new LapackPeerBenchmark();
    benchmark.library = "CUDA";
    benchmark.work = "inverse 1x64";
    benchmark.threads = 1;
    assertThatThrownBy(benchmark::open).isInstanceOf(IllegalStateException.class).hasMessage(missing);
    benchmark.threads = 2;
    assertThatThrownBy(benchmark::open).isInstanceOf(IllegalArgumentException.class);
  }

  /** Opening compares the first results with the bounds that ours keep. */
  @Test
  void cudaLibrariesPassTheCheckOfTheirSectionOnAGpu() {
    assumeThat(CudaLapackPeer.missing()).isNull();
    try (CudaLapackPeer inverses = CudaLapackPeer.inverses(5, 1, 33); CudaLapackPeer factor = CudaLapackPeer.factor(9, 17);
        CudaLapackPeer precondition = CudaLapackPeer.precondition(7, 5, 3); CudaLapackPeer penalty = CudaLapackPeer.penalty(7, 5, 3)) {
      inverses.run();
      factor.run();
      precondition.run();
      penalty.run();
    }
    assertThat(CudaLapackPeer.describe()).startsWith("cuSOLVER ");
  }

  @Test
  void wrongInverseIsSeen() {
    SpdMatrix matrix = new SpdMatrix(6, 1);
    double[] damped = Dense.of(matrix.all());
    for (int i = 0; i < 6; i++) {
      damped[i * 6 + i] += SpdMatrix.DAMPING;
    }
    double[] inverse = Dense.inverse(6, damped);
    float[] x = new float[36];
    for (int i = 0; i < 6; i++) {
      for (int j = 0; j <= i; j++) {
        x[i * 6 + j] = (float) inverse[i * 6 + j];
        x[j * 6 + i] = x[i * 6 + j];
      }
    }
    assertThat(matrix.wrong(x, 6)).isNull();
    x[1] = Math.nextUp(x[1]);
    assertThat(matrix.wrong(x, 6)).contains("mirror");
    x[6] = x[1];
    x[0] *= 1.001f;
    assertThat(matrix.wrong(x)).contains("column 0");
    x[0] = Float.NaN;
    assertThat(matrix.wrong(x)).contains("NaN");
  }

  @Test
  void wrongProductsAndFactorsAreSeen() {
    float[] data = KfacWorkloads.factorData(8, 3);
    assertThat(KfacWorkloads.wrongFactor(8, 3, 3, data, new float[9])).contains("instead of");
    assertThat(KfacWorkloads.Layer.of(4, 2).get(0).wrongProduct(new float[10], null, 1, 4)).contains("instead of");
    assertThat(KfacWorkloads.wrongCholesky(3, new SpdMatrix(3, 0).all(), new float[9])).contains("L L^T");
    assertThat(KfacWorkloads.wrongEigen(3, new SpdMatrix(3, 0).all(), new float[3], new float[] {1, 0, 0, 0, 1, 0, 0, 0, 1})).contains("M Q");
  }

  @Test
  void resnet50HasItsFactors() {
    assertThat(KfacWorkloads.resnet50()).hasSize(108);
    assertThat(KfacWorkloads.cubes(KfacWorkloads.resnet50())).isBetween(452e9, 454e9);
  }
}
