package io.metaplast.internal.java;

/** Loops of the baseline methods and of the diagonal Hessian, over arrays with one common index; contracts in bayes.h. */
final class Baselines {
  private Baselines() {}

  static void sgd(float[] g, float[] theta, int from, int to, float rate) {
    for (int i = from; i < to; i++) {
      theta[i] = theta[i] - rate * g[i];
    }
  }

  static void fisherAccumulate(float[] g, float[] fisher, int from, int to) {
    for (int i = from; i < to; i++) {
      fisher[i] = fisher[i] + g[i] * g[i];
    }
  }

  static void fisherMerge(float[] fisher, float[] total, int from, int to, float inverseItems, float decay) {
    for (int i = from; i < to; i++) {
      float mean = fisher[i] * inverseItems;
      total[i] = decay * total[i] + mean;
      fisher[i] = 0f;
    }
  }

  /** g += factor * (weight * (theta - anchor)): EWC with fisher and lambda, SI with omega and 2c. */
  static void penalty(float[] theta, float[] anchor, float[] weight, float[] g, int from, int to, float factor) {
    for (int i = from; i < to; i++) {
      float t = weight[i] * (theta[i] - anchor[i]);
      g[i] = g[i] + factor * t;
    }
  }

  static void siPath(float[] g, float[] thetaNew, float[] thetaOld, float[] path, int from, int to) {
    for (int i = from; i < to; i++) {
      path[i] = path[i] - g[i] * (thetaNew[i] - thetaOld[i]);
    }
  }

  /** Once a task: the comparison, which keeps a negative zero, is worth more than a vectorised loop. */
  static void siConsolidate(float[] theta, float[] path, float[] anchor, float[] omega, int from, int to, float xi) {
    for (int i = from; i < to; i++) {
      float d = theta[i] - anchor[i];
      float r = path[i] / (d * d + xi);
      omega[i] = omega[i] + (r < 0f ? 0f : r);
      path[i] = 0f;
      anchor[i] = theta[i];
    }
  }

  static void diagHessian(float[] sigma, float[] h, int from, int to, float priorPrecision, float inverseWindow) {
    for (int i = from; i < to; i++) {
      float r = 1f / (sigma[i] * sigma[i]);
      h[i] = (r - priorPrecision) * inverseWindow;
    }
  }
}
