package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.metaplast.Backend;
import io.metaplast.BitMatrix;
import io.metaplast.Coverage;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.I32Buffer;
import io.metaplast.I32Matrix;
import io.metaplast.Seeds;
import io.metaplast.TestBackends.Target;
import io.metaplast.binary.Thresholds;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Products of bits are exact: every K up to 1,030 with M and N around the widths of registers and tiles, larger K with all pairs of a second list, and the
 * largest K. Expected values are popcounts of single words; operands are random, alternating, all ones, all zeros and one bit apart, and in half of the shapes
 * the result has gaps between its rows. Int32, fp32 and thresholded results are compared.
 */
class XnorShapesTest {
  private static final int[] SMALL = {1, 2, 3, 5, 7, 8, 9, 16, 17, 31, 33, 65};
  private static final int[] LARGE = {1, 2, 3, 7, 8, 15, 16, 17, 63, 64, 65, 129};

  /** Operands of one K with the largest M and N of a list; every shape takes the first rows of them. */
  private static final class Operands implements AutoCloseable {
    private final Backend backend;
    private final int k;
    private final int most;
    private final BitMatrix a;
    private final BitMatrix b;
    private final int[] dots;
    private final int[] limit;
    private final int[] invert;
    private final I32Buffer ints;
    private final F32Buffer floats;
    private final int[] guards;

    Operands(Backend backend, int k, int most) {
      this.backend = backend;
      this.k = k;
      this.most = most;
      SplittableRandom random = Seeds.random("xnor shapes", k);
      long[] left = rows(random, most, k);
      long[] right = rows(random, most, k);
      int words = (int) BitMatrix.rowWords(k);
      if (k > 0) { // the last row of b is one bit apart from the last row of a
        System.arraycopy(left, (most - 1) * words, right, (most - 1) * words, words);
        int bit = random.nextInt(k);
        right[(most - 1) * words + bit / 64] ^= 1L << (bit % 64);
      }
      a = backend.allocateBits(most, k);
      b = backend.allocateBits(most, k);
      a.upload(left);
      b.upload(right);
      dots = new int[most * most];
      for (int i = 0; i < most; i++) {
        for (int j = 0; j < most; j++) {
          int apart = 0;
          for (int w = 0; w < words; w++) {
            apart += Long.bitCount(left[i * words + w] ^ right[j * words + w]);
          }
          dots[i * most + j] = k - 2 * apart;
        }
      }
      limit = new int[most];
      invert = new int[most];
      for (int j = 0; j < most; j++) {
        limit[j] = Math.min(k, k / 2 + random.nextInt(-3, 4));
        invert[j] = random.nextInt(2);
      }
      int room = most * (most + 1) + 16;
      ints = backend.allocateI32(room);
      floats = backend.allocate(room);
      guards = new int[room];
      Arrays.fill(guards, 0x5a17c0de);
    }

    private static long[] rows(SplittableRandom random, int rows, int k) {
      int words = (int) BitMatrix.rowWords(k);
      long[] all = new long[rows * words];
      for (int r = 0; r < rows; r++) {
        for (int w = 0; w < words; w++) {
          long value = r == 1 ? -1 : r == 2 ? 0 : r == 3 ? 0x5555555555555555L : random.nextLong();
          int valid = Math.min(64, Math.max(0, k - 64 * w));
          all[r * words + w] = valid == 0 ? 0 : value & (-1L >>> (64 - valid));
        }
      }
      return all;
    }

    /** The first m rows of a against the last n rows of b, so that all kinds of rows meet. */
    void check(int m, int n, boolean everyForm) {
      int first = most - n;
      BitMatrix left = a.rows(0, m);
      BitMatrix right = b.rows(first, n);
      int ld = n + (m + n) % 2;
      ints.upload(guards);
      backend.binary().xnorGemm(left, right, new I32Matrix(ints.slice(3, (long) (m - 1) * ld + n), m, n, ld), backend.defaultStream());
      int[] y = ints.toArray();
      for (int i = 0; i < m; i++) {
        for (int j = 0; j < n; j++) {
          if (y[3 + i * ld + j] != dots[i * most + first + j]) {
            fail(m, n, i, j, y[3 + i * ld + j]);
          }
          y[3 + i * ld + j] = guards[0];
        }
      }
      assertThat(Arrays.equals(y, guards)).as("guards around the result of M %d, N %d, K %d", m, n, k).isTrue();
      if (everyForm) {
        checkFloats(left, right, m, n, first);
        checkBits(left, right, m, n, first);
      }
    }

    private void checkFloats(BitMatrix left, BitMatrix right, int m, int n, int first) {
      backend.binary().xnorGemm(left, right, null, null, F32Matrix.of(floats, m, n), backend.defaultStream());
      float[] f = floats.toArray();
      for (int i = 0; i < m; i++) {
        for (int j = 0; j < n; j++) {
          if (f[i * n + j] != dots[i * most + first + j]) {
            fail(m, n, i, j, f[i * n + j]);
          }
        }
      }
    }

    private void checkBits(BitMatrix left, BitMatrix right, int m, int n, int first) {
      try (Thresholds t = Thresholds.of(backend, Arrays.copyOfRange(limit, first, most), Arrays.copyOfRange(invert, first, most));
          BitMatrix y = backend.allocateBits(m, n)) {
        long[] words = new long[(int) y.length()];
        Arrays.fill(words, -1);
        y.upload(words);
        backend.binary().xnorGemm(left, right, t, y, backend.defaultStream());
        words = y.toArray();
        for (int i = 0; i < m; i++) {
          for (int j = 0; j < 64 * y.rowWords(); j++) {
            boolean bit = (words[i * y.rowWords() + j / 64] >>> (j % 64) & 1) == 1;
            boolean expected = j < n && ((k - dots[i * most + first + j]) / 2 <= limit[first + j] ^ invert[first + j] == 1);
            if (bit != expected) {
              fail(m, n, i, j, bit ? 1 : 0);
            }
          }
        }
      }
    }

    private void fail(int m, int n, int i, int j, double actual) {
      throw new AssertionError("M " + m + ", N " + n + ", K " + k + ": y[" + i + "][" + j + "] is " + actual + "; seed " + Seeds.base());
    }

    @Override
    public void close() {
      a.close();
      b.close();
      ints.close();
      floats.close();
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void everyKUpTo1030(Target target) {
    int shapes = 0;
    for (int k = 0; k <= 1030; k++) {
      try (Operands operands = new Operands(target.backend(), k, 65)) {
        for (int i = 0; i < SMALL.length; i++) {
          for (int j = 0; j < SMALL.length; j++) {
            // every pair of M and N with every K; on commits a twelfth of the pairs, others for each K, so that 12 successive K see all
            if (Seeds.longCampaign() || (i + j + k) % 12 == 0) {
              operands.check(SMALL[i], SMALL[j], i % 3 == 0);
              shapes++;
            }
          }
        }
      }
    }
    assertThat(shapes).isGreaterThanOrEqualTo(1031 * 12);
    Coverage.checked("binary.xnorGemm", target.name(), shapes);
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void everyShapeOfTheSecondList(Target target) {
    int shapes = 0;
    for (int k : new int[] {1, 2, 3, 7, 8, 15, 16, 17, 63, 64, 65, 129, 512, 4096, 65537}) {
      try (Operands operands = new Operands(target.backend(), k, 129)) {
        for (int m : LARGE) {
          for (int n : LARGE) {
            if (k < 65537 || Seeds.longCampaign() || m * n < 600) {
              operands.check(m, n, k < 4096 && (m + n) % 3 == 0);
              shapes++;
            }
          }
        }
      }
    }
    Coverage.checked("binary.xnorGemm", target.name(), shapes);
  }

  /** K = 2^31 - 1: rows of 256 MiB. */
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void largestK(Target target) {
    int k = Integer.MAX_VALUE;
    Backend backend = target.backend();
    long[] ones = new long[1 << 16];
    Arrays.fill(ones, -1);
    try (BitMatrix a = backend.allocateBits(1, k);
        BitMatrix zeros = backend.allocateBits(1, k);
        I32Buffer y = backend.allocateI32(1)) {
      for (long at = 0; at < a.length(); at += ones.length) {
        a.upload(at, ones, 0, ones.length);
      }
      a.upload(a.length() - 1, new long[] {-1L >>> 1}, 0, 1); // the one pad bit
      backend.binary().xnorGemm(a, a, I32Matrix.of(y, 1, 1), backend.defaultStream());
      assertThat(y.toArray()).containsExactly(k);
      backend.binary().xnorGemm(a, zeros, I32Matrix.of(y, 1, 1), backend.defaultStream());
      assertThat(y.toArray()).containsExactly(-k);
      zeros.upload(12345, new long[] {0xffL}, 0, 1);
      backend.binary().xnorGemm(a, zeros, I32Matrix.of(y, 1, 1), backend.defaultStream());
      assertThat(y.toArray()).containsExactly(16 - k);
    }
    Coverage.checked("binary.xnorGemm", target.name(), 3);
  }
}
