package io.metaplast.continual;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.Map;

/**
 * The curve of one method and its summary.
 *
 * @param method the method
 * @param tasks one entry per task, in order
 * @param summary the figures that papers print
 * @param profile microseconds per step by phase if they were measured in this run, else null
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record MethodResult(LearnMethod method, List<TaskResult> tasks, Summary summary, Map<String, Double> profile) {
  private static final int LAST = 5;

  /**
   * Figures after the last task. Accuracies are fractions.
   *
   * @param tasks tasks learned
   * @param lastFive mean accuracy on the last five tasks
   * @param newestMean mean over all tasks of the accuracy right after learning them
   * @param newestDeviation its standard deviation over tasks
   * @param allMean mean accuracy over all tasks at the end
   * @param outOfDistribution mean of the last five, or null
   * @param heldOut mean of the last five
   * @param rigidityResilience 1 / |newest task's accuracy - task 1's accuracy when it was new|, or null where they are equal
   * @param microsecondsPerStep median over tasks
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Summary(
      int tasks, double lastFive, double newestMean, double newestDeviation, double allMean, TaskResult.Auc outOfDistribution,
      TaskResult.Auc heldOut, Double rigidityResilience, double microsecondsPerStep) {}

  static MethodResult of(LearnMethod method, List<TaskResult> tasks, Map<String, Double> profile) {
    TaskResult end = tasks.get(tasks.size() - 1);
    List<TaskResult> last = tasks.subList(Math.max(0, tasks.size() - LAST), tasks.size());
    double newestMean = tasks.stream().mapToDouble(TaskResult::newest).average().orElseThrow();
    double squares = tasks.stream().mapToDouble(t -> (t.newest() - newestMean) * (t.newest() - newestMean)).sum();
    double deviation = tasks.size() < 2 ? 0 : Math.sqrt(squares / (tasks.size() - 1));
    double[] times = tasks.stream().mapToDouble(TaskResult::microsecondsPerStep).sorted().toArray();
    double gap = Math.abs(end.newest() - tasks.get(0).newest());
    Summary summary =
        new Summary(
            tasks.size(),
            end.lastFive(),
            newestMean,
            deviation,
            end.tested().stream().mapToDouble(TaskResult.Tested::accuracy).average().orElseThrow(),
            end.outOfDistribution() == null ? null : mean(last.stream().map(TaskResult::outOfDistribution).toList()),
            mean(last.stream().map(TaskResult::heldOut).toList()),
            gap > 0 ? 1 / gap : null,
            (times[(times.length - 1) / 2] + times[times.length / 2]) / 2);
    return new MethodResult(method, List.copyOf(tasks), summary, profile);
  }

  private static TaskResult.Auc mean(List<TaskResult.Auc> all) {
    return new TaskResult.Auc(
        all.stream().mapToDouble(TaskResult.Auc::thresholds).average().orElseThrow(),
        all.stream().mapToDouble(TaskResult.Auc::rank).average().orElseThrow());
  }
}
