package io.metaplast.internal;

import io.metaplast.Backend;
import io.metaplast.BackendKind;
import io.metaplast.Stream;
import io.metaplast.internal.spi.UseCounted;

/** A stream of a backend. The default stream stays open as long as its backend. */
final class StreamImpl extends UseCounted implements Stream {
  private final BackendImpl backend;
  private final long handle;
  private final boolean owner;
  private final boolean isDefault;

  private StreamImpl(BackendImpl backend, long handle, boolean owner, boolean isDefault) {
    this.backend = backend;
    this.handle = handle;
    this.owner = owner;
    this.isDefault = isDefault;
  }

  static StreamImpl defaultStream(BackendImpl backend) {
    return new StreamImpl(backend, 0, false, true);
  }

  static StreamImpl owned(BackendImpl backend, long handle) {
    return new StreamImpl(backend, handle, true, false);
  }

  static StreamImpl wrapped(BackendImpl backend, long handle) {
    return new StreamImpl(backend, handle, false, false);
  }

  @Override
  public Backend backend() {
    return backend;
  }

  boolean isDefault() {
    return isDefault;
  }

  @Override
  public void synchronize() {
    if (backend.info().kind() != BackendKind.CUDA) {
      backend.checkOpen(); // every call has ended when it returns
      handle();
      return;
    }
    backend.acquire();
    try {
      acquire("stream");
      try {
        backend.provider().synchronize(handle);
      } finally {
        release();
      }
    } finally {
      backend.release();
    }
  }

  /** Handle for calls that have taken the stream. */
  long rawHandle() {
    return handle;
  }

  @Override
  public long handle() {
    if (isClosed()) {
      throw new IllegalStateException("stream is closed");
    }
    return handle;
  }

  @Override
  public void close() {
    if (!isDefault) {
      closeOnce();
    }
  }

  @Override
  protected void free() {
    if (owner) {
      backend.provider().destroyStream(handle);
    }
  }

  @Override
  public String toString() {
    return "Stream[" + (isDefault ? "default" : "0x" + Long.toHexString(handle)) + (isClosed() ? ", closed" : "") + " on " + backend + "]";
  }
}
