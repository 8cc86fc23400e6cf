package io.metaplast.internal.java;

/**
 * The loops over rows of triangular matrices. They take one sum and four terms or two sums and three, each written the way the JIT compiler of JDK 17 vectorises: with more it does not, nor with
 * another order of the same additions in the latter.
 *
 * <p>The compiler unrolls a loop no further than the mean length that it saw before it compiled it, and keeps that code. Where matrices of few rows come first, a loop for all lengths would
 * stay slow for long rows; so long rows have loops that short ones never enter.
 */
final class RowLoops {
  private static final int QUAD = 4;
  private static final int TRIPLE = 3;

  /** Length from which a row is long. */
  private static final int LONG = 64;

  /** Size from which all rows of a matrix use the loops for long ones: the short ones are few. */
  private static final int LARGE = 192;

  private RowLoops() {}

  /**
   * Length of the array of a row of n floats, which with its header of 16 bytes is a multiple of 64: rows allocated one after the other then lie alike in cache lines, and loops over several
   * of them read few vectors across two lines.
   */
  static int floats(int n) {
    return (n + 19) / 16 * 16 - 4;
  }

  /** The same for doubles. */
  static int doubles(int n) {
    return (n + 9) / 8 * 8 - 2;
  }

  /** sum += f[at] times row first + f[at+1] times the next, and so on, four at a time; columns from..to-1. */
  static void add(float[] sum, float[][] rows, int first, int terms, float[] f, int at, int from, int to) {
    int t = 0;
    for (; t + QUAD <= terms; t += QUAD) {
      int k = first + t;
      int p = at + t;
      four(sum, rows[k], rows[k + 1], rows[k + 2], rows[k + 3], f[p], f[p + 1], f[p + 2], f[p + 3], from, to);
    }
    if (t + 2 <= terms) {
      two(sum, rows[first + t], rows[first + t + 1], f[at + t], f[at + t + 1], from, to);
      t += 2;
    }
    if (t < terms) {
      one(sum, rows[first + t], f[at + t], from, to);
    }
  }

  private static void four(
      float[] sum, float[] x0, float[] x1, float[] x2, float[] x3, float f0, float f1, float f2, float f3, int from, int to) {
    for (int j = from; j < to; j++) {
      sum[j] = sum[j] + (((f0 * x0[j] + f1 * x1[j]) + f2 * x2[j]) + f3 * x3[j]);
    }
  }

  /** The same for two rows at once, where terms are added one by one; the factors of the second begin at f[at2]; the matrix has n rows. */
  static void add2(
      int n, float[] sum, float[] sum2, float[][] rows, int first, int terms, float[] f, int at, int at2, int from, int to) {
    if ((n >= LARGE || to - from >= LONG) && terms >= TRIPLE) {
      add2Long(sum, sum2, rows, first, terms, f, at, at2, from, to);
      return;
    }
    int t = 0;
    for (; t + TRIPLE <= terms; t += TRIPLE) {
      int k = first + t;
      int p = at + t;
      int q = at2 + t;
      threeTwice(sum, sum2, rows[k], rows[k + 1], rows[k + 2], f[p], f[p + 1], f[p + 2], f[q], f[q + 1], f[q + 2], from, to);
    }
    if (t < terms) {
      add(sum, rows, first + t, terms - t, f, at + t, from, to);
      add(sum2, rows, first + t, terms - t, f, at2 + t, from, to);
    }
  }

  private static void threeTwice(
      float[] s, float[] s2, float[] x0, float[] x1, float[] x2, float f0, float f1, float f2, float g0, float g1, float g2, int from, int to) {
    for (int j = from; j < to; j++) {
      float y0 = x0[j];
      float y1 = x1[j];
      float y2 = x2[j];
      s[j] = ((s[j] + f0 * y0) + f1 * y1) + f2 * y2;
      s2[j] = ((s2[j] + g0 * y0) + g1 * y1) + g2 * y2;
    }
  }

  /**
   * The same for long rows and three terms or more; six is the usual number. Its code is larger than the 325 bytes that are inlined, so it is compiled on its own, from a profile of its own,
   * whatever its callers met before.
   */
  private static void add2Long(
      float[] s, float[] s2, float[][] rows, int first, int terms, float[] f, int at, int at2, int from, int to) {
    float[] x0 = rows[first];
    float[] x1 = rows[first + 1];
    float[] x2 = rows[first + 2];
    float f0 = f[at];
    float f1 = f[at + 1];
    float f2 = f[at + 2];
    float g0 = f[at2];
    float g1 = f[at2 + 1];
    float g2 = f[at2 + 2];
    for (int j = from; j < to; j++) {
      float y0 = x0[j];
      float y1 = x1[j];
      float y2 = x2[j];
      s[j] = ((s[j] + f0 * y0) + f1 * y1) + f2 * y2;
      s2[j] = ((s2[j] + g0 * y0) + g1 * y1) + g2 * y2;
    }
    if (terms < 2 * TRIPLE) {
      add(s, rows, first + TRIPLE, terms - TRIPLE, f, at + TRIPLE, from, to);
      add(s2, rows, first + TRIPLE, terms - TRIPLE, f, at2 + TRIPLE, from, to);
      return;
    }
    float[] x3 = rows[first + 3];
    float[] x4 = rows[first + 4];
    float[] x5 = rows[first + 5];
    float f3 = f[at + 3];
    float f4 = f[at + 4];
    float f5 = f[at + 5];
    float g3 = f[at2 + 3];
    float g4 = f[at2 + 4];
    float g5 = f[at2 + 5];
    for (int j = from; j < to; j++) {
      float y3 = x3[j];
      float y4 = x4[j];
      float y5 = x5[j];
      s[j] = ((s[j] + f3 * y3) + f4 * y4) + f5 * y5;
      s2[j] = ((s2[j] + g3 * y3) + g4 * y4) + g5 * y5;
    }
  }

  private static void two(float[] sum, float[] x0, float[] x1, float f0, float f1, int from, int to) {
    for (int j = from; j < to; j++) {
      sum[j] = sum[j] + (f0 * x0[j] + f1 * x1[j]);
    }
  }

  static void one(float[] sum, float[] x, float f, int from, int to) {
    for (int j = from; j < to; j++) {
      sum[j] = sum[j] + f * x[j];
    }
  }

  /** sum += x; pieces of one length keep their speed wherever they are inlined. */
  static void add(float[] sum, float[] x, int from, int to) {
    int at = from;
    for (; at + LONG <= to; at += LONG) {
      for (int j = at; j < at + LONG; j++) {
        sum[j] = sum[j] + x[j];
      }
    }
    for (int j = at; j < to; j++) {
      sum[j] = sum[j] + x[j];
    }
  }

  /** row *= f. */
  static void scale(float[] row, float f, int from, int to) {
    for (int j = from; j < to; j++) {
      row[j] = row[j] * f;
    }
  }

  /** sum += f[at] times row first + f[at+1] times the next, and so on, four at a time; columns from..to-1. */
  static void add(double[] sum, double[][] rows, int first, int terms, double[] f, int at, int from, int to) {
    int t = 0;
    for (; t + QUAD <= terms; t += QUAD) {
      int k = first + t;
      int p = at + t;
      four(sum, rows[k], rows[k + 1], rows[k + 2], rows[k + 3], f[p], f[p + 1], f[p + 2], f[p + 3], from, to);
    }
    if (t + 2 <= terms) {
      two(sum, rows[first + t], rows[first + t + 1], f[at + t], f[at + t + 1], from, to);
      t += 2;
    }
    if (t < terms) {
      one(sum, rows[first + t], f[at + t], from, to);
    }
  }

  private static void four(
      double[] sum, double[] x0, double[] x1, double[] x2, double[] x3, double f0, double f1, double f2, double f3, int from, int to) {
    for (int j = from; j < to; j++) {
      sum[j] = sum[j] + (((f0 * x0[j] + f1 * x1[j]) + f2 * x2[j]) + f3 * x3[j]);
    }
  }

  /** The same for two rows at once, where terms are added one by one; the factors of the second begin at f[at2]; the matrix has n rows. */
  static void add2(
      int n, double[] sum, double[] sum2, double[][] rows, int first, int terms, double[] f, int at, int at2, int from, int to) {
    if ((n >= LARGE || to - from >= LONG) && terms >= TRIPLE) {
      add2Long(sum, sum2, rows, first, terms, f, at, at2, from, to);
      return;
    }
    int t = 0;
    for (; t + TRIPLE <= terms; t += TRIPLE) {
      int k = first + t;
      int p = at + t;
      int q = at2 + t;
      threeTwice(sum, sum2, rows[k], rows[k + 1], rows[k + 2], f[p], f[p + 1], f[p + 2], f[q], f[q + 1], f[q + 2], from, to);
    }
    if (t < terms) {
      add(sum, rows, first + t, terms - t, f, at + t, from, to);
      add(sum2, rows, first + t, terms - t, f, at2 + t, from, to);
    }
  }

  private static void threeTwice(
      double[] s, double[] s2, double[] x0, double[] x1, double[] x2, double f0, double f1, double f2, double g0, double g1, double g2, int from, int to) {
    for (int j = from; j < to; j++) {
      double y0 = x0[j];
      double y1 = x1[j];
      double y2 = x2[j];
      s[j] = ((s[j] + f0 * y0) + f1 * y1) + f2 * y2;
      s2[j] = ((s2[j] + g0 * y0) + g1 * y1) + g2 * y2;
    }
  }

  /**
   * The same for long rows and three terms or more; six is the usual number. Its code is larger than the 325 bytes that are inlined, so it is compiled on its own, from a profile of its own,
   * whatever its callers met before.
   */
  private static void add2Long(
      double[] s, double[] s2, double[][] rows, int first, int terms, double[] f, int at, int at2, int from, int to) {
    double[] x0 = rows[first];
    double[] x1 = rows[first + 1];
    double[] x2 = rows[first + 2];
    double f0 = f[at];
    double f1 = f[at + 1];
    double f2 = f[at + 2];
    double g0 = f[at2];
    double g1 = f[at2 + 1];
    double g2 = f[at2 + 2];
    for (int j = from; j < to; j++) {
      double y0 = x0[j];
      double y1 = x1[j];
      double y2 = x2[j];
      s[j] = ((s[j] + f0 * y0) + f1 * y1) + f2 * y2;
      s2[j] = ((s2[j] + g0 * y0) + g1 * y1) + g2 * y2;
    }
    if (terms < 2 * TRIPLE) {
      add(s, rows, first + TRIPLE, terms - TRIPLE, f, at + TRIPLE, from, to);
      add(s2, rows, first + TRIPLE, terms - TRIPLE, f, at2 + TRIPLE, from, to);
      return;
    }
    double[] x3 = rows[first + 3];
    double[] x4 = rows[first + 4];
    double[] x5 = rows[first + 5];
    double f3 = f[at + 3];
    double f4 = f[at + 4];
    double f5 = f[at + 5];
    double g3 = f[at2 + 3];
    double g4 = f[at2 + 4];
    double g5 = f[at2 + 5];
    for (int j = from; j < to; j++) {
      double y3 = x3[j];
      double y4 = x4[j];
      double y5 = x5[j];
      s[j] = ((s[j] + f3 * y3) + f4 * y4) + f5 * y5;
      s2[j] = ((s2[j] + g3 * y3) + g4 * y4) + g5 * y5;
    }
  }

  private static void two(double[] sum, double[] x0, double[] x1, double f0, double f1, int from, int to) {
    for (int j = from; j < to; j++) {
      sum[j] = sum[j] + (f0 * x0[j] + f1 * x1[j]);
    }
  }

  static void one(double[] sum, double[] x, double f, int from, int to) {
    for (int j = from; j < to; j++) {
      sum[j] = sum[j] + f * x[j];
    }
  }

  /** sum += x; pieces of one length keep their speed wherever they are inlined. */
  static void add(double[] sum, double[] x, int from, int to) {
    int at = from;
    for (; at + LONG <= to; at += LONG) {
      for (int j = at; j < at + LONG; j++) {
        sum[j] = sum[j] + x[j];
      }
    }
    for (int j = at; j < to; j++) {
      sum[j] = sum[j] + x[j];
    }
  }

  /** row *= f. */
  static void scale(double[] row, double f, int from, int to) {
    for (int j = from; j < to; j++) {
      row[j] = row[j] * f;
    }
  }

  /** row /= f. */
  static void divide(float[] row, float f, int from, int to) {
    for (int j = from; j < to; j++) {
      row[j] = row[j] / f;
    }
  }
}
