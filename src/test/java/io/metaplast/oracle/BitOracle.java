package io.metaplast.oracle;

import java.util.Arrays;
import java.util.SplittableRandom;

/** A bit matrix as a plain array of signs, and the products of signs as loops over it. Conversion to and from packed words is by single bits. */
public final class BitOracle {
  private final int rows;
  private final int cols;
  private final boolean[] bits;

  private BitOracle(int rows, int cols, boolean[] bits) {
    this.rows = rows;
    this.cols = cols;
    this.bits = bits;
  }

  /** All -1. */
  public static BitOracle of(int rows, int cols) {
    return new BitOracle(rows, cols, new boolean[rows * cols]);
  }

  /** Signs of values: +1 where x >= 0. */
  public static BitOracle signs(int rows, int cols, float[] x) {
    BitOracle b = of(rows, cols);
    for (int i = 0; i < rows * cols; i++) {
      b.bits[i] = x[i] >= 0;
    }
    return b;
  }

  /** From packed words; fails if a pad bit is set. */
  public static BitOracle of(int rows, int cols, long[] words) {
    int rowWords = rowWords(cols);
    BitOracle b = of(rows, cols);
    for (int r = 0; r < rows; r++) {
      for (int i = 0; i < 64 * rowWords; i++) {
        boolean set = (words[r * rowWords + i / 64] >>> (i % 64) & 1) == 1;
        if (i < cols) {
          b.bits[r * cols + i] = set;
        } else if (set) {
          throw new AssertionError("row " + r + ": pad bit " + i + " behind " + cols + " columns is set");
        }
      }
    }
    return b;
  }

  /** Random bits; kinds 1, 2 and 3 are all ones, all zeros and alternating. */
  public static BitOracle random(SplittableRandom random, int rows, int cols, int kind) {
    BitOracle b = of(rows, cols);
    for (int i = 0; i < rows * cols; i++) {
      b.bits[i] =
          switch (kind) {
            case 1 -> true;
            case 2 -> false;
            case 3 -> (i & 1) == 0;
            default -> random.nextBoolean();
          };
    }
    return b;
  }

  /** Random bits that are reproducible from a uniform draw: sign of uniform - 1/2 (the generator of the golden file). */
  public static BitOracle generated(long seed, int stream, int rows, int cols) {
    BitOracle b = of(rows, cols);
    for (int i = 0; i < rows * cols; i++) {
      b.bits[i] = RandomOracle.uniform(RandomOracle.word(seed, stream, 0, i)) - 0.5 >= 0;
    }
    return b;
  }

  /** Number of rows. */
  public int rows() {
    return rows;
  }

  /** Number of columns. */
  public int cols() {
    return cols;
  }

  /** A bit. */
  public boolean bit(int r, int c) {
    return bits[r * cols + c];
  }

  /** +1 or -1. */
  public int sign(int r, int c) {
    return bits[r * cols + c] ? 1 : -1;
  }

  /** Changes a bit. */
  public void set(int r, int c, boolean bit) {
    bits[r * cols + c] = bit;
  }

  /** 64-bit words of a row: rows are multiples of 512 bits. */
  public static int rowWords(int cols) {
    return (cols + 511) / 512 * 8;
  }

  /** Packed, pad bits 0. */
  public long[] words() {
    int rowWords = rowWords(cols);
    long[] words = new long[rows * rowWords];
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < cols; c++) {
        if (bits[r * cols + c]) {
          words[r * rowWords + c / 64] |= 1L << (c % 64);
        }
      }
    }
    return words;
  }

  /** Values +1 and -1. */
  public float[] values() {
    float[] x = new float[bits.length];
    for (int i = 0; i < x.length; i++) {
      x[i] = bits[i] ? 1 : -1;
    }
    return x;
  }

  /** Rows and columns exchanged. */
  public BitOracle transposed() {
    BitOracle t = of(cols, rows);
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < cols; c++) {
        t.set(c, r, bit(r, c));
      }
    }
    return t;
  }

  /** Dot product of row {@code i} and row {@code j} of {@code other}. */
  public int dot(int i, BitOracle other, int j) {
    int sum = 0;
    for (int c = 0; c < cols; c++) {
      sum += bits[i * cols + c] == other.bits[j * cols + c] ? 1 : -1;
    }
    return sum;
  }

  /** All dot products of rows, [rows][other.rows]. */
  public int[] dots(BitOracle other) {
    int[] y = new int[rows * other.rows];
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < other.rows; j++) {
        y[i * other.rows + j] = dot(i, other, j);
      }
    }
    return y;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof BitOracle o && rows == o.rows && cols == o.cols && Arrays.equals(bits, o.bits);
  }

  @Override
  public int hashCode() {
    return 31 * cols + Arrays.hashCode(bits);
  }

  @Override
  public String toString() {
    StringBuilder s = new StringBuilder();
    for (int r = 0; r < Math.min(rows, 8); r++) {
      for (int c = 0; c < Math.min(cols, 80); c++) {
        s.append(bit(r, c) ? '+' : '-');
      }
      s.append('\n');
    }
    return s + "(" + rows + " x " + cols + ")";
  }
}
