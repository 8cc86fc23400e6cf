package io.metaplast;

import java.util.Objects;

/**
 * A row-major fp32 matrix in a buffer: element (r, c) is element r * ld + c. A view: it owns nothing, and closing is the buffer's business. Prepare it once and
 * reuse it. For overlap checks the matrix is its whole range from the first to the last element.
 *
 * @param data exactly the elements from the first to the last; a longer buffer is cut
 * @param rows 0..2^31-1
 * @param cols 0..2^31-1
 * @param ld leading dimension, at least cols
 */
public record F32Matrix(F32Buffer data, int rows, int cols, int ld) implements RealMatrix {
  /**
   * Validates.
   *
   * @throws IllegalArgumentException if a dimension is negative or ld is below cols
   * @throws IndexOutOfBoundsException if the buffer is too short
   */
  public F32Matrix {
    Objects.requireNonNull(data, "data");
    long length = MatrixChecks.length(rows, cols, ld, data.length());
    if (data.length() != length) {
      data = data.slice(0, length);
    }
  }

  /** A contiguous matrix at the start of {@code data}. */
  public static F32Matrix of(F32Buffer data, int rows, int cols) {
    return new F32Matrix(data, rows, cols, cols);
  }

  /** A view of {@code count} rows from {@code from}. */
  public F32Matrix rows(int from, int count) {
    MatrixChecks.rows(from, count, rows);
    long start = Math.min((long) from * ld, data.length());
    return new F32Matrix(data.slice(start, data.length() - start), count, cols, ld);
  }
}
