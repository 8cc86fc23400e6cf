package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.metaplast.F32Matrix;
import io.metaplast.NonFiniteMatrixException;
import io.metaplast.Seeds;
import io.metaplast.TestBackends;
import io.metaplast.TestBackends.Target;
import io.metaplast.Backend;
import io.metaplast.binary.Conv2dShape;
import io.metaplast.kfac.Im2colShape;
import io.metaplast.kfac.KfacKernels;
import io.metaplast.kfac.Sharing;
import io.metaplast.oracle.KroneckerOracle;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Factors of convolutions against patches written out one by one. */
class Im2colFactorTest {
  private static final double U = 0x1p-24;

  private static List<Conv2dShape> shapes() {
    return List.of(
        Conv2dShape.of(2, 1, 3, 3, 1, 2, 1, 0),
        Conv2dShape.of(3, 2, 5, 7, 1, 3, 1, 1),
        Conv2dShape.of(2, 3, 8, 8, 1, 3, 2, 1),
        Conv2dShape.of(1, 4, 6, 6, 1, 1, 1, 0),
        Conv2dShape.of(5, 3, 17, 16, 1, 5, 3, 2),
        new Conv2dShape(2, 4, 9, 8, 2, 3, 2, 2, 1, 0, 2, 1, 2, 2),
        new Conv2dShape(2, 6, 5, 5, 3, 2, 2, 1, 1, 1, 1, 2, 2, 3),
        Conv2dShape.of(4, 2, 28, 28, 1, 3, 1, 1));
  }

  /** X of group g: rows as the shape says, bias coordinate included. */
  private static double[] patches(float[] x, Im2colShape shape, int group, boolean bias) {
    Conv2dShape s = shape.geometry();
    int channels = s.channels() / s.groups();
    int cols = shape.cols() + (bias ? 1 : 0);
    int positions = (int) shape.positions();
    double[] all = new double[s.batch() * positions * cols];
    for (int n = 0; n < s.batch(); n++) {
      for (int t = 0; t < positions; t++) {
        int oy = t / s.outWidth();
        int ox = t % s.outWidth();
        int at = (n * positions + t) * cols;
        for (int c = 0; c < channels; c++) {
          for (int ky = 0; ky < s.kernelHeight(); ky++) {
            for (int kx = 0; kx < s.kernelWidth(); kx++, at++) {
              int y = oy * s.strideHeight() - s.padHeight() + ky * s.dilationHeight();
              int z = ox * s.strideWidth() - s.padWidth() + kx * s.dilationWidth();
              if (y >= 0 && y < s.height() && z >= 0 && z < s.width()) {
                all[at] = x[((n * s.channels() + group * channels + c) * s.height() + y) * s.width() + z];
              }
            }
          }
        }
        if (bias) {
          all[at] = 1;
        }
      }
    }
    if (shape.sharing() == Sharing.EXPAND) {
      return all;
    }
    double[] reduced = new double[s.batch() * cols];
    for (int i = 0; i < all.length; i++) {
      reduced[i / (positions * cols) * cols + i % cols] += shape.sharing() == Sharing.REDUCE_MEAN ? all[i] / positions : all[i];
    }
    return reduced;
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void withinBounds(Target target) {
    int index = 0;
    for (Conv2dShape geometry : shapes()) {
      for (Sharing sharing : Sharing.values()) {
        for (boolean bias : new boolean[] {false, true}) {
          withinBounds(target, new Im2colShape(geometry, sharing), bias, index++);
        }
      }
    }
  }

  private static void withinBounds(Target target, Im2colShape shape, boolean bias, int index) {
    Conv2dShape s = shape.geometry();
    SplittableRandom r = Seeds.random("im2col", index);
    float[] x = new float[s.batch() * s.inputs()];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) (r.nextGaussian() + .2);
    }
    int d = shape.cols() + (bias ? 1 : 0);
    double alpha = 1.0 / Math.max(1, shape.rows());
    double beta = index % 2 * .5;
    double[] exact = new double[d * d];
    double[] absolute = new double[d * d];
    for (int g = 0; g < s.groups(); g++) {
      double[] rows = patches(x, shape, g, bias);
      int n = rows.length / d;
      exact = KroneckerOracle.combine(1, exact, 1, KroneckerOracle.gram(rows, n, d));
      double[] size = shape.sharing() == Sharing.EXPAND ? KroneckerOracle.abs(rows) : patches(abs(x), shape, g, bias);
      absolute = KroneckerOracle.combine(1, absolute, 1, KroneckerOracle.gram(size, n, d));
    }
    float[] before = new float[d * d];
    for (int i = 0; i < d; i++) {
      for (int j = 0; j < d; j++) {
        before[i * d + j] = beta == 0 || j > i ? Float.NaN : i + j;
      }
    }
    try (Operands o = new Operands(target.backend())) {
      KfacKernels k = o.backend().kfac();
      F32Matrix f = o.inOut(before, d, d);
      k.im2colFactorUpdate(o.in(x), shape, bias, alpha, beta, f, o.workspace(k.im2colFactorWorkspaceBytes(shape, bias)), o.stream());
      float[] after = o.read(f);
      // Reduced rows carry the error of a sum over the positions.
      double terms = shape.rows() * (double) s.groups() + 8 + (shape.sharing() == Sharing.EXPAND ? 0 : 2 * shape.positions() + 2);
      for (int i = 0; i < d; i++) {
        for (int j = 0; j < d; j++) {
          double old = beta * (i + j);
          double want = (float) alpha * exact[i * d + j] + old;
          double bound = U * (terms * (float) alpha * absolute[i * d + j] + 2 * old + Math.abs(want));
          assertThat(Math.abs(after[i * d + j] - want)).as("%s %s bias %s (%d, %d)", target, shape, bias, i, j).isLessThanOrEqualTo(bound);
          assertThat(after[i * d + j]).isEqualTo(after[j * d + i]);
        }
      }
    }
    KroneckerContracts.checked("im2colFactorUpdate", target, (long) d * d);
  }

  private static float[] abs(float[] x) {
    float[] y = x.clone();
    for (int i = 0; i < y.length; i++) {
      y[i] = Math.abs(y[i]);
    }
    return y;
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void threadsDoNotChangeBits(Target target) {
    Im2colShape shape = new Im2colShape(Conv2dShape.of(4, 6, 28, 28, 1, 3, 1, 1), Sharing.EXPAND);
    float[] first = null;
    for (int threads = 1; threads <= 4; threads++) {
      Backend backend = TestBackends.withThreads(target, threads);
      SplittableRandom r = Seeds.random("im2col threads", 0);
      float[] x = new float[4 * 6 * 28 * 28];
      for (int i = 0; i < x.length; i++) {
        x[i] = (float) r.nextGaussian();
      }
      try (Operands o = new Operands(backend)) {
        KfacKernels k = backend.kfac();
        F32Matrix f = o.out(55, 55);
        k.im2colFactorUpdate(o.in(x), shape, true, .01, 0, f, o.workspace(k.im2colFactorWorkspaceBytes(shape, true)), o.stream());
        float[] after = o.read(f);
        first = first == null ? after : first;
        assertThat(after).isEqualTo(first);
      }
      KroneckerContracts.checked("im2colFactorUpdate", target, 1);
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void valuesThatAreNotFiniteAreNamed(Target target) {
    Im2colShape shape = new Im2colShape(Conv2dShape.of(2, 2, 5, 5, 1, 3, 1, 1), Sharing.EXPAND);
    float[] x = new float[100];
    x[73] = Float.NaN;
    // The patches are 0 but for one element, so a factor that was written would be 0.
    float[] before = new float[18 * 18];
    java.util.Arrays.fill(before, 7);
    try (Operands o = new Operands(target.backend())) {
      KfacKernels k = o.backend().kfac();
      F32Matrix f = o.inOut(before, 18, 18);
      io.metaplast.F32Buffer in = o.in(x);
      NonFiniteMatrixException e =
          catchThrowableOfType(
              NonFiniteMatrixException.class,
              () -> k.im2colFactorUpdate(in, shape, false, 1, 0, f, o.workspace(k.im2colFactorWorkspaceBytes(shape, false)), o.stream()));
      assertThat(e).isNotNull();
      assertThat(e.row()).isEqualTo(1);
      assertThat(e.column()).isEqualTo(23);
      assertThat(o.read(f)).isEqualTo(before);
    }
    KroneckerContracts.checked("im2colFactorUpdate", target, 1);
  }
}
