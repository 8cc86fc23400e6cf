package io.metaplast.internal.java;

import io.metaplast.internal.BufferImpl;

/** factorMovingAverage. */
final class FactorTask extends RowTask {
  private static final double NANOS = 0.5;
  private static final int FACTOR = 0;

  private BufferImpl s;
  private int lds;
  private float inverseBatch;
  private float decay;
  private float fresh;
  private BufferImpl factor;
  private int ldf;

  void run(
      WorkerPool pool, Scratch scratch, int rows, int cols, BufferImpl s, int lds, float inverseBatch, float decay, float fresh, BufferImpl factor,
      int ldf) {
    this.s = s;
    this.lds = lds;
    this.inverseBatch = inverseBatch;
    this.decay = decay;
    this.fresh = fresh;
    this.factor = factor;
    this.ldf = ldf;
    start(pool, scratch, rows, cols, NANOS);
  }

  @Override
  void clear() {
    s = null;
    factor = null;
  }

  @Override
  void operands(Scratch scratch) {
    scratch.operand[FACTOR].set(factor);
  }

  @Override
  void piece(int row, int at, int n, Scratch scratch) {
    int[] sums = ((JavaMemory) s.memory()).ints();
    int from = (int) (s.byteOffset() / Integer.BYTES) + row * lds + at;
    float[] a = scratch.chunk[FACTOR];
    long to = (long) row * ldf + at;
    scratch.operand[FACTOR].load(to, a, 0, n);
    for (int i = 0; i < n; i++) {
      a[i] = decay * a[i] + fresh * (sums[from + i] * inverseBatch);
    }
    scratch.operand[FACTOR].store(to, a, 0, n);
  }
}
