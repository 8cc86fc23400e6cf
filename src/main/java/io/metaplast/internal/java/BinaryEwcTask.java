package io.metaplast.internal.java;

import io.metaplast.internal.BitMatrixImpl;
import io.metaplast.internal.BufferImpl;

/** Elastic weight consolidation on binary weights: ewcConsolidate and ewcPenaltyGradient. */
final class BinaryEwcTask extends ParallelTask {
  private static final double NANOS = 0.6;

  // operands, and chunks
  private static final int TOTAL = 0;
  private static final int TARGET = 1;
  private static final int GRADIENT = 2; // or the Fisher information
  private static final int SIGN = 3;

  private BitMatrixImpl signs;
  private BufferImpl total;
  private BufferImpl target;
  private BufferImpl gradient;
  private boolean penalty;
  private float lambda;

  void consolidate(WorkerPool pool, Scratch scratch, BitMatrixImpl signs, BufferImpl fisher, BufferImpl total, BufferImpl target) {
    penalty = false;
    start(pool, scratch, signs, total, target, fisher);
  }

  void penalty(
      WorkerPool pool, Scratch scratch, BitMatrixImpl signs, BufferImpl total, BufferImpl target, float lambda, BufferImpl gradient) {
    penalty = true;
    this.lambda = lambda;
    start(pool, scratch, signs, total, target, gradient);
  }

  private void start(
      WorkerPool pool, Scratch scratch, BitMatrixImpl newSigns, BufferImpl newTotal, BufferImpl newTarget, BufferImpl newGradient) {
    signs = newSigns;
    total = newTotal;
    target = newTarget;
    gradient = newGradient;
    try {
      pool.run(this, MatrixTiles.units(signs.rows(), signs.cols()), NANOS * Scratch.CHUNK, scratch);
    } finally {
      clear();
    }
  }

  @Override
  void clear() {
    signs = null;
    total = null;
    target = null;
    gradient = null;
  }

  @Override
  void run(long from, long to, Scratch scratch) {
    Operand[] o = scratch.operand;
    float[][] c = scratch.chunk;
    o[TOTAL].set(total);
    o[TARGET].set(target);
    o[GRADIENT].set(gradient);
    MatrixTiles tile = scratch.tiles().matrix;
    for (long unit = from; unit < to; unit++) {
      tile.set(unit, signs.rows(), signs.cols());
      long at = tile.first(signs.cols());
      int n = tile.elements();
      for (int r = 0; r < tile.rows; r++) {
        int word = BitRows.start(signs, tile.row + r) + (tile.column >> 6);
        BitRows.unpack(BitRows.words(signs), word, tile.width, c[SIGN], r * tile.width);
      }
      for (int i = TOTAL; i <= GRADIENT; i++) {
        o[i].load(at, c[i], 0, n);
      }
      if (penalty) {
        penalty(c[SIGN], c[TOTAL], c[TARGET], lambda, c[GRADIENT], n);
        o[GRADIENT].store(at, c[GRADIENT], 0, n);
      } else {
        consolidate(c[SIGN], c[GRADIENT], c[TOTAL], c[TARGET], n);
        o[TOTAL].store(at, c[TOTAL], 0, n);
        o[TARGET].store(at, c[TARGET], 0, n);
      }
    }
  }

  private static void consolidate(float[] sign, float[] fisher, float[] total, float[] target, int n) {
    for (int i = 0; i < n; i++) {
      float f = fisher[i];
      total[i] = total[i] + f;
      target[i] = target[i] + sign[i] * f;
    }
  }

  private static void penalty(float[] sign, float[] total, float[] target, float lambda, float[] gradient, int n) {
    for (int i = 0; i < n; i++) {
      gradient[i] = gradient[i] + lambda * (sign[i] * total[i] - target[i]);
    }
  }
}
