package io.metaplast.bench;

import com.fasterxml.jackson.annotation.JsonIgnore;
import io.metaplast.BackendInfo;
import io.metaplast.BackendKind;
import io.metaplast.Metaplast;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import oshi.SystemInfo;
import oshi.hardware.CentralProcessor;

/**
 * The fingerprint that every recorded result carries.
 *
 * @param cpu CPU brand, or family and model where the brand hides them
 * @param cores logical processors this process may use
 * @param memoryBytes physical memory
 * @param os operating system and kernel
 * @param java runtime name and version
 * @param javaOptions JVM options that bear on speed
 * @param library version of the library
 * @param numericsVersion NUMERICS_VERSION
 * @param commit commit of the working tree, with "+changes" when it was not clean
 * @param build how the native library was built, or why there is none
 */
public record Machine(
    String cpu, int cores, long memoryBytes, String os, String java, List<String> javaOptions, String library, int numericsVersion,
    String commit, String build) {
  /** Looks at this machine. */
  public static Machine here() {
    SystemInfo system = new SystemInfo();
    CentralProcessor.ProcessorIdentifier id = system.getHardware().getProcessor().getProcessorIdentifier();
    String cpu = id.getName().trim() + " (" + id.getVendor() + " family " + id.getFamily() + " model " + id.getModel() + ")";
    return new Machine(
        cpu,
        Runtime.getRuntime().availableProcessors(),
        system.getHardware().getMemory().getTotal(),
        system.getOperatingSystem().getFamily() + " " + system.getOperatingSystem().getVersionInfo().getVersion() + ", "
            + System.getProperty("os.name") + " " + System.getProperty("os.version"),
        System.getProperty("java.vm.name") + " " + System.getProperty("java.runtime.version"),
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
            .filter(option -> option.startsWith("-X") || option.startsWith("-Dmetaplast.") && !option.startsWith("-Dmetaplast.bench."))
            .toList(),
        Metaplast.version(),
        Metaplast.NUMERICS_VERSION,
        headCommit(),
        nativeBuild());
  }

  /** The folder of the benchmarks module, as ./run passes it on; else the working directory. */
  public static Path home() {
    return Path.of(System.getProperty("metaplast.bench.home", ".")).toAbsolutePath().normalize();
  }

  /** Where a result of this name goes when nothing else is said. */
  public static Path results(String name) {
    return home().resolve("results").resolve(name);
  }

  /** Short name for file names: CPU words, lower case, joined by dashes. */
  @JsonIgnore
  public String shortName() {
    String words =
        cpu.replaceAll("\\(R\\)|\\(TM\\)|Processor|CPU|@[^(]*", "").replaceAll("\\(.* family (\\d+) model (\\d+)\\)", "f$1m$2")
            .toLowerCase(Locale.ROOT);
    return words.replaceAll("[^a-z0-9]+", "-").replaceAll("^-|-$", "") + "-" + cores + "c";
  }

  private static String nativeBuild() {
    for (BackendInfo info : Metaplast.probe()) {
      if (info.kind() == BackendKind.CPU) {
        return info.available() ? info.details().getOrDefault("library build", "native library loaded") : "none: " + info.reason();
      }
    }
    return "none";
  }

  private static String headCommit() {
    String given = System.getProperty("metaplast.bench.commit"); // away from the working tree, in the GPU bundle
    if (given != null) {
      return given;
    }
    try {
      String head = git("rev-parse", "--short=12", "HEAD");
      return head.isEmpty() ? "unknown" : git("status", "--porcelain", "--untracked-files=no").isEmpty() ? head : head + "+changes";
    } catch (IOException e) {
      return "unknown (no git: " + e.getMessage() + ")";
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "unknown (interrupted)";
    }
  }

  private static String git(String... arguments) throws IOException, InterruptedException {
    String[] command = new String[arguments.length + 1];
    command[0] = "git";
    System.arraycopy(arguments, 0, command, 1, arguments.length);
    Process process = new ProcessBuilder(command).directory(home().toFile()).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).trim();
    return process.waitFor(10, TimeUnit.SECONDS) && process.exitValue() == 0 ? output : "";
  }
}
