package io.metaplast.internal.java;

import io.metaplast.TensorLayout;

/** A task over all tensors of a layout; a unit is a chunk of a tensor, counted through in order. */
abstract class TensorTask extends ParallelTask {
  private TensorLayout layout;

  /** Runs over all chunks of all tensors. */
  final void start(WorkerPool pool, Scratch scratch, TensorLayout newLayout, double nanosPerElement) {
    layout = newLayout;
    long units = 0;
    for (int t = 0; t < layout.tensors(); t++) {
      units += Scratch.chunks(layout.count(t));
    }
    try {
      pool.run(this, units, nanosPerElement * Scratch.CHUNK, scratch);
    } finally {
      layout = null;
      clear();
    }
  }

  @Override
  final void run(long from, long to, Scratch scratch) {
    long unit = 0; // of the tensor's first chunk
    for (int t = 0; t < layout.tensors() && unit < to; t++) {
      long count = layout.count(t);
      long end = unit + Scratch.chunks(count);
      if (end > from) {
        tensor(t, scratch);
        for (long u = Math.max(unit, from); u < Math.min(end, to); u++) {
          long at = (u - unit) * Scratch.CHUNK;
          chunk(t, at, (int) Math.min(Scratch.CHUNK, count - at), scratch);
        }
      }
      unit = end;
    }
    done(scratch);
  }

  /** Tensor number of tensor t in random addresses, times 256: the random stream of its sample 0. */
  final int randomStream(int t) {
    return layout.number(t) << 8;
  }

  final long count(int t) {
    return layout.count(t);
  }

  /** Sets the operands of tensor t. */
  abstract void tensor(int t, Scratch scratch);

  /** Elements at..at+n-1 of tensor t. */
  abstract void chunk(int t, long at, int n, Scratch scratch);

  /** The running thread's units are done. */
  void done(Scratch scratch) {}
}
