package io.metaplast;

import io.metaplast.bayes.BayesKernels;
import io.metaplast.binary.BinaryKernels;
import io.metaplast.kfac.KfacKernels;
import java.nio.FloatBuffer;
import java.util.List;
import org.bytedeco.javacpp.FloatPointer;

/**
 * An open backend: memory, streams and the kernel families. Thread-safe; operations on one buffer must not race. Close it last: buffers and streams of a
 * closed backend refuse every call with {@link IllegalStateException}.
 */
public interface Backend extends AutoCloseable {
  /** What was opened. */
  BackendInfo info();

  /** The options it was opened with, defaults filled in. */
  BackendOptions options();

  /**
   * {@code length} zeroed floats.
   *
   * @throws IllegalArgumentException if length is negative or too large for this backend
   * @throws DeviceOutOfMemoryException if memory (device memory on CUDA) is exhausted
   */
  F32Buffer allocate(long length);

  /** {@code length} zeroed 32-bit integers; errors as {@link #allocate}. */
  I32Buffer allocateI32(long length);

  /** {@code length} zeroed bf16 elements; errors as {@link #allocate}. */
  Bf16Buffer allocateBf16(long length);

  /**
   * A zeroed bit matrix.
   *
   * @throws IllegalArgumentException if a dimension is negative or above {@link BitMatrix#MAX_DIMENSION}, or the matrix is too large for this backend
   * @throws DeviceOutOfMemoryException as {@link #allocate}
   */
  BitMatrix allocateBits(long rows, long cols);

  /**
   * Zero-copy view of a direct buffer's elements from position to limit. JAVA and CPU only. The buffer object is kept alive.
   *
   * @throws IllegalArgumentException if the buffer is not direct, not in native byte order, or this backend is CUDA
   * @throws java.nio.ReadOnlyBufferException if it is read-only
   */
  F32Buffer wrap(FloatBuffer direct);

  /** Zero-copy view of {@code length} floats from the pointer's position: host memory, or device memory on CUDA. The pointer is kept alive, not freed. */
  F32Buffer wrap(FloatPointer pointer, long length);

  /**
   * Zero-copy view of {@code length} floats at a raw address: host memory, or device memory on CUDA.
   *
   * @param owner kept reachable as long as the view
   * @throws IllegalArgumentException if the address is 0 or not a multiple of 4, or length is negative
   */
  F32Buffer wrapAddress(long address, long length, Object owner);

  /** Zeroed fp32 group in one arena, {@code copies} samples a tensor. */
  TensorGroup<F32Buffer> allocateGroup(TensorLayout layout, int copies);

  /** Zeroed bf16 group in one arena. */
  TensorGroup<Bf16Buffer> allocateBf16Group(TensorLayout layout, int copies);

  /**
   * A group over the caller's own buffers, one a tensor, of exactly {@code copies * layout.count(t)} elements; they stay the caller's.
   *
   * @throws IllegalArgumentException on a length, count or backend mismatch
   */
  <B extends DeviceBuffer> TensorGroup<B> group(TensorLayout layout, int copies, List<B> buffers);

  /** Scratch memory of at least {@code bytes} bytes. */
  Workspace workspace(long bytes);

  /** The stream for callers who need no other. */
  Stream defaultStream();

  /** A new stream. */
  Stream newStream();

  /** The caller's CUDA stream (a {@code CUstream_st*} or {@code cudaStream_t}); on JAVA and CPU the handle must be 0. */
  Stream wrapStream(long handle);

  /** The Bayesian kernels. */
  BayesKernels bayes();

  /** The kernels of binarized networks. */
  BinaryKernels binary();

  /** The kernels of Kronecker-factored curvature. */
  KfacKernels kfac();

  /** Bytes this backend has allocated and not yet freed. */
  long allocatedBytes();

  /** Releases the backend's own resources; a second close does nothing. Memory that is still open is reported as a leak in the log and freed when its buffer is closed. */
  @Override
  void close();
}
