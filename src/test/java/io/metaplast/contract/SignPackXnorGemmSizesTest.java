package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.metaplast.Backend;
import io.metaplast.BitMatrix;
import io.metaplast.Coverage;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.Seeds;
import io.metaplast.TestBackends.Target;
import io.metaplast.binary.Thresholds;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Matrices of 8 MB and more, where the CPU packs rows while the product of earlier ones runs, against the two calls that this one stands for. */
class SignPackXnorGemmSizesTest {
  /** M, N, K, leading dimension of x; with 960 rows two threads pack beside the product. */
  private static final int[][] SHAPES = {{1000, 130, 2100, 2100}, {481, 83, 4608, 4611}};

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void equalToTwoCalls(Target target) {
    for (int[] shape : SHAPES) {
      int m = shape[0];
      int n = shape[1];
      int k = shape[2];
      int ld = shape[3];
      SplittableRandom random = Seeds.random("packing beside the product", k);
      float[] values = new float[(m - 1) * ld + k];
      for (int i = 0; i < values.length; i++) {
        int kind = random.nextInt(32);
        values[i] = kind == 0 ? Float.NaN : kind == 1 ? -0f : kind == 2 ? Float.NEGATIVE_INFINITY : kind == 3 ? -Float.MIN_VALUE : (float) random.nextDouble(-1, 1);
      }
      int[] limit = new int[n];
      int[] invert = new int[n];
      for (int j = 0; j < n; j++) {
        limit[j] = k / 2 + random.nextInt(-20, 21);
        invert[j] = random.nextInt(2);
      }
      Backend backend = target.backend();
      try (F32Buffer data = backend.allocate(values.length);
          F32Buffer weights = backend.allocate((long) n * k);
          BitMatrix a = backend.allocateBits(m, k);
          BitMatrix signs = backend.allocateBits(m, k);
          BitMatrix b = backend.allocateBits(n, k);
          BitMatrix y = backend.allocateBits(m, n);
          BitMatrix expected = backend.allocateBits(m, n);
          Thresholds thresholds = Thresholds.of(backend, limit, invert)) {
        data.upload(values);
        float[] w = new float[n * k];
        for (int i = 0; i < w.length; i++) {
          w[i] = random.nextBoolean() ? 1 : -1;
        }
        weights.upload(w);
        F32Matrix x = new F32Matrix(data, m, k, ld);
        backend.binary().signPack(F32Matrix.of(weights, n, k), b, backend.defaultStream());
        backend.binary().signPack(x, signs, backend.defaultStream());
        backend.binary().xnorGemm(signs, b, thresholds, expected, backend.defaultStream());
        backend.binary().signPackXnorGemm(x, a, b, thresholds, y, backend.defaultStream());
        assertThat(a.toArray()).as("signs of %d x %d", m, k).isEqualTo(signs.toArray());
        assertThat(y.toArray()).as("result of %d x %d x %d", m, n, k).isEqualTo(expected.toArray());
      }
    }
    Coverage.checked("binary.signPackXnorGemm", target.name(), SHAPES.length);
  }
}
