package io.metaplast.continual;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import java.io.IOException;
import java.util.Locale;
import java.util.Map;

/**
 * What a run of a network with batch norm leaves in its folder: summary.json, tasks.csv (one line per method and task), accuracy.csv
 * (every test) and charts.
 */
final class KfacFiles {
  /** The tables hold the tasks; the summary stays short enough to read. */
  @JsonIgnoreProperties("tasks")
  private abstract static class WithoutTasks {}

  private static final Map<Class<?>, Class<?>> WITHOUT_TASKS = Map.of(KfacResult.Method.class, WithoutTasks.class);

  private KfacFiles() {}

  static void write(RunFolder folder, KfacResult result) throws IOException {
    folder.writeJson("summary.json", result, WITHOUT_TASKS);
    folder.writeText("tasks.csv", tasks(result));
    folder.writeText("accuracy.csv", accuracy(result));
  }

  /** Draws the charts; gives what went wrong, or null. */
  static String draw(RunFolder folder, KfacResult result) throws IOException {
    return folder.draw(Map.of("accuracy.png", () -> KfacCharts.accuracy(result), "end.png", () -> KfacCharts.end(result)));
  }

  private static String tasks(KfacResult result) {
    StringBuilder csv = new StringBuilder("method,task,steps,newest,mean,first,train_s,curvature_s,test_s\n");
    for (KfacResult.Method method : result.methods()) {
      for (KfacTask t : method.tasks()) {
        csv.append(
            String.format(
                Locale.ROOT, "%s,%d,%d,%.6f,%.6f,%.6f,%.3f,%.3f,%.3f%n", method.method().label(), t.task(), t.steps(), t.newest(), t.mean(),
                t.first(), t.trainSeconds(), t.curvatureSeconds(), t.testSeconds()));
      }
    }
    return csv.toString();
  }

  private static String accuracy(KfacResult result) {
    StringBuilder csv = new StringBuilder("method,after_task,task,accuracy\n");
    for (KfacResult.Method method : result.methods()) {
      for (KfacTask t : method.tasks()) {
        for (TaskResult.Tested tested : t.tested()) {
          csv.append(
              String.format(Locale.ROOT, "%s,%d,%d,%.6f%n", method.method().label(), t.task(), tested.task(), tested.accuracy()));
        }
      }
    }
    return csv.toString();
  }
}
