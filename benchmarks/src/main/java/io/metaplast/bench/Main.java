package io.metaplast.bench;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** Entry point of {@code ./benchmarks/run}. */
@Command(
    name = "run",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    description = "Metaplast: what this machine has, whether every kernel is right on it, and how fast it is.",
    subcommands = {InfoCommand.class, VerifyCommand.class})
public final class Main implements Runnable {
  /** The library's version. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {"Metaplast " + io.metaplast.Metaplast.version()};
    }
  }

  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Override
  public void run() {
    spec.commandLine().usage(System.out);
  }

  /** Runs the command line and exits with its code: 0 fine, 1 a check failed, 2 wrong usage. */
  public static void main(String[] args) {
    System.exit(commandLine().execute(args));
  }

  static CommandLine commandLine() {
    return new CommandLine(new Main())
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
