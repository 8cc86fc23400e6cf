package io.metaplast.continual;

import java.util.List;

/**
 * What was measured after one task. Accuracies are fractions; tasks count from 1.
 *
 * @param task the task
 * @param tested accuracy on every task so far
 * @param steps training steps of the whole run so far
 * @param trainSeconds time of training, the staging of images included
 * @param curvatureSeconds time of estimating and merging curvature
 * @param testSeconds time of the tests
 */
public record KfacTask(
    int task, List<TaskResult.Tested> tested, long steps, double trainSeconds, double curvatureSeconds, double testSeconds) {
  /** Mean accuracy over all tasks so far. */
  double mean() {
    return tested.stream().mapToDouble(TaskResult.Tested::accuracy).average().orElseThrow();
  }

  /** Accuracy on this task. */
  double newest() {
    return tested.get(tested.size() - 1).accuracy();
  }

  /** Accuracy on the first task. */
  double first() {
    return tested.get(0).accuracy();
  }
}
