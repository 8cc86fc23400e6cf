package io.metaplast.internal.java;

/**
 * Tiles of one thread that the binarized products work on. Every row of a tile is an array of its own and all rows of a loop share one
 * index: that is what lets the JIT compiler vectorise; and loops are kept at one output row and four input rows, because larger bodies stop
 * being vectorised.
 */
final class Tiles {
  /** Elements of a row: long, as the scalar ends of a vectorised loop cost much; {@link #TERMS} rows of them stay in the first cache level. */
  static final int LANES = 1024;

  /** Output rows of a tile: enough to pay for the preparation of the input rows. */
  static final int ROWS = 128;

  /** Input rows that are prepared at a time. */
  static final int TERMS = 8;

  /** Counts of set bits. */
  final int[][] count = new int[ROWS][LANES];

  /** 32-bit words of bit rows, one row a word number. */
  final int[][] word = new int[TERMS][LANES];

  /** Which bits of {@link #word} count. */
  final int[][] valid = new int[TERMS][LANES];

  /** Sums of products. */
  final float[][] sum = new float[ROWS][LANES];

  /** Real or +-1 input rows. */
  final float[][] term = new float[TERMS][LANES];

  /** Factors of the input rows, {@link #TERMS} an output row. */
  final float[] factor = new float[ROWS * TERMS];

  /** A block of 64 x 64 bits. */
  final long[] square = new long[64];

  /** Sums of integers. */
  final long[] sums = new long[LANES];

  /** Sums of squares of integers. */
  final long[] squares = new long[LANES];

  final MatrixTiles matrix = new MatrixTiles();
  final SignPacker packer = new SignPacker();
  final MetaAdam adam = new MetaAdam();
}
