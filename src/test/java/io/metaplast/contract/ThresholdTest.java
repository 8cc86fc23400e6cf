package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.metaplast.Backend;
import io.metaplast.BitMatrix;
import io.metaplast.Coverage;
import io.metaplast.Seeds;
import io.metaplast.TestBackends;
import io.metaplast.TestBackends.Target;
import io.metaplast.binary.Thresholds;
import io.metaplast.oracle.ThresholdOracle;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Batch norm and sign folded into thresholds: 100,000 random channels, with negative, zero and tiny scales, ties and neighbours of ties among them. Where K is
 * small the product kernel's bit is compared with the exact sign at every dot product y in -K..K; where it is large, at the turn and at both ends.
 */
class ThresholdTest {
  private static final int CHANNELS = 100_000;
  private static final double EPS = 0x1p-12;

  /** Parameters of a block of channels of one K. */
  private static final class Block {
    private final int k;
    private final float[] gamma;
    private final float[] beta;
    private final float[] mean;
    private final float[] variance;
    private final int[] limit;
    private final int[] invert;
    private int ties;
    private long[] bits;

    Block(int k, int n, int index) {
      this.k = k;
      gamma = new float[n];
      beta = new float[n];
      mean = new float[n];
      variance = new float[n];
      SplittableRandom r = Seeds.random("thresholds", index);
      for (int c = 0; c < n; c++) {
        switch (c % 4) {
          case 0 -> tie(r, c);
          case 1 -> wild(r, c);
          default -> usual(r, c);
        }
      }
      assertThat(ties).as("exact ties").isEqualTo((n + 3) / 4);
      try (Thresholds t = Thresholds.fold(TestBackends.java().backend(), gamma, beta, mean, variance, EPS, k)) { // on the host, for all backends alike
        limit = t.limit().toArray();
        invert = t.invert().toArray();
      }
    }

    private void usual(SplittableRandom r, int c) {
      gamma[c] = (float) (0.1 + r.nextDouble()) * (r.nextInt(3) == 0 ? -1 : 1);
      beta[c] = (float) r.nextGaussian();
      mean[c] = (float) (r.nextGaussian() * Math.sqrt(k + 1));
      variance[c] = (float) ((0.25 + r.nextDouble()) * (k + 1));
    }

    /** Zeros of both signs, subnormal and huge values: bounds far outside of -K..K. */
    private void wild(SplittableRandom r, int c) {
      float[] scales = {0f, -0f, Float.MIN_VALUE, -Float.MIN_VALUE, 1e-30f, -1e30f, Float.MAX_VALUE, 1e-6f, -1e-6f, 1f};
      float[] shifts = {0f, -0f, Float.MIN_VALUE, -Float.MIN_VALUE, 5f, -5f, 1e30f, -Float.MAX_VALUE};
      gamma[c] = scales[r.nextInt(scales.length)];
      beta[c] = shifts[r.nextInt(shifts.length)];
      mean[c] = r.nextInt(4) == 0 ? (r.nextBoolean() ? 1e30f : -1e-30f) : r.nextInt(-k, k + 1);
      variance[c] = r.nextInt(3) == 0 ? 0f : r.nextInt(3) == 0 ? 1e30f : r.nextInt(1, 1000);
    }

    /** The root of variance + eps is s exactly, and gamma (y - mean) + beta s = 0 at a dot product y; in two of three cases one parameter is next to that. */
    private void tie(SplittableRandom r, int c) {
      double s = (1 + r.nextInt(64)) / 64.0;
      double e = r.nextInt(-16, 17) / 4.0; // (y - mean)/s
      double y = k - 2.0 * (k <= 4096 ? r.nextInt(k + 1) : k / 2 + r.nextInt(-2048, 2049)); // fp32 has to hold the mean
      gamma[c] = (1 + r.nextInt(16)) / 8f * (r.nextBoolean() ? -1 : 1);
      beta[c] = (float) (-gamma[c] * e);
      mean[c] = (float) (y - s * e);
      variance[c] = (float) (s * s - EPS);
      ties += ThresholdOracle.sign(gamma[c], beta[c], mean[c], variance[c], EPS, (long) y) == 0 ? 1 : 0;
      switch (r.nextInt(6)) {
        case 0 -> beta[c] = Math.nextUp(beta[c]);
        case 1 -> beta[c] = Math.nextDown(beta[c]);
        case 2 -> mean[c] = Math.nextUp(mean[c]);
        case 3 -> variance[c] = Math.nextUp(variance[c]);
        default -> {
          // left as a tie
        }
      }
    }

    /** Expected bits [p][channel], in rows of words. */
    synchronized long[] bits(int rowWords) {
      if (bits == null) {
        bits = new long[(k + 1) * rowWords];
        for (int p = 0; p <= k; p++) {
          for (int c = 0; c < gamma.length; c++) {
            if (bit(c, k - 2L * p)) {
              bits[p * rowWords + c / 64] |= 1L << (c % 64);
            }
          }
        }
      }
      return bits;
    }

    boolean bit(int c, long y) {
      return ThresholdOracle.bit(gamma[c], beta[c], mean[c], variance[c], EPS, y);
    }

    String show(int c) {
      return "K " + k + ", gamma " + gamma[c] + ", beta " + beta[c] + ", mean " + mean[c] + ", variance " + variance[c];
    }
  }

  private static final int[] SMALL = {0, 1, 2, 3, 5, 8, 16, 31, 33, 64};
  private static final int[] LARGE = {127, 512, 784, 4096, 100_003, 1 << 24};
  private static final Map<Integer, Block> BLOCKS = new HashMap<>();

  /** The blocks of small K, made once for all targets. */
  private static synchronized Block small(int index) {
    return BLOCKS.computeIfAbsent(index, i -> new Block(SMALL[i], CHANNELS / 2 / SMALL.length, i));
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void everyDotProductOfSmallK(Target target) {
    Backend backend = target.backend();
    int perK = CHANNELS / 2 / SMALL.length;
    for (int index = 0; index < SMALL.length; index++) {
      int k = SMALL[index];
      Block block = small(index);
      try (Thresholds thresholds = Thresholds.of(backend, block.limit, block.invert);
          BitMatrix a = backend.allocateBits(k + 1, k);
          BitMatrix zeros = backend.allocateBits(perK, k);
          BitMatrix y = backend.allocateBits(k + 1, perK)) {
        long[] words = new long[(int) a.length()];
        for (int p = 0; p <= k; p++) { // row p differs from zeros in p places
          for (int i = 0; i < p; i++) {
            words[p * a.rowWords() + i / 64] |= 1L << (i % 64);
          }
        }
        a.upload(words);
        backend.binary().xnorGemm(a, zeros, thresholds, y, backend.defaultStream());
        long[] actual = y.toArray();
        long[] wanted = block.bits(y.rowWords());
        for (int w = 0; w < wanted.length; w++) {
          if (actual[w] != wanted[w]) {
            int c = w % y.rowWords() * 64 + Long.numberOfTrailingZeros(actual[w] ^ wanted[w]);
            throw new AssertionError(block.show(c) + ": the bit at p = " + w / y.rowWords() + " is wrong; seed " + Seeds.base());
          }
        }
        Coverage.checked("binary.xnorGemm", target.name(), (long) perK * (k + 1));
      }
    }
  }

  /** The fold runs on the host, so one backend stands for all. */
  @Test
  void turnsOfLargeK() {
    int perK = CHANNELS / 2 / LARGE.length + 1;
    for (int index = 0; index < LARGE.length; index++) {
      int k = LARGE[index];
      Block block = new Block(k, perK, SMALL.length + index);
      SplittableRandom r = Seeds.random("points", index);
      for (int c = 0; c < perK; c++) {
        // always and never are written without inversion
        if (block.limit[c] < -1 || block.limit[c] > k || (block.limit[c] < 0 || block.limit[c] == k) && block.invert[c] != 0) {
          throw new AssertionError(block.show(c) + ": limit " + block.limit[c] + ", invert " + block.invert[c] + "; seed " + Seeds.base());
        }
        for (long p : new long[] {0, k, block.limit[c], block.limit[c] + 1L, block.limit[c] - 1L, block.limit[c] + 2L, r.nextInt(k + 1)}) {
          if (p >= 0 && p <= k && (p <= block.limit[c] ^ block.invert[c] == 1) != block.bit(c, k - 2 * p)) {
            throw new AssertionError(block.show(c) + ": limit " + block.limit[c] + ", invert " + block.invert[c] + " is wrong at p = " + p + "; seed " + Seeds.base());
          }
        }
      }
    }
  }
}
