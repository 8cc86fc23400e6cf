package io.metaplast.internal.java;

import io.metaplast.F32Matrix;
import io.metaplast.internal.BufferImpl;

/** out = a x + b y, or a x. */
final class CombineTask extends RowTask {
  private static final double NANOS = 0.3;
  private static final int X = 0;
  private static final int Y = 1;
  private static final int OUT = 2;

  private float a;
  private float b;
  private F32Matrix x;
  private F32Matrix y; // or null
  private F32Matrix out;

  void run(WorkerPool pool, Scratch scratch, float newA, F32Matrix newX, float newB, F32Matrix newY, F32Matrix newOut) {
    a = newA;
    x = newX;
    b = newB;
    y = newY;
    out = newOut;
    start(pool, scratch, out.rows(), out.cols(), NANOS);
  }

  @Override
  void clear() {
    x = null;
    y = null;
    out = null;
  }

  @Override
  void operands(Scratch scratch) {
    scratch.operand[X].set((BufferImpl) x.data());
    if (y != null) {
      scratch.operand[Y].set((BufferImpl) y.data());
    }
    scratch.operand[OUT].set((BufferImpl) out.data());
  }

  @Override
  void piece(int row, int at, int n, Scratch scratch) {
    float[] p = scratch.chunk[X];
    float[] q = scratch.chunk[Y];
    scratch.operand[X].load((long) row * x.ld() + at, p, 0, n);
    if (y == null) {
      for (int i = 0; i < n; i++) {
        p[i] = a * p[i];
      }
    } else {
      scratch.operand[Y].load((long) row * y.ld() + at, q, 0, n);
      sum(p, q, a, b, n);
    }
    scratch.operand[OUT].store((long) row * out.ld() + at, p, 0, n);
  }

  private static void sum(float[] p, float[] q, float a, float b, int n) {
    for (int i = 0; i < n; i++) {
      p[i] = a * p[i] + b * q[i];
    }
  }
}
