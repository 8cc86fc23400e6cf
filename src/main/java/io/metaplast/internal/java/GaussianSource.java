package io.metaplast.internal.java;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** Philox words, uniforms and normals of runs of elements. Each step is a {@link Pass} over arrays; one object per thread. */
final class GaussianSource {
  /** About how long a normal takes. */
  static final double NANOS = 1.3;

  private final Lanes lanes = new Lanes();
  private final Pass[] wordPasses = PhiloxPasses.create();
  private final Pass[] uniformPasses = concat(Arrays.asList(wordPasses), NormalPasses.uniforms());
  private final Pass[] normalPasses = concat(Arrays.asList(uniformPasses), NormalPasses.boxMuller());
  private final Pass[] logarithmPasses = NormalPasses.logarithms().toArray(Pass[]::new);
  private final Pass[] anglePasses = NormalPasses.angles().toArray(Pass[]::new);
  private final float[] values = new float[4 * Lanes.BLOCKS];
  private final int[] words = new int[4 * Lanes.BLOCKS];

  private static Pass[] concat(List<Pass> a, List<Pass> b) {
    return Stream.concat(a.stream(), b.stream()).toArray(Pass[]::new);
  }

  /** target[to..to+n) = words of elements first..first+n-1, n <= CHUNK. */
  void words(long seed, int stream, int step, long first, int n, int[] target, int to) {
    int blocks = run(wordPasses, seed, stream, step, first, n);
    interleave(lanes.w0, lanes.w1, lanes.w2, lanes.w3, blocks, words);
    System.arraycopy(words, (int) (first & 3), target, to, n);
  }

  /** target[0..n) = uniforms of elements first..first+n-1, n <= CHUNK. */
  void uniforms(long seed, int stream, int step, long first, int n, float[] target) {
    put(run(uniformPasses, seed, stream, step, first, n), first, n, target);
  }

  /** target[0..n) = normals of elements first..first+n-1, n <= CHUNK. */
  void normals(long seed, int stream, int step, long first, int n, float[] target) {
    put(run(normalPasses, seed, stream, step, first, n), first, n, target);
  }

  /** x = ln x, x normal and > 0, n <= CHUNK: for tests, the passes that the normals run through. */
  void ln(float[] x, int n) {
    for (int from = 0; from < n; from += Lanes.BLOCKS) {
      int m = Math.min(Lanes.BLOCKS, n - from);
      System.arraycopy(x, from, lanes.z0, 0, m);
      Pass.all(logarithmPasses, lanes, m);
      System.arraycopy(lanes.z0, 0, x, from, m);
    }
  }

  /** sin = sin(2 pi u), cos = cos(2 pi u), where sin holds u = k * 2^-24, k odd, before, n <= CHUNK: as {@link #ln}. */
  void sinCos(float[] sin, float[] cos, int n) {
    for (int from = 0; from < n; from += Lanes.BLOCKS) {
      int m = Math.min(Lanes.BLOCKS, n - from);
      System.arraycopy(sin, from, lanes.z1, 0, m);
      Arrays.fill(lanes.mantissa0, 0, m, 1f);
      Pass.all(anglePasses, lanes, m);
      System.arraycopy(lanes.z1, 0, sin, from, m);
      System.arraycopy(lanes.z0, 0, cos, from, m);
    }
  }

  private int run(Pass[] passes, long seed, int stream, int step, long first, int n) {
    lanes.key0 = (int) seed;
    lanes.key1 = (int) (seed >>> 32);
    lanes.stream = stream;
    lanes.step = step;
    lanes.block = first >>> 2;
    int blocks = ((int) (first & 3) + n + 3) / 4;
    Pass.all(passes, lanes, blocks);
    return blocks;
  }

  private void put(int blocks, long first, int n, float[] target) {
    int lead = (int) (first & 3);
    if (lead == 0 && (n & 3) == 0) {
      interleave(lanes.z0, lanes.z1, lanes.z2, lanes.z3, blocks, target);
    } else {
      interleave(lanes.z0, lanes.z1, lanes.z2, lanes.z3, blocks, values);
      System.arraycopy(values, lead, target, 0, n);
    }
  }

  private static void interleave(float[] a, float[] b, float[] c, float[] d, int n, float[] target) {
    for (int i = 0; i < n; i++) {
      target[4 * i] = a[i];
      target[4 * i + 1] = b[i];
      target[4 * i + 2] = c[i];
      target[4 * i + 3] = d[i];
    }
  }

  private static void interleave(int[] a, int[] b, int[] c, int[] d, int n, int[] target) {
    for (int i = 0; i < n; i++) {
      target[4 * i] = a[i];
      target[4 * i + 1] = b[i];
      target[4 * i + 2] = c[i];
      target[4 * i + 3] = d[i];
    }
  }
}
