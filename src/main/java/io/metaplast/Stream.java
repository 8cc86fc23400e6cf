package io.metaplast;

/**
 * An ordered queue of kernel calls. On CUDA calls return before the work is done; on JAVA and CPU they run inline and a stream only marks order.
 * A stream belongs to one backend.
 */
public interface Stream extends AutoCloseable {
  /** The backend this stream belongs to. */
  Backend backend();

  /**
   * Waits until everything issued on this stream is done.
   *
   * @throws BackendLostException if the device failed
   */
  void synchronize();

  /** The CUDA stream handle; 0 on JAVA and CPU. */
  long handle();

  /** Destroys the stream if this library created it. */
  @Override
  void close();
}
