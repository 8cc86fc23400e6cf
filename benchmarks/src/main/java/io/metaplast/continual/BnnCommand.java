package io.metaplast.continual;

import io.metaplast.BackendKind;
import io.metaplast.BackendOptions;
import io.metaplast.Metaplast;
import io.metaplast.bench.Machine;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code learn bnn}: binarized networks with metaplastic Adam, and the rules it is compared with. */
@Command(
    name = "bnn",
    mixinStandardHelpOptions = true,
    showDefaultValues = true,
    description = {
      "Binarized networks (Laborieux et al. 2021): permuted MNIST or a stream of parts of MNIST, with metaplastic Adam, plain Adam and EWC;",
      "or the quadratic binary task.",
      "An interrupted run continues where the last finished task ended, when started again with the same options."
    })
final class BnnCommand implements Callable<Integer> {
  /** What is run. */
  enum Experiment {
    PERMUTED,
    STREAM,
    QUADRATIC
  }

  @Option(names = "--experiment", defaultValue = "permuted",
      description = "${COMPLETION-CANDIDATES}: pixel permutations; parts of the data set, each seen once; the quadratic task.")
  private Experiment experiment;

  @Option(names = "--scenario", defaultValue = "task",
      description = "permuted: task = scale and shift of batch norm are kept per task; domain = one network, no task labels.")
  private BnnSettings.Scenario scenario;

  @Mixin private DataOptions data;

  @Option(names = "--methods", split = ",", paramLabel = "NAME", defaultValue = "meta",
      description = {
        "A list of meta (one run per value of --meta), ewc, random (EWC with shuffled importance),",
        "at-once (stream: all images together)."
      })
  private List<String> methods;

  @Option(names = "--meta", split = ",", paramLabel = "M",
      description = "Values of metaplasticity; default: 0,1.35, stream: 0,2.5.", showDefaultValue = Visibility.NEVER)
  private List<Double> metas;

  @Option(names = "--tasks", paramLabel = "N", description = "Default: 6 permutations, or 60 parts of the stream.")
  private Integer tasks;

  @Option(names = "--epochs", paramLabel = "N", description = "Epochs per task; default: 10 (published: 40), stream: 20 as published.")
  private Integer epochs;

  @Option(names = "--hidden", paramLabel = "N",
      description = "Units of each of the two hidden layers; default: 512 (published: 4096), stream: 1024 as published.")
  private Integer hidden;

  @Option(names = "--batch", defaultValue = "100", description = "Training images per step.")
  private int batch;

  @Option(names = "--test-batch", defaultValue = "1000", description = "Test images that share their batch statistics.")
  private int testBatch;

  @Option(names = "--part", paramLabel = "N", defaultValue = "1000", description = "stream: images per part.")
  private int part;

  @Option(names = "--limit-train", paramLabel = "N", description = "permuted: training images per task; default: all.")
  private Integer limitTrain;

  @Option(names = "--limit-test", paramLabel = "N", description = "Test images per test; default: all whole test batches.")
  private Integer limitTest;

  @Option(names = "--test-every", paramLabel = "N", description = "Epochs between tests; default: 1, stream: only at the end of a part.")
  private Integer testEvery;

  @Option(names = "--rate", defaultValue = "0.005", description = "Learning rate of Adam.")
  private double rate;

  @Option(names = "--weight-decay", defaultValue = "1e-7", description = "Added to the gradient, times the hidden weight.")
  private double weightDecay;

  @Option(names = "--ewc-lambda", defaultValue = "5000", description = "EWC: strength.")
  private double ewcStrength;

  @Option(names = "--fisher-images", paramLabel = "N", defaultValue = "5000", description = "EWC: images per task for the Fisher information.")
  private int fisherImages;

  @Option(names = "--seed", defaultValue = "1000", description = "Seed of all random numbers.")
  private long seed;

  @Option(names = "--backend", description = "${COMPLETION-CANDIDATES}; default: the best that works.",
      showDefaultValue = Visibility.NEVER)
  private BackendKind backend;

  @Option(names = "--threads", paramLabel = "N", description = "Threads of the library; default: all processors. Results do not depend on it.")
  private Integer threads;

  @Option(names = "--out", paramLabel = "DIR", description = "Folder of results and progress; default: results/learn-bnn-... of this module.")
  private Path out;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    PrintWriter console = spec.commandLine().getOut();
    BackendOptions options = LearnCommand.backend(backend, threads);
    try (ProgressDisplay display = new ProgressDisplay(console)) {
      Path folder;
      if (experiment == Experiment.QUADRATIC) {
        folder = out == null ? Machine.results("learn-bnn-quadratic-seed" + seed) : out;
        QuadraticExperiment.Settings settings = QuadraticExperiment.Settings.published(seed);
        console.println(QuadraticExperiment.table(QuadraticExperiment.run(settings, options, folder, display)));
      } else {
        boolean stream = experiment == Experiment.STREAM;
        List<Double> values = metas != null ? metas : stream ? List.of(0.0, 2.5) : List.of(0.0, 1.35);
        List<BnnMethod> chosen = BnnMethod.of(methods, values);
        LearnData sets = data.load(null);
        int count = tasks != null ? tasks : stream ? 60 : 6;
        BnnSettings settings = settings(sets, stream, count);
        folder = out == null ? defaultFolder(settings) : out;
        if (stream && data.given()) {
          display.notice("published with Fashion-MNIST; here with the set of --data");
        }
        console.println(BnnTable.of(BnnExperiment.run(sets, settings, new BnnExperiment.Options(count, chosen, options, folder), display)));
      }
      console.println("Tables, charts and settings are in " + folder);
      console.flush();
    }
    return 0;
  }

  private BnnSettings settings(LearnData sets, boolean stream, int count) {
    int epochsPerTask = epochs != null ? epochs : stream ? 20 : 10;
    int images = stream ? Math.multiplyExact(count, part) : limitTrain == null ? sets.train().count() : limitTrain;
    return new BnnSettings(
        Metaplast.NUMERICS_VERSION,
        sets.train().sha256(),
        sets.test().sha256(),
        stream ? BnnSettings.Experiment.STREAM : BnnSettings.Experiment.PERMUTED,
        scenario,
        seed,
        hidden != null ? hidden : stream ? 1024 : 512,
        epochsPerTask,
        batch,
        testBatch,
        images,
        stream ? part : images,
        limitTest == null ? sets.test().count() / testBatch * testBatch : limitTest,
        testEvery != null ? testEvery : stream ? epochsPerTask : 1,
        rate,
        weightDecay,
        ewcStrength,
        fisherImages);
  }

  private Path defaultFolder(BnnSettings settings) {
    String set = data.set();
    String scene = experiment == Experiment.STREAM ? "stream" : "permuted-" + scenario.name().toLowerCase(Locale.ROOT);
    return Machine.results(
        "learn-bnn-" + scene + "-" + set + "-h" + settings.hidden() + "-n" + settings.images() + "-e" + settings.epochs() + "-seed" + seed);
  }
}
