package io.metaplast;

/** A failure of a backend, as opposed to a bad argument (those throw JDK exceptions). Nothing was written by the call that threw. */
public class KernelException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int status;
  private final int nativeCode;
  private final String nativeName;

  /**
   * Creates the exception.
   *
   * @param message what happened and what to do next
   * @param status Metaplast status code (native/include/metaplast/status.h)
   * @param nativeCode the underlying code, for example a cudaError_t, or 0
   * @param nativeName its name, or empty
   */
  public KernelException(String message, int status, int nativeCode, String nativeName) {
    super(message);
    this.status = status;
    this.nativeCode = nativeCode;
    this.nativeName = nativeName;
  }

  /** Metaplast status code. */
  public int status() {
    return status;
  }

  /** Code of the underlying library, or 0. */
  public int nativeCode() {
    return nativeCode;
  }

  /** Name of the underlying library's code, or empty. */
  public String nativeName() {
    return nativeName;
  }
}
