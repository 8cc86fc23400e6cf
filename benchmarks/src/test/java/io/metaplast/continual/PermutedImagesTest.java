package io.metaplast.continual;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.metaplast.Backend;
import io.metaplast.BackendInfo;
import io.metaplast.BackendKind;
import io.metaplast.BackendOptions;
import io.metaplast.Metaplast;
import io.metaplast.bayes.MesuParams;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PermutedImagesTest {
  private static final BackendOptions BACKEND = BackendOptions.of(BackendKind.JAVA).withThreads(1);
  private static final int TASKS = 3;
  private static final int STEPS = 300;

  private static LearnData data;
  private static LearnSettings settings;

  @TempDir private Path folder;

  @BeforeAll
  static void generate() throws IOException {
    data = LearnData.synthetic(600, 256, null);
    LearnSettings s = LearnSettings.published(data);
    settings = shape(s.withLength(STEPS, 256), 8, 3);
  }

  /** Smaller networks keep the tests short. */
  private static LearnSettings shape(LearnSettings s, int hidden, int samples) {
    return new LearnSettings(
        s.numericsVersion(), s.train(), s.test(), s.outOfDistribution(), s.seed(), s.stepsPerTask(), s.testImages(), hidden, samples,
        s.everyTask(), s.allEvery(), s.memoryWindow(), s.priorMean(), s.priorSigma(), s.rateMean(), s.rateSigma(), s.clampGrad(),
        s.sigmaFloor(), s.bgdRate(), s.pointRate(), s.ewcStrength(), s.ewcDecay(), s.siStrength(), s.siDamping());
  }

  private PermutedImages.Options options(int tasks, LearnMethod method, Path out) {
    return new PermutedImages.Options(tasks, List.of(method), BACKEND, true, false, out);
  }

  private static Checkpoint<TaskResult> read(Path folder, LearnMethod method) throws IOException {
    return Checkpoint.read(folder, method.label(), TaskResult.class);
  }

  private static void assertSame(Checkpoint<TaskResult> a, Checkpoint<TaskResult> b) {
    assertThat(a.state().keySet()).isEqualTo(b.state().keySet());
    a.state().forEach((name, values) -> assertThat(values).as(name).isEqualTo(b.state().get(name)));
    assertThat(a.tasks()).hasSameSizeAs(b.tasks());
    for (int t = 0; t < a.tasks().size(); t++) {
      TaskResult x = a.tasks().get(t);
      TaskResult y = b.tasks().get(t);
      assertThat(x.tested()).isEqualTo(y.tested());
      assertThat(x.heldOut()).isEqualTo(y.heldOut());
      assertThat(x.sigma()).isEqualTo(y.sigma());
    }
  }

  @ParameterizedTest
  @EnumSource(LearnMethod.class)
  void anInterruptedRunEndsWithTheBitsOfAnUninterruptedOne(LearnMethod method) throws IOException {
    Path whole = folder.resolve("whole");
    Path broken = folder.resolve("broken");
    PermutedImages.run(data, settings, options(TASKS, method, whole), LearnListener.NONE);
    LearnListener interrupt =
        new LearnListener() {
          private int steps;

          @Override
          public void steps(int more) {
            steps += more;
            if (steps > STEPS + STEPS / 2) {
              throw new IllegalStateException("interrupted in task 2");
            }
          }
        };
    assertThatThrownBy(() -> PermutedImages.run(data, settings, options(TASKS, method, broken), interrupt))
        .hasMessage("interrupted in task 2");
    assertThat(read(broken, method).tasks()).hasSize(1);
    LearnResult result = PermutedImages.run(data, settings, options(TASKS, method, broken), LearnListener.NONE);
    assertThat(result.methods().get(0).tasks()).hasSize(TASKS);
    assertSame(read(broken, method), read(whole, method));
    try (var files = Files.list(broken)) {
      assertThat(files.map(f -> f.getFileName().toString()).toList())
          .contains("settings.json", "summary.json", "tasks.csv", "accuracy.csv", method.label() + ".checkpoint")
          .noneMatch(name -> name.endsWith(".tmp"));
    }
  }

  @Test
  void aRunCanBeMadeLongerAndGetAnotherMethod() throws IOException {
    PermutedImages.run(data, settings, options(1, LearnMethod.SGD, folder), LearnListener.NONE);
    PermutedImages.run(data, settings, options(2, LearnMethod.SGD, folder), LearnListener.NONE);
    LearnResult both = PermutedImages.run(data, settings, options(1, LearnMethod.SI, folder), LearnListener.NONE);
    assertThat(both.methods()).extracting(MethodResult::method).containsExactly(LearnMethod.SGD, LearnMethod.SI);
    assertThat(both.methods().get(0).tasks()).hasSize(2);
  }

  @Test
  void otherSettingsAreRefusedByName() throws IOException {
    PermutedImages.run(data, settings, options(1, LearnMethod.SGD, folder), LearnListener.NONE);
    LearnSettings other = shape(settings, 9, 3);
    assertThatThrownBy(() -> PermutedImages.run(data, other, options(1, LearnMethod.SGD, folder), LearnListener.NONE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("hidden: stored 8, now 9")
        .hasMessageContaining("--out");
  }

  @Test
  void aDamagedCheckpointIsRefused() throws IOException {
    PermutedImages.run(data, settings, options(1, LearnMethod.SGD, folder), LearnListener.NONE);
    Path file = Checkpoint.file(folder, LearnMethod.SGD.label());
    byte[] bytes = Files.readAllBytes(file);
    for (int length : new int[] {0, 5, 20, bytes.length / 2, bytes.length - 1}) {
      Files.write(file, Arrays.copyOf(bytes, length));
      assertThatThrownBy(() -> read(folder, LearnMethod.SGD))
          .isInstanceOf(DataException.class)
          .hasMessageContaining(file + ": damaged");
    }
    byte[] flipped = bytes.clone();
    flipped[bytes.length / 2] ^= 1;
    Files.write(file, flipped);
    assertThatThrownBy(() -> PermutedImages.run(data, settings, options(2, LearnMethod.SGD, folder), LearnListener.NONE))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("delete it to start this method over");
  }

  @Test
  void aFolderServesOneRunAtATime() throws IOException {
    try (ResultFiles held = new ResultFiles(folder, settings)) {
      assertThat(held.stored(LearnMethod.SGD)).isNull();
      assertThatThrownBy(() -> PermutedImages.run(data, settings, options(1, LearnMethod.SGD, folder), LearnListener.NONE))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("another run");
    }
  }

  @Test
  void lengthsBeyondTheDataAreRefused() {
    assertThatThrownBy(() -> PermutedImages.run(data, settings.withLength(601, 256), options(1, LearnMethod.SGD, null), LearnListener.NONE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("steps = 601 must be at most 600");
    assertThatThrownBy(() -> PermutedImages.run(data, settings.withLength(600, 257), options(1, LearnMethod.SGD, null), LearnListener.NONE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("limit = 257 must be at most 256");
    assertThatThrownBy(() -> LearnMethod.of("ewc"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("valid: all, mesu, bgd, sgd, ewc-online, si");
  }

  @Test
  void storedAndRegeneratedEpsilonGiveTheSameNetwork() throws IOException {
    Path stored = folder.resolve("stored");
    Path regenerated = folder.resolve("regenerated");
    PermutedImages.run(data, settings, new PermutedImages.Options(1, List.of(LearnMethod.MESU), BACKEND, true, false, stored),
        LearnListener.NONE);
    PermutedImages.run(data, settings, new PermutedImages.Options(1, List.of(LearnMethod.MESU), BACKEND, false, true, regenerated),
        LearnListener.NONE);
    assertSame(read(stored, LearnMethod.MESU), read(regenerated, LearnMethod.MESU));
    assertThat(read(regenerated, LearnMethod.MESU).profile()).containsKeys("forward, layer 1", "loss", "(update alone)");
  }

  /** Every kernel of the training step is class A, so a whole run ends with the same bits on every backend. */
  @ParameterizedTest
  @EnumSource(value = BackendKind.class, names = {"CPU", "CUDA"})
  void backendsEndWithTheSameBits(BackendKind kind) throws IOException {
    BackendInfo info = Metaplast.probe().stream().filter(i -> i.kind() == kind).findFirst().orElseThrow();
    assumeTrue(info.available(), info.reason());
    LearnSettings paper = shape(settings.withLength(40, 256), 50, 10);
    for (LearnMethod method : List.of(LearnMethod.MESU, LearnMethod.BGD)) {
      Path reference = folder.resolve("java");
      Path other = folder.resolve("other");
      PermutedImages.run(data, paper, new PermutedImages.Options(1, List.of(method), BACKEND, true, false, reference), LearnListener.NONE);
      PermutedImages.run(
          data, paper, new PermutedImages.Options(1, List.of(method), BACKEND.withKind(kind), true, false, other), LearnListener.NONE);
      assertSame(read(reference, method), read(other, method));
    }
  }

  @Test
  void everyMethodLearns() throws IOException {
    LearnData enough = LearnData.synthetic(1000, 512, null);
    LearnResult result = LearnSmoke.run(BACKEND, enough, 1, 1000, List.of(LearnMethod.values()), LearnListener.NONE);
    assertThat(result.data()).contains("synthetic").contains("not MNIST");
    for (MethodResult method : result.methods()) {
      assertThat(method.summary().newestMean()).as(method.method().label()).isGreaterThan(0.6);
    }
  }

  @Test
  void trainingDoesNotAllocate() throws IOException {
    Network network = new Network(data.train().imageSize(), 8, ImageSet.CLASSES);
    try (Backend backend = Metaplast.open(BACKEND)) {
      long shorter = allocated(backend, network, 300);
      long longer = allocated(backend, network, 600);
      assertThat((longer - shorter) / 300.0).as("bytes per step").isLessThan(1);
    }
  }

  private static long allocated(Backend backend, Network network, int steps) throws IOException {
    var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    LearnSettings s = shape(settings.withLength(steps, 256), 8, 3);
    try (BayesLearner learner =
        new BayesLearner(backend, s, network, MesuParams.builder().build(), data.train(), true, false)) {
      int[] order = Randomness.identity(network.inputs());
      for (int task = 0; task < 30; task++) {
        learner.learn(task, order, n -> {});
      }
      long before = threads.getThreadAllocatedBytes(Thread.currentThread().getId());
      learner.learn(30, order, n -> {});
      return threads.getThreadAllocatedBytes(Thread.currentThread().getId()) - before;
    }
  }
}
