package io.metaplast.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.metaplast.BackendUnavailableException;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The loader's rules, on a file that stands for a library; what would be loaded is recorded instead. */
@EnabledOnOs(OS.LINUX)
class NativeLoaderTest {
  @TempDir Path temporary;

  private final List<String> loaded = Collections.synchronizedList(new ArrayList<>());
  private final Map<String, String> settings = new HashMap<>();
  private final Properties checksums = new Properties();
  private byte[] contents;
  private String hash;
  private Path bundle;
  private Path bundled;
  private Path cache;

  @BeforeEach
  void library() throws Exception {
    contents = new byte[5000];
    new Random(7).nextBytes(contents);
    hash = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(contents));
    checksums.setProperty("libfake.so", hash);
    bundle = temporary.resolve("bundle");
    bundled = bundle.resolve("io/metaplast/internal/native/" + NativeLoader.platform() + "/libfake.so");
    Files.createDirectories(bundled.getParent());
    Files.write(bundled, contents);
    Path home = Files.createDirectory(temporary.resolve("home"));
    Path tmp = Files.createDirectory(temporary.resolve("tmp"));
    cache = home.resolve(".cache/metaplast");
    settings.put("user.home", home.toString());
    settings.put("java.io.tmpdir", tmp.toString());
  }

  private Path load() throws IOException {
    try (URLClassLoader resources = new URLClassLoader(new URL[] {bundle.toUri().toURL()}, null)) {
      return new NativeLoader(resources, checksums, settings).load("fake", loaded::add);
    }
  }

  private void assertRefused(String... reasons) {
    assertThatThrownBy(this::load).isInstanceOf(BackendUnavailableException.class).hasMessageContainingAll(reasons);
    assertThat(loaded).isEmpty();
  }

  @Test
  void bundledCopyGoesToAPrivateDirectoryUnderItsHash() throws IOException {
    Path path = load();
    assertThat(path).isEqualTo(cache.resolve("libfake-" + hash + ".so")).hasBinaryContent(contents);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(cache))).isEqualTo("rwx------");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path))).isEqualTo("rwx------");
    assertThat(loaded).containsExactly(path.toString());
    try (var files = Files.list(cache)) {
      assertThat(files).containsExactly(path);
    }
  }

  @Test
  void intactCopyIsUsedAgain() throws IOException {
    Object first = Files.getAttribute(load(), "unix:ino");
    assertThat(Files.getAttribute(load(), "unix:ino")).isEqualTo(first);
  }

  @Test
  void damagedCopiesAreSeenBeforeLoadingAndReplaced() throws IOException {
    Path path = load();
    Random random = new Random(11);
    for (int i = 0; i < 200; i++) {
      byte[] damaged = contents.clone();
      damaged[random.nextInt(damaged.length)] ^= (byte) (1 << random.nextInt(8));
      Files.write(path, damaged);
      assertThat(load()).isEqualTo(path).hasBinaryContent(contents);
    }
    for (int length : new int[] {0, 1, contents.length / 2, contents.length - 1}) {
      Files.write(path, java.util.Arrays.copyOf(contents, length));
      assertThat(load()).isEqualTo(path).hasBinaryContent(contents);
    }
  }

  @Test
  void linkInPlaceOfTheCopyIsReplacedAndItsTargetLeftAlone() throws IOException {
    Path path = load();
    Path elsewhere = Files.write(temporary.resolve("elsewhere.so"), contents);
    Files.delete(path);
    Files.createSymbolicLink(path, elsewhere);
    assertThat(load()).isEqualTo(path);
    assertThat(Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)).isTrue();
    assertThat(elsewhere).exists();
  }

  @Test
  void copyThatOthersCanWriteIsReplaced() throws IOException {
    Path path = load();
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxrwxrwx"));
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(load()))).isEqualTo("rwx------");
  }

  @Test
  void bundleOfAnotherBuildIsRefused() throws IOException {
    contents[17] ^= 1;
    Files.write(bundled, contents);
    assertRefused("SHA-256", "wanted " + hash);
    try (var files = Files.list(cache)) {
      assertThat(files).isEmpty();
    }
  }

  @Test
  void unusableHomeMeansAPrivateTemporaryDirectory() throws IOException {
    settings.put("user.home", Files.createFile(temporary.resolve("file")).toString());
    Path path = load();
    assertThat(path).startsWith(temporary.resolve("tmp")).hasBinaryContent(contents);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path.getParent()))).isEqualTo("rwx------");
  }

  @Test
  void directoryThatOthersCanEnterIsRefusedByItsProperty() throws IOException {
    Path open = Files.createDirectory(temporary.resolve("open"));
    Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwx---"));
    settings.put("metaplast.cacheDir", open.toString());
    assertRefused("has mode 770", "metaplast.cacheDir = " + open);
  }

  @Test
  void directoryBelowOneThatOthersCanWriteIsRefused() throws IOException {
    Path open = Files.createDirectory(temporary.resolve("open"));
    Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxrwx"));
    settings.put("metaplast.cacheDir", open.resolve("inner").toString());
    assertRefused(open + " has mode 777", "metaplast.cacheDir");
  }

  @Test
  void linkedDirectoryIsRefused() throws IOException {
    Path target = Files.createDirectory(temporary.resolve("target"));
    Path link = Files.createSymbolicLink(temporary.resolve("link"), target);
    settings.put("metaplast.cacheDir", link.toString());
    assertRefused("links are not followed", "metaplast.cacheDir");
  }

  @Test
  void fileSystemWithoutExecutionNamesThePropertyAfterTryingBothPlaces() throws IOException {
    List<String> tried = new ArrayList<>();
    try (URLClassLoader resources = new URLClassLoader(new URL[] {bundle.toUri().toURL()}, null)) {
      NativeLoader loader = new NativeLoader(resources, checksums, settings);
      assertThatThrownBy(
              () ->
                  loader.load(
                      "fake",
                      path -> {
                        tried.add(path);
                        throw new UnsatisfiedLinkError(path + ": failed to map segment from shared object");
                      }))
          .isInstanceOf(BackendUnavailableException.class)
          .hasMessageContainingAll("failed to map segment", "forbid execution", "metaplast.cacheDir");
    }
    assertThat(tried).hasSize(2);
    assertThat(tried.get(0)).startsWith(cache.toString());
    assertThat(tried.get(1)).startsWith(temporary.resolve("tmp").toString());
  }

  @Test
  void withoutBundleTheNextStepIsNamed() throws IOException {
    Files.delete(bundled);
    assertRefused("classifier " + NativeLoader.platform(), "metaplast.library.path");
  }

  @Test
  void givenDirectoryServesWithoutBundleIfTheFileIsTheRightOne() throws IOException {
    Files.delete(bundled);
    Path given = Files.createDirectory(temporary.resolve("given"));
    settings.put("metaplast.library.path", given.toString());
    assertRefused("metaplast.library.path names " + given);
    Files.write(given.resolve("libfake.so"), new byte[] {1, 2, 3});
    assertRefused("wanted " + hash);
    Files.write(given.resolve("libfake.so"), contents);
    assertThat(load()).isEqualTo(given.resolve("libfake.so"));
  }

  @Test
  void bundledCopyComesBeforeAGivenDirectory() throws IOException {
    Path given = Files.createDirectory(temporary.resolve("given"));
    Files.write(given.resolve("libfake.so"), contents);
    settings.put("metaplast.library.path", given.toString());
    assertThat(load()).startsWith(cache);
  }

  @Test
  void buildWithoutNativesSaysSo() {
    checksums.clear();
    assertRefused("this build of Metaplast has no libfake.so");
  }

  @Test
  void concurrentExtractionsAllGetAnIntactFile() throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(8);
    try {
      for (int round = 0; round < 10; round++) {
        Files.deleteIfExists(cache.resolve("libfake-" + hash + ".so"));
        Callable<Path> task = this::load;
        for (Future<Path> result : pool.invokeAll(Collections.nCopies(8, task))) {
          assertThat(result.get()).hasBinaryContent(contents);
        }
      }
    } finally {
      pool.shutdown();
    }
  }

  @Test
  void otherAbiVersionIsRefusedWithBothNumbers() {
    NativeLoader.checkAbi("fake", NativeLoader.ABI_VERSION);
    assertThatThrownBy(() -> NativeLoader.checkAbi("fake", 77))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessageContainingAll("77", Integer.toString(NativeLoader.ABI_VERSION));
  }
}
