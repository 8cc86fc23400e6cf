package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.metaplast.Backend;
import io.metaplast.F32Matrix;
import io.metaplast.Stream;
import io.metaplast.TestBackends;
import io.metaplast.TestBackends.Target;
import io.metaplast.Workspace;
import io.metaplast.kfac.InverseOptions;
import io.metaplast.kfac.InverseReport;
import io.metaplast.kfac.KfacKernels;
import io.metaplast.kfac.KroneckerPair;
import io.metaplast.kfac.PenaltyTask;
import io.metaplast.kfac.PenaltyTerm;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Calls that a training step repeats allocate nothing once they have run, however many matrices they take. The value of the penalty is one small record. */
class KroneckerHotCallsTest {
  private static final int LAYERS = 54;
  private static final int OUT = 3;
  private static final int IN = 4;

  static java.util.stream.Stream<Target> targets() {
    return KroneckerCompositesTest.targets();
  }

  private static F32Matrix matrix(Backend b, int rows, int cols, float value) {
    F32Matrix m = F32Matrix.of(b.allocate((long) rows * cols), rows, cols);
    m.data().fill(value);
    return m;
  }

  @ParameterizedTest
  @MethodSource("targets")
  void nothingIsAllocated(Target target) {
    Backend b = TestBackends.withThreads(target, 1);
    KfacKernels kfac = b.kfac();
    Stream stream = b.defaultStream();
    List<F32Matrix> weights = new ArrayList<>();
    List<F32Matrix> gradients = new ArrayList<>();
    List<F32Matrix> factors = new ArrayList<>();
    List<F32Matrix> inverses = new ArrayList<>();
    List<KroneckerPair> pairs = new ArrayList<>();
    List<List<PenaltyTerm>> terms = new ArrayList<>();
    for (int l = 0; l < LAYERS; l++) {
      weights.add(matrix(b, OUT, IN, 0.5f));
      gradients.add(matrix(b, OUT, IN, 0));
      KroneckerPair pair = new KroneckerPair(matrix(b, OUT, OUT, 0.5f), matrix(b, IN, IN, 0.5f));
      pairs.add(pair);
      terms.add(List.of(new PenaltyTerm(pair, 1), new PenaltyTerm(pair, 2)));
      factors.add(pair.g());
      factors.add(pair.a());
      inverses.add(matrix(b, OUT, OUT, 0));
      inverses.add(matrix(b, IN, IN, 0));
    }
    List<PenaltyTask> tasks = new ArrayList<>();
    for (int t = 0; t < 3; t++) {
      tasks.add(new PenaltyTask(1, pairs.stream().map(p -> matrix(b, OUT, IN, 0)).toList(), terms));
    }
    double[] damping = new double[2 * LAYERS];
    java.util.Arrays.fill(damping, 1);
    int[] orders = factors.stream().mapToInt(F32Matrix::rows).toArray();
    F32Matrix x = matrix(b, 20, IN, 0.5f);
    InverseReport report = new InverseReport();
    try (Workspace statistics = b.workspace(kfac.kroneckerFactorWorkspaceBytes(20, IN, false));
        Workspace inverse = b.workspace(kfac.spdInverseWorkspaceBytes(orders));
        Workspace products = b.workspace(kfac.kroneckerPreconditionWorkspaceBytes(gradients));
        Workspace penalty = b.workspace(kfac.kroneckerPenaltyWorkspaceBytes(tasks, weights))) {
      none("update", () -> kfac.kroneckerFactorUpdate(x, false, 0.05, 0.95, pairs.get(0).a(), statistics, stream));
      none("inverse", () -> kfac.batchedDampedSpdInverse(factors, damping, inverses, InverseOptions.STANDARD, report, inverse, stream));
      assertThat(report.status(2 * LAYERS - 1)).isZero();
      none("precondition", () -> kfac.kroneckerPrecondition(pairs, weights, gradients, products, stream));
      none("penalty", () -> kfac.kroneckerQuadraticPenalty(tasks, weights, gradients, penalty, stream));
    }
  }

  private static void none(String what, Runnable call) {
    var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    long id = Thread.currentThread().getId();
    long least = Long.MAX_VALUE;
    // What is not compiled yet may allocate: the least of several windows counts.
    for (int window = 0; window < 20 && least > 64; window++) {
      long before = threads.getThreadAllocatedBytes(id);
      for (int i = 0; i < 50; i++) {
        call.run();
      }
      least = Math.min(least, (threads.getThreadAllocatedBytes(id) - before) / 50);
    }
    assertThat(least).as("bytes per call of %s", what).isLessThanOrEqualTo(64);
  }
}
