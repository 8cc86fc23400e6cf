package io.metaplast.continual;

import io.metaplast.bench.Machine;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A whole run of a binarized network: settings, machine and one curve per method.
 *
 * @param experiment what was run, in words
 * @param data the image sets, in words
 * @param settings everything the figures depend on
 * @param machine where it ran
 * @param environment backend in use
 * @param methods in the order they ran
 */
public record BnnResult(
    String experiment, String data, BnnSettings settings, Machine machine, Map<String, String> environment, List<Method> methods) {
  /** Copies. */
  public BnnResult {
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
  public record Method(BnnMethod method, List<BnnTask> tasks, Summary summary) {
    static Method of(BnnMethod method, List<BnnTask> tasks) {
      BnnTask end = tasks.get(tasks.size() - 1);
      double train = tasks.stream().mapToDouble(BnnTask::trainSeconds).sum();
      Summary summary =
          new Summary(
              tasks.size(),
              end.mean(),
              tasks.stream().mapToDouble(BnnTask::newest).average().orElseThrow(),
              end.first(),
              end.tested(),
              end.meanMagnitude(),
              train / 60,
              tasks.stream().mapToDouble(BnnTask::testSeconds).sum() / 60,
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
   * @param end accuracy on every task
   * @param meanMagnitude mean |W| by layer
   * @param trainMinutes time of training
   * @param testMinutes time of the tests
   * @param millisPerStep training time, the staging of images included
   */
  public record Summary(
      int tasks, double mean, double newestMean, double first, List<TaskResult.Tested> end, List<Double> meanMagnitude, double trainMinutes,
      double testMinutes, double millisPerStep) implements EndOfRun {}
}
