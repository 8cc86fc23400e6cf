package io.metaplast.internal.java;

import io.metaplast.internal.TensorGroupImpl;

/** Gradients of K samples of all tensors with their stored or regenerated epsilon, and their sums over k. */
final class SampleGradients {
  private static final double ADD_NANOS = 0.2;

  // operands and chunks used; tasks with sample gradients keep theirs below these numbers
  private static final int SAMPLES = 6;
  private static final int EPSILON = 7;

  private TensorGroupImpl<?> samples;
  private TensorGroupImpl<?> epsilon; // null: regenerated
  private long seed;
  private int step;
  private float scale;

  void set(TensorGroupImpl<?> newSamples, TensorGroupImpl<?> epsilonOrNull, long newSeed, int newStep, float newScale) {
    samples = newSamples;
    epsilon = epsilonOrNull;
    seed = newSeed;
    step = newStep;
    scale = newScale;
  }

  void clear() {
    samples = null;
    epsilon = null;
  }

  double nanosPerElement() {
    return samples.copies() * (ADD_NANOS + (epsilon == null ? GaussianSource.NANOS : ADD_NANOS));
  }

  void tensor(int t, Scratch scratch) {
    scratch.operand[SAMPLES].set(samples.buffer(t));
    if (epsilon != null) {
      scratch.operand[EPSILON].set(epsilon.buffer(t));
    }
  }

  /** a[0..n) = scale * sum of dW, b[0..n) = scale * sum of dW * epsilon, of elements at..at+n-1 of a tensor with {@code count} elements. */
  void accumulate(int randomStream, long count, long at, int n, Scratch scratch, float[] a, float[] b) {
    float[] d = scratch.chunk[SAMPLES];
    float[] z = scratch.chunk[EPSILON];
    for (int k = 0; k < samples.copies(); k++) {
      if (epsilon == null) {
        scratch.gaussian.normals(seed, randomStream + k, step, at, n, z);
      } else {
        scratch.operand[EPSILON].load(k * count + at, z, 0, n);
      }
      if (k == 0) {
        scratch.operand[SAMPLES].load(at, a, 0, n);
        products(a, z, b, n);
      } else {
        scratch.operand[SAMPLES].load(k * count + at, d, 0, n);
        add(d, z, a, b, n);
      }
    }
    scale(a, b, scale, n);
  }

  private static void products(float[] d, float[] z, float[] b, int n) {
    for (int i = 0; i < n; i++) {
      b[i] = d[i] * z[i];
    }
  }

  private static void add(float[] d, float[] z, float[] a, float[] b, int n) {
    for (int i = 0; i < n; i++) {
      a[i] = a[i] + d[i];
      b[i] = b[i] + d[i] * z[i];
    }
  }

  private static void scale(float[] a, float[] b, float scale, int n) {
    for (int i = 0; i < n; i++) {
      a[i] = a[i] * scale;
      b[i] = b[i] * scale;
    }
  }
}
