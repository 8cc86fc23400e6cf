package io.metaplast.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.metaplast.BackendInfo;
import io.metaplast.BackendKind;
import io.metaplast.Metaplast;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code info}: what this machine has, and why a backend is out. */
@Command(name = "info", mixinStandardHelpOptions = true, description = "Prints this machine, every backend and why one is not available.")
final class InfoCommand implements Callable<Integer> {
  @Option(names = "--json", description = "Print JSON instead of text.")
  private boolean json;

  @Option(names = "--require", paramLabel = "BACKEND",
      description = "Exit with 1 unless this backend is available: ${COMPLETION-CANDIDATES}.")
  private BackendKind require;

  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    Machine machine = Machine.here();
    List<BackendInfo> backends = Metaplast.probe();
    if (json) {
      Map<String, Object> all = new LinkedHashMap<>();
      all.put("machine", machine);
      all.put("backends", backends);
      out.println(new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValueAsString(all));
    } else {
      print(machine, backends, out);
    }
    out.flush();
    if (require != null) {
      for (BackendInfo info : backends) {
        if (info.kind() == require && !info.available()) {
          spec.commandLine().getErr().println("required backend " + name(require) + " is not available: " + info.reason());
          return 1;
        }
      }
    }
    return 0;
  }

  /** Prints the fingerprint and one block per backend. */
  static void print(Machine machine, List<BackendInfo> backends, PrintWriter out) {
    out.println("Metaplast " + machine.library() + ", numerics version " + machine.numericsVersion() + ", commit " + machine.commit());
    line(out, "java", machine.java());
    line(out, "os", machine.os());
    line(out, "cpu", machine.cpu() + ", " + machine.cores() + " logical processors, " + (machine.memoryBytes() >> 30) + " GiB");
    line(out, "native build", machine.build());
    out.println();
    for (BackendInfo info : backends) {
      String isa = info.isa().isEmpty() ? "" : ", " + info.isa();
      String threads = info.threads() > 0 ? ", " + info.threads() + (info.threads() == 1 ? " thread" : " threads") : "";
      out.println(
          String.format(Locale.ROOT, "%-5s ", name(info.kind()))
              + (info.available() ? "available: " + info.device() + isa + threads : "not available: " + info.reason()));
      info.details().forEach((key, value) -> line(out, key, value));
    }
  }

  static String name(BackendKind kind) {
    return kind.name().toLowerCase(Locale.ROOT);
  }

  private static void line(PrintWriter out, String key, String value) {
    out.println(String.format(Locale.ROOT, "      %-25s %s", key, value));
  }
}
