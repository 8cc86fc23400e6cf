package io.metaplast.internal.spi;

import java.lang.reflect.Proxy;

/** Stands in for the binary kernels of a backend that has none yet. */
public final class PendingBinary {
  private PendingBinary() {}

  /** Refuses every call. */
  public static BinaryProvider of(String backend) {
    return (BinaryProvider)
        Proxy.newProxyInstance(
            BinaryProvider.class.getClassLoader(),
            new Class<?>[] {BinaryProvider.class},
            (proxy, method, arguments) -> {
              throw new UnsupportedOperationException("the " + backend + " backend has no " + method.getName() + " yet");
            });
  }
}
