package io.metaplast.continual;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
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
import java.util.List;
import java.util.Locale;

/**
 * The folder of a run: settings.json (what it was run with), METHOD.checkpoint (to continue), summary.json, tasks.csv (one line per method
 * and task), accuracy.csv (every test) and charts. Held by one process at a time.
 */
final class ResultFiles implements AutoCloseable {
  private static final String SETTINGS = "settings.json";
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).addMixIn(MethodResult.class, WithoutTasks.class);

  /** The tables hold the tasks; the summary stays short enough to read. */
  @JsonIgnoreProperties("tasks")
  private abstract static class WithoutTasks {}

  private final Path folder;
  private final FileChannel lockFile;
  private final FileLock lock;

  /**
   * Opens or creates the folder.
   *
   * @throws IllegalArgumentException if it holds a run with other settings; the message lists the differences
   * @throws IllegalStateException if another process works in it
   */
  ResultFiles(Path folder, LearnSettings settings) throws IOException {
    this.folder = folder;
    Files.createDirectories(folder);
    lockFile = FileChannel.open(folder.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    boolean opened = false;
    try {
      lock = tryLock();
      if (lock == null) {
        throw new IllegalStateException(folder + ": another run works in this folder; choose another --out or wait");
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

  private void checkSettings(LearnSettings settings) throws IOException {
    Path file = folder.resolve(SETTINGS);
    if (Files.exists(file)) {
      JsonNode stored = JSON.readTree(file.toFile());
      List<String> differences = settings.differencesFrom(stored);
      if (!differences.isEmpty()) {
        throw new IllegalArgumentException(
            folder + " holds a run with other settings (" + String.join("; ", differences) + "); use those, or choose another --out");
      }
      return;
    }
    for (LearnMethod method : LearnMethod.values()) {
      if (Files.exists(Checkpoint.file(folder, method))) {
        throw new IllegalArgumentException(
            folder + " holds " + method.label() + ".checkpoint but no " + SETTINGS + "; choose another --out");
      }
    }
    AtomicFiles.write(file, JSON.writeValueAsBytes(settings));
  }

  /** Stores a method's progress. */
  void store(Checkpoint checkpoint) throws IOException {
    checkpoint.write(folder);
  }

  /** A method's stored progress, or null. */
  Checkpoint stored(LearnMethod method) throws IOException {
    return Checkpoint.read(folder, method);
  }

  /** Writes summary.json and both tables. */
  void write(LearnResult result) throws IOException {
    AtomicFiles.write(folder.resolve("summary.json"), JSON.writeValueAsBytes(result));
    AtomicFiles.write(folder.resolve("tasks.csv"), tasks(result).getBytes(StandardCharsets.UTF_8));
    AtomicFiles.write(folder.resolve("accuracy.csv"), accuracy(result).getBytes(StandardCharsets.UTF_8));
  }

  /** Draws the charts; gives what went wrong, or null. A machine without fonts cannot draw, which must not cost the run. */
  String draw(LearnResult result) throws IOException {
    try {
      AtomicFiles.write(folder.resolve("accuracy.png"), LearnCharts.png(LearnCharts.accuracy(result)));
      AtomicFiles.write(folder.resolve("end.png"), LearnCharts.png(LearnCharts.end(result)));
      AtomicFiles.write(folder.resolve("uncertainty.png"), LearnCharts.png(LearnCharts.uncertainty(result)));
      return null;
    } catch (RuntimeException | LinkageError | InternalError e) {
      return "no charts: this Java cannot draw (" + e + "); install fontconfig and a font, the tables hold the same figures";
    }
  }

  private static String tasks(LearnResult result) {
    StringBuilder csv =
        new StringBuilder(
            "method,task,newest,last_five,first,auc_ood_thresholds,auc_ood_rank,auc_held_out_thresholds,auc_held_out_rank,us_per_step,"
                + "test_s,sigma_min,sigma_max,sigma_not_positive\n");
    for (MethodResult method : result.methods()) {
      for (TaskResult t : method.tasks()) {
        csv.append(method.method().label()).append(',').append(t.task());
        append(csv, t.newest(), t.lastFive(), t.first());
        append(csv, t.outOfDistribution());
        append(csv, t.heldOut());
        csv.append(String.format(Locale.ROOT, ",%.3f,%.3f", t.microsecondsPerStep(), t.testSeconds()));
        TaskResult.Sigma sigma = t.sigma();
        csv.append(sigma == null ? ",,," : String.format(Locale.ROOT, ",%.6g,%.6g,%d", sigma.least(), sigma.most(), sigma.notPositive()));
        csv.append('\n');
      }
    }
    return csv.toString();
  }

  private static void append(StringBuilder csv, TaskResult.Auc auc) {
    if (auc == null) {
      csv.append(",,");
    } else {
      append(csv, auc.thresholds(), auc.rank());
    }
  }

  private static void append(StringBuilder csv, double... values) {
    for (double value : values) {
      csv.append(String.format(Locale.ROOT, ",%.6f", value));
    }
  }

  private static String accuracy(LearnResult result) {
    StringBuilder csv = new StringBuilder("method,after_task,task,accuracy\n");
    for (MethodResult method : result.methods()) {
      for (TaskResult t : method.tasks()) {
        for (TaskResult.Tested tested : t.tested()) {
          csv.append(String.format(Locale.ROOT, "%s,%d,%d,%.6f\n", method.method().label(), t.task(), tested.task(), tested.accuracy()));
        }
      }
    }
    return csv.toString();
  }

  @Override
  public void close() throws IOException {
    lock.release();
    lockFile.close();
  }
}
