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

/** {@code learn kfac}: permuted MNIST with batch norm, held by Kronecker-factored curvature of earlier tasks. */
@Command(
    name = "kfac",
    mixinStandardHelpOptions = true,
    showDefaultValues = true,
    description = {
      "Permuted MNIST, 784-h-h-10 with batch norm: Kronecker-factored curvature of earlier tasks, plain and extended by the relations between",
      "examples that batch norm makes (after Lee et al. 2020), beside EWC and no penalty.",
      "An interrupted run continues where the last finished task ended, when started again with the same options.",
      "--campaign runs all settings that are compared, over several seeds; several processes may share its folder."
    })
final class KfacCommand implements Callable<Integer> {
  @Option(names = "--campaign", description = "All settings that are compared; then the options --methods, --memory, --optimizer, --offset are not looked at.")
  private boolean campaign;

  @Option(names = "--collect", description = "campaign: write the tables of the runs that are finished, and run nothing.")
  private boolean collect;

  @Option(names = "--seeds", paramLabel = "N", defaultValue = "5", description = "campaign: seeds from --seed on.")
  private int seeds;

  @Mixin private DataOptions data;

  @Option(names = "--methods", split = ",", paramLabel = "NAME", defaultValue = "none,ewc,plain,extended",
      description = "A list of none, ewc, plain, extended, merged (statistics fixed after the first task and merged into the weights).")
  private List<String> methods;

  @Option(names = "--memory", defaultValue = "pair", description = "pair: one curvature for all earlier tasks; list: one for each.")
  private KfacSettings.Memory memory;

  @Option(names = "--optimizer", defaultValue = "adam", description = "adam, or sgd with momentum .9.")
  private KfacSettings.Optimizer optimizer;

  @Option(names = "--offset", defaultValue = "0", description = "Added to the pixels, which are 0 to 1.")
  private double offset;

  @Option(names = "--tasks", paramLabel = "N", defaultValue = "10", description = "Tasks; the first has no permutation.")
  private int tasks;

  @Option(names = "--epochs", paramLabel = "N", defaultValue = "" + KfacSettings.EPOCHS, description = "Epochs per task.")
  private int epochs;

  @Option(names = "--hidden", paramLabel = "N", defaultValue = "" + KfacSettings.HIDDEN, description = "Units of each of the two hidden layers.")
  private int hidden;

  @Option(names = "--batch", paramLabel = "N", defaultValue = "" + KfacSettings.BATCH, description = "Training images per step.")
  private int batch;

  @Option(names = "--limit-train", paramLabel = "N", description = "Training images per task; default: all.")
  private Integer limitTrain;

  @Option(names = "--limit-test", paramLabel = "N", description = "Test images per test, which share their batch statistics; default: all.")
  private Integer limitTest;

  @Option(names = "--curvature-batches", paramLabel = "N",
      description = "Batches that the curvature of a task is estimated from; default: 200, or all if there are fewer.")
  private Integer curvatureBatches;

  @Option(names = "--rate", description = "Learning rate at the start of a task; default: 0.001 for adam, 0.05 for sgd.",
      showDefaultValue = Visibility.NEVER)
  private Double rate;

  @Option(names = "--weight-decay", defaultValue = "" + KfacSettings.WEIGHT_DECAY, description = "Pull of the matrices towards the last optimum.")
  private double weightDecay;

  @Option(names = "--seed", defaultValue = "1", description = "Seed of all random numbers.")
  private long seed;

  @Option(names = "--backend", description = "CPU or JAVA; default: CPU where it works.", showDefaultValue = Visibility.NEVER)
  private BackendKind backend;

  @Option(names = "--threads", paramLabel = "N", description = "Threads of library and matrix products; default: all processors.")
  private Integer threads;

  @Option(names = "--out", paramLabel = "DIR", description = "Folder of results and progress; default: results/learn-kfac-... of this module.")
  private Path out;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    PrintWriter console = spec.commandLine().getOut();
    BackendOptions options = LearnCommand.backend(backend, threads);
    LearnData sets = data.load(null);
    KfacSettings settings = settings(sets);
    Path folder = out == null ? defaultFolder(settings) : out;
    try (ProgressDisplay display = new ProgressDisplay(console)) {
      display.notice("data: " + sets.description());
      if (campaign) {
        KfacCampaign whole = new KfacCampaign(sets, settings, seeds, tasks, options, folder);
        console.println(collect ? whole.collect() : whole.run(display));
      } else {
        List<KfacMethod> chosen = methods.stream().map(KfacMethod::of).distinct().toList();
        console.println(KfacTable.of(KfacExperiment.run(sets, settings, new KfacExperiment.Options(tasks, chosen, options, folder), display)));
      }
      console.println("Tables, charts and settings are in " + folder);
      console.flush();
    }
    return 0;
  }

  private KfacSettings settings(LearnData sets) {
    int images = limitTrain == null ? sets.train().count() : limitTrain;
    return new KfacSettings(
        Metaplast.NUMERICS_VERSION,
        sets.train().sha256(),
        sets.test().sha256(),
        seed,
        memory,
        optimizer,
        offset,
        hidden,
        epochs,
        batch,
        images,
        limitTest == null ? sets.test().count() : limitTest,
        curvatureBatches == null ? Math.min(KfacSettings.CURVATURE_BATCHES, images / batch) : curvatureBatches,
        rate == null ? optimizer.rate() : rate,
        weightDecay);
  }

  private Path defaultFolder(KfacSettings settings) {
    String set = data.set();
    String size = set + "-h" + hidden + "-n" + settings.images() + "-e" + epochs;
    String scene =
        campaign
            ? "campaign-" + size + "-seeds" + seed + "-" + (seed + seeds - 1)
            : memory.name().toLowerCase(Locale.ROOT) + "-" + optimizer.name().toLowerCase(Locale.ROOT) + "-offset" + offset + "-" + size + "-seed"
                + seed;
    return Machine.results("learn-kfac-" + scene);
  }
}
