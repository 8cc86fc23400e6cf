package io.metaplast.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.metaplast.BackendInfo;
import io.metaplast.Metaplast;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import me.tongfei.progressbar.ProgressBar;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code compare}: backends, peers and the roof side by side. */
@Command(
    name = "compare",
    mixinStandardHelpOptions = true,
    description = {
      "Times the backends of this machine side by side: verified first, one process, interleaved rounds,",
      "memory roof measured in the same rounds.",
      "With METAPLAST_PYTORCH=1 in the environment, PyTorch's CPU library takes part."
    })
final class CompareCommand implements Callable<Integer> {
  @Option(names = "--full", description = "More sections, and every tier in every section.")
  private boolean full;

  @Option(names = "--rounds", defaultValue = "25", description = "Interleaved rounds per section (default ${DEFAULT-VALUE}).")
  private int rounds;

  @Option(names = "--threads", paramLabel = "N", description = "Threads of the multi-threaded sections (default: all processors).")
  private Integer threads;

  @Option(names = "--large", paramLabel = "N", defaultValue = "20000000",
      description = "Parameters of the out-of-cache sections (default ${DEFAULT-VALUE}).")
  private int large;

  @Option(
      names = "--cpu-time",
      description = "Count processor time in one-thread sections: for machines that are never quiet. The tables say so.")
  private boolean cpuTime;

  @Option(names = "--only", paramLabel = "REGEX", description = "Only sections whose title contains a match, such as 'damped inverse'.")
  private Pattern only;

  @Option(names = "--json", paramLabel = "FILE",
      description = "Where to store the result (default: results/<date>-<machine>.json beside the run script).")
  private Path json;

  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    if (rounds < 1 || large < 1 || threads != null && (threads < 1 || threads > 1024)) {
      throw new CommandLine.ParameterException(spec.commandLine(), "--rounds and --large must be at least 1, --threads in 1..1024");
    }
    Machine machine = Machine.here();
    InfoCommand.print(machine, Metaplast.probe(), out);
    out.println();
    out.flush();
    int count = threads == null ? machine.cores() : threads;
    List<Comparison.Section> sections = run(new Comparison.Plan(rounds, 2 * rounds, count, large, full, true, cpuTime), Lane.present(), only);
    for (Comparison.Section section : sections) {
      out.println(ComparisonText.of(section));
    }
    Path file = json != null ? json : Machine.results(LocalDate.now(ZoneOffset.UTC) + "-" + machine.shortName() + ".json");
    if (file.toAbsolutePath().getParent() != null) {
      Files.createDirectories(file.toAbsolutePath().getParent());
    }
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("kind", "compare");
    result.put("date", LocalDate.now(ZoneOffset.UTC).toString());
    result.put("machine", machine);
    result.put("backends", Metaplast.probe().stream().map(CompareCommand::withoutFolder).toList());
    result.put("sections", sections);
    new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValue(file.toFile(), result);
    out.println("stored in " + file);
    out.flush();
    return 0;
  }

  /** The backend with the name of its library only: a recorded result holds no folders of the machine it was made on. */
  private static BackendInfo withoutFolder(BackendInfo info) {
    Map<String, String> details = new LinkedHashMap<>(info.details());
    details.computeIfPresent("library", (key, path) -> String.valueOf(Path.of(path).getFileName()));
    return new BackendInfo(info.kind(), info.available(), info.reason(), info.device(), info.isa(), info.threads(), details);
  }

  /** Runs the comparison under a progress bar on standard error. */
  static List<Comparison.Section> run(Comparison.Plan plan, List<Lane> lanes) {
    return run(plan, lanes, null);
  }

  private static List<Comparison.Section> run(Comparison.Plan plan, List<Lane> lanes, Pattern only) {
    ProgressBar[] bar = new ProgressBar[1];
    Comparison comparison =
        new Comparison(
            plan,
            lanes,
            title -> {
              bar[0].setExtraMessage(title);
              bar[0].step();
            });
    comparison.only(only);
    try (ProgressBar open = Console.bar("compare", comparison.progressSteps())) {
      bar[0] = open;
      return comparison.run();
    }
  }
}
