package io.metaplast.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.metaplast.BackendInfo;
import io.metaplast.BackendKind;
import io.metaplast.BackendUnavailableException;
import io.metaplast.Coverage;
import io.metaplast.Metaplast;
import io.metaplast.Seeds;
import io.metaplast.TestBackends;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is loaded, what is refused, and what a user is told, each in a JVM of its own. NativeLoaderTest holds the single rules of the loader. */
class NativeLibraryTest {
  @TempDir Path temp;

  private static BackendInfo info(BackendKind kind) {
    return Metaplast.probe().stream().filter(i -> i.kind() == kind).findFirst().orElseThrow();
  }

  private static void needsCpu() {
    BackendInfo cpu = info(BackendKind.CPU);
    if (!cpu.available()) {
      Coverage.skip("tests of the native library", cpu.reason());
    }
    assumeTrue(cpu.available(), cpu.reason());
  }

  private Path cache() throws IOException {
    Path cache = temp.resolve("cache");
    if (!Files.exists(cache)) {
      Files.createDirectory(cache, java.nio.file.attribute.PosixFilePermissions.asFileAttribute(java.nio.file.attribute.PosixFilePermissions.fromString("rwx------")));
    }
    return cache;
  }

  private ChildJvm.Result open(String... properties) throws Exception {
    List<String> arguments = new java.util.ArrayList<>(List.of("-Dmetaplast.cacheDir=" + cache(), "-Dmetaplast.backend=cpu"));
    arguments.addAll(List.of(properties));
    return ChildJvm.run(temp, arguments, ChildMain.class, "open");
  }

  private Path cachedLibrary() throws IOException {
    try (Stream<Path> files = Files.walk(cache())) {
      return files.filter(f -> f.getFileName().toString().contains("jniMetaplastCpu")).findFirst().orElseThrow();
    }
  }

  @Test
  void damagedCopiesAreNeverLoaded() throws Exception {
    needsCpu();
    ChildJvm.Result good = open();
    assertThat(good.output()).contains("kind CPU");
    assertThat(good.exit()).isZero();
    String hash = good.output().lines().filter(l -> l.startsWith("hash")).findFirst().orElseThrow();
    byte[] intact = Files.readAllBytes(cachedLibrary());
    SplittableRandom random = Seeds.random("bit flips", 0);
    int rounds = Seeds.rounds(6, 200);
    for (int round = 0; round < rounds; round++) {
      byte[] damaged =
          switch (round) {
            case 0 -> new byte[0];
            case 1 -> "#!/bin/sh\necho this is not a library\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
            case 2 -> java.util.Arrays.copyOf(intact, intact.length - 1);
            case 3 -> java.util.Arrays.copyOf(intact, intact.length / 2);
            default -> intact.clone();
          };
      if (round > 3) {
        int bit = random.nextInt(8 * intact.length);
        damaged[bit / 8] ^= (byte) (1 << bit % 8);
      }
      Path library = cachedLibrary();
      Files.delete(library);
      Files.write(library, damaged);
      ChildJvm.Result result = open();
      // a copy that does not have the hash is replaced from the bundle before anything is loaded
      assertThat(result.output()).contains("kind CPU", hash);
      assertThat(result.exit()).isZero();
      assertThat(Files.readAllBytes(cachedLibrary())).isEqualTo(intact);
    }
  }

  @Test
  void plantedLibrariesOfTheSameNameAreNotLoaded() throws Exception {
    needsCpu();
    Path elsewhere = Files.createDirectory(temp.resolve("elsewhere"));
    Path tmp = Files.createDirectory(temp.resolve("tmp"));
    for (Path directory : new Path[] {temp, elsewhere, tmp}) {
      for (String name : new String[] {"libjniMetaplastCpu.so", "libjniMetaplastCuda.so", "jniMetaplastCpu.so"}) {
        Files.writeString(directory.resolve(name), "planted");
      }
    }
    ChildJvm.Result result = open("-Djava.library.path=" + elsewhere, "-Djava.io.tmpdir=" + tmp);
    assertThat(result.exit()).as(result.output()).isZero();
    assertThat(result.output()).contains("kind CPU", "library " + cache());
  }

  @Test
  void probeNeverThrowsAndGivesReasonsInWords() throws Exception {
    for (String setting : new String[] {"-Dmetaplast.cacheDir=/proc/none", "-Dmetaplast.cacheDir=" + temp.resolve("file/below/nothing")}) {
      ChildJvm.Result result = ChildJvm.run(temp, List.of(setting), ChildMain.class, "probe");
      assertThat(result.exit()).as(result.output()).isZero();
      assertThat(result.output()).contains("JAVA available").doesNotContain("Exception in thread", "UnsatisfiedLinkError");
    }
  }

  @Test
  void missingCudaIsExplained() {
    BackendInfo cuda = info(BackendKind.CUDA);
    if (cuda.available()) {
      Coverage.skip("missing CUDA is explained", "this machine has a GPU");
    }
    assumeTrue(!cuda.available());
    assertThat(cuda.reason()).isNotBlank().doesNotContain("Exception", "\tat ");
    assertThatThrownBy(() -> Metaplast.open(TestBackends.java().options().withKind(BackendKind.CUDA)))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContaining(cuda.reason());
    // without a choice the next best backend is taken
    try (io.metaplast.Backend backend = Metaplast.open(TestBackends.java().options().withKind(null))) {
      assertThat(backend.info().kind()).isNotEqualTo(BackendKind.CUDA);
    }
  }

  @Test
  void explicitCudaFromThePropertyThrowsWithTheReason() throws Exception {
    assumeTrue(!info(BackendKind.CUDA).available());
    ChildJvm.Result result = ChildJvm.run(temp, List.of("-Dmetaplast.backend=cuda"), ChildMain.class, "open");
    assertThat(result.exit()).isNotZero();
    assertThat(result.output()).contains("BackendUnavailableException").doesNotContain("NoClassDefFoundError");
  }

  /** All kernels under -Xcheck:jni: no warning of the JVM about the native code. */
  @Test
  void jniIsUsedAsItShouldBe() throws Exception {
    needsCpu();
    ChildJvm.Result result = ChildJvm.run(temp, List.of("-Xcheck:jni", "-Dmetaplast.cacheDir=" + cache()), ChildMain.class, "kernels");
    assertThat(result.exit()).as(result.output()).isZero();
    assertThat(result.output()).contains("calls ").doesNotContain("FATAL ERROR in native method", "WARNING in native method", "WARNING: JNI");
  }
}
