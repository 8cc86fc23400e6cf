package io.metaplast;

/** The device failed beyond repair (a sticky CUDA error): this and every later CUDA call throws; restart the process. JAVA and CPU still work. */
public final class BackendLostException extends KernelException {
  private static final long serialVersionUID = 1L;

  /** Creates the exception; arguments as in {@link KernelException}. */
  public BackendLostException(String message, int status, int nativeCode, String nativeName) {
    super(message, status, nativeCode, nativeName);
  }
}
