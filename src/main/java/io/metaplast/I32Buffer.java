package io.metaplast;

/** 32-bit integers: random words, labels, counters. Transfers as in {@link F32Buffer}. */
public interface I32Buffer extends DeviceBuffer {
  /** A view of {@code length} elements from {@code offset}; shares the memory and owns nothing. */
  I32Buffer slice(long offset, long length);

  /** Copies all of {@code source} to the start of this buffer. */
  default void upload(int[] source) {
    upload(0, source, 0, source.length);
  }

  /** Copies {@code n} elements of {@code source} from {@code sourceOffset} to element {@code offset}. */
  void upload(long offset, int[] source, int sourceOffset, int n);

  /** Copies {@code n} elements from element {@code offset} to {@code target} at {@code targetOffset}. */
  void download(long offset, int[] target, int targetOffset, int n);

  /** All elements as a new array; {@code length()} must fit an array. */
  default int[] toArray() {
    int[] a = new int[Math.toIntExact(length())];
    download(0, a, 0, a.length);
    return a;
  }
}
