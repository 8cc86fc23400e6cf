package io.metaplast.continual;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.metaplast.BackendKind;
import io.metaplast.BackendOptions;
import io.metaplast.Metaplast;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class KfacExperimentTest {
  private static final BackendOptions BACKEND = BackendOptions.of(BackendKind.JAVA).withThreads(1);
  private static final int TASKS = 3;
  private static final int IMAGES = 160;
  private static final int TEST = 60;
  private static final int BATCH = 32;
  private static final int EPOCHS = 2;
  private static final int STEPS = EPOCHS * (IMAGES / BATCH);

  private static LearnData data;

  @TempDir private Path folder;

  @BeforeAll
  static void generate() throws IOException {
    data = LearnData.synthetic(IMAGES, TEST, null);
  }

  private static KfacSettings settings(KfacSettings.Memory memory, KfacSettings.Optimizer optimizer, double offset) {
    return new KfacSettings(
        Metaplast.NUMERICS_VERSION, data.train().sha256(), data.test().sha256(), 5, memory, optimizer, offset, 12, EPOCHS, BATCH, IMAGES, TEST, 2,
        optimizer.rate(), 1e-4);
  }

  private static KfacResult.Method run(KfacSettings settings, int tasks, KfacMethod method, Path out) throws IOException {
    return KfacExperiment.run(data, settings, new KfacExperiment.Options(tasks, List.of(method), BACKEND, out), LearnListener.NONE).methods().get(0);
  }

  private static Map<String, float[]> state(Path run, KfacMethod method) throws IOException {
    return Checkpoint.read(run, method.label(), KfacTask.class).state();
  }

  private static void assertSame(Map<String, float[]> x, Map<String, float[]> y) {
    assertThat(x.keySet()).isEqualTo(y.keySet());
    x.forEach((name, values) -> assertThat(values).as(name).isEqualTo(y.get(name)));
  }

  @ParameterizedTest
  @CsvSource({"NONE, PAIR, ADAM", "EWC, LIST, SGD", "PLAIN, PAIR, SGD", "EXTENDED, PAIR, ADAM", "EXTENDED, LIST, ADAM", "MERGED, PAIR, ADAM"})
  void anInterruptedRunEndsWithTheBitsOfAnUninterruptedOne(KfacMethod method, KfacSettings.Memory memory, KfacSettings.Optimizer optimizer)
      throws IOException {
    KfacSettings settings = settings(memory, optimizer, 0.5);
    KfacResult.Method whole = run(settings, TASKS, method, folder.resolve("whole"));
    Path broken = folder.resolve("broken");
    LearnListener interrupt =
        new LearnListener() {
          private int steps;

          @Override
          public void steps(int more) {
            steps += more;
            if (steps > STEPS) {
              throw new IllegalStateException("interrupted in task 2");
            }
          }
        };
    KfacExperiment.Options options = new KfacExperiment.Options(TASKS, List.of(method), BACKEND, broken);
    assertThatThrownBy(() -> KfacExperiment.run(data, settings, options, interrupt)).hasMessage("interrupted in task 2");
    assertThat(Checkpoint.read(broken, method.label(), KfacTask.class).tasks()).hasSize(1);
    KfacResult.Method continued = run(settings, TASKS, method, broken);
    assertThat(continued.tasks()).extracting(KfacTask::tested).isEqualTo(whole.tasks().stream().map(KfacTask::tested).toList());
    assertSame(state(broken, method), state(folder.resolve("whole"), method));
    assertThat(Files.readAllLines(broken.resolve("tasks.csv"))).hasSize(1 + TASKS);
    assertThat(broken.resolve("summary.json")).exists();
  }

  @Test
  void runsOfOneSeedArePaired() throws IOException {
    Path a = folder.resolve("a");
    Path b = folder.resolve("b");
    KfacSettings settings = settings(KfacSettings.Memory.PAIR, KfacSettings.Optimizer.ADAM, 0);
    List<KfacTask> none = run(settings, 2, KfacMethod.NONE, a).tasks();
    List<KfacTask> extended = run(settings, 2, KfacMethod.EXTENDED, b).tasks();
    // Nothing is held back in the first task.
    assertThat(none.get(0).tested()).isEqualTo(extended.get(0).tested());
    run(settings, 1, KfacMethod.NONE, folder.resolve("c"));
    run(settings, 1, KfacMethod.PLAIN, folder.resolve("d"));
    assertThat(state(folder.resolve("c"), KfacMethod.NONE).get("parameters"))
        .isEqualTo(state(folder.resolve("d"), KfacMethod.PLAIN).get("parameters"));
    assertThat(state(a, KfacMethod.NONE).get("parameters")).isNotEqualTo(state(b, KfacMethod.EXTENDED).get("parameters"));
  }

  /** A shift of the pixels moves the first product by a constant, which batch norm takes away. */
  @Test
  void theFirstTaskIsTheSameAtEveryOffset() throws IOException {
    run(settings(KfacSettings.Memory.PAIR, KfacSettings.Optimizer.SGD, 0), 1, KfacMethod.EXTENDED, folder.resolve("a"));
    run(settings(KfacSettings.Memory.PAIR, KfacSettings.Optimizer.SGD, 1), 1, KfacMethod.EXTENDED, folder.resolve("b"));
    Map<String, float[]> a = state(folder.resolve("a"), KfacMethod.EXTENDED);
    Map<String, float[]> b = state(folder.resolve("b"), KfacMethod.EXTENDED);
    for (String name : List.of("parameters", "a 0 0", "g 0 0")) {
      for (int i = 0; i < a.get(name).length; i++) {
        assertThat(b.get(name)[i]).as("%s %d", name, i).isCloseTo(a.get(name)[i], within(1e-3f));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(KfacMethod.class)
  void everyMethodLearnsAndTheCurvatureOfEarlierTasksHelps(KfacMethod method) throws IOException {
    List<KfacResult.Method> methods = Smoke.METHODS;
    KfacResult.Method found = methods.get(method.ordinal());
    assertThat(found.method()).isEqualTo(method);
    assertThat(found.tasks().get(0).newest()).isGreaterThan(0.8);
    if (method != KfacMethod.NONE) {
      assertThat(found.summary().first()).isGreaterThan(methods.get(0).summary().first());
    }
  }

  /** Runs once for all methods. */
  private static final class Smoke {
    static final List<KfacResult.Method> METHODS = run();

    private static List<KfacResult.Method> run() {
      try {
        KfacResult result = KfacSmoke.run(BackendOptions.defaults(), LearnListener.NONE);
        assertThat(result.data()).contains("synthetic").contains("not MNIST");
        assertThat(KfacTable.of(result)).contains("none").contains("ewc").contains("plain").contains("extended").contains("merged");
        return result.methods();
      } catch (IOException e) {
        throw new java.io.UncheckedIOException(e);
      }
    }
  }

  @Test
  void aCampaignContinuesAndComparesPairedRuns() throws IOException {
    KfacSettings base = settings(KfacSettings.Memory.PAIR, KfacSettings.Optimizer.ADAM, 0);
    int[] started = new int[1];
    LearnListener interrupt =
        new LearnListener() {
          @Override
          public void start(String method, long steps, long finishedSteps, int finishedTasks) {
            if (++started[0] == 4) {
              throw new IllegalStateException("interrupted");
            }
          }
        };
    KfacCampaign campaign = new KfacCampaign(data, base, 1, 2, BACKEND, folder);
    assertThatThrownBy(() -> campaign.run(interrupt)).hasMessage("interrupted");
    assertThat(campaign.collect()).contains("3 of " + campaign.rows().size() + " runs").contains("open");
    List<KfacCampaign.Row> seen = new java.util.ArrayList<>();
    LearnListener count =
        new LearnListener() {
          @Override
          public void end(String method) {
            seen.add(null);
          }
        };
    String text = campaign.run(count);
    assertThat(seen).hasSize(campaign.rows().size() - 3);
    assertThat(text).contains("one pair, adam, offset 0.5").contains("list, sgd, offset 0.0").doesNotContain("open");
    List<String> runs = Files.readAllLines(folder.resolve("runs.csv"));
    assertThat(runs).hasSize(1 + campaign.rows().size()).doesNotHaveDuplicates();
    assertThat(Files.readAllLines(folder.resolve("accuracy.csv"))).hasSize(1 + 3 * campaign.rows().size());
    assertThat(folder.resolve("summary.json")).exists();
    assertThat(folder.resolve("summary.txt")).exists();
    KfacResult.Method alone =
        run(base.with(KfacSettings.Memory.LIST, KfacSettings.Optimizer.SGD, 0), 2, KfacMethod.PLAIN, null);
    assertThat(runs)
        .filteredOn(line -> line.startsWith("list,sgd,0.0,plain,5,"))
        .singleElement()
        .asString()
        .startsWith(String.format(java.util.Locale.ROOT, "list,sgd,0.0,plain,5,2,%.6f", alone.summary().mean()));
  }

  private static KfacCampaign.Run finished(double offset, KfacMethod method, long seed, double accuracy) {
    KfacCampaign.Row row = new KfacCampaign.Row(KfacSettings.Memory.PAIR, KfacSettings.Optimizer.ADAM, offset, method, seed);
    return new KfacCampaign.Run(row, List.of(new KfacTask(1, List.of(new TaskResult.Tested(1, accuracy)), 1, 1, 1, 1)), Map.of());
  }

  @Test
  void gatesAreMetByPairedDifferencesOnly() {
    List<KfacCampaign.Run> runs = new java.util.ArrayList<>();
    for (int seed = 1; seed <= 2; seed++) {
      double shift = 0.1 * seed; // the same for all methods of a seed, so that it must not matter
      runs.add(finished(0, KfacMethod.NONE, seed, 0.3 + shift));
      runs.add(finished(0, KfacMethod.EWC, seed, 0.4 + shift));
      runs.add(finished(0, KfacMethod.PLAIN, seed, 0.5 + shift));
      runs.add(finished(0, KfacMethod.EXTENDED, seed, seed == 1 ? 0.506 + shift : 0.501 + shift));
      runs.add(finished(1, KfacMethod.PLAIN, seed, 0.422 + shift));
      runs.add(finished(1, KfacMethod.EXTENDED, seed, 0.504 + shift));
    }
    assertThat(new KfacComparison(runs, 2).gates()).extracting(KfacComparison.Gate::verdict).containsExactly("met", "met", "met", "met", "met");
    assertThat(new KfacComparison(runs, 3).gates()).extracting(KfacComparison.Gate::verdict).containsOnly("open: 2 of 3 seeds");
    runs.set(3, finished(0, KfacMethod.EXTENDED, 1, 0.61));
    runs.set(9, finished(0, KfacMethod.EXTENDED, 2, 0.699)); // one seed loses
    runs.set(4, finished(1, KfacMethod.PLAIN, 1, 0.53));
    runs.set(2, finished(0, KfacMethod.PLAIN, 1, 0.4));
    runs.set(8, finished(0, KfacMethod.PLAIN, 2, 0.701));
    assertThat(new KfacComparison(runs, 2).gates())
        .extracting(KfacComparison.Gate::verdict)
        .containsExactly("not met", "not met", "met", "met", "met");
  }

  @Test
  void whatDoesNotFitIsRefusedByName() throws IOException {
    KfacSettings good = settings(KfacSettings.Memory.PAIR, KfacSettings.Optimizer.ADAM, 0);
    assertThatThrownBy(() -> new KfacExperiment.Options(0, List.of(KfacMethod.NONE), BACKEND, null)).hasMessageContaining("tasks = 0");
    assertThatThrownBy(() -> new KfacExperiment.Options(1, List.of(), BACKEND, null)).hasMessageContaining("methods");
    assertThatThrownBy(() -> new KfacExperiment.Options(1, List.of(KfacMethod.NONE), BACKEND.withKind(BackendKind.CUDA), null))
        .hasMessageContaining("host memory");
    assertThatThrownBy(() -> KfacMethod.of("kfac")).hasMessageContaining("'kfac'").hasMessageContaining("extended");
    assertThatThrownBy(() -> settings(KfacSettings.Memory.PAIR, KfacSettings.Optimizer.ADAM, Double.NaN)).hasMessageContaining("offset = NaN");
    LearnData more = LearnData.synthetic(IMAGES / 2, TEST, null);
    assertThatThrownBy(
            () -> KfacExperiment.run(more, good, new KfacExperiment.Options(1, List.of(KfacMethod.NONE), BACKEND, null), LearnListener.NONE))
        .hasMessageContaining("training images = " + IMAGES);
    run(good, 1, KfacMethod.NONE, folder);
    assertThatThrownBy(() -> run(settings(KfacSettings.Memory.LIST, KfacSettings.Optimizer.ADAM, 0), 1, KfacMethod.NONE, folder))
        .hasMessageContaining("memory: stored \"PAIR\", now \"LIST\"")
        .hasMessageContaining("--out");
  }
}
