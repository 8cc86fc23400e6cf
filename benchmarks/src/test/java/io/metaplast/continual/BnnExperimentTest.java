package io.metaplast.continual;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.metaplast.Backend;
import io.metaplast.BackendInfo;
import io.metaplast.BackendKind;
import io.metaplast.BackendOptions;
import io.metaplast.Metaplast;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class BnnExperimentTest {
  private static final BackendOptions BACKEND = BackendOptions.of(BackendKind.JAVA).withThreads(1);
  private static final int TASKS = 3;
  private static final int IMAGES = 200;
  private static final int TEST = 100;
  private static final int BATCH = 20;
  private static final int EPOCHS = 2;
  private static final int HIDDEN = 24;

  private static LearnData data;

  @TempDir private Path folder;

  @BeforeAll
  static void generate() throws IOException {
    data = LearnData.synthetic(TASKS * IMAGES, TEST, null);
  }

  private static BnnSettings permuted(BnnSettings.Scenario scenario, int hidden) {
    return new BnnSettings(
        Metaplast.NUMERICS_VERSION, data.train().sha256(), data.test().sha256(), BnnSettings.Experiment.PERMUTED, scenario, 7, hidden, EPOCHS,
        BATCH, TEST / 2, IMAGES, IMAGES, TEST, 1, 0.005, 1e-7, 5000, IMAGES / 2);
  }

  private static BnnSettings stream() {
    return new BnnSettings(
        Metaplast.NUMERICS_VERSION, data.train().sha256(), data.test().sha256(), BnnSettings.Experiment.STREAM, BnnSettings.Scenario.TASK, 7,
        HIDDEN, EPOCHS, BATCH, TEST / 2, TASKS * IMAGES, IMAGES, TEST, EPOCHS, 0.005, 1e-7, 5000, IMAGES);
  }

  private static BnnSettings settings(BnnMethod.Kind kind) {
    return kind == BnnMethod.Kind.AT_ONCE ? stream() : permuted(BnnSettings.Scenario.TASK, HIDDEN);
  }

  private static BnnMethod method(BnnMethod.Kind kind) {
    return new BnnMethod(kind, kind == BnnMethod.Kind.META ? 1.35 : 0);
  }

  private static BnnResult run(BnnSettings settings, int tasks, BnnMethod method, BackendOptions backend, Path out) throws IOException {
    return BnnExperiment.run(data, settings, new BnnExperiment.Options(tasks, List.of(method), backend, out), LearnListener.NONE);
  }

  private static void assertSame(Path a, Path b, BnnMethod method) throws IOException {
    Checkpoint<BnnTask> x = Checkpoint.read(a, method.label(), BnnTask.class);
    Checkpoint<BnnTask> y = Checkpoint.read(b, method.label(), BnnTask.class);
    assertThat(x.state().keySet()).isEqualTo(y.state().keySet());
    x.state().forEach((name, values) -> assertThat(values).as(name).isEqualTo(y.state().get(name)));
    assertThat(x.tasks()).extracting(BnnTask::epochs).isEqualTo(y.tasks().stream().map(BnnTask::epochs).toList());
    assertThat(x.tasks()).extracting(BnnTask::meanMagnitude).isEqualTo(y.tasks().stream().map(BnnTask::meanMagnitude).toList());
  }

  private void interruptAndContinue(BnnSettings settings, BnnMethod method) throws IOException {
    Path whole = folder.resolve("whole");
    Path broken = folder.resolve("broken");
    run(settings, TASKS, method, BACKEND, whole);
    LearnListener interrupt =
        new LearnListener() {
          private int steps;

          @Override
          public void steps(int more) {
            steps += more;
            if (steps > IMAGES / BATCH * EPOCHS * 3 / 2) {
              throw new IllegalStateException("interrupted in task 2");
            }
          }
        };
    BnnExperiment.Options options = new BnnExperiment.Options(TASKS, List.of(method), BACKEND, broken);
    assertThatThrownBy(() -> BnnExperiment.run(data, settings, options, interrupt)).hasMessage("interrupted in task 2");
    assertThat(Checkpoint.read(broken, method.label(), BnnTask.class).tasks()).hasSize(1);
    BnnResult result = run(settings, TASKS, method, BACKEND, broken);
    assertThat(result.methods().get(0).tasks()).hasSize(TASKS);
    assertSame(broken, whole, method);
    assertThat(Files.readAllLines(broken.resolve("tasks.csv"))).hasSize(1 + TASKS);
    assertThat(broken.resolve("summary.json")).exists();
    assertThat(broken.resolve("settings.json")).exists();
  }

  @ParameterizedTest
  @EnumSource(value = BnnMethod.Kind.class, names = "AT_ONCE", mode = EnumSource.Mode.EXCLUDE)
  void anInterruptedRunEndsWithTheBitsOfAnUninterruptedOne(BnnMethod.Kind kind) throws IOException {
    interruptAndContinue(settings(kind), method(kind));
  }

  @Test
  void anInterruptedStreamEndsWithTheBitsOfAnUninterruptedOne() throws IOException {
    interruptAndContinue(stream(), method(BnnMethod.Kind.META));
  }

  /** Every kernel of the training step is class A, so a whole run ends with the same bits on every backend. */
  @ParameterizedTest
  @EnumSource(value = BackendKind.class, names = {"CPU", "CUDA"})
  void backendsEndWithTheSameBits(BackendKind kind) throws IOException {
    BackendInfo info = Metaplast.probe().stream().filter(i -> i.kind() == kind).findFirst().orElseThrow();
    assumeTrue(info.available(), info.reason());
    for (BnnMethod.Kind rule : BnnMethod.Kind.values()) {
      BnnMethod method = method(rule);
      run(settings(rule), 2, method, BACKEND, folder.resolve("java-" + rule));
      run(settings(rule), 2, method, BACKEND.withKind(kind), folder.resolve("other-" + rule));
      assertSame(folder.resolve("java-" + rule), folder.resolve("other-" + rule), method);
    }
  }

  @Test
  void withTaskLabelsEarlierTasksAreTestedWithTheirOwnBatchNorm() throws IOException {
    BnnMethod method = method(BnnMethod.Kind.META);
    BnnResult.Method told = run(permuted(BnnSettings.Scenario.TASK, HIDDEN), 2, method, BACKEND, null).methods().get(0);
    BnnResult.Method untold = run(permuted(BnnSettings.Scenario.DOMAIN, HIDDEN), 2, method, BACKEND, null).methods().get(0);
    // Training does not depend on the scenario, nor does a test of the newest task.
    assertThat(told.summary().meanMagnitude()).isEqualTo(untold.summary().meanMagnitude());
    assertThat(told.tasks().get(1).newest()).isEqualTo(untold.tasks().get(1).newest());
    assertThat(told.tasks().get(1).first()).isNotEqualTo(untold.tasks().get(1).first());
  }

  @Test
  void everyMethodLearns() throws IOException {
    BnnResult result = BnnSmoke.run(BackendOptions.defaults(), LearnListener.NONE);
    assertThat(result.data()).contains("synthetic").contains("not MNIST");
    for (BnnResult.Method method : result.methods()) {
      assertThat(method.tasks().get(0).newest()).as(method.method().label()).isGreaterThan(0.8);
    }
    assertThat(BnnTable.of(result)).contains("meta-0").contains("meta-1.35").contains("ewc");
  }

  @Test
  void allImagesAtOnceAreOneTask() throws IOException {
    BnnResult.Method method = run(stream(), TASKS, method(BnnMethod.Kind.AT_ONCE), BACKEND, null).methods().get(0);
    assertThat(method.tasks()).hasSize(1);
    assertThat(method.tasks().get(0).epochs()).hasSize(EPOCHS);
    assertThat(method.tasks().get(0).steps()).isEqualTo((long) EPOCHS * TASKS * IMAGES / BATCH);
  }

  /** The estimate by matrix products against one image after the other, everything in double. */
  @Test
  void importanceIsTheMeanSquareOfGradientsOfSingleImages() throws IOException {
    BnnSettings s = permuted(BnnSettings.Scenario.TASK, 6);
    try (Backend backend = Metaplast.open(BACKEND);
        BnnLearner learner = new BnnLearner(backend, method(BnnMethod.Kind.EWC), s, data.train())) {
      int[] images = Randomness.identity(IMAGES);
      int[] order = Randomness.permutation(backend, 7, 0, data.train().imageSize());
      learner.epoch(images, order, n -> {});
      learner.endTask(0, images, order);
      float[][] weights = new float[3][];
      float[][] gamma = new float[3][];
      float[][] beta = new float[3][];
      for (int l = 0; l < 3; l++) {
        weights[l] = learner.network().weights().hidden().get(l).toArray();
        gamma[l] = learner.network().affine().hidden().get(2 * l).toArray();
        beta[l] = learner.network().affine().hidden().get(2 * l + 1).toArray();
      }
      double[][] expected = new BnnReference(weights, gamma, beta, 784, 6, 6, 10).importance(data.train(), order, s.fisherImages(), BATCH);
      for (int l = 0; l < 3; l++) {
        float[] actual = learner.importance(l).toArray();
        for (int i = 0; i < actual.length; i++) {
          assertThat((double) actual[i]).as("layer " + l + ", weight " + i).isCloseTo(expected[l][i], within(1e-4 * expected[l][i] + 1e-7));
        }
      }
    }
  }

  @Test
  void trainingDoesNotAllocate() throws IOException {
    for (BnnMethod.Kind kind : List.of(BnnMethod.Kind.META, BnnMethod.Kind.EWC)) {
      try (Backend backend = Metaplast.open(BACKEND);
          BnnLearner learner = new BnnLearner(backend, method(kind), permuted(BnnSettings.Scenario.TASK, 8), data.train())) {
        int[] order = Randomness.identity(data.train().imageSize());
        int[] few = Randomness.identity(BATCH);
        learner.epoch(few, order, n -> {});
        learner.endTask(0, few, order);
        double least = Double.MAX_VALUE;
        // StrictMath.pow of older JDKs allocates until it is compiled, which takes some thousand steps.
        for (int window = 0; window < 40 && least >= 1; window++) {
          least = Math.min(least, bytesPerStep(learner, few, order));
        }
        assertThat(least).as("bytes per step of " + kind).isLessThan(1);
      }
    }
  }

  private static double bytesPerStep(BnnLearner learner, int[] images, int[] order) {
    var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    long id = Thread.currentThread().getId();
    long before = threads.getThreadAllocatedBytes(id);
    for (int step = 0; step < 1000; step++) {
      learner.step(images, images, 0, order);
    }
    return (threads.getThreadAllocatedBytes(id) - before) / 1000.0;
  }

  @Test
  void whatDoesNotFitIsRefusedByName() throws IOException {
    BnnMethod method = method(BnnMethod.Kind.META);
    assertThatThrownBy(() -> run(stream(), TASKS + 1, method, BACKEND, null)).hasMessageContaining("tasks * images per task = 800");
    assertThatThrownBy(() -> run(stream(), TASKS, method(BnnMethod.Kind.EWC), BACKEND, null)).hasMessageContaining("ewc does not fit");
    assertThatThrownBy(() -> run(permuted(BnnSettings.Scenario.TASK, 8), 1, method(BnnMethod.Kind.AT_ONCE), BACKEND, null))
        .hasMessageContaining("at-once-meta-0 does not fit");
    assertThatThrownBy(() -> permuted(BnnSettings.Scenario.TASK, 0)).hasMessageContaining("hidden = 0");
    run(permuted(BnnSettings.Scenario.TASK, 8), 1, method, BACKEND, folder);
    assertThatThrownBy(() -> run(permuted(BnnSettings.Scenario.TASK, 9), 1, method, BACKEND, folder))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("hidden: stored 8, now 9")
        .hasMessageContaining("--out");
  }
}
