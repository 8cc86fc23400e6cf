package io.metaplast.internal;

import io.metaplast.BackendUnavailableException;
import io.metaplast.F32Buffer;
import io.metaplast.I32Buffer;
import io.metaplast.Stream;
import io.metaplast.TensorGroup;
import io.metaplast.TensorLayout;
import io.metaplast.bayes.GaussianWeights;
import io.metaplast.bayes.MesuParams;

/**
 * What a backend has to get right before it is handed out: random words, Gaussians and one update, with the bits of this numerics version. 67 elements, starting
 * inside a Philox block, so that main loops and tails of every tier take part.
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
