package io.metaplast.internal.java;

import io.metaplast.binary.HiddenWeights;
import io.metaplast.internal.BitMatrixImpl;
import io.metaplast.internal.TensorGroupImpl;
import io.metaplast.internal.spi.AdamRows;

/** metaAdamStep: units of all tensors, counted through in order. */
final class MetaAdamTask extends ParallelTask {
  private static final double NANOS = 1.5;

  // operands, and chunks
  private static final int W = 0;
  private static final int G = 1;
  private static final int M = 2;
  private static final int V = 3;

  private TensorGroupImpl<?> hidden;
  private TensorGroupImpl<?> gradients;
  private TensorGroupImpl<?> firstMoment;
  private TensorGroupImpl<?> secondMoment;
  private AdamRows rows;

  void run(
      WorkerPool pool, Scratch scratch, TensorGroupImpl<?> hidden, TensorGroupImpl<?> gradients, TensorGroupImpl<?> firstMoment,
      TensorGroupImpl<?> secondMoment, AdamRows rows) {
    this.hidden = hidden;
    this.gradients = gradients;
    this.firstMoment = firstMoment;
    this.secondMoment = secondMoment;
    this.rows = rows;
    HiddenWeights weights = rows.weights();
    long units = 0;
    for (int t = 0; t < weights.tensors(); t++) {
      units += units(weights.shape(t));
    }
    try {
      pool.run(this, units, NANOS * Scratch.CHUNK, scratch);
    } finally {
      clear();
    }
  }

  private static long units(HiddenWeights.Shape shape) {
    return MatrixTiles.units(shape.rows(), shape.cols());
  }

  @Override
  void clear() {
    hidden = null;
    gradients = null;
    firstMoment = null;
    secondMoment = null;
    rows = null;
  }

  @Override
  void run(long from, long to, Scratch scratch) {
    HiddenWeights weights = rows.weights();
    MatrixTiles tile = scratch.tiles().matrix;
    MetaAdam adam = scratch.tiles().adam;
    long unit = 0; // of the tensor's first tile
    for (int t = 0; t < weights.tensors() && unit < to; t++) {
      HiddenWeights.Shape shape = weights.shape(t);
      long end = unit + units(shape);
      if (end > from) {
        scratch.operand[W].set(hidden.buffer(t));
        scratch.operand[G].set(gradients.buffer(t));
        scratch.operand[M].set(firstMoment.buffer(t));
        scratch.operand[V].set(secondMoment.buffer(t));
        adam.load(rows, t);
        for (long u = Math.max(unit, from); u < Math.min(end, to); u++) {
          tile.set(u - unit, shape.rows(), shape.cols());
          step(tile, shape.cols(), (BitMatrixImpl) weights.signs(t), scratch);
        }
      }
      unit = end;
    }
  }

  private static void step(MatrixTiles tile, int cols, BitMatrixImpl signsOrNull, Scratch scratch) {
    Operand[] o = scratch.operand;
    float[][] c = scratch.chunk;
    long at = tile.first(cols);
    int n = tile.elements();
    for (int i = W; i <= V; i++) {
      o[i].load(at, c[i], 0, n);
    }
    scratch.tiles().adam.step(c[W], c[G], c[M], c[V], n);
    o[W].store(at, c[W], 0, n);
    o[M].store(at, c[M], 0, n);
    o[V].store(at, c[V], 0, n);
    if (signsOrNull != null) {
      for (int r = 0; r < tile.rows; r++) {
        int row = tile.row + r;
        int to = BitRows.start(signsOrNull, row) + (tile.column >> 6);
        scratch.tiles().packer.signs(c[W], r * tile.width, tile.width, BitRows.words(signsOrNull), to);
        if (tile.column + tile.width == cols) {
          BitRows.pad(signsOrNull, row);
        }
      }
    }
  }
}
