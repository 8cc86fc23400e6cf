package io.metaplast.bench;

import io.metaplast.BackendInfo;
import io.metaplast.BackendOptions;
import io.metaplast.Metaplast;
import io.metaplast.continual.BnnResult;
import io.metaplast.continual.BnnSmoke;
import io.metaplast.continual.BnnTable;
import io.metaplast.continual.KfacResult;
import io.metaplast.continual.KfacSmoke;
import io.metaplast.continual.KfacTable;
import io.metaplast.continual.LearnCommand;
import io.metaplast.continual.LearnListener;
import io.metaplast.continual.LearnResult;
import io.metaplast.continual.LearnSmoke;
import io.metaplast.continual.LearnTable;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import me.tongfei.progressbar.ProgressBar;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Entry point of {@code ./benchmarks/run}. Without a sub-command: the whole tour, in a few minutes. */
@Command(
    name = "run",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    description = {
      "Metaplast: what this machine has, whether every kernel is right on it, and how fast it is.",
      "Without a command: all of it in short, and an HTML report."
    },
    subcommands = {InfoCommand.class, VerifyCommand.class, CompareCommand.class, LearnCommand.class, JmhCommand.class})
public final class Main implements Callable<Integer> {
  /** Few rounds: the tour shows, {@code compare} measures. */
  private static final int TOUR_ROUNDS = 7;

  private static final int TOUR_PARAMETERS = 20_000_000;

  @Option(names = "--report", paramLabel = "DIR",
      description = "Where to write the HTML report (default: target/report beside the run script).")
  private Path report;

  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  /** The library's version. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {"Metaplast " + Metaplast.version()};
    }
  }

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    Machine machine = Machine.here();
    List<BackendInfo> backends = Metaplast.probe();
    InfoCommand.print(machine, backends, out);
    heading(out, "Verification");
    List<Lane> lanes = Lane.present();
    List<Verification.Row> verification = VerifyCommand.run(lanes);
    out.println(Verification.format(verification, lanes));
    out.println(VerifyCommand.summary(verification));
    if (Verification.failures(verification) > 0) {
      out.println("No figure is measured with kernels that are wrong.");
      out.flush();
      return 1;
    }
    heading(out, "Speed");
    Comparison.Plan plan = new Comparison.Plan(TOUR_ROUNDS, TOUR_ROUNDS / 2, machine.cores(), TOUR_PARAMETERS, false, false, false);
    List<Comparison.Section> sections = CompareCommand.run(plan, lanes);
    sections.forEach(section -> out.println(ComparisonText.of(section)));
    heading(out, "Learning");
    LearnResult learned;
    try (ProgressBar bar = Console.bar("learn", LearnSmoke.totalSteps())) {
      learned = LearnSmoke.run(BackendOptions.defaults(), null, null, listener(bar, out));
    }
    out.println(LearnTable.of(learned));
    BnnResult binarized;
    try (ProgressBar bar = Console.bar("learn bnn", BnnSmoke.totalSteps())) {
      binarized = BnnSmoke.run(BackendOptions.defaults(), listener(bar, out));
    }
    out.println(BnnTable.of(binarized));
    KfacResult kronecker;
    try (ProgressBar bar = Console.bar("learn kfac", KfacSmoke.totalSteps())) {
      kronecker = KfacSmoke.run(BackendOptions.defaults(), listener(bar, out));
    }
    out.println(KfacTable.of(kronecker));
    Path folder = report == null ? Machine.home().resolve("target").resolve("report") : report;
    out.println("Report: " + Report.write(folder, machine, backends, lanes, verification, sections, learned, binarized, kronecker).toUri());
    out.flush();
    return 0;
  }

  private static LearnListener listener(ProgressBar bar, PrintWriter out) {
    return new LearnListener() {
      @Override
      public void start(String method, long steps, long finishedSteps, int finishedTasks) {
        bar.setExtraMessage(method);
      }

      @Override
      public void steps(int steps) {
        bar.stepBy(steps);
      }

      @Override
      public void end(String method) {
        bar.setExtraMessage("");
      }

      @Override
      public void notice(String message) {
        out.println(message);
      }
    };
  }

  private static void heading(PrintWriter out, String title) {
    out.println();
    out.println("== " + title + " ==");
    out.flush();
  }

  /** Runs the command line and exits with its code: 0 fine, 1 a check failed, 2 wrong usage. */
  public static void main(String[] args) {
    System.exit(commandLine().execute(args));
  }

  static CommandLine commandLine() {
    CommandLine main = new CommandLine(new Main());
    JmhCommand.configure(main);
    return main
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setExecutionExceptionHandler(
            (error, command, parsed) -> {
              command.getErr().println("error: " + error.getMessage());
              if (System.getProperty("metaplast.bench.trace") != null) {
                error.printStackTrace(command.getErr());
              }
              return 1;
            });
  }
}
