package io.metaplast.internal;

import io.metaplast.BackendUnavailableException;
import io.metaplast.BitMatrix;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.I32Buffer;
import io.metaplast.I32Matrix;
import io.metaplast.Stream;
import io.metaplast.TensorGroup;
import io.metaplast.TensorLayout;
import io.metaplast.bayes.GaussianWeights;
import io.metaplast.bayes.MesuParams;
import io.metaplast.binary.AdamParams;
import io.metaplast.binary.HiddenWeights;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;

/**
 * What a backend has to get right before it is handed out: random words, Gaussians and one update, then packing, a product of bits and a metaplastic step, with
 * the bits of this numerics version. 67 elements, starting inside a Philox block, so that main loops and tails of every tier take part.
 */
final class SelfTest {
  private static final int N = 67;
  private static final long FIRST = 5;
  private static final long SEED = 0x299f31d0a4093822L;

  // FNV-1a over the 32-bit patterns; the golden vectors of the tests tie these kernels to their specification.
  private static final long PHILOX = 0x356a162022e617b1L;
  private static final long GAUSSIAN = 0x1dda4c0df776f67dL;
  private static final long MEAN = 0x6ac0a516014c3564L;
  private static final long SIGMA = 0xee287c1b17ba52d7L;
  private static final long PRODUCT = 0xdf93fcdd993385d8L;
  private static final long HIDDEN = 0x205ae2c887f28b10L;
  private static final long SIGNS = 0xa4fb4872b302ad30L;

  // The 67 elements as rows of signs.
  private static final int ROWS = 5;
  private static final int COLS = 13;

  private SelfTest() {}

  /**
   * Runs the test.
   *
   * @throws BackendUnavailableException if some result has other bits than it must have
   */
  static void run(BackendImpl backend) {
    Stream stream = backend.defaultStream();
    try (I32Buffer words = backend.allocateI32(N);
        GaussianWeights weights = GaussianWeights.allocate(backend, TensorLayout.of(N));
        TensorGroup<F32Buffer> gradients = backend.allocateGroup(TensorLayout.of(N), 1);
        TensorGroup<F32Buffer> gradientsSigma = backend.allocateGroup(TensorLayout.of(N), 1)) {
      backend.bayes().philox(SEED, 1, 2, FIRST, words, stream);
      expect(backend, "philox", PHILOX, words.toArray());
      F32Buffer mean = weights.mean().get(0);
      F32Buffer sigma = weights.sigma().get(0);
      backend.bayes().gaussian(SEED, 1, 2, FIRST, mean, stream);
      expect(backend, "gaussian", GAUSSIAN, bits(mean));
      sigma.fill(0.1f);
      backend.bayes().gaussian(SEED, 3, 4, FIRST, gradients.get(0), stream);
      backend.bayes().gaussian(SEED, 5, 6, FIRST, gradientsSigma.get(0), stream);
      backend.bayes().step(weights, gradients, gradientsSigma, MesuParams.builder().build(), null, stream);
      expect(backend, "step, mean", MEAN, bits(mean));
      expect(backend, "step, sigma", SIGMA, bits(sigma));
      binary(backend, mean, gradients, stream);
    }
  }

  private static void binary(BackendImpl backend, F32Buffer values, TensorGroup<F32Buffer> gradients, Stream stream) {
    try (BitMatrix a = backend.allocateBits(ROWS, COLS);
        BitMatrix b = backend.allocateBits(ROWS, COLS);
        I32Buffer products = backend.allocateI32(ROWS * ROWS);
        HiddenWeights weights = HiddenWeights.allocate(backend, HiddenWeights.Shape.binary(1, N))) {
      backend.binary().signPack(F32Matrix.of(values, ROWS, COLS), a, stream);
      backend.binary().signPack(F32Matrix.of(gradients.get(0), ROWS, COLS), b, stream);
      backend.binary().xnorGemm(a, b, I32Matrix.of(products, ROWS, ROWS), stream);
      expect(backend, "xnorGemm", PRODUCT, products.toArray());
      F32Buffer hidden = weights.hidden().get(0);
      hidden.copyFrom(values);
      backend.binary().metaAdamStep(weights, gradients, List.of(new AdamParams(0.005, 0.9, 0.999, 1e-8, 1e-7, 1.35)), 1, stream);
      expect(backend, "metaAdamStep", HIDDEN, bits(hidden));
      long[] signs = weights.signs(0).toArray();
      expect(backend, "metaAdamStep, signs", SIGNS, Arrays.stream(signs).flatMap(w -> LongStream.of(w & 0xffffffffL, w >>> 32)).mapToInt(w -> (int) w).toArray());
    }
  }

  private static int[] bits(F32Buffer buffer) {
    float[] values = buffer.toArray();
    int[] bits = new int[values.length];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = Float.floatToRawIntBits(values[i]);
    }
    return bits;
  }

  private static void expect(BackendImpl backend, String kernel, long wanted, int[] words) {
    long hash = 0xcbf29ce484222325L;
    for (int word : words) {
      hash = (hash ^ (word & 0xffffffffL)) * 0x100000001b3L;
    }
    if (hash != wanted) {
      throw new BackendUnavailableException(
          "the " + backend.info().kind() + " backend failed its self-test: " + kernel + " gave hash 0x" + Long.toHexString(hash) + ", wanted 0x"
              + Long.toHexString(wanted) + "; please report this with the output of 'info'",
          3, 0, "");
    }
  }
}
