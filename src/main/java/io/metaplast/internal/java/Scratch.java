package io.metaplast.internal.java;

/** Working memory of one thread: operands of the task it runs and chunk-sized arrays that stay in the first cache levels. */
final class Scratch {
  /** Elements of a chunk: the unit of work of element-wise kernels, and the chunk of the R16 sum. */
  static final int CHUNK = 4096;

  private static final int OPERANDS = 8;
  private static final int ARRAYS = 10;

  /** Operands of the running task; what each holds is the task's choice. */
  final Operand[] operand = new Operand[OPERANDS];

  /** Chunks of floats; what each holds is the task's choice. */
  final float[][] chunk = new float[ARRAYS][CHUNK];

  final Rule rule = new Rule();
  final GaussianSource gaussian = new GaussianSource();
  final R16 sums = new R16();

  Scratch() {
    for (int i = 0; i < OPERANDS; i++) {
      operand[i] = new Operand();
    }
  }

  /** Forgets the operands. */
  void release() {
    for (Operand o : operand) {
      o.clear();
    }
  }

  /** Chunks that {@code n} elements make. */
  static long chunks(long n) {
    return (n + CHUNK - 1) / CHUNK;
  }
}
