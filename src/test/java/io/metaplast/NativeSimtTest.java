package io.metaplast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.metaplast.bayes.BayesKernels;
import io.metaplast.binary.BinaryKernels;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The CUDA kernels on the host: the executable that the native build makes of them runs every kernel in several thread orders against the CPU's bits. */
class NativeSimtTest {
  private static final String WHAT = "simt (CUDA kernels run on the host)";

  @Test
  void cudaKernelsGiveTheBitsOfTheCpu(@TempDir Path temp) throws Exception {
    Optional<Path> executable = executable();
    if (executable.isEmpty()) {
      Coverage.skip(WHAT, "the native build made no simt_tests (no C++ compiler, or METAPLAST_NATIVE=off)");
    }
    assumeTrue(executable.isPresent(), "no simt_tests");
    Path log = temp.resolve("simt.log");
    Process process = new ProcessBuilder(executable.get().toString()).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    boolean ended = process.waitFor(300, TimeUnit.SECONDS);
    if (!ended) {
      process.destroyForcibly().waitFor();
    }
    String output = Files.readString(log, StandardCharsets.UTF_8);
    assertThat(ended).as("simt_tests ended in time: %s", output).isTrue();
    assertThat(process.exitValue()).as(output).isZero();
    assertThat(output).doesNotContain("FAIL");
    long tests = output.lines().map(line -> line.trim().split("\\s+")).filter(words -> words.length >= 3 && words[0].equals("PASS")).peek(NativeSimtTest::count).count();
    assertThat(tests).as("tests in: %s", output).isGreaterThanOrEqualTo(20);
  }

  /** Kernels whose name in the C ABI is not the Java name in other letters. */
  private static final Map<String, String> JAVA_NAMES =
      Map.ofEntries(
          Map.entry("weightSample", "sample"), Map.entry("gaussianUpdate", "step"), Map.entry("gaussianUpdateFromSamples", "stepFromSamples"),
          Map.entry("linearForwardBatch1", "linearForward"), Map.entry("linearStepBatch1", "linearStep"),
          Map.entry("diagHessian", "diagHessianFromSigma"), Map.entry("reduceSum", "sum"), Map.entry("rocPairs", "rocAuc"),
          Map.entry("rocThresholds", "rocAucThresholds"), Map.entry("ewcPenaltyGrad", "ewcPenaltyGradient"),
          Map.entry("siPenaltyGrad", "siPenaltyGradient"), Map.entry("bitsTranspose", "transpose"), Map.entry("xnorGemmBits", "xnorGemm"),
          Map.entry("xnorGemmTensorCores", "xnorGemm"), Map.entry("signPackXnorGemmBits", "signPackXnorGemm"), Map.entry("signGemmNt", "signGemmNT"), Map.entry("signGemmNn", "signGemmNN"),
          Map.entry("signGemmTn", "signGemmTN"), Map.entry("gemmTn", "gemmTN"), Map.entry("binaryEwcConsolidate", "ewcConsolidate"),
          Map.entry("binaryEwcGrad", "binary.ewcPenaltyGradient"), Map.entry("binaryConv2d", "conv2d"),
          Map.entry("binaryConv2dGradInput", "conv2dGradInput"), Map.entry("binaryConv2dGradWeight", "conv2dGradWeight"));

  private static void count(String[] words) {
    String[] parts = words[1].replaceFirst("_(f32|u32|i32)$", "").split("_");
    StringBuilder name = new StringBuilder(parts[0]);
    for (int i = 1; i < parts.length; i++) {
      name.append(Character.toUpperCase(parts[i].charAt(0))).append(parts[i].substring(1));
    }
    String java = JAVA_NAMES.getOrDefault(name.toString(), name.toString());
    Coverage.checked(has(BinaryKernels.class, java) && !has(BayesKernels.class, java) ? "binary." + java : java, "simt", Long.parseLong(words[2]));
  }

  private static boolean has(Class<?> family, String method) {
    return Arrays.stream(family.getMethods()).anyMatch(m -> m.getName().equals(method));
  }

  private static Optional<Path> executable() throws IOException {
    Path build = Path.of(System.getProperty("basedir", "."), "target", "native-build");
    if (!Files.isDirectory(build)) {
      return Optional.empty();
    }
    try (Stream<Path> files = Files.walk(build, 3)) {
      return files.filter(f -> f.getFileName().toString().equals("simt_tests") && Files.isExecutable(f)).findFirst();
    }
  }
}
