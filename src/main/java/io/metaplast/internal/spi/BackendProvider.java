package io.metaplast.internal.spi;

import io.metaplast.BackendInfo;
import java.nio.Buffer;

/** What a backend implements; arguments are validated by the layer above. Offsets and sizes are bytes. */
public interface BackendProvider extends AutoCloseable {
  BackendInfo info();

  /**
   * Zeroed memory for elements of {@code kind}; {@code bytes} is a multiple of their size. Throws DeviceOutOfMemoryException, or
   * IllegalArgumentException above the backend's limit.
   */
  Memory allocate(long bytes, ElementKind kind);

  /** A view of foreign native memory (device memory on CUDA); {@code owner} is kept reachable. */
  Memory wrapAddress(long address, long bytes, Object owner);

  /** A view of a direct, native-order, writable buffer, from position to limit; on CUDA IllegalArgumentException. */
  Memory wrapBuffer(java.nio.FloatBuffer direct);

  void write(Memory target, long offset, float[] source, int sourceOffset, int n);

  void write(Memory target, long offset, int[] source, int sourceOffset, int n);

  void write(Memory target, long offset, short[] source, int sourceOffset, int n);

  void write(Memory target, long offset, long[] source, int sourceOffset, int n);

  void read(Memory source, long offset, float[] target, int targetOffset, int n);

  void read(Memory source, long offset, int[] target, int targetOffset, int n);

  void read(Memory source, long offset, short[] target, int targetOffset, int n);

  void read(Memory source, long offset, long[] target, int targetOffset, int n);

  void copy(Memory target, long targetOffset, Memory source, long sourceOffset, long bytes);

  /** Sets 32-bit words. */
  void fill(Memory target, long offset, long words, int value);

  /** Native address of a direct buffer (host tables of multi-tensor calls); 0 on JAVA. */
  long addressOf(Buffer direct);

  /** Handle of a new stream; 0 on JAVA and CPU. */
  long newStream();

  void destroyStream(long handle);

  void synchronize(long streamHandle);

  long allocatedBytes();

  BayesProvider bayes();

  BinaryProvider binary();

  KfacProvider kfac();

  @Override
  void close();
}
