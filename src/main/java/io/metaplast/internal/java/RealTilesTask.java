package io.metaplast.internal.java;

import java.util.Arrays;

/**
 * Sums of products of reals, a tile of the result at a time: blocks of 256 terms, in a block term by term from 0, blocks added in order. A tile's result depends on nothing but its
 * operands, so how the result is cut does not show.
 */
abstract class RealTilesTask extends ParallelTask {
  /** Terms of a block. */
  static final int BLOCK = 256;

  /** Rows of a tile; as many arrays again hold totals. */
  static final int TALL = Tiles.ROWS / 2;

  static final double NANOS_PER_TERM = 0.04;

  /** factor[r*TERMS + k] = left operand of row row+r and term t+k. */
  abstract void factors(int row, int tall, int t, int here, float[] factor, Scratch scratch);

  /** term[k][0..n) = right operand of term t+k and columns column.. */
  abstract void terms(int t, int here, int column, int n, float[][] term, Scratch scratch);

  /** The sums of a row of the tile. */
  abstract void put(int row, int column, float[] sum, int n, Scratch scratch);

  final void tile(int row, int tall, int column, int n, int terms, Scratch scratch) {
    Tiles tiles = scratch.tiles();
    float[][] sum = tiles.sum;
    float[] factor = tiles.factor;
    for (int r = 0; r < tall; r++) {
      Arrays.fill(sum[r], 0, n, 0f);
    }
    for (int t = 0; t < terms; t += Tiles.TERMS) {
      int here = Math.min(Tiles.TERMS, terms - t);
      if (t % BLOCK == 0 && t > 0) {
        closeBlock(sum, tall, n, t == BLOCK);
      }
      if (here < Tiles.TERMS) {
        Arrays.fill(factor, 0, tall * Tiles.TERMS, -0f); // absent terms are -0 * 1
        for (int k = here; k < Tiles.TERMS; k++) {
          Arrays.fill(tiles.term[k], 0, n, 1f);
        }
      }
      factors(row, tall, t, here, factor, scratch);
      terms(t, here, column, n, tiles.term, scratch);
      for (int r = 0; r < tall; r++) {
        Products.ascending(sum[r], tiles.term, factor, r * Tiles.TERMS, here, n);
      }
    }
    for (int r = 0; r < tall; r++) {
      float[] result = sum[r];
      if (terms > BLOCK) {
        result = sum[TALL + r];
        Products.add(result, sum[r], n);
      }
      put(row + r, column, result, n, scratch);
    }
  }

  /** Adds the sums of a block to the totals. */
  private static void closeBlock(float[][] sum, int tall, int n, boolean first) {
    for (int r = 0; r < tall; r++) {
      if (first) {
        System.arraycopy(sum[r], 0, sum[TALL + r], 0, n);
      } else {
        Products.add(sum[TALL + r], sum[r], n);
      }
      Arrays.fill(sum[r], 0, n, 0f);
    }
  }
}
