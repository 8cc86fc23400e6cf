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

  /** Keeps the products with the signs and the norm of a symmetric matrix, both of whose triangles are there. */
  void before(int n, float[][] a) {
    reserve(n);
    norm = 0;
    for (int i = 0; i < n; i++) {
      float[] row = a[i];
      double p0 = 0;
      double p1 = 0;
      double sum = 0;
      for (int j = 0; j < n; j++) {
        double x = row[j];
        p0 += x * sign0[j];
        p1 += x * sign1[j];
        sum += Math.abs(x);
      }
      y0[i] = p0;
      y1[i] = p1;
      norm = Math.max(norm, sum);
    }
  }

  /** The residual and the condition number from the inverse. */
  void after(int n, float[][] x) {
    double square0 = 0;
    double square1 = 0;
    double inverseNorm = 0;
    for (int i = 0; i < n; i++) {
      float[] row = x[i];
      double p0 = 0;
      double p1 = 0;
      double sum = 0;
      for (int j = 0; j < n; j++) {
        double v = row[j];
        p0 += v * y0[j];
        p1 += v * y1[j];
        sum += Math.abs(v);
      }
      square0 += (p0 - sign0[i]) * (p0 - sign0[i]);
      square1 += (p1 - sign1[i]) * (p1 - sign1[i]);
      inverseNorm = Math.max(inverseNorm, sum);
    }
    finish(n, square0, square1, inverseNorm);
  }

  /** As the form for floats. */
  void before(int n, double[][] a) {
    reserve(n);
    norm = 0;
    for (int i = 0; i < n; i++) {
      double[] row = a[i];
      double p0 = 0;
      double p1 = 0;
      double sum = 0;
      for (int j = 0; j < n; j++) {
        double x = row[j];
        p0 += x * sign0[j];
        p1 += x * sign1[j];
        sum += Math.abs(x);
      }
      y0[i] = p0;
      y1[i] = p1;
      norm = Math.max(norm, sum);
    }
  }

  /** As the form for floats. */
  void after(int n, double[][] x) {
    double square0 = 0;
    double square1 = 0;
    double inverseNorm = 0;
    for (int i = 0; i < n; i++) {
      double[] row = x[i];
      double p0 = 0;
      double p1 = 0;
      double sum = 0;
      for (int j = 0; j < n; j++) {
        double v = row[j];
        p0 += v * y0[j];
        p1 += v * y1[j];
        sum += Math.abs(v);
      }
      square0 += (p0 - sign0[i]) * (p0 - sign0[i]);
      square1 += (p1 - sign1[i]) * (p1 - sign1[i]);
      inverseNorm = Math.max(inverseNorm, sum);
    }
    finish(n, square0, square1, inverseNorm);
  }

  private void finish(int n, double square0, double square1, double inverseNorm) {
    residual = Math.sqrt(Math.max(square0, square1) / n); // Math.max: NaN wins
    cond1 = norm * inverseNorm;
  }
}
