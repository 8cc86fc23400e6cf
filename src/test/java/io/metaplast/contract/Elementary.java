package io.metaplast.contract;

import io.metaplast.Backend;
import io.metaplast.F32Buffer;
import io.metaplast.internal.BackendImpl;
import io.metaplast.internal.BufferImpl;
import io.metaplast.internal.spi.BayesProvider;

/** The elementary functions of a backend; they are not part of the public API. */
final class Elementary {
  private Elementary() {}

  /** y, and for sine and cosine y2, of {@code x}. */
  static float[][] apply(Backend backend, int function, float[] x) {
    boolean two = function == BayesProvider.FN_SINCOS2PI;
    try (F32Buffer in = backend.allocate(x.length);
        F32Buffer y = backend.allocate(x.length);
        F32Buffer y2 = backend.allocate(two ? x.length : 0)) {
      in.upload(x);
      apply(backend, function, in, y, two ? y2 : null);
      return new float[][] {y.toArray(), y2.toArray()};
    }
  }

  /** As the other form, on buffers. */
  static void apply(Backend backend, int function, F32Buffer x, F32Buffer y, F32Buffer y2) {
    BayesProvider provider = ((BackendImpl) backend).provider().bayes();
    provider.elementary(function, (BufferImpl) x, (BufferImpl) y, (BufferImpl) y2, backend.defaultStream().handle());
  }
}
