package io.metaplast.continual;

import io.metaplast.Backend;

/**
 * The quadratic binary task: minimise L = (b - W*)^T H (b - W*) / 2 over signs b = sign(W) by W = W - rate * H (b - W*). Where |W*_i| &gt; 1, no sign
 * reaches the minimum and |W_i| grows without end; what it has grown to tells how much a wrong sign would cost. All in double: an oracle, not a
 * use of the kernels.
 */
final class QuadraticTask {
  private static final double LARGEST_TARGET = 4;
  private static final double MEAN_EIGENVALUE = 20;
  private static final double EIGENVALUE_RANGE = 19;
  private static final double INITIAL_SCALE = 0.01;

  private final double[][] curvature;
  private final double[] target;
  private final double rate;
  private final double[] hidden;
  private final double[] gradient;

  QuadraticTask(double[][] curvature, double[] target, double[] start, double rate) {
    this.curvature = curvature;
    this.target = target.clone();
    this.rate = rate;
    hidden = start.clone();
    gradient = new double[start.length];
  }

  /** The published two-dimensional example. */
  static QuadraticTask plane() {
    return new QuadraticTask(new double[][] {{2.4047, .2158}, {.2158, .7733}}, new double[] {1.5, .5}, new double[] {.01, .02}, .35);
  }

  /** The published large example: random rotation, eigenvalues around 20, targets in (-4, 4). */
  static QuadraticTask random(Backend backend, long seed, int d, double rate) {
    double[][] basis = orthogonal(gaussian(Randomness.quadratic(backend, seed, 0, 2 * d * d)), d);
    float[] uniform = Randomness.quadratic(backend, seed, 1, 2 * d);
    double[] start = gaussian(Randomness.quadratic(backend, seed, 2, 2 * d));
    double[] target = new double[d];
    double[][] curvature = new double[d][d];
    for (int i = 0; i < d; i++) {
      target[i] = LARGEST_TARGET * (2.0 * uniform[d + i] - 1);
      start[i] *= INITIAL_SCALE;
    }
    for (int k = 0; k < d; k++) {
      double eigenvalue = MEAN_EIGENVALUE + EIGENVALUE_RANGE * (uniform[k] - 0.5);
      for (int i = 0; i < d; i++) {
        for (int j = 0; j < d; j++) {
          curvature[i][j] += eigenvalue * basis[k][i] * basis[k][j];
        }
      }
    }
    return new QuadraticTask(curvature, target, start, rate);
  }

  /** Box-Muller. */
  private static double[] gaussian(float[] uniform) {
    double[] z = new double[uniform.length / 2];
    for (int i = 0; i < z.length; i++) {
      z[i] = Math.sqrt(-2 * Math.log(uniform[2 * i])) * Math.cos(2 * Math.PI * uniform[2 * i + 1]);
    }
    return z;
  }

  /** Rows made orthonormal by Gram and Schmidt, twice for the rounding errors. */
  private static double[][] orthogonal(double[] values, int d) {
    double[][] rows = new double[d][d];
    for (int k = 0; k < d; k++) {
      System.arraycopy(values, k * d, rows[k], 0, d);
      for (int pass = 0; pass < 2; pass++) {
        for (int other = 0; other < k; other++) {
          double dot = dot(rows[k], rows[other]);
          for (int i = 0; i < d; i++) {
            rows[k][i] -= dot * rows[other][i];
          }
        }
        double scale = 1 / Math.sqrt(dot(rows[k], rows[k]));
        for (int i = 0; i < d; i++) {
          rows[k][i] *= scale;
        }
      }
    }
    return rows;
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  private static double sign(double x) {
    return x >= 0 ? 1 : -1;
  }

  private void updateGradient() {
    double[] distance = new double[hidden.length];
    for (int i = 0; i < hidden.length; i++) {
      distance[i] = sign(hidden[i]) - target[i];
    }
    for (int i = 0; i < hidden.length; i++) {
      gradient[i] = dot(curvature[i], distance);
    }
  }

  /** One step. */
  void step() {
    updateGradient();
    for (int i = 0; i < hidden.length; i++) {
      hidden[i] -= rate * gradient[i];
    }
  }

  /** W. */
  double[] hidden() {
    return hidden.clone();
  }

  /** W*. */
  double[] target() {
    return target.clone();
  }

  /** By how much the loss rises when the sign of one weight is flipped, for every weight. */
  double[] flipCosts() {
    updateGradient();
    double[] costs = new double[hidden.length];
    for (int i = 0; i < costs.length; i++) {
      costs[i] = -2 * sign(hidden[i]) * gradient[i] + 2 * curvature[i][i];
    }
    return costs;
  }
}
