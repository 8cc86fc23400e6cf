package io.metaplast.oracle;

import java.util.SplittableRandom;

/**
 * The quadratic task on binary weights: loss L(b) = (b - W*)^T H (b - W*) / 2 at b = sign(W), hidden weights follow W -= rate H (sign(W) - W*). |W_i| grows
 * linearly where |W*_i| exceeds 1, and tells how much the loss rises when that sign is turned: what makes hidden weights a consolidation variable.
 */
public final class QuadraticTask {
  private final int n;
  private final double[] h;
  private final double[] optimum;
  private final double[] start;
  private final double rate;

  private QuadraticTask(int n, double[] h, double[] optimum, double[] start, double rate) {
    this.n = n;
    this.h = h;
    this.optimum = optimum;
    this.start = start;
    this.rate = rate;
  }

  /** The published case in two dimensions. */
  public static QuadraticTask twoDimensions() {
    return new QuadraticTask(2, new double[] {2.4047, 0.2158, 0.2158, 0.7733}, new double[] {1.5, 0.5}, new double[] {0.01, 0.02}, 0.35);
  }

  /** The published large case: eigenvalues 20 + 19 (U - 0.5) in a random orthogonal basis, W* uniform in -4..4, W = 0.01 z at first. */
  public static QuadraticTask large(int n, long seed) {
    SplittableRandom r = new SplittableRandom(seed);
    double[][] basis = orthogonal(n, r);
    double[] h = new double[n * n];
    for (double[] q : basis) {
      double eigenvalue = 20 + 19 * (r.nextDouble() - 0.5);
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
          h[i * n + j] += eigenvalue * q[i] * q[j];
        }
      }
    }
    double[] optimum = new double[n];
    double[] start = new double[n];
    for (int i = 0; i < n; i++) {
      optimum[i] = 8 * r.nextDouble() - 4;
      start[i] = 0.01 * r.nextGaussian();
    }
    return new QuadraticTask(n, h, optimum, start, 0.01);
  }

  private static double[][] orthogonal(int n, SplittableRandom r) {
    double[][] q = new double[n][n];
    for (int i = 0; i < n; i++) {
      for (int k = 0; k < n; k++) {
        q[i][k] = r.nextGaussian();
      }
      for (int pass = 0; pass < 2; pass++) {
        for (int j = 0; j < i; j++) {
          double dot = 0;
          for (int k = 0; k < n; k++) {
            dot += q[i][k] * q[j][k];
          }
          for (int k = 0; k < n; k++) {
            q[i][k] -= dot * q[j][k];
          }
        }
      }
      double norm = 0;
      for (double v : q[i]) {
        norm += v * v;
      }
      for (int k = 0; k < n; k++) {
        q[i][k] /= Math.sqrt(norm);
      }
    }
    return q;
  }

  /** Dimension. */
  public int size() {
    return n;
  }

  /** H, row-major. */
  public double[] matrix() {
    return h;
  }

  /** W*. */
  public double[] optimum() {
    return optimum;
  }

  /** W at first. */
  public double[] start() {
    return start;
  }

  /** Learning rate. */
  public double rate() {
    return rate;
  }

  /** W after some steps. */
  public double[] run(int steps) {
    double[] w = start.clone();
    double[] difference = new double[n];
    for (int t = 0; t < steps; t++) {
      for (int i = 0; i < n; i++) {
        difference[i] = (w[i] >= 0 ? 1 : -1) - optimum[i];
      }
      for (int i = 0; i < n; i++) {
        double g = 0;
        for (int j = 0; j < n; j++) {
          g += h[i * n + j] * difference[j];
        }
        w[i] -= rate * g;
      }
    }
    return w;
  }

  /** How much the loss rises when the sign of weight {@code i} is turned. */
  public double riseWhenTurned(double[] w, int i) {
    double g = 0;
    for (int j = 0; j < n; j++) {
      g += h[i * n + j] * ((w[j] >= 0 ? 1 : -1) - optimum[j]);
    }
    double change = w[i] >= 0 ? -2 : 2;
    return g * change + h[i * n + i] * change * change / 2;
  }
}
