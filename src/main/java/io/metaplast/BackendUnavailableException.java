package io.metaplast;

/** A backend or tier that was asked for by name cannot be had. The message gives the reason and how to fall back. */
public final class BackendUnavailableException extends KernelException {
  private static final long serialVersionUID = 1L;

  /** Creates the exception; arguments as in {@link KernelException}. */
  public BackendUnavailableException(String message, int status, int nativeCode, String nativeName) {
    super(message, status, nativeCode, nativeName);
  }
}
