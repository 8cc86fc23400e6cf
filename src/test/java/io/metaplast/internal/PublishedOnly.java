package io.metaplast.internal;

import io.metaplast.Backend;
import io.metaplast.BackendOptions;
import io.metaplast.internal.java.JavaProvider;
import io.metaplast.internal.spi.BackendProvider;
import io.metaplast.internal.spi.BayesProvider;
import io.metaplast.internal.spi.BinaryProvider;
import io.metaplast.internal.spi.KfacProvider;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Set;

/** Java backends whose provider refuses to work on memory before the call has published what it uses. */
public final class PublishedOnly {
  private static final Set<String> ON_MEMORY = Set.of("read", "write", "copy", "fill", "synchronize");

  private PublishedOnly() {}

  /** An open backend. */
  public static Backend backend(BackendOptions options) {
    BackendProvider java = new JavaProvider(options);
    return new BackendImpl(guarded(BackendProvider.class, java), options);
  }

  private static <T> T guarded(Class<T> type, T target) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) -> {
              String name = method.getName();
              boolean kernel = type != BackendProvider.class && !name.endsWith("WorkspaceBytes") && !name.equals("close");
              if ((kernel || ON_MEMORY.contains(name)) && !CallGuard.published()) {
                throw new AssertionError(type.getSimpleName() + "." + name + " before the call has published what it uses");
              }
              Object result;
              try {
                result = method.invoke(target, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
              if (result instanceof BayesProvider p) {
                return guarded(BayesProvider.class, p);
              }
              if (result instanceof BinaryProvider p) {
                return guarded(BinaryProvider.class, p);
              }
              return result instanceof KfacProvider p ? guarded(KfacProvider.class, p) : result;
            }));
  }
}
