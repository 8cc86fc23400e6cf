package io.metaplast.internal.java;

import io.metaplast.internal.BufferImpl;

/** reduceSum: a unit is a chunk; chunk sums are then added by the calling thread. */
final class SumTask extends ParallelTask {
  private static final double NANOS = 0.2;
  private static final int X = 0;

  private BufferImpl x;
  private float[] chunkSums;

  /** R16 of all elements. */
  float run(WorkerPool pool, Scratch scratch, BufferImpl newX) {
    x = newX;
    int chunks = (int) Scratch.chunks(x.length());
    chunkSums = scratch.sums.chunkSums(Math.max(1, chunks));
    chunkSums[0] = 0f; // of no elements
    try {
      pool.run(this, chunks, NANOS * Scratch.CHUNK, scratch);
      return scratch.sums.ofChunkSums(chunkSums, 0, Math.max(1, chunks));
    } finally {
      clear();
    }
  }

  @Override
  void clear() {
    x = null;
    chunkSums = null;
  }

  @Override
  void run(long from, long to, Scratch scratch) {
    Operand o = scratch.operand[X];
    o.set(x);
    for (long unit = from; unit < to; unit++) {
      long at = unit * Scratch.CHUNK;
      int n = (int) Math.min(Scratch.CHUNK, x.length() - at);
      if (o.array() != null) {
        chunkSums[(int) unit] = scratch.sums.chunk(o.array(), o.base() + (int) at, n);
      } else {
        o.load(at, scratch.chunk[X], 0, n);
        chunkSums[(int) unit] = scratch.sums.chunk(scratch.chunk[X], 0, n);
      }
    }
  }
}
