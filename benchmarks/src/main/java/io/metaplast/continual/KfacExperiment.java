package io.metaplast.continual;

import io.metaplast.Backend;
import io.metaplast.BackendKind;
import io.metaplast.BackendOptions;
import io.metaplast.Metaplast;
import io.metaplast.bench.Machine;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Permuted images learnt by a network with batch norm whose weights are held by the curvature of earlier tasks: single numbers, Kronecker
 * pairs, or pairs that know the relations between examples which batch norm makes (after Lee et al. 2020, arXiv 2004.07507; the extended
 * factors are our derivation).
 */
public final class KfacExperiment {
  private final LearnData data;
  private final KfacSettings settings;
  private final Options options;
  private final LearnListener listener;
  private final RunFolder folder;
  private final Machine machine = Machine.here();
  private final Map<String, String> environment = new LinkedHashMap<>();
  private final Map<KfacMethod, KfacResult.Method> done = new LinkedHashMap<>();

  /**
   * How to run; nothing here changes the result of a method and task, but for roundings that the backend is free to choose.
   *
   * @param tasks tasks to learn, those of an earlier run in the same folder included
   * @param methods methods to run, in order
   * @param backend where to run: in host memory
   * @param folder where to store results and progress, or null to store nothing
   */
  public record Options(int tasks, List<KfacMethod> methods, BackendOptions backend, Path folder) {
    /** Validates. */
    public Options {
      methods = List.copyOf(methods);
      RunChecks.somethingToDo(tasks, methods);
      if (backend.kind() == BackendKind.CUDA) {
        throw new IllegalArgumentException("backend CUDA: products come from OpenBLAS here, which works in host memory; choose CPU or JAVA");
      }
      if (backend.kind() == null) {
        backend = backend.withKind(PermutedImages.hostKind());
      }
    }
  }

  private KfacExperiment(LearnData data, KfacSettings settings, Options options, LearnListener listener, RunFolder folder) {
    this.data = data;
    this.settings = settings;
    this.options = options;
    this.listener = listener;
    this.folder = folder;
  }

  /**
   * Runs all methods, continuing what the folder already holds.
   *
   * @throws IllegalArgumentException if settings do not fit the data, or the folder holds a run with other settings
   * @throws IOException if a result cannot be stored
   */
  public static KfacResult run(LearnData data, KfacSettings settings, Options options, LearnListener listener) throws IOException {
    RunChecks.atMost("training images", settings.images(), data.train().count());
    RunChecks.atMost("test images", settings.testImages(), data.test().count());
    Blas.load();
    try (RunFolder folder = options.folder() == null ? null : new RunFolder(options.folder(), settings)) {
      return new KfacExperiment(data, settings, options, listener, folder).run();
    }
  }

  private KfacResult run() throws IOException {
    if (options.folder() != null) {
      listener.notice("results: " + options.folder());
    }
    try (Backend backend = Metaplast.open(options.backend())) {
      Blas.threads(options.backend().threads());
      environment.put("backend", PermutedImages.describe(backend));
      String core = System.getenv("OPENBLAS_CORETYPE");
      environment.put("OpenBLAS", core == null ? "kernels as it detected the CPU" : "OPENBLAS_CORETYPE=" + core);
      if (folder != null) {
        for (KfacMethod method : options.methods()) {
          Checkpoint<KfacTask> earlier = folder.stored(method.label(), KfacTask.class);
          if (earlier != null && !earlier.tasks().isEmpty()) {
            done.put(method, KfacResult.Method.of(method, earlier.tasks()));
          }
        }
      }
      for (KfacMethod method : options.methods()) {
        run(method, backend);
      }
    }
    KfacResult result = result();
    if (folder != null) {
      KfacFiles.write(folder, result);
      String problem = KfacFiles.draw(folder, result);
      if (problem != null) {
        listener.notice(problem);
      }
    }
    return result;
  }

  private void run(KfacMethod method, Backend backend) throws IOException {
    Checkpoint<KfacTask> earlier = folder == null ? null : folder.stored(method.label(), KfacTask.class);
    List<KfacTask> results = new ArrayList<>(earlier == null ? List.of() : earlier.tasks());
    long finished = results.isEmpty() ? 0 : results.get(results.size() - 1).steps();
    listener.start(method.label(), (long) options.tasks() * settings.steps(), finished, results.size());
    if (results.size() < options.tasks()) {
      List<int[]> orders = orders(backend);
      try (KfacLearner learner = new KfacLearner(backend, method, settings, data.train())) {
        KfacTester tester = new KfacTester(learner.network(), settings, data.test());
        if (earlier != null) {
          learner.restore(earlier.state(), results.size(), finished);
        }
        for (int task = results.size(); task < options.tasks(); task++) {
          results.add(learn(task, orders, learner, tester));
          done.put(method, KfacResult.Method.of(method, results));
          if (folder != null) {
            folder.store(new Checkpoint<>(method.label(), results, null, learner.state()));
            KfacFiles.write(folder, result());
          }
          listener.finished(method.label(), summary(results.get(task)));
        }
      }
    }
    listener.end(method.label());
  }

  /** The first task sees the images as they are. */
  private List<int[]> orders(Backend backend) {
    int inputs = data.train().imageSize();
    List<int[]> orders = new ArrayList<>();
    for (int task = 0; task < options.tasks(); task++) {
      orders.add(task == 0 ? Randomness.identity(inputs) : Randomness.permutation(backend, settings.seed(), task, inputs));
    }
    return orders;
  }

  private KfacTask learn(int task, List<int[]> orders, KfacLearner learner, KfacTester tester) {
    long start = System.nanoTime();
    learner.stage(orders.get(task));
    learner.learn(listener::steps);
    long trained = System.nanoTime();
    learner.endTask();
    long ended = System.nanoTime();
    List<TaskResult.Tested> tested = new ArrayList<>();
    for (int t = 0; t <= task; t++) {
      tested.add(new TaskResult.Tested(t + 1, tester.accuracy(orders.get(t))));
    }
    long now = System.nanoTime();
    return new KfacTask(task + 1, tested, learner.steps(), (trained - start) / 1e9, (ended - trained) / 1e9, (now - ended) / 1e9);
  }

  private static String summary(KfacTask task) {
    return String.format(Locale.ROOT, "task %d: newest %.2f %%, mean %.2f %%", task.task(), 100 * task.newest(), 100 * task.mean());
  }

  private KfacResult result() {
    return new KfacResult(describe(data, settings), data.description(), settings, machine, environment, List.copyOf(done.values()));
  }

  /** A run in words. */
  static String describe(LearnData data, KfacSettings settings) {
    String kept = settings.memory() == KfacSettings.Memory.PAIR ? "one curvature for all earlier tasks" : "a list of curvatures";
    return "permuted images, " + data.train().imageSize() + "-" + settings.hidden() + "-" + settings.hidden() + "-" + ImageSet.CLASSES
        + " with batch norm, pixels offset by " + settings.offset() + ", " + kept + ", " + settings.optimizer() + ", " + settings.epochs()
        + " epochs per task, batch " + settings.batch() + ", " + settings.images() + " training images";
  }
}
