package io.metaplast.continual;

import io.metaplast.bench.Machine;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A whole run of a network with batch norm: settings, machine and one curve per method.
 *
 * @param experiment what was run, in words
 * @param data the image sets, in words
 * @param settings everything the figures depend on
 * @param machine where it ran
 * @param environment backend and libraries in use
 * @param methods in the order they ran
 */
public record KfacResult(
    String experiment, String data, KfacSettings settings, Machine machine, Map<String, String> environment, List<Method> methods) {
  /** Copies. */
  public KfacResult {
    environment = Collections.unmodifiableMap(new LinkedHashMap<>(environment));
    methods = List.copyOf(methods);
  }

  /**
   * The curve of one method.
   *
   * @param method the method
   * @param tasks one entry per task, in order
   * @param summary its end
   */
  public record Method(KfacMethod method, List<KfacTask> tasks, Summary summary) {
    static Method of(KfacMethod method, List<KfacTask> tasks) {
      KfacTask end = tasks.get(tasks.size() - 1);
      double train = tasks.stream().mapToDouble(KfacTask::trainSeconds).sum();
      Summary summary =
          new Summary(
              tasks.size(),
              end.mean(),
              tasks.stream().mapToDouble(KfacTask::newest).average().orElseThrow(),
              end.first(),
              end.newest(),
              end.tested(),
              train,
              tasks.stream().mapToDouble(KfacTask::curvatureSeconds).sum(),
              tasks.stream().mapToDouble(KfacTask::testSeconds).sum(),
              1e3 * train / end.steps());
      return new Method(method, List.copyOf(tasks), summary);
    }
  }

  /**
   * Figures after the last task. Accuracies are fractions.
   *
   * @param tasks tasks learned
   * @param mean mean accuracy over all tasks
   * @param newestMean mean over tasks of the accuracy right after learning them
   * @param first accuracy on the first task
   * @param last accuracy on the last task
   * @param end accuracy on every task
   * @param trainSeconds time of training
   * @param curvatureSeconds time of estimating and merging curvature
   * @param testSeconds time of the tests
   * @param millisPerStep training time, the staging of images included
   */
  public record Summary(
      int tasks, double mean, double newestMean, double first, double last, List<TaskResult.Tested> end, double trainSeconds,
      double curvatureSeconds, double testSeconds, double millisPerStep) implements EndOfRun {}
}
