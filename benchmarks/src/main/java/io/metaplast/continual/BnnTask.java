package io.metaplast.continual;

import java.util.List;

/**
 * What was measured in one task. Accuracies are fractions; tasks and epochs count from 1.
 *
 * @param task the task
 * @param epochs the tests within and at the end of the task
 * @param meanMagnitude mean |W| by layer at its end
 * @param steps training steps of the whole run so far
 * @param trainSeconds time of training, the staging of images included
 * @param testSeconds time of the tests
 */
public record BnnTask(int task, List<Epoch> epochs, List<Double> meanMagnitude, long steps, double trainSeconds, double testSeconds) {
  /**
   * Tests after an epoch.
   *
   * @param epoch of the task
   * @param steps training steps of the whole run so far
   * @param tested accuracy on every task so far
   */
  public record Epoch(int epoch, long steps, List<TaskResult.Tested> tested) {
    double mean() {
      return tested.stream().mapToDouble(TaskResult.Tested::accuracy).average().orElseThrow();
    }
  }

  /** Accuracies at the end of the task. */
  List<TaskResult.Tested> tested() {
    return epochs.get(epochs.size() - 1).tested();
  }

  /** Their mean. */
  double mean() {
    return epochs.get(epochs.size() - 1).mean();
  }

  /** Accuracy on this task. */
  double newest() {
    return tested().get(tested().size() - 1).accuracy();
  }

  /** Accuracy on the first task. */
  double first() {
    return tested().get(0).accuracy();
  }
}
