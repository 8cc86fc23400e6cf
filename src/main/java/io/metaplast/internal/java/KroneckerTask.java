package io.metaplast.internal.java;

import io.metaplast.F32Matrix;
import io.metaplast.internal.BufferImpl;
import io.metaplast.internal.spi.KroneckerTable;

/** The products G W A of a table and the quadratic penalty: one layer after the other, each product over all threads. Intermediate matrices are the caller's and grow with the layers. */
final class KroneckerTask {
  private static final int ANCHOR = 0;
  private static final int OUT = 0;
  private static final int LINE = 1;

  private final RealGemmTask gemm = new RealGemmTask();
  private float[] difference = new float[0]; // W - anchor
  private float[] half = new float[0]; // W A
  private float[] product = new float[0]; // G W A

  private static float[] atLeast(float[] array, long elements) {
    if (array.length >= elements) {
      return array;
    }
    if (elements > JavaMemory.MAX_ELEMENTS) {
      throw new IllegalArgumentException(elements + " elements of a layer exceed the limit of the JAVA backend, " + JavaMemory.MAX_ELEMENTS);
    }
    return new float[(int) elements];
  }

  private static BufferImpl buffer(F32Matrix matrix) {
    return (BufferImpl) matrix.data();
  }

  /** out = G W A of every row. */
  void products(WorkerPool pool, Scratch scratch, KroneckerTable table) {
    for (int i = 0; i < table.count(); i++) {
      F32Matrix w = table.w(i);
      int m = w.rows();
      int k = w.cols();
      if (m == 0 || k == 0) {
        continue;
      }
      half = atLeast(half, (long) m * k);
      gemm.a(buffer(w), null, w.ld());
      right(pool, scratch, table.pair(i).a(), m, k);
      gemm.c(buffer(table.out(i)), null, table.out(i).ld());
      left(pool, scratch, table.pair(i).g(), m, k);
    }
  }

  /** half = (the left operand) A. */
  private void right(WorkerPool pool, Scratch scratch, F32Matrix a, int m, int k) {
    gemm.b(buffer(a), null, a.ld());
    gemm.c(null, half, k);
    gemm.run(pool, scratch, false, false, m, k, k, 1f, 0f);
  }

  /** (The result) = G half. */
  private void left(WorkerPool pool, Scratch scratch, F32Matrix g, int m, int k) {
    gemm.a(buffer(g), null, g.ld());
    gemm.b(null, half, k);
    gemm.run(pool, scratch, false, false, m, k, m, 1f, 0f);
  }

  /** sums = the penalty and the sum of the absolute values of its terms. */
  void penalty(WorkerPool pool, Scratch scratch, KroneckerTable table, double[] sums) {
    double value = 0;
    double absolute = 0;
    for (int i = 0; i < table.count(); i++) {
      F32Matrix w = table.w(i);
      int m = w.rows();
      int k = w.cols();
      if (m == 0 || k == 0) {
        continue;
      }
      half = atLeast(half, (long) m * k);
      difference = atLeast(difference, (long) m * k);
      product = atLeast(product, (long) m * k);
      subtract(scratch, w, table.anchor(i), m, k);
      gemm.a(null, difference, k);
      right(pool, scratch, table.pair(i).a(), m, k);
      gemm.c(null, product, k);
      left(pool, scratch, table.pair(i).g(), m, k);
      double term = table.weight(i) / 2 * inner(difference, product, m * k);
      value += term;
      absolute += Math.abs(term);
      if (table.out(i) != null) {
        add(scratch, (float) table.weight(i), table.out(i), m, k);
      }
    }
    sums[0] = value;
    sums[1] = absolute;
  }

  private void subtract(Scratch scratch, F32Matrix w, F32Matrix anchor, int m, int k) {
    Operand x = scratch.operand[LINE];
    Operand y = scratch.operand[ANCHOR];
    x.set(buffer(w));
    y.set(buffer(anchor));
    float[] line = scratch.chunk[LINE];
    for (int r = 0; r < m; r++) {
      for (int at = 0; at < k; at += Scratch.CHUNK) {
        int n = Math.min(Scratch.CHUNK, k - at);
        int to = r * k + at;
        x.load((long) r * w.ld() + at, difference, to, n);
        y.load((long) r * anchor.ld() + at, line, 0, n);
        for (int j = 0; j < n; j++) {
          difference[to + j] -= line[j];
        }
      }
    }
    scratch.release();
  }

  private static double inner(float[] x, float[] y, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += (double) x[i] * y[i];
    }
    return sum;
  }

  /** gradient += weight product. */
  private void add(Scratch scratch, float weight, F32Matrix gradient, int m, int k) {
    Operand g = scratch.operand[OUT];
    g.set(buffer(gradient));
    float[] line = scratch.chunk[OUT];
    for (int r = 0; r < m; r++) {
      for (int at = 0; at < k; at += Scratch.CHUNK) {
        int n = Math.min(Scratch.CHUNK, k - at);
        long to = (long) r * gradient.ld() + at;
        g.load(to, line, 0, n);
        for (int j = 0; j < n; j++) {
          line[j] += weight * product[r * k + at + j];
        }
        g.store(to, line, 0, n);
      }
    }
    scratch.release();
  }
}
