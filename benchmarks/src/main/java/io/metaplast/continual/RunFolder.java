package io.metaplast.continual;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.knowm.xchart.XYChart;

/**
 * The folder of a run: its settings, checkpoints, tables and charts. Held by one process at a time, and only ever continued under the very same
 * settings.
 */
final class RunFolder implements AutoCloseable {
  private static final String SETTINGS = "settings.json";

  /** Another process works in the folder. */
  static final class BusyException extends IllegalStateException {
    private static final long serialVersionUID = 1;

    private BusyException(Path folder) {
      super(folder + ": another run works in this folder; choose another --out or wait");
    }
  }

  private final Path folder;
  private final FileChannel lockFile;
  private final FileLock lock;

  /**
   * Opens or creates the folder.
   *
   * @param settings everything the results depend on, a record
   * @throws IllegalArgumentException if it holds a run with other settings; the message lists the differences
   * @throws BusyException if another process works in it
   */
  RunFolder(Path folder, Object settings) throws IOException {
    this.folder = folder;
    Files.createDirectories(folder);
    lockFile = FileChannel.open(folder.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    boolean opened = false;
    try {
      lock = tryLock();
      if (lock == null) {
        throw new BusyException(folder);
      }
      checkSettings(settings);
      opened = true;
    } finally {
      if (!opened) {
        lockFile.close();
      }
    }
  }

  private FileLock tryLock() throws IOException {
    try {
      return lockFile.tryLock();
    } catch (OverlappingFileLockException e) {
      return null; // held by this very process
    }
  }

  private void checkSettings(Object settings) throws IOException {
    Path file = folder.resolve(SETTINGS);
    if (Files.exists(file)) {
      List<String> differences = differences(json(Map.of()).readTree(file.toFile()), settings);
      if (!differences.isEmpty()) {
        throw new IllegalArgumentException(
            folder + " holds a run with other settings (" + String.join("; ", differences) + "); use those, or choose another --out");
      }
      return;
    }
    try (var files = Files.list(folder)) {
      List<String> checkpoints = files.map(f -> f.getFileName().toString()).filter(n -> n.endsWith(Checkpoint.SUFFIX)).sorted().toList();
      if (!checkpoints.isEmpty()) {
        throw new IllegalArgumentException(
            folder + " holds " + String.join(", ", checkpoints) + " but no " + SETTINGS + "; choose another --out");
      }
    }
    writeJson(SETTINGS, settings, Map.of());
  }

  /** What differs from stored settings, one "name: stored x, now y" each; empty if nothing does. */
  static List<String> differences(JsonNode stored, Object settings) {
    JsonNode now = new ObjectMapper().valueToTree(settings);
    TreeSet<String> names = new TreeSet<>();
    now.fieldNames().forEachRemaining(names::add);
    stored.fieldNames().forEachRemaining(names::add);
    List<String> differences = new ArrayList<>();
    for (String name : names) {
      // Numbers compare by value: 1 and 1.0 are the same setting.
      JsonNode a = stored.path(name);
      JsonNode b = now.path(name);
      boolean same = a.isNumber() && b.isNumber() ? a.doubleValue() == b.doubleValue() : a.equals(b);
      if (!same) {
        differences.add(name + ": stored " + show(a) + ", now " + show(b));
      }
    }
    return differences;
  }

  private static String show(JsonNode node) {
    return node.isMissingNode() ? "nothing" : node.toString();
  }

  private static ObjectMapper json(Map<Class<?>, Class<?>> mixIns) {
    ObjectMapper json = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
    mixIns.forEach(json::addMixIn);
    return json;
  }

  /** Stores a method's progress. */
  void store(Checkpoint<?> checkpoint) throws IOException {
    checkpoint.write(folder);
  }

  /** A method's stored progress, or null. */
  <T> Checkpoint<T> stored(String method, Class<T> result) throws IOException {
    return Checkpoint.read(folder, method, result);
  }

  /**
   * Writes a file of JSON.
   *
   * @param mixIns how to write some classes: class to mix-in
   */
  void writeJson(String name, Object value, Map<Class<?>, Class<?>> mixIns) throws IOException {
    AtomicFiles.write(folder.resolve(name), json(mixIns).writeValueAsBytes(value));
  }

  /** Writes a text file. */
  void writeText(String name, String text) throws IOException {
    AtomicFiles.write(folder.resolve(name), text.getBytes(StandardCharsets.UTF_8));
  }

  /** Draws charts, by file name; gives what went wrong, or null. A machine without fonts cannot draw, which must not cost the run. */
  String draw(Map<String, Supplier<XYChart>> charts) throws IOException {
    try {
      for (Map.Entry<String, Supplier<XYChart>> chart : charts.entrySet()) {
        AtomicFiles.write(folder.resolve(chart.getKey()), LearnCharts.png(chart.getValue().get()));
      }
      return null;
    } catch (RuntimeException | LinkageError | InternalError e) {
      return "no charts: this Java cannot draw (" + e + "); install fontconfig and a font, the tables hold the same figures";
    }
  }

  @Override
  public void close() throws IOException {
    lock.release();
    lockFile.close();
  }
}
