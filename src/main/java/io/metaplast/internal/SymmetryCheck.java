package io.metaplast.internal;

import io.metaplast.F32Matrix;
import io.metaplast.internal.spi.BackendProvider;

/** Looks for elements of a matrix that differ from their mirror image. */
final class SymmetryCheck {
  private static final int TILE = 128;

  private SymmetryCheck() {}

  /**
   * Reads all elements, tile by tile.
   *
   * @param place of the matrix in a list, as {@link CallGuard#at}
   * @throws IllegalArgumentException naming the first pair found
   */
  static void check(BackendProvider provider, String name, long place, F32Matrix m) {
    int n = m.rows();
    int tile = Math.min(TILE, n);
    float[] lower = new float[tile * tile];
    float[] upper = new float[tile * tile];
    for (int r = 0; r < n; r += tile) {
      int rows = Math.min(tile, n - r);
      for (int c = 0; c <= r; c += tile) {
        int cols = Math.min(tile, n - c);
        read(provider, m, r, rows, c, cols, lower, tile);
        read(provider, m, c, cols, r, rows, upper, tile);
        for (int i = 0; i < rows; i++) {
          for (int j = 0; j < (r == c ? i : cols); j++) {
            float a = lower[i * tile + j];
            float b = upper[j * tile + i];
            if (a != b && !(a != a && b != b)) {
              throw new IllegalArgumentException(
                  CallGuard.at(name, place) + " is not symmetric: batch index " + Math.max(0, (int) place) + ", element (" + (r + i) + ", " + (c + j) + ") is "
                      + a + ", (" + (c + j) + ", " + (r + i) + ") is " + b + ", difference " + (a - b));
            }
          }
        }
      }
    }
  }

  private static void read(BackendProvider provider, F32Matrix m, int r, int rows, int c, int cols, float[] to, int tile) {
    BufferImpl data = (BufferImpl) m.data();
    for (int i = 0; i < rows; i++) {
      provider.read(data.memory(), data.byteOffset() + ((long) (r + i) * m.ld() + c) * Float.BYTES, to, i * tile, cols);
    }
  }
}
