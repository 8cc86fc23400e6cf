package io.metaplast.internal.java;

/** A task over the elements of a matrix; a unit is a row, or a chunk of one. Chunks begin at a multiple of 64 columns. */
abstract class RowTask extends ParallelTask {
  private int cols;
  private int chunksPerRow;

  final void start(WorkerPool pool, Scratch scratch, int rows, int newCols, double nanosPerElement) {
    cols = newCols;
    chunksPerRow = (int) Scratch.chunks(newCols);
    try {
      pool.run(this, (long) rows * chunksPerRow, nanosPerElement * Math.min(newCols, Scratch.CHUNK), scratch);
    } finally {
      clear();
    }
  }

  @Override
  final void run(long from, long to, Scratch scratch) {
    operands(scratch);
    for (long unit = from; unit < to; unit++) {
      int at = (int) (unit % chunksPerRow) * Scratch.CHUNK;
      piece((int) (unit / chunksPerRow), at, Math.min(Scratch.CHUNK, cols - at), scratch);
    }
  }

  /** Whether a piece that ends before column {@code end} is the last one of its row. */
  final boolean endsRow(int end) {
    return end == cols;
  }

  /** Sets the operands. */
  abstract void operands(Scratch scratch);

  /** Columns at..at+n-1 of a row. */
  abstract void piece(int row, int at, int n, Scratch scratch);
}
