package io.metaplast.continual;

import io.metaplast.Backend;
import io.metaplast.BackendInfo;
import io.metaplast.BackendKind;
import io.metaplast.BackendOptions;
import io.metaplast.Metaplast;
import io.metaplast.bayes.BgdParams;
import io.metaplast.bayes.MesuParams;
import io.metaplast.bayes.UpdateRule;
import io.metaplast.bench.Machine;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;

/**
 * The experiment of Bonnet et al. (Nature Communications 2025, DOI 10.1038/s41467-025-64601-w; code kellian-cottart/mesu-pmnist): a small
 * network learns one pixel permutation of the same images after the other, each seen once at batch 1 in file order, and is tested on what
 * it still knows.
 */
public final class PermutedImages {
  private static final int LAST = 5;
  private static final int PAPER_OUT_OF_DISTRIBUTION_IMAGES = 10_000;

  private final LearnData data;
  private final LearnSettings settings;
  private final Options options;
  private final LearnListener listener;
  private final ResultFiles files;
  private final Machine machine = Machine.here();
  private final Map<String, String> environment = new LinkedHashMap<>();
  private final Map<LearnMethod, MethodResult> done = new LinkedHashMap<>();

  /**
   * How to run; nothing here changes a result.
   *
   * @param tasks tasks to learn, those of an earlier run in the same folder included
   * @param methods methods to run, in order
   * @param backend backend of the Bayesian methods; point networks use the best one in host memory
   * @param storedEpsilon whether the Bayesian forward pass stores its random numbers for the backward pass
   * @param profiled whether to time the phases of the Bayesian step
   * @param folder where to store results and progress, or null to store nothing
   */
  public record Options(int tasks, List<LearnMethod> methods, BackendOptions backend, boolean storedEpsilon, boolean profiled,
      Path folder) {
    /** Validates. */
    public Options {
      methods = List.copyOf(methods);
      RunChecks.somethingToDo(tasks, methods);
    }
  }

  private PermutedImages(LearnData data, LearnSettings settings, Options options, LearnListener listener, ResultFiles files) {
    this.data = data;
    this.settings = settings;
    this.options = options;
    this.listener = listener;
    this.files = files;
  }

  /**
   * Runs all methods, continuing what the folder already holds.
   *
   * @throws IllegalArgumentException if settings do not fit the data, or the folder holds a run with other settings
   * @throws IOException if a result cannot be stored
   */
  public static LearnResult run(LearnData data, LearnSettings settings, Options options, LearnListener listener) throws IOException {
    atMost("steps", settings.stepsPerTask(), data.train().count(), "training images");
    atMost("limit", settings.testImages(), data.test().count(), "test images");
    // Steps address random numbers with 32 bits and must not come back under one seed.
    atMost("tasks * steps", (long) options.tasks() * settings.stepsPerTask(), 0xffffffffL, "steps under one seed");
    Blas.load();
    try (ResultFiles files = options.folder() == null ? null : new ResultFiles(options.folder(), settings)) {
      return new PermutedImages(data, settings, options, listener, files).run();
    }
  }

  private static void atMost(String name, long value, long limit, String what) {
    if (value > limit) {
      throw new IllegalArgumentException(name + " = " + value + " must be at most " + limit + ", the number of " + what);
    }
  }

  private LearnResult run() throws IOException {
    notices();
    try (Backend backend = Metaplast.open(options.backend());
        Backend host = backend.info().kind() == BackendKind.CUDA ? Metaplast.open(options.backend().withKind(hostKind())) : null) {
      Backend pointBackend = host == null ? backend : host;
      environment.put("backend", describe(backend));
      environment.put("backend of point networks", describe(pointBackend));
      String core = System.getenv("OPENBLAS_CORETYPE");
      environment.put("OpenBLAS", core == null ? "kernels as it detected the CPU" : "OPENBLAS_CORETYPE=" + core);
      if (files != null) {
        for (LearnMethod method : LearnMethod.values()) {
          Checkpoint<TaskResult> earlier = files.stored(method);
          if (earlier != null && !earlier.tasks().isEmpty()) {
            done.put(method, MethodResult.of(method, earlier.tasks(), earlier.profile()));
          }
        }
      }
      for (LearnMethod method : options.methods()) {
        run(method, method.bayesian() ? backend : pointBackend);
      }
      LearnResult result = result();
      if (files != null) {
        files.write(result);
        String problem = files.draw(result);
        if (problem != null) {
          listener.notice(problem);
        }
      }
      return result;
    }
  }

  private void notices() {
    listener.notice("data: " + data.description());
    ImageSet other = data.outOfDistribution();
    if (other != null && other.count() != PAPER_OUT_OF_DISTRIBUTION_IMAGES) {
      listener.notice("out-of-distribution AUC is against " + other.count() + " images; the paper uses "
          + PAPER_OUT_OF_DISTRIBUTION_IMAGES);
    }
    if (options.folder() != null) {
      listener.notice("results: " + options.folder());
    }
  }

  /** The best backend in host memory. */
  static BackendKind hostKind() {
    for (BackendInfo info : Metaplast.probe()) {
      if (info.kind() == BackendKind.CPU && info.available()) {
        return BackendKind.CPU;
      }
    }
    return BackendKind.JAVA;
  }

  static String describe(Backend backend) {
    BackendInfo info = backend.info();
    String isa = info.isa().isEmpty() ? "" : " " + info.isa();
    return info.kind().name().toLowerCase(Locale.ROOT) + isa + ", " + info.device() + ", threads " + info.threads();
  }

  private void run(LearnMethod method, Backend backend) throws IOException {
    Network network = new Network(data.train().imageSize(), settings.hidden(), ImageSet.CLASSES);
    Checkpoint<TaskResult> earlier = files == null ? null : files.stored(method);
    List<TaskResult> results = new ArrayList<>(earlier == null ? List.of() : earlier.tasks());
    Map<String, Double> profile = earlier == null ? null : earlier.profile();
    long steps = settings.stepsPerTask();
    listener.start(method.label(), options.tasks() * steps, results.size() * steps, results.size());
    if (results.size() < options.tasks()) {
      try (Learner learner = learner(method, backend, network);
          Evaluator evaluator =
              new Evaluator(
                  backend, network, learner.samples(), data.test(), settings.testImages(), data.outOfDistribution(),
                  options.backend().threads())) {
        if (earlier != null) {
          learner.restore(earlier.state());
        }
        int[] heldOut = Randomness.heldOutPermutation(backend, settings.seed(), network.inputs());
        List<int[]> orders = new ArrayList<>();
        for (int task = 0; task < options.tasks(); task++) {
          orders.add(Randomness.permutation(backend, settings.seed(), task, network.inputs()));
        }
        for (int task = results.size(); task < options.tasks(); task++) {
          long nanos = learner.learn(task, orders.get(task), listener::steps);
          TaskResult result = test(learner, evaluator, task + 1, orders, heldOut, nanos);
          results.add(result);
          profile = learner.profile() == null ? profile : learner.profile();
          done.put(method, MethodResult.of(method, results, profile));
          if (files != null) {
            files.store(new Checkpoint<>(method.label(), results, profile, learner.state()));
            files.write(result());
          }
          listener.finished(method.label(), summary(result));
        }
      }
    }
    listener.end(method.label());
  }

  private static String summary(TaskResult result) {
    return String.format(
        Locale.ROOT, "task %d: newest %.2f %%, last 5 %.2f %%, %.0f us/step", result.task(), 100 * result.newest(),
        100 * result.lastFive(), result.microsecondsPerStep());
  }

  private Learner learner(LearnMethod method, Backend backend, Network network) {
    if (!method.bayesian()) {
      return new PointLearner(method, backend, settings, network, data.train());
    }
    UpdateRule rule =
        method == LearnMethod.BGD
            ? new BgdParams(settings.bgdRate())
            : MesuParams.builder()
                .memoryWindow(settings.memoryWindow())
                .priorMean(settings.priorMean())
                .priorSigma(settings.priorSigma())
                .rateMean(settings.rateMean())
                .rateSigma(settings.rateSigma())
                .clampGrad(settings.clampGrad())
                .sigmaFloor(settings.sigmaFloor())
                .build();
    return new BayesLearner(backend, settings, network, rule, data.train(), options.storedEpsilon(), options.profiled());
  }

  /** Tests with one set of weight samples for all permutations, as the authors do. */
  private TaskResult test(Learner learner, Evaluator evaluator, int finished, List<int[]> orders, int[] heldOut, long nanos) {
    long start = System.nanoTime();
    TaskResult.Sigma sigma = learner.sigma();
    evaluator.weights(learner, finished);
    TreeSet<Integer> wanted = new TreeSet<>();
    wanted.add(1);
    boolean all =
        settings.everyTask() == LearnSettings.Tested.ALL
            || finished == options.tasks()
            || settings.allEvery() > 0 && finished % settings.allEvery() == 0;
    for (int task = all ? 1 : Math.max(1, finished - LAST + 1); task <= finished; task++) {
      wanted.add(task);
    }
    List<TaskResult.Tested> tested = new ArrayList<>();
    for (int task : wanted) {
      tested.add(new TaskResult.Tested(task, evaluator.accuracy(orders.get(task - 1))));
    }
    int[] newest = orders.get(finished - 1);
    TaskResult.Auc outOfDistribution = evaluator.againstOther(newest);
    TaskResult.Auc against = evaluator.againstPermuted(newest, heldOut);
    return new TaskResult(
        finished,
        tested.get(tested.size() - 1).accuracy(),
        tested.stream().filter(t -> t.task() > finished - LAST).mapToDouble(TaskResult.Tested::accuracy).average().orElseThrow(),
        tested.get(0).accuracy(),
        tested,
        outOfDistribution,
        against,
        nanos / 1e3 / settings.stepsPerTask(),
        (System.nanoTime() - start) / 1e9,
        sigma);
  }

  private LearnResult result() {
    return new LearnResult(
        "permuted images, " + data.train().imageSize() + "-" + settings.hidden() + "-" + ImageSet.CLASSES + ", batch 1, "
            + settings.stepsPerTask() + " steps per task",
        data.description(), settings, machine, environment, List.copyOf(done.values()));
  }
}
