package io.metaplast;

/**
 * bfloat16 elements (the upper half of an fp32), used for gradients only: mu and sigma must stay fp32, because a bf16 sigma loses the pull of the
 * prior. Transfers as in {@link F32Buffer}; fp32 is rounded to nearest even on upload, NaN stays NaN.
 */
public interface Bf16Buffer extends DeviceBuffer {
  /** A view of {@code length} elements from {@code offset}; shares the memory and owns nothing. */
  Bf16Buffer slice(long offset, long length);

  /** Rounds and copies all of {@code source} to the start of this buffer. */
  default void upload(float[] source) {
    upload(0, source, 0, source.length);
  }

  /** Rounds and copies {@code n} elements of {@code source} from {@code sourceOffset} to element {@code offset}. */
  void upload(long offset, float[] source, int sourceOffset, int n);

  /** Copies raw bf16 bit patterns. */
  void uploadBits(long offset, short[] source, int sourceOffset, int n);

  /** Copies {@code n} elements, widened to fp32, from element {@code offset} to {@code target} at {@code targetOffset}. */
  void download(long offset, float[] target, int targetOffset, int n);

  /** All elements, widened to fp32, as a new array. */
  default float[] toArray() {
    float[] a = new float[Math.toIntExact(length())];
    download(0, a, 0, a.length);
    return a;
  }
}
