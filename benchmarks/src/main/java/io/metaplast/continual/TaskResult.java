package io.metaplast.continual;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;

/**
 * What was measured after one task. Accuracies are fractions; tasks count from 1.
 *
 * @param task the task just learned
 * @param newest accuracy on it
 * @param lastFive mean accuracy on the last five tasks (fewer at the start)
 * @param first accuracy on task 1
 * @param tested every test made after this task
 * @param outOfDistribution AUC of the newest task's test images against the out-of-distribution set, or null without one
 * @param heldOut AUC against the test images under a permutation that no task has
 * @param microsecondsPerStep training time
 * @param testSeconds time of the tests
 * @param sigma what sigma looks like, or null for a point network
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record TaskResult(
    int task, double newest, double lastFive, double first, List<Tested> tested, Auc outOfDistribution, Auc heldOut,
    double microsecondsPerStep, double testSeconds, Sigma sigma) {
  /**
   * Accuracy on one task.
   *
   * @param task from 1
   * @param accuracy fraction
   */
  public record Tested(int task, double accuracy) {}

  /**
   * How well uncertainty tells two sets apart: epistemic for Bayesian networks, predictive entropy for point networks.
   *
   * @param thresholds the authors' form, 1000 thresholds
   * @param rank exact: P(in &lt; out) + P(in = out) / 2
   */
  public record Auc(double thresholds, double rank) {}

  /**
   * Sigma of the first layer after the task, and how many updates gave a sigma that was not positive.
   *
   * @param least smallest
   * @param most largest
   * @param notPositive updates in this task, over all layers
   */
  public record Sigma(double least, double most, long notPositive) {}
}
