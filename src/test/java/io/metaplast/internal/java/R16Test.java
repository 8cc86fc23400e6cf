package io.metaplast.internal.java;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class R16Test {
  /** The definition, word for word. */
  private static float sum(float[] x) {
    float[] values = x;
    while (true) {
      int chunks = Math.max(1, (values.length + 4095) / 4096);
      float[] sums = new float[chunks];
      for (int c = 0; c < chunks; c++) {
        float[] lane = new float[16];
        boolean[] begun = new boolean[16];
        for (int i = 4096 * c; i < Math.min(values.length, 4096 * (c + 1)); i++) {
          int j = i % 16;
          lane[j] = begun[j] ? lane[j] + values[i] : values[i];
          begun[j] = true;
        }
        for (int h = 8; h >= 1; h /= 2) {
          for (int j = 0; j < h; j++) {
            lane[j] += lane[j + h];
          }
        }
        sums[c] = lane[0];
      }
      if (chunks == 1) {
        return sums[0];
      }
      values = sums;
    }
  }

  private final R16 r16 = new R16();
  private final SplittableRandom random = new SplittableRandom(3);

  private float[] values(int n) {
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      x[i] = random.nextInt(8) == 0 ? -0f : (float) random.nextDouble(-1e3, 1e3);
    }
    return x;
  }

  @Test
  void aChunk() {
    for (int n = 0; n <= 4096; n += n < 100 ? 1 : 37) {
      float[] x = values(n);
      float[] shifted = new float[n + 5];
      System.arraycopy(x, 0, shifted, 5, n);
      assertThat(Float.floatToRawIntBits(r16.chunk(shifted, 5, n))).as("%s elements", n).isEqualTo(Float.floatToRawIntBits(sum(x)));
    }
  }

  @Test
  void chunkSumsInLevels() {
    for (int n : new int[] {1, 2, 15, 16, 17, 4095, 4096, 4097, 8192, 100_000}) {
      float[] x = values(n);
      float expected = n == 1 ? x[0] : sum(x);
      float[] work = new float[n + 3];
      System.arraycopy(x, 0, work, 3, n);
      assertThat(Float.floatToRawIntBits(r16.ofChunkSums(work, 3, n))).as("%s chunk sums", n).isEqualTo(Float.floatToRawIntBits(expected));
    }
  }
}
