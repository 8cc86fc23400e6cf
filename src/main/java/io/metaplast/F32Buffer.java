package io.metaplast;

/** fp32 elements. Transfers are synchronous and ordered after all earlier work of the backend's streams. */
public interface F32Buffer extends DeviceBuffer {
  /**
   * A view of {@code length} elements from {@code offset}; shares the memory and owns nothing.
   *
   * @throws IndexOutOfBoundsException if the range leaves this buffer
   */
  F32Buffer slice(long offset, long length);

  /** Copies all of {@code source} to the start of this buffer. */
  default void upload(float[] source) {
    upload(0, source, 0, source.length);
  }

  /**
   * Copies {@code n} elements of {@code source} from {@code sourceOffset} to element {@code offset} of this buffer.
   *
   * @throws IndexOutOfBoundsException if either range leaves its array
   */
  void upload(long offset, float[] source, int sourceOffset, int n);

  /** Copies the start of this buffer into all of {@code target}. */
  default void download(float[] target) {
    download(0, target, 0, target.length);
  }

  /**
   * Copies {@code n} elements from element {@code offset} of this buffer to {@code target} at {@code targetOffset}.
   *
   * @throws IndexOutOfBoundsException if either range leaves its array
   */
  void download(long offset, float[] target, int targetOffset, int n);

  /** All elements as a new array; {@code length()} must fit an array. */
  default float[] toArray() {
    float[] a = new float[Math.toIntExact(length())];
    download(a);
    return a;
  }

  /** Copies all elements of {@code source} (same backend, same length) into this buffer. */
  void copyFrom(F32Buffer source);

  /** Sets every element. */
  void fill(float value);
}
