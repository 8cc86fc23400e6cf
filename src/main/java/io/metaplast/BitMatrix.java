package io.metaplast;

/**
 * A matrix of signs, one bit an element: 1 is +1, 0 is -1. Row-major; a row takes 8 * ceil(cols / 512) 64-bit words, column i is bit i % 64 (least
 * significant first) of word i / 64, words are little-endian, pad bits are 0. This layout is stable: it may be stored and loaded. As a
 * {@link DeviceBuffer} its elements are the words. Transfers as in {@link F32Buffer}; whoever uploads words keeps the pad bits 0 (checked with full checks).
 */
public interface BitMatrix extends DeviceBuffer {
  /** Largest number of rows or columns. */
  long MAX_DIMENSION = Integer.MAX_VALUE;

  /** Words of a row of {@code cols} columns. */
  static long rowWords(long cols) {
    return (cols + 511) / 512 * 8;
  }

  /** Number of rows. */
  int rows();

  /** Number of columns. */
  int cols();

  /** Words of a row, a multiple of 8. */
  default int rowWords() {
    return (int) rowWords(cols());
  }

  /**
   * A view of {@code count} rows from {@code from}; shares the memory and owns nothing.
   *
   * @throws IndexOutOfBoundsException if the range leaves this matrix
   */
  BitMatrix rows(int from, int count);

  /** Copies {@code n} words of {@code source} from {@code sourceOffset} to word {@code offset} of this matrix. */
  void upload(long offset, long[] source, int sourceOffset, int n);

  /** Copies all of {@code source} to the start of this matrix. */
  default void upload(long[] source) {
    upload(0, source, 0, source.length);
  }

  /** Copies {@code n} words from word {@code offset} of this matrix to {@code target} at {@code targetOffset}. */
  void download(long offset, long[] target, int targetOffset, int n);

  /** All words as a new array; {@code length()} must fit an array. */
  default long[] toArray() {
    long[] a = new long[Math.toIntExact(length())];
    download(0, a, 0, a.length);
    return a;
  }
}
