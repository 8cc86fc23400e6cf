package io.metaplast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The contract tests on the CUDA backend without a GPU: in a JVM whose class path begins with the JNI library of the CUDA backend linked to the host shim. Java
 * code, JNI glue and kernels are those of the real backend; threads of a block are fibers and device memory is host memory.
 */
class CudaOnHostTest {
  private static final String WHAT = "cuda on host (CUDA backend over the host shim)";
  private static final int MINUTES = 10;

  @Test
  void contractsHoldOnTheCudaBackend(@TempDir Path temp) throws Exception {
    Path classes = Path.of(System.getProperty("basedir", "."), "target", "native-build", "simt_classes").toAbsolutePath();
    if (!Files.isDirectory(classes)) {
      Coverage.skip(WHAT, "the native build made no library for it (no C++ compiler, or METAPLAST_NATIVE=off)");
    }
    assumeTrue(Files.isDirectory(classes), "no simt_classes");
    Path log = temp.resolve("tests.log");
    Process process =
        new ProcessBuilder(command(classes, temp)).directory(temp.toFile()).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    boolean ended = process.waitFor(MINUTES, TimeUnit.MINUTES);
    if (!ended) {
      process.destroyForcibly().waitFor();
    }
    String output = Files.readString(log, StandardCharsets.UTF_8);
    assertThat(ended).as("the tests ended within %d minutes: %s", MINUTES, output).isTrue();
    assertThat(process.exitValue()).as(output).isZero();
    assertThat(count(output)).as("kernels in: %s", output).isGreaterThanOrEqualTo(20);
  }

  private static List<String> command(Path classes, Path temp) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    if (Runtime.version().feature() >= 22) {
      command.add("--enable-native-access=ALL-UNNAMED");
    }
    command.add("-Xmx2g");
    command.add("-Dmetaplast.test.target=cuda");
    command.add("-Dmetaplast.cuda.variants=simt"); // the test of the others at every start is slow here; simt_tests make it
    command.add("-Dmetaplast.cacheDir=" + temp.resolve("cache"));
    command.add("-cp");
    command.add(classes + File.pathSeparator + System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
    command.add(CudaOnHostMain.class.getName());
    return command;
  }

  /** Takes the checks on target cuda over from the other JVM's table; the number of kernels that have some. */
  private static int count(String output) {
    int column = -1;
    int kernels = 0;
    for (String line : output.lines().toList()) {
      String[] words = line.trim().split("\\s+");
      if (words[0].equals("kernel")) {
        column = List.of(words).indexOf("cuda");
      } else if (column > 0 && words.length > column && words[column].matches("[0-9]+")) {
        Coverage.checked(words[0], "cuda on host", Long.parseLong(words[column]));
        kernels++;
      }
    }
    return kernels;
  }
}
