package io.metaplast;

/** Memory of the backend is exhausted. The message tells what was asked for, free and total; the next call works. */
public final class DeviceOutOfMemoryException extends KernelException {
  private static final long serialVersionUID = 1L;

  /** Creates the exception; arguments as in {@link KernelException}. */
  public DeviceOutOfMemoryException(String message, int status, int nativeCode, String nativeName) {
    super(message, status, nativeCode, nativeName);
  }
}
