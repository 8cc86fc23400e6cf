package io.metaplast.bayes;

import static io.metaplast.bayes.RuleChecks.positive;

/**
 * Bayesian gradient descent (Zeno et al., igolan/bgd) in a form without cancellation: mu' = mu - eta sigma^2 E[g],
 * sigma' = sigma exp(-asinh(sigma E[g eps] / 2)), always positive. Gradients are summed over the batch and averaged over the samples.
 *
 * @param eta learning rate of mu; finite, &gt; 0
 */
public record BgdParams(double eta) implements UpdateRule {
  /** Validates. */
  public BgdParams {
    positive("eta", eta);
  }
}
