package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.metaplast.Backend;
import io.metaplast.BitMatrix;
import io.metaplast.Coverage;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.Stream;
import io.metaplast.TestBackends.Target;
import io.metaplast.oracle.QuadraticTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The quadratic task on binary weights: with kernels as in the oracle, and the finding that makes |W| a consolidation variable. */
class QuadraticTaskTest {
  private static final int SIZE = 250;
  private static final int STEPS = 600;

  /** W after some steps with the kernels: signs, their product with H, and a gradient step, W -= rate (H sign(W) - H W*). */
  private static float[] run(Backend backend, QuadraticTask task, int steps) {
    int n = task.size();
    float[] h = new float[n * n];
    float[] pull = new float[n];
    float[] start = new float[n];
    for (int i = 0; i < n; i++) {
      double sum = 0;
      for (int j = 0; j < n; j++) {
        h[i * n + j] = (float) task.matrix()[i * n + j];
        sum += task.matrix()[i * n + j] * task.optimum()[j];
      }
      pull[i] = (float) sum;
      start[i] = (float) task.start()[i];
    }
    Stream stream = backend.defaultStream();
    try (F32Buffer matrix = backend.allocate((long) n * n);
        F32Buffer constant = backend.allocate(n);
        F32Buffer w = backend.allocate(n);
        F32Buffer gradient = backend.allocate(n);
        BitMatrix signs = backend.allocateBits(1, n)) {
      matrix.upload(h);
      constant.upload(pull);
      w.upload(start);
      for (int t = 0; t < steps; t++) {
        backend.binary().signPack(F32Matrix.of(w, 1, n), signs, stream);
        backend.binary().signGemmNT(F32Matrix.of(matrix, n, n), signs, F32Matrix.of(gradient, n, 1), stream);
        backend.bayes().sgdStep(gradient, constant, 1, stream);
        backend.bayes().sgdStep(w, gradient, task.rate(), stream);
      }
      return w.toArray();
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void kernelsFollowThePublishedCase(Target target) {
    QuadraticTask task = QuadraticTask.twoDimensions();
    for (int steps : new int[] {1, 2, 3, 10, 500}) {
      double[] expected = task.run(steps);
      float[] actual = run(target.backend(), task, steps);
      for (int i = 0; i < 2; i++) {
        // a step rounds gradient and weight, each by less than 2^-22 of the largest weight so far
        Check.near("W", i, actual[i], expected[i], steps * 0x1p-22 * Math.max(4, Math.abs(expected[i])));
      }
    }
    Coverage.checked("quadratic task", target.name(), 5);
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void kernelsFollowTheLargeCase(Target target) {
    check(QuadraticTask.large(SIZE, 7), run(target.backend(), QuadraticTask.large(SIZE, 7), STEPS));
    Coverage.checked("quadratic task", target.name(), 1);
  }

  @Test
  void largeHiddenWeightsMatterMore() {
    QuadraticTask task = QuadraticTask.large(SIZE, 7);
    double[] w = task.run(STEPS);
    float[] rounded = new float[SIZE];
    for (int i = 0; i < SIZE; i++) {
      rounded[i] = (float) w[i];
    }
    check(task, rounded);
  }

  /** |W| grows linearly where |W*| exceeds 1 clearly, stays small where it is below, and the loss rises more where a larger weight is turned. */
  private static void check(QuadraticTask task, float[] weights) {
    double[] w = new double[SIZE];
    double largest = 0;
    for (int i = 0; i < SIZE; i++) {
      w[i] = weights[i];
      largest = Math.max(largest, Math.abs(w[i]));
    }
    double[] half = task.run(STEPS / 2);
    int bins = 15;
    double[] rise = new double[bins];
    int[] count = new int[bins];
    double outside = 0;
    double inside = 0;
    int outsideCount = 0;
    int insideCount = 0;
    int linear = 0;
    for (int i = 0; i < SIZE; i++) {
      double wanted = Math.abs(task.optimum()[i]);
      if (wanted > 2) { // out of reach of binary weights: linear growth, twice as large after twice the steps
        linear += Math.abs(w[i] / half[i] - 2) < 0.1 ? 1 : 0;
        outside += Math.abs(w[i]);
        outsideCount++;
      } else if (wanted < 0.5) { // within reach: the sign goes to and fro
        inside += Math.abs(w[i]);
        insideCount++;
      }
      int bin = Math.min(bins - 1, (int) (bins * Math.abs(w[i]) / largest));
      rise[bin] += task.riseWhenTurned(w, i);
      count[bin]++;
    }
    assertThat(outsideCount).isGreaterThan(SIZE / 4);
    assertThat(linear).as("weights that grow linearly, of %d", outsideCount).isGreaterThan(outsideCount * 9 / 10);
    assertThat(outside / outsideCount).isGreaterThan(20 * inside / insideCount);
    double before = 0;
    for (int third = 0; third < 3; third++) {
      double sum = 0;
      int members = 0;
      for (int b = 5 * third; b < 5 * third + 5; b++) {
        sum += rise[b];
        members += count[b];
      }
      assertThat(sum / members).as("rise of the loss per turned sign, third %d of |W|", third).isGreaterThan(1.2 * before);
      before = sum / members;
    }
  }
}
