package io.metaplast.continual;

import io.metaplast.BackendKind;
import io.metaplast.BackendOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code learn}: a short stream with every method; {@code learn mesu}, {@code learn bnn}, {@code learn kfac}: the papers' experiments. */
@Command(
    name = "learn",
    mixinStandardHelpOptions = true,
    description = {
      "Without a sub-command: three short tasks with every method, in seconds.",
      "learn mesu: permuted MNIST as in the MESU paper.",
      "learn bnn: binarized networks with metaplastic Adam.",
      "learn kfac: Kronecker-factored curvature and batch norm.",
      "learn curvature: Kronecker factors against the exact curvature of a small layer."
    },
    subcommands = {MesuCommand.class, BnnCommand.class, KfacCommand.class, CurvatureCommand.class})
public final class LearnCommand implements Callable<Integer> {
  @Option(names = "--data", paramLabel = "DIR", description = "Folder with MNIST in IDX files; without it, synthetic digits.")
  private Path data;

  @Option(names = "--ood", paramLabel = "DIR", description = "Folder with another set (t10k-images-idx3-ubyte), for example Fashion-MNIST.")
  private Path outOfDistribution;

  @Option(names = "--backend", description = "${COMPLETION-CANDIDATES}; default: the best that works.")
  private BackendKind backend;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    BackendOptions options = backend(backend, null);
    try (ProgressDisplay display = new ProgressDisplay(out)) {
      LearnResult result = LearnSmoke.run(options, data, outOfDistribution, display);
      out.println(LearnTable.of(result));
      out.flush();
    }
    return 0;
  }

  /** What --backend and --threads ask for, either of which may be missing. */
  static BackendOptions backend(BackendKind kindOrNull, Integer threadsOrNull) {
    BackendOptions options = kindOrNull == null ? BackendOptions.defaults() : BackendOptions.of(kindOrNull);
    return threadsOrNull == null ? options : options.withThreads(threadsOrNull);
  }
}
