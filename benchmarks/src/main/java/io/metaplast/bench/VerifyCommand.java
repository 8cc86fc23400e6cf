package io.metaplast.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import me.tongfei.progressbar.ProgressBar;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code verify}: every kernel on every backend present, bit for bit or within its bound. */
@Command(name = "verify", mixinStandardHelpOptions = true,
    description = "Compares every kernel on every backend and tier with the Java backend and stored hashes.")
final class VerifyCommand implements Callable<Integer> {
  @Option(names = "--store", paramLabel = "FILE", hidden = true,
      description = "Write the Java backend's hashes (after a change of the numerics version).")
  private Path store;

  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    if (store != null) {
      StringBuilder text = new StringBuilder("# FNV-1a over all outputs of all sizes of a kernel, Java backend.");
      text.append(" Changes only with NUMERICS_VERSION or the cases themselves.").append(System.lineSeparator());
      for (Map.Entry<String, Long> entry : Verification.hashes().entrySet()) {
        text.append(String.format(Locale.ROOT, "%016x %s%n", entry.getValue(), entry.getKey()));
      }
      Files.writeString(store, text, StandardCharsets.US_ASCII);
      return 0;
    }
    List<Lane> lanes = Lane.present();
    List<Verification.Row> rows = run(lanes);
    out.println(Verification.format(rows, lanes));
    out.println(summary(rows));
    return Verification.failures(rows) == 0 ? 0 : 1;
  }

  /** Runs the verification under a progress bar on standard error. */
  static List<Verification.Row> run(List<Lane> lanes) {
    try (ProgressBar bar = Console.bar("verify", KernelChecks.ALL.size())) {
      return new Verification(lanes).run(
          kernel -> {
            bar.setExtraMessage(kernel);
            bar.step();
          });
    }
  }

  static String summary(List<Verification.Row> rows) {
    int failures = Verification.failures(rows);
    int checks = Verification.checks(rows);
    return failures == 0
        ? "verified: " + checks + " comparisons: all bits equal, or, for the " + Verification.boundedChecks(rows)
            + " of kernels whose bits belong to a backend, within the published bounds and equal on other threads"
        : "NOT verified: " + failures + " of " + checks + " comparisons failed";
  }
}
