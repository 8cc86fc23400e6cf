package io.metaplast.internal.java;

/** How matrices are cut into tiles. Results do not depend on it. */
final class Blocks {
  private static final int MIN_LANES = 256;
  private static final int ALIGNMENT = 64; // a tile begins at a word of bits

  private Blocks() {}

  /** Columns of a tile: every thread gets one where that leaves rows long enough. */
  static int lanes(int cols, int threads) {
    long share = (cols + threads - 1L) / threads;
    long aligned = (share + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return (int) Math.min(Tiles.LANES, Math.max(MIN_LANES, aligned));
  }

  /** Blocks of {@code size} that cover n. */
  static int count(int n, int size) {
    return (int) ((n + size - 1L) / size);
  }
}
