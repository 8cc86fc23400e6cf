package io.metaplast.contract;

import io.metaplast.oracle.KroneckerOracle;
import java.math.BigInteger;
import java.util.SplittableRandom;

/** Symmetric positive definite test matrices, in double; families with an inverse in closed form. Indices i, j from 1 as in the formulas. */
final class SpdMatrices {
  private SpdMatrices() {}

  interface Element {
    double at(int i, int j);
  }

  /** A family with its inverse. */
  record Family(String name, Element matrix, Element inverse, int largest) {}

  static double[] matrix(int n, Element e) {
    double[] m = new double[n * n];
    for (int i = 1; i <= n; i++) {
      for (int j = 1; j <= n; j++) {
        m[(i - 1) * n + j - 1] = e.at(i, j);
      }
    }
    return m;
  }

  static Family minimum(int n) {
    return new Family("min", Math::min, (i, j) -> i == j ? i == n ? 1 : 2 : Math.abs(i - j) == 1 ? -1 : 0, 128);
  }

  static Family lehmer(int n) {
    return new Family(
        "Lehmer",
        (i, j) -> Math.min(i, j) / (double) Math.max(i, j),
        (i, j) -> {
          double k = Math.min(i, j);
          if (i == j) {
            return i == n ? (double) n * n / (2.0 * n - 1) : 4 * k * k * k / (4 * k * k - 1);
          }
          return Math.abs(i - j) == 1 ? -k * (k + 1) / (2 * k + 1) : 0;
        },
        256);
  }

  static Family secondDifference(int n) {
    return new Family(
        "tridiagonal",
        (i, j) -> i == j ? 2 : Math.abs(i - j) == 1 ? -1 : 0,
        (i, j) -> Math.min(i, j) * (n + 1.0 - Math.max(i, j)) / (n + 1.0),
        256);
  }

  static Family hilbert(int n) {
    return new Family(
        "Hilbert",
        (i, j) -> 1.0 / (i + j - 1),
        (i, j) -> ((i + j) % 2 == 0 ? 1 : -1) * (i + j - 1.0) * choose(n + i - 1, n - j) * choose(n + j - 1, n - i) * Math.pow(choose(i + j - 2, i - 1), 2),
        4);
  }

  static Family pascal(int n) {
    return new Family(
        "Pascal",
        (i, j) -> choose(i + j - 2, i - 1),
        (i, j) -> {
          double sum = 0;
          for (int k = Math.max(i, j); k <= n; k++) {
            sum += choose(k - 1, i - 1) * choose(k - 1, j - 1);
          }
          return ((i + j) % 2 == 0 ? 1 : -1) * sum;
        },
        5);
  }

  static Family moler(int n) {
    return new Family(
        "Moler",
        (i, j) -> i == j ? i : Math.min(i, j) - 2,
        (i, j) -> {
          // K'K with K unit lower triangular, K_ij = 2^(i-j-1) below the diagonal.
          double sum = 0;
          for (int k = Math.max(i, j); k <= n; k++) {
            sum += (k == i ? 1 : Math.scalb(1.0, k - i - 1)) * (k == j ? 1 : Math.scalb(1.0, k - j - 1));
          }
          return sum;
        },
        7);
  }

  static Family powers(int n, double r) {
    return new Family(
        "r^|i-j|",
        (i, j) -> Math.pow(r, Math.abs(i - j)),
        (i, j) -> {
          double q = 1 - r * r;
          if (n == 1) {
            return 1;
          }
          return i == j ? (i == 1 || i == n ? 1 : 1 + r * r) / q : Math.abs(i - j) == 1 ? -r / q : 0;
        },
        Integer.MAX_VALUE);
  }

  static Family shiftedOnes(int n, double a, double b) {
    return new Family(
        "aI + b ones", (i, j) -> b + (i == j ? a : 0), (i, j) -> ((i == j ? 1 : 0) - b / (a + n * b)) / a, Integer.MAX_VALUE);
  }

  /** gI + HH'/m, H the first m columns of the Sylvester Hadamard matrix: a damped factor of rank m; n a power of two. */
  static Family hadamard(int n, int m, double g) {
    Element hh =
        (i, j) -> {
          int sum = 0;
          for (int c = 0; c < m; c++) {
            sum += (Integer.bitCount((i - 1) & c) + Integer.bitCount((j - 1) & c)) % 2 == 0 ? 1 : -1;
          }
          return sum;
        };
    return new Family(
        "gI + HH'/m", (i, j) -> hh.at(i, j) / m + (i == j ? g : 0), (i, j) -> ((i == j ? 1 : 0) - hh.at(i, j) / (m * g + n)) / g, Integer.MAX_VALUE);
  }

  private static double choose(int n, int k) {
    if (k < 0 || k > n) {
      return 0;
    }
    BigInteger c = BigInteger.ONE;
    for (int i = 1; i <= k; i++) {
      c = c.multiply(BigInteger.valueOf(n - k + i)).divide(BigInteger.valueOf(i));
    }
    return c.doubleValue();
  }

  /** How the eigenvalues lie between 1 and 1/condition. */
  enum Spectrum {
    GEOMETRIC,
    ARITHMETIC,
    ONE_LARGE,
    ONE_SMALL,
    RANDOM;

    double value(int i, int n, double condition, SplittableRandom r) {
      double t = n == 1 ? 0 : i / (n - 1.0);
      return switch (this) {
        case GEOMETRIC -> Math.pow(condition, -t);
        case ARITHMETIC -> 1 - t * (1 - 1 / condition);
        case ONE_LARGE -> i == 0 ? 1 : 1 / condition;
        case ONE_SMALL -> i == n - 1 ? 1 / condition : 1;
        case RANDOM -> Math.pow(condition, -r.nextDouble());
      };
    }
  }

  /** Q diag(spectrum) Q' times scale, Q a product of random reflections. */
  static double[] random(SplittableRandom r, int n, Spectrum spectrum, double condition, double scale) {
    double[] m = new double[n * n];
    for (int i = 0; i < n; i++) {
      m[i * n + i] = scale * spectrum.value(i, n, condition, r);
    }
    for (int k = 0; k < Math.min(n, 40); k++) {
      double[] v = new double[n];
      double norm = 0;
      for (int i = 0; i < n; i++) {
        v[i] = r.nextGaussian();
        norm += v[i] * v[i];
      }
      // (I - beta v v') M (I - beta v v'), symmetric rank two update.
      double beta = 2 / norm;
      double[] p = KroneckerOracle.multiply(m, v, n, n, 1);
      double half = beta * beta / 2 * KroneckerOracle.dot(v, p);
      for (int i = 0; i < n; i++) {
        p[i] = beta * p[i] - half * v[i];
      }
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
          m[i * n + j] -= v[i] * p[j] + p[i] * v[j];
        }
      }
    }
    return KroneckerOracle.symmetric(m, n);
  }

  /** X'X/rank of normals, [n][n] of that rank. */
  static double[] gaussian(SplittableRandom r, int n, int rank) {
    double[] x = new double[rank * n];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) r.nextGaussian();
    }
    return KroneckerOracle.scaled(1.0 / rank, KroneckerOracle.gram(x, rank, n));
  }
}
