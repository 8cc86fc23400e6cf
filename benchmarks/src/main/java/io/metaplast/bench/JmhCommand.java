package io.metaplast.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code jmh}: the JMH benchmarks; everything behind the command goes to JMH. */
@Command(
    name = "jmh",
    description = {
      "Runs the JMH benchmarks; arguments go to JMH: 'jmh -l' lists, 'jmh -h' helps,",
      "'jmh StepBenchmark -p backend=avx512 -p n=39700 -prof gc' runs some of them.",
      "Results also go to results/ as JSON, unless -rf or -rff is given."
    })
final class JmhCommand implements Callable<Integer> {
  @Parameters(arity = "0..*", paramLabel = "ARGS", description = "Arguments of JMH.")
  private List<String> arguments = new ArrayList<>();

  @Override
  public Integer call() throws IOException {
    List<String> all = new ArrayList<>(arguments);
    boolean onlyShows = all.stream().anyMatch(List.of("-l", "-lp", "-lprof", "-lrf", "-h")::contains);
    if (!onlyShows && !all.contains("-rf") && !all.contains("-rff")) {
      Path file = Machine.results(LocalDate.now(ZoneOffset.UTC) + "-" + Machine.here().shortName() + "-jmh.json");
      Files.createDirectories(file.getParent());
      all.addAll(List.of("-rf", "json", "-rff", file.toString()));
    }
    org.openjdk.jmh.Main.main(all.toArray(String[]::new));
    return 0;
  }

  /** Lets every option through to JMH. */
  static void configure(CommandLine main) {
    main.getSubcommands().get("jmh").setUnmatchedOptionsArePositionalParams(true).setStopAtPositional(true);
  }
}
