package io.metaplast.internal.java;

import io.metaplast.internal.TensorGroupImpl;

/** weightSample: w[k] = mu + sigma * epsilon(k) for all tensors. */
final class SampleTask extends TensorTask {
  private static final int MU = 0;
  private static final int SIGMA = 1;
  private static final int SAMPLES = 2;
  private static final int EPSILON = 2; // chunk

  private TensorGroupImpl<?> mu;
  private TensorGroupImpl<?> sigma;
  private TensorGroupImpl<?> samples;
  private long seed;
  private int step;

  void run(
      WorkerPool pool, Scratch scratch, TensorGroupImpl<?> mu, TensorGroupImpl<?> sigma, long seed, int step, TensorGroupImpl<?> samples) {
    this.mu = mu;
    this.sigma = sigma;
    this.samples = samples;
    this.seed = seed;
    this.step = step;
    start(pool, scratch, mu.layout(), samples.copies() * GaussianSource.NANOS);
  }

  @Override
  void clear() {
    mu = null;
    sigma = null;
    samples = null;
  }

  @Override
  void tensor(int t, Scratch scratch) {
    scratch.operand[MU].set(mu.buffer(t));
    scratch.operand[SIGMA].set(sigma.buffer(t));
    scratch.operand[SAMPLES].set(samples.buffer(t));
  }

  @Override
  void chunk(int t, long at, int n, Scratch scratch) {
    float[] m = scratch.chunk[MU];
    float[] s = scratch.chunk[SIGMA];
    float[] z = scratch.chunk[EPSILON];
    scratch.operand[MU].load(at, m, 0, n);
    scratch.operand[SIGMA].load(at, s, 0, n);
    for (int k = 0; k < samples.copies(); k++) {
      scratch.gaussian.normals(seed, randomStream(t) + k, step, at, n, z);
      weights(m, s, z, n);
      scratch.operand[SAMPLES].store(k * count(t) + at, z, 0, n);
    }
  }

  /** Epsilon becomes the weight. */
  static void weights(float[] mu, float[] sigma, float[] epsilon, int n) {
    for (int i = 0; i < n; i++) {
      epsilon[i] = mu[i] + sigma[i] * epsilon[i];
    }
  }
}
