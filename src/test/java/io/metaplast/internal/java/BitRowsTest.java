package io.metaplast.internal.java;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class BitRowsTest {
  private static final float[] SPECIAL = {
    0f, -0f, Float.NaN, Float.intBitsToFloat(0xffc00000), Float.intBitsToFloat(0xffffffff), Float.intBitsToFloat(0x7fffffff),
    Float.intBitsToFloat(0x7f800001), Float.intBitsToFloat(0xff800001), Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.MIN_VALUE,
    -Float.MIN_VALUE, Float.MAX_VALUE, -Float.MAX_VALUE, 1f, -1f, Math.nextUp(1f), Math.nextDown(-1f), Math.nextDown(1f)
  };

  private final SplittableRandom random = new SplittableRandom(5);

  private float[] values(int n) {
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      x[i] = random.nextInt(3) == 0 ? Float.intBitsToFloat(random.nextInt()) : SPECIAL[random.nextInt(SPECIAL.length)];
    }
    return x;
  }

  private static boolean bit(long[] words, int i) {
    return (words[i >> 6] >>> (i & 63) & 1) != 0;
  }

  /** Lengths around whole words, on both sides of where the packer begins to use vectors. */
  @Test
  void signsAndMasksOfRunsFollowTheComparisons() {
    SignPacker packer = new SignPacker();
    for (int n : new int[] {1, 10, 63, 64, 65, 255, 256, 257, 320, 1000, 4095, 4096}) {
      float[] x = values(n + 3);
      int words = (n + 63) / 64;
      long[] signs = random.longs(words + 1).toArray();
      long[] within = random.longs(words + 1).toArray();
      packer.signs(x, 3, n, signs, 1);
      packer.within(x, 3, n, within, 1);
      for (int i = 0; i < 64 * words; i++) {
        boolean inside = i < n;
        assertThat(bit(signs, i + 64)).as("sign of element %d of %d", i, n).isEqualTo(inside && x[i + 3] >= 0);
        assertThat(bit(within, i + 64)).as("mask of element %d of %d", i, n).isEqualTo(inside && !(Math.abs(x[i + 3]) > 1));
      }
    }
  }

  @Test
  void unpackedSignsAreOnes() {
    long[] words = random.longs(4).toArray();
    float[] x = new float[201];
    BitRows.unpack(words, 1, 190, x, 7);
    for (int i = 0; i < 190; i++) {
      assertThat(x[7 + i]).isEqualTo(bit(words, 64 + i) ? 1f : -1f);
    }
    assertThat(x[6]).isZero();
    assertThat(x[197]).isZero();
  }

  @Test
  void maskBeginsAtAnyBitAndGivesPlusZero() {
    long[] words = random.longs(6).toArray();
    for (int first = 0; first < 130; first++) {
      float[] x = values(150);
      float[] expected = x.clone();
      for (int i = 0; i < 140; i++) {
        expected[5 + i] = bit(words, 64 + first + i) ? x[5 + i] : 0f;
      }
      BitRows.mask(words, 1, first, 140, x, 5);
      assertThat(x).containsExactly(expected);
    }
  }

  @Test
  void transposeSwapsRowsAndColumns() {
    long[] a = random.longs(64).toArray();
    long[] t = a.clone();
    BitRows.transpose(t);
    for (int i = 0; i < 64; i++) {
      for (int j = 0; j < 64; j++) {
        assertThat(t[j] >>> i & 1).isEqualTo(a[i] >>> j & 1);
      }
    }
  }
}
