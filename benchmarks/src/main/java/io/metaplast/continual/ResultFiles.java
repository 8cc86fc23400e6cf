package io.metaplast.continual;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;

/**
 * The folder of a run: settings.json (what it was run with), METHOD.checkpoint (to continue), summary.json, tasks.csv (one line per method
 * and task), accuracy.csv (every test) and charts. Held by one process at a time.
 */
final class ResultFiles implements AutoCloseable {
  private static final Map<Class<?>, Class<?>> WITHOUT_TASKS = Map.of(MethodResult.class, WithoutTasks.class);

  /** The tables hold the tasks; the summary stays short enough to read. */
  @JsonIgnoreProperties("tasks")
  private abstract static class WithoutTasks {}

  private final RunFolder folder;

  /** Opens or creates the folder; errors as {@link RunFolder#RunFolder}. */
  ResultFiles(Path folder, LearnSettings settings) throws IOException {
    this.folder = new RunFolder(folder, settings);
  }

  /** Stores a method's progress. */
  void store(Checkpoint<TaskResult> checkpoint) throws IOException {
    folder.store(checkpoint);
  }

  /** A method's stored progress, or null. */
  Checkpoint<TaskResult> stored(LearnMethod method) throws IOException {
    return folder.stored(method.label(), TaskResult.class);
  }

  /** Writes summary.json and both tables. */
  void write(LearnResult result) throws IOException {
    folder.writeJson("summary.json", result, WITHOUT_TASKS);
    folder.writeText("tasks.csv", tasks(result));
    folder.writeText("accuracy.csv", accuracy(result));
  }

  /** Draws the charts; gives what went wrong, or null. */
  String draw(LearnResult result) throws IOException {
    return folder.draw(
        Map.of(
            "accuracy.png", () -> LearnCharts.accuracy(result),
            "end.png", () -> LearnCharts.end(result),
            "uncertainty.png", () -> LearnCharts.uncertainty(result)));
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
    folder.close();
  }
}
