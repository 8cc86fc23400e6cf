package io.metaplast.continual;

import io.metaplast.Backend;
import io.metaplast.BackendOptions;
import io.metaplast.F32Buffer;
import io.metaplast.Metaplast;
import io.metaplast.bench.Machine;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Binarized networks on a sequence of tasks (Laborieux et al., Nature Communications 2021, DOI 10.1038/s41467-021-22768-y): pixel permutations
 * of the same images, or parts of one data set that are each seen for some epochs and never again.
 */
public final class BnnExperiment {
  private final LearnData data;
  private final BnnSettings settings;
  private final Options options;
  private final LearnListener listener;
  private final RunFolder folder;
  private final Machine machine = Machine.here();
  private final Map<String, String> environment = new LinkedHashMap<>();
  private final Map<BnnMethod, BnnResult.Method> done = new LinkedHashMap<>();

  /**
   * How to run; nothing here changes the result of a method and task.
   *
   * @param tasks tasks to learn, those of an earlier run in the same folder included
   * @param methods methods to run, in order
   * @param backend where to run
   * @param folder where to store results and progress, or null to store nothing
   */
  public record Options(int tasks, List<BnnMethod> methods, BackendOptions backend, Path folder) {
    /** Validates. */
    public Options {
      methods = List.copyOf(methods);
      RunChecks.somethingToDo(tasks, methods);
    }
  }

  private BnnExperiment(LearnData data, BnnSettings settings, Options options, LearnListener listener, RunFolder folder) {
    this.data = data;
    this.settings = settings;
    this.options = options;
    this.listener = listener;
    this.folder = folder;
  }

  /**
   * Runs all methods, continuing what the folder already holds.
   *
   * @throws IllegalArgumentException if settings do not fit the data or the methods, or the folder holds a run with other settings
   * @throws IOException if a result cannot be stored
   */
  public static BnnResult run(LearnData data, BnnSettings settings, Options options, LearnListener listener) throws IOException {
    RunChecks.atMost("training images", settings.images(), data.train().count());
    RunChecks.atMost("test images", settings.testImages(), data.test().count());
    if (settings.testImages() % settings.testBatch() != 0) {
      throw new IllegalArgumentException(
          "test images = " + settings.testImages() + " must be whole batches of " + settings.testBatch() + ", whose statistics they share");
    }
    boolean stream = settings.experiment() == BnnSettings.Experiment.STREAM;
    if (stream) {
      RunChecks.atMost("tasks * images per task", (long) options.tasks() * settings.taskImages(), settings.images());
    }
    for (BnnMethod method : options.methods()) {
      if (stream ? method.penalised() : method.kind() == BnnMethod.Kind.AT_ONCE) {
        throw new IllegalArgumentException("method " + method.label() + " does not fit experiment " + settings.experiment());
      }
    }
    try (RunFolder folder = options.folder() == null ? null : new RunFolder(options.folder(), settings)) {
      return new BnnExperiment(data, settings, options, listener, folder).run();
    }
  }

  private BnnResult run() throws IOException {
    listener.notice("data: " + data.description());
    if (options.folder() != null) {
      listener.notice("results: " + options.folder());
    }
    try (Backend backend = Metaplast.open(options.backend())) {
      environment.put("backend", PermutedImages.describe(backend));
      if (folder != null) {
        for (BnnMethod method : options.methods()) {
          Checkpoint<BnnTask> earlier = folder.stored(method.label(), BnnTask.class);
          if (earlier != null && !earlier.tasks().isEmpty()) {
            done.put(method, BnnResult.Method.of(method, earlier.tasks()));
          }
        }
      }
      for (BnnMethod method : options.methods()) {
        run(method, backend);
      }
    }
    BnnResult result = result();
    if (folder != null) {
      BnnFiles.write(folder, result);
      String problem = BnnFiles.draw(folder, result);
      if (problem != null) {
        listener.notice(problem);
      }
    }
    return result;
  }

  private void run(BnnMethod method, Backend backend) throws IOException {
    Tasks tasks = new Tasks(backend, method);
    Checkpoint<BnnTask> earlier = folder == null ? null : folder.stored(method.label(), BnnTask.class);
    List<BnnTask> results = new ArrayList<>(earlier == null ? List.of() : earlier.tasks());
    long finished = results.isEmpty() ? 0 : results.get(results.size() - 1).steps();
    listener.start(method.label(), tasks.steps(), finished, results.size());
    if (results.size() < tasks.count()) {
      try (BnnLearner learner = new BnnLearner(backend, method, settings, data.train());
          BnnTester tester = new BnnTester(learner.network(), learner.stream(), settings, data.test())) {
        List<float[]> norms = new ArrayList<>();
        if (earlier != null) {
          learner.restore(earlier.state(), results.size(), finished);
          for (int task = 0; learner.network().affine() != null && task < results.size(); task++) {
            norms.add(earlier.state().get(normName(task)));
          }
        }
        for (int task = results.size(); task < tasks.count(); task++) {
          results.add(learn(tasks, task, learner, tester, norms));
          done.put(method, BnnResult.Method.of(method, results));
          if (folder != null) {
            Map<String, float[]> state = learner.state();
            for (int t = 0; t < norms.size(); t++) {
              state.put(normName(t), norms.get(t));
            }
            folder.store(new Checkpoint<>(method.label(), results, null, state));
            BnnFiles.write(folder, result());
          }
          listener.finished(method.label(), summary(results.get(task)));
        }
      }
    }
    listener.end(method.label());
  }

  private static String normName(int task) {
    return "batch norm of task " + (task + 1);
  }

  /** Trains a task and tests; {@code norms} holds scale and shift of the tasks before, and receives those of this one. */
  private BnnTask learn(Tasks tasks, int task, BnnLearner learner, BnnTester tester, List<float[]> norms) {
    long training = 0;
    long testing = 0;
    int[] images = tasks.images(task);
    int[] order = tasks.order(task);
    List<BnnTask.Epoch> tests = new ArrayList<>();
    if (settings.experiment() == BnnSettings.Experiment.PERMUTED) {
      learner.resetOptimizer();
    }
    for (int epoch = 1; epoch <= settings.epochs(); epoch++) {
      long start = System.nanoTime();
      learner.epoch(images, order, listener::steps);
      if (epoch == settings.epochs()) {
        learner.endTask(task, images, order);
      }
      long trained = System.nanoTime();
      training += trained - start;
      if (epoch % tasks.testEvery() == 0 || epoch == settings.epochs()) {
        tests.add(new BnnTask.Epoch(epoch, learner.steps(), test(tasks, task, learner.network(), tester, norms)));
        testing += System.nanoTime() - trained;
      }
    }
    if (learner.network().affine() != null) {
      norms.add(learner.network().affine().hidden().arena().toArray());
    }
    List<Double> magnitudes = new ArrayList<>();
    for (int l = 0; l < learner.network().layers(); l++) {
      magnitudes.add(learner.network().meanMagnitude(l));
    }
    return new BnnTask(task + 1, tests, magnitudes, learner.steps(), training / 1e9, testing / 1e9);
  }

  private List<TaskResult.Tested> test(Tasks tasks, int task, BinarizedNetwork network, BnnTester tester, List<float[]> norms) {
    if (settings.experiment() == BnnSettings.Experiment.STREAM) {
      return List.of(new TaskResult.Tested(task + 1, tester.accuracy(tasks.order(task))));
    }
    List<TaskResult.Tested> tested = new ArrayList<>();
    F32Buffer norm = network.affine().hidden().arena();
    float[] current = norm.toArray();
    for (int t = 0; t <= task; t++) {
      boolean told = settings.scenario() == BnnSettings.Scenario.TASK && t < task;
      norm.upload(told ? norms.get(t) : current);
      tested.add(new TaskResult.Tested(t + 1, tester.accuracy(tasks.order(t))));
    }
    return tested;
  }

  private static String summary(BnnTask task) {
    return String.format(Locale.ROOT, "task %d: newest %.2f %%, mean %.2f %%", task.task(), 100 * task.newest(), 100 * task.mean());
  }

  private BnnResult result() {
    String widths = data.train().imageSize() + "-" + settings.hidden() + "-" + settings.hidden() + "-" + ImageSet.CLASSES;
    String what =
        settings.experiment() == BnnSettings.Experiment.STREAM
            ? "stream of " + settings.images() + " images in parts of " + settings.taskImages()
            : "permuted images, " + (settings.scenario() == BnnSettings.Scenario.TASK ? "batch norm per task" : "no task labels");
    return new BnnResult(
        "binarized network " + widths + ", " + what + ", " + settings.epochs() + " epochs per task, batch " + settings.batch(),
        data.description(), settings, machine, environment, List.copyOf(done.values()));
  }

  /** What is seen when. */
  private final class Tasks {
    private final int count;
    private final int[] all;
    private final boolean cut;
    private final int testEvery;
    private final List<int[]> orders = new ArrayList<>();

    Tasks(Backend backend, BnnMethod method) {
      boolean stream = settings.experiment() == BnnSettings.Experiment.STREAM;
      boolean atOnce = method.kind() == BnnMethod.Kind.AT_ONCE;
      int inputs = data.train().imageSize();
      count = atOnce ? 1 : options.tasks();
      cut = stream && !atOnce;
      testEvery = atOnce ? 1 : settings.testEvery();
      all =
          stream
              ? Arrays.copyOf(Randomness.streamOrder(backend, settings.seed(), data.train().count()), settings.images())
              : Randomness.identity(settings.images());
      for (int task = 0; task < count; task++) {
        orders.add(stream ? Randomness.identity(inputs) : Randomness.permutation(backend, settings.seed(), task, inputs));
      }
    }

    int count() {
      return count;
    }

    long steps() {
      return (long) count * settings.epochs() * settings.steps(cut ? settings.taskImages() : all.length);
    }

    int testEvery() {
      return testEvery;
    }

    int[] images(int task) {
      return cut ? Arrays.copyOfRange(all, task * settings.taskImages(), (task + 1) * settings.taskImages()) : all;
    }

    int[] order(int task) {
      return orders.get(task);
    }
  }
}
