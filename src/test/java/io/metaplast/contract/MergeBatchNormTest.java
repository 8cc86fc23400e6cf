package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.Seeds;
import io.metaplast.TestBackends;
import io.metaplast.TestBackends.Target;
import io.metaplast.kfac.BatchNormMerge;
import io.metaplast.kfac.BatchNormMergeGradients;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A linear layer and its batch norm as one layer, and back: formulas, differences of a loss, the same bits everywhere. */
class MergeBatchNormTest {
  private static final double EPS = 1e-3;

  private record Values(int out, int in, float[] w, float[] b, float[] gamma, float[] beta, float[] mean, float[] variance, float[] gw, float[] gb) {
    static Values of(int out, int in) {
      SplittableRandom r = Seeds.random("merge batch norm", out * 1000L + in);
      return new Values(
          out, in, normals(r, out * in), normals(r, out), normals(r, out), normals(r, out), normals(r, out), positive(r, out), normals(r, out * in),
          normals(r, out));
    }

    private static float[] normals(SplittableRandom r, int n) {
      float[] x = new float[n];
      for (int i = 0; i < n; i++) {
        x[i] = (float) r.nextGaussian();
      }
      return x;
    }

    private static float[] positive(SplittableRandom r, int n) {
      float[] x = normals(r, n);
      for (int i = 0; i < n; i++) {
        x[i] = x[i] * x[i] + .01f;
      }
      return x;
    }

    BatchNormMerge layer(Operands o, boolean bias) {
      return new BatchNormMerge(o.in(w, out, in), bias ? o.in(b) : null, o.in(gamma), o.in(beta), o.in(mean), o.in(variance), EPS);
    }

    double scale(int i) {
      return gamma[i] / Math.sqrt(variance[i] + EPS);
    }
  }

  private static List<float[]> run(Target target, int threads, Values v, boolean bias, boolean inPlace) {
    try (Operands o = new Operands(threads == 0 ? target.backend() : TestBackends.withThreads(target, threads))) {
      BatchNormMerge layer = v.layer(o, bias);
      F32Matrix merged = o.out(v.out, v.in);
      F32Buffer mergedBias = o.out(v.out);
      o.backend().kfac().mergeBatchNorm(layer, merged, mergedBias, o.stream());
      F32Matrix gw = inPlace ? o.inOut(v.gw, v.out, v.in) : o.in(v.gw, v.out, v.in);
      BatchNormMergeGradients gradients =
          new BatchNormMergeGradients(
              inPlace ? gw : o.out(v.out, v.in), bias ? o.out(v.out) : null, o.out(v.out), o.out(v.out), o.out(v.out), o.out(v.out));
      o.backend().kfac().mergeBatchNormBackward(layer, gw, o.in(v.gb), gradients, o.stream());
      List<float[]> all = new ArrayList<>(List.of(o.read(merged), o.read(mergedBias), o.read(gradients.weight())));
      for (F32Buffer f : new F32Buffer[] {gradients.gamma(), gradients.beta(), gradients.mean(), gradients.variance()}) {
        all.add(o.read(f));
      }
      if (bias) {
        all.add(o.read(gradients.bias()));
      }
      return all;
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void followsTheFormulas(Target target) {
    for (int[] shape : new int[][] {{1, 1}, {3, 5}, {17, 16}, {40, 129}, {5, 0}}) {
      Values v = Values.of(shape[0], shape[1]);
      for (boolean bias : new boolean[] {true, false}) {
        List<float[]> got = run(target, 0, v, bias, false);
        for (int i = 0; i < v.out; i++) {
          double s = v.scale(i);
          double sigma = Math.sqrt(v.variance[i] + EPS);
          double b = bias ? v.b[i] : 0;
          double t = v.gb[i] * (b - v.mean[i]);
          double size = Math.abs(t);
          for (int j = 0; j < v.in; j++) {
            int e = i * v.in + j;
            close(got.get(0)[e], s * v.w[e], Math.abs(s * v.w[e]));
            close(got.get(2)[e], s * v.gw[e], Math.abs(s * v.gw[e]));
            t += (double) v.gw[e] * v.w[e];
            size += Math.abs((double) v.gw[e] * v.w[e]);
          }
          close(got.get(1)[i], v.beta[i] + s * (b - v.mean[i]), Math.abs(v.beta[i]) + Math.abs(s) * (Math.abs(b) + Math.abs(v.mean[i])));
          close(got.get(3)[i], t / sigma, size / sigma);
          assertThat(got.get(4)[i]).isEqualTo(v.gb[i]);
          close(got.get(5)[i], -s * v.gb[i], Math.abs(s * v.gb[i]));
          close(got.get(6)[i], -v.gamma[i] * t / (2 * sigma * sigma * sigma), Math.abs(v.gamma[i]) * size / (2 * sigma * sigma * sigma));
          if (bias) {
            close(got.get(7)[i], s * v.gb[i], Math.abs(s * v.gb[i]));
          }
        }
        KroneckerContracts.checked("mergeBatchNorm", target, (long) v.out * (v.in + 1));
        KroneckerContracts.checked("mergeBatchNormBackward", target, (long) v.out * (v.in + 4));
      }
    }
  }

  private static void close(double got, double want, double size) {
    assertThat(got).isCloseTo(want, within(16 * 0x1p-24 * size + 1e-40));
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void sameBitsAsJavaInPlaceAndOnThreads(Target target) {
    for (int[] shape : new int[][] {{3, 5}, {40, 129}, {300, 801}}) {
      Values v = Values.of(shape[0], shape[1]);
      List<float[]> java = run(io.metaplast.TestBackends.java(), 0, v, true, false);
      for (int threads = 0; threads <= 4; threads++) {
        List<float[]> got = run(target, threads, v, true, threads % 2 == 1);
        for (int i = 0; i < java.size(); i++) {
          assertThat(got.get(i)).as("%s output %d, threads %d", target, i, threads).isEqualTo(java.get(i));
        }
        KroneckerContracts.checked("mergeBatchNormBackward", target, java.size());
      }
    }
  }

  /** Q = sum of squares of the merged weights and biases, differentiated by its parts. */
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void gradientsEqualDifferences(Target target) {
    Values v = Values.of(4, 3);
    List<float[]> merged = run(target, 0, v, true, false);
    float[] gw = merged.get(0).clone();
    float[] gb = merged.get(1).clone();
    for (int i = 0; i < gw.length; i++) {
      gw[i] *= 2;
    }
    for (int i = 0; i < gb.length; i++) {
      gb[i] *= 2;
    }
    Values at = new Values(4, 3, v.w, v.b, v.gamma, v.beta, v.mean, v.variance, gw, gb);
    List<float[]> got = run(target, 0, at, true, false);
    float[][] parts = {v.w, v.gamma, v.beta, v.mean, v.variance, v.b};
    int[] gradients = {2, 3, 4, 5, 6, 7};
    for (int p = 0; p < parts.length; p++) {
      for (int i = 0; i < parts[p].length; i++) {
        float h = 0x1p-7f;
        double difference = (q(v, parts[p], i, h) - q(v, parts[p], i, -h)) / (2 * h);
        assertThat((double) got.get(gradients[p])[i]).as("%s part %d element %d", target, p, i).isCloseTo(difference, within(2e-2 * (1 + Math.abs(difference))));
        KroneckerContracts.checked("mergeBatchNormBackward", target, 1);
      }
    }
  }

  private static double q(Values v, float[] part, int element, float h) {
    float kept = part[element];
    part[element] += h;
    double moved = part[element] - (double) kept;
    double sum = 0;
    for (int i = 0; i < v.out; i++) {
      double bias = v.beta[i] + v.scale(i) * (v.b[i] - v.mean[i]);
      sum += bias * bias;
      for (int j = 0; j < v.in; j++) {
        double w = v.scale(i) * v.w[i * v.in + j];
        sum += w * w;
      }
    }
    part[element] = kept;
    assertThat(Math.abs(moved - h)).isLessThan(1e-6);
    return sum;
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void aVarianceThatIsNotPositiveIsNamed(Target target) {
    for (float bad : new float[] {-1, -.001f, Float.NaN, Float.POSITIVE_INFINITY}) {
      Values v = Values.of(6, 4);
      v.variance[4] = bad;
      try (Operands o = new Operands(target.backend())) {
        BatchNormMerge layer = v.layer(o, true);
        F32Matrix merged = o.out(6, 4);
        F32Buffer bias = o.out(6);
        F32Matrix gw = o.inOut(v.gw, 6, 4);
        BatchNormMergeGradients gradients = new BatchNormMergeGradients(gw, o.out(6), o.out(6), o.out(6), o.out(6), o.out(6));
        F32Buffer[] buffers = {bias, gradients.bias(), gradients.gamma(), gradients.beta(), gradients.mean(), gradients.variance()};
        List<float[]> before = new ArrayList<>(List.of(o.read(merged)));
        for (F32Buffer b : buffers) {
          before.add(o.read(b));
        }
        F32Buffer gb = o.in(v.gb);
        assertThatThrownBy(() -> o.backend().kfac().mergeBatchNorm(layer, merged, bias, o.stream()))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("variance[4]");
        assertThatThrownBy(() -> o.backend().kfac().mergeBatchNormBackward(layer, gw, gb, gradients, o.stream()))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("variance[4]");
        assertThat(o.read(merged)).isEqualTo(before.get(0));
        assertThat(o.read(gw)).isEqualTo(v.gw);
        for (int i = 0; i < buffers.length; i++) {
          assertThat(o.read(buffers[i])).as("output %d", i).isEqualTo(before.get(1 + i));
        }
      }
      KroneckerContracts.checked("mergeBatchNorm", target, 1);
      KroneckerContracts.checked("mergeBatchNormBackward", target, 1);
    }
  }
}
