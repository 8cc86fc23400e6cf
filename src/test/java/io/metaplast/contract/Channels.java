package io.metaplast.contract;

import io.metaplast.DeviceBuffer;
import io.metaplast.F32Buffer;
import io.metaplast.I32Buffer;
import io.metaplast.binary.BatchNormShape;

/** Operands of a batch norm: shape and values of a case. */
final class Channels {
  static final double EPS = 1e-5;

  private Channels() {}

  /** Batch, channels or positions is the size of the case. */
  static BatchNormShape shape(Run r) {
    int index = r.theCase().index();
    int n = r.n();
    if (index >= 300_000 && index < 400_000 && n > 100) {
      return n > 1030 ? new BatchNormShape(60, 700, 1) : new BatchNormShape(9, 16, 25);
    }
    return switch (index % 4) {
      case 0 -> new BatchNormShape(n, 1 + index % 3, 1 + index % 2);
      case 1 -> new BatchNormShape(1 + index % 6, n, 1);
      case 2 -> new BatchNormShape(1 + index % 3, 1 + index % 2, n);
      default -> new BatchNormShape(2 + index % 5, n, index % 5 == 0 && n <= 1030 ? 3 : 1);
    };
  }

  /** y: dot products, or values of the profile with sparse extremes. */
  static DeviceBuffer y(Run r, BatchNormShape s, boolean integers) {
    int n = (int) s.elements();
    if (!integers) {
      return r.in("y", r.terms(Math.max(1, s.batch()), n / Math.max(1, s.batch())));
    }
    int[] y = new int[n];
    int range = r.theCase().index() % 3 == 0 ? 1 << 20 : 800;
    for (int i = 0; i < n; i++) {
      y[i] = r.random().nextInt(-range, range + 1);
    }
    return r.inInts("y", y);
  }

  /** Values of channel {@code c} of what is stored as [batch][channels][spatial]. */
  static double[] channel(BatchNormShape s, int c, java.util.function.IntToDoubleFunction values) {
    double[] v = new double[(int) s.values()];
    for (int i = 0; i < v.length; i++) {
      v[i] = values.applyAsDouble(index(s, c, i));
    }
    return v;
  }

  /** Index of value {@code i} of channel {@code c}. */
  static int index(BatchNormShape s, int c, int i) {
    return (i / s.spatial() * s.channels() + c) * s.spatial() + i % s.spatial();
  }

  /** y of a run as numbers. */
  static java.util.function.IntToDoubleFunction values(Run r, boolean integers) {
    int[] bits = r.beforeBits("y");
    return i -> integers ? bits[i] : Float.intBitsToFloat(bits[i]);
  }
}
