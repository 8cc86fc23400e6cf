package io.metaplast;

/**
 * A contiguous run of elements in a backend's memory. Allocated buffers are zeroed, and 64-byte aligned on the CPU (256 on CUDA); slices and wrapped memory
 * need only element alignment. Nothing is freed by the garbage collector: close what you allocate. Closing while a kernel call is in flight is
 * safe: the memory goes when that call has returned. Implemented by this library only.
 */
public interface DeviceBuffer extends AutoCloseable {
  /** The backend whose kernels accept this buffer. */
  Backend backend();

  /** Number of elements. */
  long length();

  /** Bytes of one element. */
  int elementBytes();

  /**
   * Address of the first element: host memory on CPU, device memory on CUDA. Valid until {@link #close()}.
   *
   * @throws UnsupportedOperationException on the Java backend when the elements live in the Java heap
   * @throws IllegalStateException after close
   */
  long address();

  /** Whether this buffer, or the buffer it is a slice of, has been closed. */
  boolean isClosed();

  /** Releases the memory if this object owns it (slices and wraps do not); a second close does nothing. */
  @Override
  void close();
}
