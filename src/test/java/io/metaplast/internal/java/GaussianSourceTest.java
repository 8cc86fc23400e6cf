package io.metaplast.internal.java;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class GaussianSourceTest {
  private final GaussianSource source = new GaussianSource();

  /** Philox4x32-10 as published: the word of one element. */
  private static int word(long seed, int stream, int step, long element) {
    long block = element >>> 2;
    int[] c = {(int) block, (int) (block >>> 32), stream, step};
    int key0 = (int) seed;
    int key1 = (int) (seed >>> 32);
    for (int round = 0; round < 10; round++) {
      long p0 = (c[0] & 0xffffffffL) * 0xD2511F53L;
      long p1 = (c[2] & 0xffffffffL) * 0xCD9E8D57L;
      c = new int[] {(int) (p1 >>> 32) ^ c[1] ^ key0, (int) p1, (int) (p0 >>> 32) ^ c[3] ^ key1, (int) p0};
      key0 += 0x9E3779B9;
      key1 += 0xBB67AE85;
    }
    return c[(int) (element & 3)];
  }

  @Test
  void wordsAreThoseOfTheElementsWhereverTheRunStarts() {
    SplittableRandom random = new SplittableRandom(1);
    long[] starts = {0, 1, 2, 3, 5_000_000_000L, 4 * (1L << 32) - 2050, 4 * (1L << 32) - 1, -3000};
    for (long first : starts) {
      for (int n : new int[] {1, 2, 3, 4, 5, 63, 64, 65, 2048, 2999}) {
        long seed = random.nextLong();
        int stream = random.nextInt();
        int step = random.nextInt();
        int[] words = new int[n];
        source.words(seed, stream, step, first, n, words, 0);
        for (int i = 0; i < n; i++) {
          assertThat(words[i]).as("element %s of a run from %s", i, first).isEqualTo(word(seed, stream, step, first + i));
        }
      }
    }
  }

  @Test
  void normalsAndUniformsDoNotDependOnTheRun() {
    float[] normals = new float[Scratch.CHUNK];
    float[] uniforms = new float[Scratch.CHUNK];
    source.normals(7, 8, 9, 0, Scratch.CHUNK, normals);
    source.uniforms(7, 8, 9, 0, Scratch.CHUNK, uniforms);
    float[] part = new float[Scratch.CHUNK];
    SplittableRandom random = new SplittableRandom(2);
    for (int i = 0; i < 500; i++) {
      int from = random.nextInt(Scratch.CHUNK);
      int n = random.nextInt(Scratch.CHUNK - from) + 1;
      source.normals(7, 8, 9, from, n, part);
      assertThat(java.util.Arrays.equals(part, 0, n, normals, from, from + n)).as("normals from %s, %s elements", from, n).isTrue();
      source.uniforms(7, 8, 9, from, n, part);
      assertThat(java.util.Arrays.equals(part, 0, n, uniforms, from, from + n)).as("uniforms from %s, %s elements", from, n).isTrue();
    }
  }
}
