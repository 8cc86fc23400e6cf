package io.metaplast;

import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;

/**
 * How to open a backend. Unset values come from a system property, then from its environment twin, then from the default:
 *
 * <table>
 * <caption>Properties</caption>
 * <tr><th>property</th><th>environment</th><th>values</th><th>default</th></tr>
 * <tr><td>metaplast.backend</td><td>METAPLAST_BACKEND</td><td>auto, java, cpu, cuda</td><td>auto</td></tr>
 * <tr><td>metaplast.maxIsa</td><td>METAPLAST_MAX_ISA</td><td>scalar, avx2, avx512</td><td>avx512</td></tr>
 * <tr><td>metaplast.requireIsa</td><td>METAPLAST_REQUIRE_ISA</td><td>scalar, avx2, avx512</td><td>none</td></tr>
 * <tr><td>metaplast.threads</td><td>METAPLAST_THREADS</td><td>1..1024</td><td>available processors</td></tr>
 * <tr><td>metaplast.device</td><td>METAPLAST_DEVICE</td><td>CUDA device index</td><td>0</td></tr>
 * <tr><td>metaplast.checks</td><td>METAPLAST_CHECKS</td><td>basic, full</td><td>basic</td></tr>
 * </table>
 *
 * <p>The loader of the native libraries reads two more: {@code metaplast.cacheDir} (METAPLAST_CACHE_DIR), the directory that the bundled libraries are put into,
 * which nobody but its owner may have access to (default: {@code metaplast} in the user's cache directory, else a private temporary directory); and
 * {@code metaplast.library.path} (METAPLAST_LIBRARY_PATH), a directory that has the libraries when no jar does.
 *
 * @param kind the backend, or null for the best that works (CUDA, then CPU, then JAVA)
 * @param maxIsa highest CPU tier to use
 * @param requireIsa CPU tier that must be in force, or null
 * @param threads threads a call may use, the caller included; results never depend on it
 * @param device CUDA device index
 * @param fullChecks whether values are checked too (sigma positive and finite), at the price of a pass over them
 */
public record BackendOptions(BackendKind kind, IsaTier maxIsa, IsaTier requireIsa, int threads, int device, boolean fullChecks) {
  /** Validates. */
  public BackendOptions {
    Objects.requireNonNull(maxIsa, "maxIsa");
    if (threads < 1 || threads > 1024) {
      throw new IllegalArgumentException("threads = " + threads + " must be in 1..1024");
    }
    if (device < 0) {
      throw new IllegalArgumentException("device = " + device + " must be >= 0");
    }
  }

  /**
   * Options from properties and environment.
   *
   * @throws IllegalArgumentException if one holds an unknown value; the message lists the valid ones
   */
  public static BackendOptions defaults() {
    String kind = setting("metaplast.backend", "METAPLAST_BACKEND", "auto");
    BackendKind backend = "auto".equals(kind) ? null : choice("metaplast.backend", kind, BackendKind.values(), "auto, ");
    IsaTier maxIsa = choice("metaplast.maxIsa", setting("metaplast.maxIsa", "METAPLAST_MAX_ISA", "avx512"), IsaTier.values(), "");
    String require = setting("metaplast.requireIsa", "METAPLAST_REQUIRE_ISA", "");
    IsaTier requireIsa = require.isEmpty() ? null : choice("metaplast.requireIsa", require, IsaTier.values(), "");
    int processors = Math.min(1024, Runtime.getRuntime().availableProcessors());
    int threads = number("metaplast.threads", setting("metaplast.threads", "METAPLAST_THREADS", "" + processors), 1, 1024);
    int device = number("metaplast.device", setting("metaplast.device", "METAPLAST_DEVICE", "0"), 0, 1023);
    String checks = setting("metaplast.checks", "METAPLAST_CHECKS", "basic");
    if (!checks.equals("basic") && !checks.equals("full")) {
      throw new IllegalArgumentException("metaplast.checks = '" + checks + "' is unknown; valid: basic, full");
    }
    return new BackendOptions(backend, maxIsa, requireIsa, threads, device, checks.equals("full"));
  }

  /** The defaults with another backend; null for automatic choice. */
  public static BackendOptions of(BackendKind kind) {
    return defaults().withKind(kind);
  }

  /** These options with another backend; null for automatic choice. */
  public BackendOptions withKind(BackendKind newKind) {
    return new BackendOptions(newKind, maxIsa, requireIsa, threads, device, fullChecks);
  }

  /** These options with another cap on the CPU tier. */
  public BackendOptions withMaxIsa(IsaTier newMaxIsa) {
    return new BackendOptions(kind, newMaxIsa, requireIsa, threads, device, fullChecks);
  }

  /** These options with another required CPU tier; null for none. */
  public BackendOptions withRequireIsa(IsaTier newRequireIsa) {
    return new BackendOptions(kind, maxIsa, newRequireIsa, threads, device, fullChecks);
  }

  /** These options with another number of threads. */
  public BackendOptions withThreads(int newThreads) {
    return new BackendOptions(kind, maxIsa, requireIsa, newThreads, device, fullChecks);
  }

  /** These options with another CUDA device. */
  public BackendOptions withDevice(int newDevice) {
    return new BackendOptions(kind, maxIsa, requireIsa, threads, newDevice, fullChecks);
  }

  /** These options with value checks on or off. */
  public BackendOptions withFullChecks(boolean newFullChecks) {
    return new BackendOptions(kind, maxIsa, requireIsa, threads, device, newFullChecks);
  }

  private static String setting(String property, String environment, String fallback) {
    String value = System.getProperty(property);
    if (value == null) {
      value = System.getenv(environment);
    }
    return value == null || value.isBlank() ? fallback : value.trim().toLowerCase(Locale.ROOT);
  }

  private static <E extends Enum<E>> E choice(String property, String value, E[] values, String alsoValid) {
    for (E candidate : values) {
      if (candidate.name().toLowerCase(Locale.ROOT).equals(value)) {
        return candidate;
      }
    }
    String valid = alsoValid + String.join(", ", Arrays.stream(values).map(v -> v.name().toLowerCase(Locale.ROOT)).toList());
    throw new IllegalArgumentException(property + " = '" + value + "' is unknown; valid: " + valid);
  }

  private static int number(String property, String value, int low, int high) {
    try {
      int parsed = Integer.parseInt(value);
      if (parsed >= low && parsed <= high) {
        return parsed;
      }
    } catch (NumberFormatException e) {
      // reported below, with the valid range
    }
    throw new IllegalArgumentException(property + " = '" + value + "' is not valid; valid: an integer in " + low + ".." + high);
  }
}
