package io.metaplast;

import io.metaplast.internal.Backends;
import java.util.List;

/** Entry point: opens backends and tells which there are. */
public final class Metaplast {
  /** Raised whenever a class A kernel would give other bits; changing it is a breaking release. */
  public static final int NUMERICS_VERSION = 1;

  private Metaplast() {}

  /**
   * Opens the best backend that works (CUDA, then CPU, then JAVA), or the one named by the property {@code metaplast.backend}.
   *
   * @throws BackendUnavailableException if one was named and cannot be had; the message says why
   * @throws IllegalArgumentException if a property holds an unknown value
   */
  public static Backend open() {
    return open(BackendOptions.defaults());
  }

  /**
   * Opens a backend. Each backend proves itself by a short self-test before it is returned.
   *
   * @throws BackendUnavailableException if the kind or tier asked for cannot be had; the message says why
   */
  public static Backend open(BackendOptions options) {
    return Backends.open(options);
  }

  /** One entry per backend, best first, each either available or with the reason why not. Never throws. */
  public static List<BackendInfo> probe() {
    return Backends.probe();
  }

  /** Version of this library. */
  public static String version() {
    return Backends.version();
  }
}
