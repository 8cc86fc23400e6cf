package io.metaplast.internal.java;

/** How a contiguous matrix is cut into units: whole rows, as many as fit a chunk, or a chunk of one row. Chunks begin at a multiple of 64 columns. */
final class MatrixTiles {
  int row;
  int rows;
  int column;
  int width;

  static long units(int rows, int cols) {
    return cols > Scratch.CHUNK ? rows * Scratch.chunks(cols) : cols == 0 ? 0 : Blocks.count(rows, LinearTile.rows(cols));
  }

  /** Goes to a unit of a matrix. */
  void set(long unit, int allRows, int cols) {
    if (cols > Scratch.CHUNK) {
      long chunks = Scratch.chunks(cols);
      row = (int) (unit / chunks);
      rows = 1;
      column = (int) (unit % chunks) * Scratch.CHUNK;
      width = Math.min(Scratch.CHUNK, cols - column);
    } else {
      int most = LinearTile.rows(cols);
      row = (int) unit * most;
      rows = Math.min(most, allRows - row);
      column = 0;
      width = cols;
    }
  }

  /** Index of the unit's first element. */
  long first(int cols) {
    return (long) row * cols + column;
  }

  /** Elements of the unit, which lie side by side. */
  int elements() {
    return rows * width;
  }
}
