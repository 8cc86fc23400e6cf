package io.metaplast.continual;

import io.metaplast.BackendKind;
import io.metaplast.BackendOptions;
import io.metaplast.Metaplast;
import io.metaplast.bench.Machine;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code learn mesu}: permuted MNIST at batch 1 with MESU and the rules it is compared with. */
@Command(
    name = "mesu",
    mixinStandardHelpOptions = true,
    showDefaultValues = true,
    description = {
      "Permuted MNIST, 784-50-10, batch 1, K = 10 (Bonnet et al. 2025): accuracy, uncertainty and time per task.",
      "An interrupted run continues where the last finished task ended, when started again with the same options."
    })
final class MesuCommand implements Callable<Integer> {
  /** Where the random numbers of the backward pass come from. */
  enum Epsilon {
    STORED,
    REGENERATED
  }

  @Mixin private DataOptions data;

  @Option(names = "--ood", paramLabel = "DIR", description = "Folder with another set (t10k-images-idx3-ubyte), for example Fashion-MNIST.")
  private Path outOfDistribution;

  @Option(names = "--method", split = ",", paramLabel = "NAME", defaultValue = "mesu",
      description = "all, or a list of mesu, bgd, sgd, ewc-online, si.")
  private List<String> methods;

  @Option(names = "--tasks", defaultValue = "200", description = "Permutations to learn.")
  private int tasks;

  @Option(names = "--steps", paramLabel = "N", description = "Training images per task; default: all (60,000).")
  private Integer steps;

  @Option(names = "--limit", paramLabel = "N",
      description = "Test images per permutation; default: as published, whole batches of 128 (9,984).")
  private Integer limit;

  @Option(names = "--hidden", defaultValue = "50", description = "Hidden units.")
  private int hidden;

  @Option(names = "--samples", defaultValue = "10", description = "Monte-Carlo samples K.")
  private int samples;

  @Option(names = "--seed", defaultValue = "1000", description = "Seed of all random numbers; the authors use 1000 to 1004.")
  private long seed;

  @Option(names = "--backend", description = "${COMPLETION-CANDIDATES}; default: the best that works.",
      showDefaultValue = Visibility.NEVER)
  private BackendKind backend;

  @Option(names = "--threads", paramLabel = "N",
      description = "Threads of library and matrix products; default: all processors. Results do not depend on it.")
  private Integer threads;

  @Option(names = "--evaluate", defaultValue = "last5", description = "Tasks to test after each task: last5 (and the first), or all.")
  private LearnSettings.Tested evaluate;

  @Option(names = "--all-every", paramLabel = "N", defaultValue = "20",
      description = "Test all tasks so far after every N tasks; 0: only at the end.")
  private int allEvery;

  @Option(names = "--memory-window", defaultValue = "300000", description = "MESU: N, in batches.")
  private double memoryWindow;

  @Option(names = "--prior-mean", defaultValue = "0", description = "MESU.")
  private double priorMean;

  @Option(names = "--prior-sigma", defaultValue = "1", description = "MESU.")
  private double priorSigma;

  @Option(names = "--rate-mean", defaultValue = "1", description = "MESU: learning rate of mu.")
  private double rateMean;

  @Option(names = "--rate-sigma", defaultValue = "1", description = "MESU: learning rate of sigma.")
  private double rateSigma;

  @Option(names = "--clamp-grad", defaultValue = "0", description = "MESU: clip of gradients to +-c/sigma; 0 = off, as published.")
  private double clampGrad;

  @Option(names = "--sigma-floor", defaultValue = "0", description = "MESU: lower limit of sigma; 0 = none, as published.")
  private double sigmaFloor;

  @Option(names = "--bgd-rate", defaultValue = "1", description = "BGD: eta.")
  private double bgdRate;

  @Option(names = "--rate", defaultValue = "0.002", description = "Learning rate of the point networks (sgd, ewc-online, si).")
  private double pointRate;

  @Option(names = "--ewc-lambda", defaultValue = "2", description = "Online EWC: strength.")
  private double ewcStrength;

  @Option(names = "--ewc-decay", defaultValue = "0.2", description = "Online EWC: decay of the Fisher information.")
  private double ewcDecay;

  @Option(names = "--si-c", defaultValue = "1e-4", description = "SI: strength.")
  private double siStrength;

  @Option(names = "--si-xi", defaultValue = "1", description = "SI: damping.")
  private double siDamping;

  @Option(names = "--epsilon", defaultValue = "stored",
      description = "Random numbers of the backward pass: stored or regenerated; same results.")
  private Epsilon epsilon;

  @Option(names = "--profile", description = "Time the phases of the Bayesian step.")
  private boolean profiled;

  @Option(names = "--out", paramLabel = "DIR", description = "Folder of results and progress; default: results/learn-... of this module.")
  private Path out;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    PrintWriter console = spec.commandLine().getOut();
    BackendOptions options = LearnCommand.backend(backend, threads);
    List<LearnMethod> chosen = chosen();
    LearnData sets = data.load(outOfDistribution);
    LearnSettings settings = settings(sets);
    Path folder = out == null ? defaultFolder(settings) : out;
    try (ProgressDisplay display = new ProgressDisplay(console)) {
      PermutedImages.Options run = new PermutedImages.Options(tasks, chosen, options, epsilon == Epsilon.STORED, profiled, folder);
      LearnResult result = PermutedImages.run(sets, settings, run, display);
      console.println(LearnTable.of(result));
      console.println("Tables, charts and settings are in " + folder);
      console.flush();
    }
    return 0;
  }

  private List<LearnMethod> chosen() {
    List<LearnMethod> chosen = new ArrayList<>();
    for (String name : methods) {
      for (LearnMethod method : name.equals("all") ? List.of(LearnMethod.values()) : List.of(LearnMethod.of(name))) {
        if (!chosen.contains(method)) {
          chosen.add(method);
        }
      }
    }
    return chosen;
  }

  private LearnSettings settings(LearnData sets) {
    return new LearnSettings(
        Metaplast.NUMERICS_VERSION,
        sets.train().sha256(),
        sets.test().sha256(),
        sets.outOfDistribution() == null ? "" : sets.outOfDistribution().sha256(),
        seed,
        steps == null ? sets.train().count() : steps,
        limit == null ? LearnSettings.fullTest(sets.test().count()) : limit,
        hidden,
        samples,
        evaluate,
        allEvery,
        memoryWindow,
        priorMean,
        priorSigma,
        rateMean,
        rateSigma,
        clampGrad,
        sigmaFloor,
        bgdRate,
        pointRate,
        ewcStrength,
        ewcDecay,
        siStrength,
        siDamping);
  }

  private Path defaultFolder(LearnSettings settings) {
    String set = data.set();
    return Machine.results("learn-permuted-" + set + "-h" + hidden + "-s" + settings.stepsPerTask() + "-seed" + seed);
  }
}
