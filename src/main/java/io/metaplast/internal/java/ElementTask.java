package io.metaplast.internal.java;

import io.metaplast.internal.BufferImpl;

/**
 * The element-wise kernels with up to four operands: baselines and the diagonal Hessian, in the callers' arrays where the operands line up.
 */
final class ElementTask extends ParallelTask {
  /** What to compute; operands in the order of the loop's arrays, those from {@code firstOutput} on are written. */
  enum Kernel {
    SGD(1, 2),
    FISHER_ACCUMULATE(1, 2),
    FISHER_MERGE(0, 2),
    EWC_PENALTY(3, 4),
    SI_PATH(3, 4),
    SI_CONSOLIDATE(1, 4),
    SI_PENALTY(3, 4),
    DIAG_HESSIAN(1, 2);

    private final int firstOutput;
    private final int operands;

    Kernel(int firstOutput, int operands) {
      this.firstOutput = firstOutput;
      this.operands = operands;
    }
  }

  private static final int MAX_OPERANDS = 4;
  private static final double NANOS = 0.3;

  private final BufferImpl[] buffer = new BufferImpl[MAX_OPERANDS];
  private Kernel kernel;
  private float p;
  private float q;

  /** {@code c} and {@code d} are null where the kernel has fewer operands. */
  void run(WorkerPool pool, Scratch scratch, Kernel kernel, float p, float q, BufferImpl a, BufferImpl b, BufferImpl c, BufferImpl d) {
    this.kernel = kernel;
    this.p = p;
    this.q = q;
    buffer[0] = a;
    buffer[1] = b;
    buffer[2] = c;
    buffer[3] = d;
    try {
      pool.run(this, Scratch.chunks(a.length()), NANOS * Scratch.CHUNK, scratch);
    } finally {
      clear();
    }
  }

  @Override
  void clear() {
    java.util.Arrays.fill(buffer, null);
  }

  @Override
  void run(long from, long to, Scratch scratch) {
    Operand[] o = scratch.operand;
    boolean aligned = true;
    for (int i = 0; i < kernel.operands; i++) {
      o[i].set(buffer[i]);
      aligned &= o[i].sameIndex(o[0]);
    }
    long count = buffer[0].length();
    for (long unit = from; unit < to; unit++) {
      long at = unit * Scratch.CHUNK;
      int n = (int) Math.min(Scratch.CHUNK, count - at);
      if (aligned) {
        int first = o[0].base() + (int) at;
        loop(o[0].array(), o[1].array(), o[2].array(), o[3].array(), first, first + n);
      } else {
        staged(at, n, scratch);
      }
    }
  }

  private void staged(long at, int n, Scratch scratch) {
    float[][] c = scratch.chunk;
    for (int i = 0; i < kernel.operands; i++) {
      scratch.operand[i].load(at, c[i], 0, n);
    }
    loop(c[0], c[1], c[2], c[3], 0, n);
    for (int i = kernel.firstOutput; i < kernel.operands; i++) {
      scratch.operand[i].store(at, c[i], 0, n);
    }
  }

  private void loop(float[] a, float[] b, float[] c, float[] d, int from, int to) {
    switch (kernel) {
      case SGD -> Baselines.sgd(a, b, from, to, p);
      case FISHER_ACCUMULATE -> Baselines.fisherAccumulate(a, b, from, to);
      case FISHER_MERGE -> Baselines.fisherMerge(a, b, from, to, p, q);
      case EWC_PENALTY, SI_PENALTY -> Baselines.penalty(a, b, c, d, from, to, p);
      case SI_PATH -> Baselines.siPath(a, b, c, d, from, to);
      case SI_CONSOLIDATE -> Baselines.siConsolidate(a, b, c, d, from, to, p);
      case DIAG_HESSIAN -> Baselines.diagHessian(a, b, from, to, p, q);
    }
  }
}
