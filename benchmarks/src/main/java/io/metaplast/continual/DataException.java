package io.metaplast.continual;

import java.io.IOException;

/** A data file is missing or not what it should be. The message names the file, what was found and what was expected. */
public final class DataException extends IOException {
  private static final long serialVersionUID = 1L;

  DataException(String message) {
    super(message);
  }

  DataException(String message, Throwable cause) {
    super(message, cause);
  }
}
