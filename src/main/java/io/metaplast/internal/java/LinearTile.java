package io.metaplast.internal.java;

/**
 * Helpers of the batch-1 linear layer. Its kernels work on tiles: whole rows of W, as many as fit a chunk, or a piece of one row. A tile
 * is a run of consecutive weights, and everything that belongs to a weight (mu, sigma, epsilon, input, delta) lies at the weight's index
 * in the tile, so that all loops vectorise.
 */
final class LinearTile {
  private LinearTile() {}

  /** Rows of a tile whose rows have {@code width} weights. */
  static int rows(int width) {
    return Math.max(1, Scratch.CHUNK / Math.max(1, width));
  }

  /** target = a * b. */
  static void product(float[] a, float[] b, float[] target, int n) {
    for (int i = 0; i < n; i++) {
      target[i] = a[i] * b[i];
    }
  }

  /** w = mu + sigma * epsilon. */
  static void weights(float[] mu, float[] sigma, float[] epsilon, float[] w, int n) {
    for (int i = 0; i < n; i++) {
      w[i] = mu[i] + sigma[i] * epsilon[i];
    }
  }

  /** gMu += delta * x; gSigma += delta * x * epsilon. */
  static void accumulate(float[] delta, float[] x, float[] epsilon, float[] gradMean, float[] gradSigma, int n) {
    for (int i = 0; i < n; i++) {
      float d = delta[i] * x[i];
      gradMean[i] = gradMean[i] + d;
      gradSigma[i] = gradSigma[i] + d * epsilon[i];
    }
  }

  /** sum += factor * w. */
  static void addScaled(float factor, float[] w, float[] sum, int from, int to) {
    for (int i = from; i < to; i++) {
      sum[i] = sum[i] + factor * w[i];
    }
  }
}
