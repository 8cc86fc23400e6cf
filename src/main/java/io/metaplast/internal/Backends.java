package io.metaplast.internal;

import io.metaplast.Backend;
import io.metaplast.BackendInfo;
import io.metaplast.BackendKind;
import io.metaplast.BackendOptions;
import io.metaplast.BackendUnavailableException;
import io.metaplast.KernelException;
import io.metaplast.internal.cpu.CpuProvider;
import io.metaplast.internal.cuda.CudaProvider;
import io.metaplast.internal.java.JavaProvider;
import io.metaplast.internal.spi.BackendProvider;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;

/** Opens and probes backends, best first: CUDA, CPU, JAVA. */
public final class Backends {
  private static final System.Logger LOG = System.getLogger("io.metaplast");
  private static final List<BackendKind> BEST_FIRST = List.of(BackendKind.CUDA, BackendKind.CPU, BackendKind.JAVA);

  /** METAPLAST_E_UNSUPPORTED of status.h. */
  private static final int UNSUPPORTED = 3;

  private Backends() {}

  /** See {@link io.metaplast.Metaplast#open(BackendOptions)}. */
  public static Backend open(BackendOptions options) {
    Objects.requireNonNull(options, "options");
    if (options.kind() != null) {
      return announced(open(options.kind(), options), "");
    }
    StringBuilder skipped = new StringBuilder();
    for (BackendKind kind : BEST_FIRST) {
      if (kind == BackendKind.JAVA && options.requireIsa() != null) {
        throw new BackendUnavailableException(
            "CPU tier " + options.requireIsa() + " is required, and no CPU backend could be opened:" + skipped, UNSUPPORTED, 0, "");
      }
      try {
        return announced(open(kind, options), skipped.toString());
      } catch (KernelException e) {
        skipped.append(skipped.length() == 0 ? " " : "; ").append(e.getMessage());
      }
    }
    throw new BackendUnavailableException("no backend could be opened:" + skipped, UNSUPPORTED, 0, "");
  }

  private static BackendImpl open(BackendKind kind, BackendOptions options) {
    BackendImpl backend = new BackendImpl(provider(kind, options.withKind(kind)), options);
    try {
      SelfTest.run(backend);
      return backend;
    } catch (RuntimeException | Error e) {
      backend.close();
      throw e;
    }
  }

  private static BackendProvider provider(BackendKind kind, BackendOptions options) {
    return switch (kind) {
      case JAVA -> new JavaProvider(options);
      case CPU -> new CpuProvider(options);
      case CUDA -> new CudaProvider(options);
    };
  }

  private static Backend announced(BackendImpl backend, String skipped) {
    LOG.log(System.Logger.Level.INFO, () -> "opened " + describe(backend.info()) + (skipped.isEmpty() ? "" : "; skipped:" + skipped));
    return backend;
  }

  private static String describe(BackendInfo info) {
    return info.kind()
        + " backend on "
        + info.device()
        + (info.isa().isEmpty() ? "" : ", " + info.isa())
        + (info.threads() > 1 ? ", " + info.threads() + " threads" : "");
  }

  /** See {@link io.metaplast.Metaplast#probe()}. */
  public static List<BackendInfo> probe() {
    List<BackendInfo> result = new ArrayList<>();
    for (BackendKind kind : BEST_FIRST) {
      result.add(probe(kind));
    }
    return List.copyOf(result);
  }

  private static BackendInfo probe(BackendKind kind) {
    try (Backend backend = open(kind, BackendOptions.of(kind))) {
      return backend.info();
    } catch (RuntimeException | LinkageError | OutOfMemoryError e) {
      // The one place that must turn any failure into a reason: a probe is what users run to find out what is wrong.
      String reason = e instanceof BackendUnavailableException ? e.getMessage() : e.toString();
      return new BackendInfo(kind, false, reason, "", "", 0, Map.of());
    }
  }

  /** See {@link io.metaplast.Metaplast#version()}. */
  public static String version() {
    return Version.VALUE;
  }

  /** Read on first use. */
  private static final class Version {
    static final String VALUE = read();

    private static String read() {
      Properties properties = new Properties();
      try (InputStream in = Backends.class.getResourceAsStream("version.properties")) {
        if (in == null) {
          throw new IllegalStateException("io/metaplast/internal/version.properties is missing from the class path");
        }
        properties.load(in);
      } catch (IOException e) {
        throw new UncheckedIOException("io/metaplast/internal/version.properties cannot be read", e);
      }
      return properties.getProperty("version");
    }
  }
}
