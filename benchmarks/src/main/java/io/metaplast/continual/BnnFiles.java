package io.metaplast.continual;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import java.io.IOException;
import java.util.Locale;
import java.util.Map;

/**
 * What a run of a binarized network leaves in its folder: summary.json, tasks.csv (one line per method and task), accuracy.csv (every test)
 * and charts.
 */
final class BnnFiles {
  /** The tables hold the tasks; the summary stays short enough to read. */
  @JsonIgnoreProperties("tasks")
  private abstract static class WithoutTasks {}

  private static final Map<Class<?>, Class<?>> WITHOUT_TASKS = Map.of(BnnResult.Method.class, WithoutTasks.class);

  private BnnFiles() {}

  static void write(RunFolder folder, BnnResult result) throws IOException {
    folder.writeJson("summary.json", result, WITHOUT_TASKS);
    folder.writeText("tasks.csv", tasks(result));
    folder.writeText("accuracy.csv", accuracy(result));
  }

  /** Draws the charts; gives what went wrong, or null. */
  static String draw(RunFolder folder, BnnResult result) throws IOException {
    return folder.draw(Map.of("accuracy.png", () -> BnnCharts.accuracy(result), "end.png", () -> BnnCharts.end(result)));
  }

  private static String tasks(BnnResult result) {
    StringBuilder csv = new StringBuilder("method,task,steps,newest,mean,first,mean_abs_w1,mean_abs_w2,mean_abs_w3,train_s,test_s\n");
    for (BnnResult.Method method : result.methods()) {
      for (BnnTask t : method.tasks()) {
        csv.append(
            String.format(
                Locale.ROOT, "%s,%d,%d,%.6f,%.6f,%.6f", method.method().label(), t.task(), t.steps(), t.newest(), t.mean(), t.first()));
        t.meanMagnitude().forEach(m -> csv.append(String.format(Locale.ROOT, ",%.6g", m)));
        csv.append(String.format(Locale.ROOT, ",%.3f,%.3f%n", t.trainSeconds(), t.testSeconds()));
      }
    }
    return csv.toString();
  }

  private static String accuracy(BnnResult result) {
    StringBuilder csv = new StringBuilder("method,after_task,epoch,steps,task,accuracy\n");
    for (BnnResult.Method method : result.methods()) {
      for (BnnTask t : method.tasks()) {
        for (BnnTask.Epoch epoch : t.epochs()) {
          for (TaskResult.Tested tested : epoch.tested()) {
            csv.append(
                String.format(
                    Locale.ROOT, "%s,%d,%d,%d,%d,%.6f%n", method.method().label(), t.task(), epoch.epoch(), epoch.steps(), tested.task(),
                    tested.accuracy()));
          }
        }
      }
    }
    return csv.toString();
  }
}
