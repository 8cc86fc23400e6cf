package io.metaplast.internal.java;

import java.util.Arrays;

/** The residual probe and the condition number of one inverse: products with two vectors of signs and the 1-norm, before and after, in double. */
final class SpdProbe {
  // METAPLAST_SPD_* of kfac.h
  static final int ARGUMENT = -1;
  static final int NOT_FINITE = -2;
  static final int RESIDUAL = -3;
  private static final int ILL_CONDITIONED = 1;
  private static final int UNRELIABLE = 2;

  private static final double ILL = 1e5;
  private static final double NO_USE = 1.7e6;
  private static final int STREAM = 0x4B464143; // "KFAC"

  private final GaussianSource source;
  private int capacity;
  private double[] sign0 = new double[0];
  private double[] sign1 = new double[0];
  private double[] y0 = new double[0];
  private double[] y1 = new double[0];
  private double norm;
  private final double[] sum = new double[3]; // of a row: products with the two vectors, absolute values
  private final double[] sum2 = new double[3]; // of the next one
  private double square0;
  private double square1;
  private double inverseNorm;
  private double residual;
  private double cond1;

  SpdProbe(GaussianSource source) {
    this.source = source;
  }

  private void reserve(int n) {
    if (n > capacity) {
      int[] words = new int[n];
      sign0 = new double[n];
      sign1 = new double[n];
      signs(words, 0, sign0);
      signs(words, 1, sign1);
      y0 = new double[n];
      y1 = new double[n];
      capacity = n;
    }
  }

  private void signs(int[] words, int step, double[] sign) {
    for (int at = 0; at < words.length; at += Scratch.CHUNK) {
      source.words(0, STREAM, step, at, Math.min(Scratch.CHUNK, words.length - at), words, at);
    }
    Arrays.setAll(sign, i -> (words[i] & 1) != 0 ? 1.0 : -1.0);
  }

  double residual() {
    return residual;
  }

  double cond1() {
    return cond1;
  }

  int flags() {
    return (cond1 > ILL ? ILL_CONDITIONED : 0) | (cond1 > NO_USE ? UNRELIABLE : 0);
  }

  /** Keeps the products with the signs and the norm of a symmetric matrix, both of whose triangles are there; whether all of it is finite. */
  boolean before(int n, float[][] a) {
    reserve(n);
    norm = 0;
    int i = 0;
    for (; i + 1 < n; i += 2) {
      two(n, a[i], a[i + 1], sign0, sign1);
      keep(i, sum);
      keep(i + 1, sum2);
    }
    if (i < n) {
      two(n, a[i], a[i], sign0, sign1);
      keep(i, sum);
    }
    return Double.isFinite(norm);
  }

  /** The residual and the condition number from the inverse. */
  void after(int n, float[][] x) {
    square0 = 0;
    square1 = 0;
    inverseNorm = 0;
    int i = 0;
    for (; i + 1 < n; i += 2) {
      two(n, x[i], x[i + 1], y0, y1);
      compare(i, sum);
      compare(i + 1, sum2);
    }
    if (i < n) {
      two(n, x[i], x[i], y0, y1);
      compare(i, sum);
    }
    residual = Math.sqrt(Math.max(square0, square1) / n); // Math.max: NaN wins
    cond1 = norm * inverseNorm;
  }

  /** Both vectors times two rows, and the sums of absolute values: two rows, because one is a chain of additions that wait for each other. */
  private void two(int n, float[] a, float[] b, double[] v0, double[] v1) {
    double a0 = 0;
    double a1 = 0;
    double aSum = 0;
    double b0 = 0;
    double b1 = 0;
    double bSum = 0;
    for (int j = 0; j < n; j++) {
      double p = a[j];
      double q = b[j];
      a0 += p * v0[j];
      a1 += p * v1[j];
      aSum += Math.abs(p);
      b0 += q * v0[j];
      b1 += q * v1[j];
      bSum += Math.abs(q);
    }
    sum[0] = a0;
    sum[1] = a1;
    sum[2] = aSum;
    sum2[0] = b0;
    sum2[1] = b1;
    sum2[2] = bSum;
  }

  /** Keeps the products with the signs and the norm of a symmetric matrix, both of whose triangles are there; whether all of it is finite. */
  boolean before(int n, double[][] a) {
    reserve(n);
    norm = 0;
    int i = 0;
    for (; i + 1 < n; i += 2) {
      two(n, a[i], a[i + 1], sign0, sign1);
      keep(i, sum);
      keep(i + 1, sum2);
    }
    if (i < n) {
      two(n, a[i], a[i], sign0, sign1);
      keep(i, sum);
    }
    return Double.isFinite(norm);
  }

  /** The residual and the condition number from the inverse. */
  void after(int n, double[][] x) {
    square0 = 0;
    square1 = 0;
    inverseNorm = 0;
    int i = 0;
    for (; i + 1 < n; i += 2) {
      two(n, x[i], x[i + 1], y0, y1);
      compare(i, sum);
      compare(i + 1, sum2);
    }
    if (i < n) {
      two(n, x[i], x[i], y0, y1);
      compare(i, sum);
    }
    residual = Math.sqrt(Math.max(square0, square1) / n); // Math.max: NaN wins
    cond1 = norm * inverseNorm;
  }

  /** Both vectors times two rows, and the sums of absolute values: two rows, because one is a chain of additions that wait for each other. */
  private void two(int n, double[] a, double[] b, double[] v0, double[] v1) {
    double a0 = 0;
    double a1 = 0;
    double aSum = 0;
    double b0 = 0;
    double b1 = 0;
    double bSum = 0;
    for (int j = 0; j < n; j++) {
      double p = a[j];
      double q = b[j];
      a0 += p * v0[j];
      a1 += p * v1[j];
      aSum += Math.abs(p);
      b0 += q * v0[j];
      b1 += q * v1[j];
      bSum += Math.abs(q);
    }
    sum[0] = a0;
    sum[1] = a1;
    sum[2] = aSum;
    sum2[0] = b0;
    sum2[1] = b1;
    sum2[2] = bSum;
  }

  private void keep(int i, double[] s) {
    y0[i] = s[0];
    y1[i] = s[1];
    norm = Math.max(norm, s[2]);
  }

  private void compare(int i, double[] s) {
    double e0 = s[0] - sign0[i];
    double e1 = s[1] - sign1[i];
    square0 += e0 * e0;
    square1 += e1 * e1;
    inverseNorm = Math.max(inverseNorm, s[2]);
  }
}
