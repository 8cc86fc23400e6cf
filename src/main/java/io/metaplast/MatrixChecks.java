package io.metaplast;

/** Checks shared by the matrix records. */
final class MatrixChecks {
  private MatrixChecks() {}

  /** Elements from the first to the last one. */
  static long length(int rows, int cols, int ld, long available) {
    if (rows < 0) {
      throw new IllegalArgumentException("rows = " + rows + " must be >= 0");
    }
    if (cols < 0) {
      throw new IllegalArgumentException("cols = " + cols + " must be >= 0");
    }
    if (ld < cols) {
      throw new IllegalArgumentException("ld = " + ld + " must be >= cols " + cols);
    }
    long length = rows == 0 || cols == 0 ? 0 : (rows - 1L) * ld + cols;
    if (length > available) {
      throw new IndexOutOfBoundsException(
          "data: a " + rows + " x " + cols + " matrix with ld " + ld + " has " + length + " elements, the buffer " + available);
    }
    return length;
  }

  static void rows(int from, int count, int rows) {
    if (from < 0 || count < 0 || from > rows - count) {
      throw new IndexOutOfBoundsException("rows: from " + from + " + count " + count + " leaves 0.." + rows);
    }
  }
}
