package io.metaplast;

import java.util.Objects;

/**
 * A row-major bf16 matrix in a buffer: element (r, c) is element r * ld + c. A view, as {@link F32Matrix}.
 *
 * @param data exactly the elements from the first to the last; a longer buffer is cut
 * @param rows 0..2^31-1
 * @param cols 0..2^31-1
 * @param ld leading dimension, at least cols
 */
public record Bf16Matrix(Bf16Buffer data, int rows, int cols, int ld) implements RealMatrix {
  /**
   * Validates.
   *
   * @throws IllegalArgumentException if a dimension is negative or ld is below cols
   * @throws IndexOutOfBoundsException if the buffer is too short
   */
  public Bf16Matrix {
    Objects.requireNonNull(data, "data");
    long length = MatrixChecks.length(rows, cols, ld, data.length());
    if (data.length() != length) {
      data = data.slice(0, length);
    }
  }

  /** A contiguous matrix at the start of {@code data}. */
  public static Bf16Matrix of(Bf16Buffer data, int rows, int cols) {
    return new Bf16Matrix(data, rows, cols, cols);
  }
}
