package io.metaplast.continual;

import io.metaplast.BackendKind;
import io.metaplast.BackendOptions;
import io.metaplast.bench.Machine;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code learn curvature}: Kronecker approximations of curvature under batch norm against the exact block. */
@Command(
    name = "curvature",
    mixinStandardHelpOptions = true,
    showDefaultValues = true,
    description = {
      "Plain, centred and extended Kronecker factors of a small layer with batch norm behind it, against the exact Gauss-Newton block. Seconds.",
      "Exit code 1 if something that has to hold does not."
    })
final class CurvatureCommand implements Callable<Integer> {
  @Option(names = "--seeds", paramLabel = "N", defaultValue = "200", description = "Draws of weights and inputs.")
  private int seeds;

  @Option(names = "--seed", defaultValue = "1", description = "The first of them.")
  private long seed;

  @Option(names = "--backend", description = "${COMPLETION-CANDIDATES}; default: the best that works.", showDefaultValue = Visibility.NEVER)
  private BackendKind backend;

  @Option(names = "--out", paramLabel = "DIR", description = "Folder of results; default: results/learn-curvature-... of this module.")
  private Path out;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    PrintWriter console = spec.commandLine().getOut();
    BackendOptions options = LearnCommand.backend(backend, null);
    Path folder = out == null ? Machine.results("learn-curvature-seeds" + seed + "-" + (seed + seeds - 1)) : out;
    try (ProgressDisplay display = new ProgressDisplay(console)) {
      CurvatureStudy.Result result = CurvatureStudy.run(new CurvatureStudy.Settings(seed, seeds), options, folder, display);
      console.println(CurvatureStudy.text(result));
      console.println("Table, chart and settings are in " + folder);
      console.flush();
      return result.gates().stream().allMatch(CurvatureStudy.Gate::met) ? 0 : 1;
    }
  }
}
