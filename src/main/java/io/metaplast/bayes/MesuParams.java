package io.metaplast.bayes;

import static io.metaplast.bayes.RuleChecks.finite;
import static io.metaplast.bayes.RuleChecks.nonNegative;
import static io.metaplast.bayes.RuleChecks.positive;
import static io.metaplast.bayes.RuleChecks.prior;

/**
 * Metaplasticity from synaptic uncertainty, the published rule (Bonnet et al., Nature Communications 2025, DOI 10.1038/s41467-025-64601-w):
 * d mu = rateMean * (-sigma^2 gMu + sigma^2 (priorMean - mu) / (N priorSigma^2)),
 * d sigma = rateSigma/2 * (-sigma^2 gSigma + sigma (priorSigma^2 - sigma^2) / (N priorSigma^2)), N = memoryWindow.
 * With {@code clampGrad} c &gt; 0 both gradients are first clipped to +-c/sigma.
 *
 * @param memoryWindow N, in batches; finite, &gt; 0
 * @param noForgetting drops the pull of the prior (N = infinity); memoryWindow is then unused
 * @param priorMean mean of the prior; finite
 * @param priorSigma standard deviation of the prior; finite, &gt; 0
 * @param rateMean learning rate of mu; finite, &gt; 0
 * @param rateSigma learning rate of sigma; finite, &gt; 0
 * @param clampGrad c; finite, &gt;= 0, 0 = off. c &lt; 2/rateSigma keeps sigma positive while sigma &lt;= priorSigma
 * @param sigmaFloor lower limit of sigma after the step; 0 = none (the published rule, in which sigma can become negative)
 */
public record MesuParams(
    double memoryWindow,
    boolean noForgetting,
    double priorMean,
    double priorSigma,
    double rateMean,
    double rateSigma,
    double clampGrad,
    double sigmaFloor)
    implements UpdateRule {
  /** Validates. */
  public MesuParams {
    positive("memoryWindow", memoryWindow);
    finite("priorMean", priorMean);
    positive("priorSigma", priorSigma);
    prior(memoryWindow, noForgetting, priorSigma);
    positive("rateMean", rateMean);
    positive("rateSigma", rateSigma);
    nonNegative("clampGrad", clampGrad);
    nonNegative("sigmaFloor", sigmaFloor);
  }

  /** A builder with N = 300,000, prior N(0, 1), both rates 1, no clip, sigma floor 1e-6. */
  public static Builder builder() {
    return new Builder();
  }

  /** Collects the parameters; {@link #build()} validates them. */
  public static final class Builder {
    private double memoryWindow = 300_000;
    private boolean noForgetting;
    private double priorMean;
    private double priorSigma = 1;
    private double rateMean = 1;
    private double rateSigma = 1;
    private double clampGrad;
    private double sigmaFloor = 1e-6;

    private Builder() {}

    /** N, in batches. */
    public Builder memoryWindow(double batches) {
      memoryWindow = batches;
      return this;
    }

    /** Drops the pull of the prior. */
    public Builder noForgetting(boolean on) {
      noForgetting = on;
      return this;
    }

    /** Mean of the prior. */
    public Builder priorMean(double mean) {
      priorMean = mean;
      return this;
    }

    /** Standard deviation of the prior. */
    public Builder priorSigma(double sigma) {
      priorSigma = sigma;
      return this;
    }

    /** Learning rate of mu. */
    public Builder rateMean(double rate) {
      rateMean = rate;
      return this;
    }

    /** Learning rate of sigma. */
    public Builder rateSigma(double rate) {
      rateSigma = rate;
      return this;
    }

    /** Clip of the gradients to +-c/sigma; 0 = off. */
    public Builder clampGrad(double c) {
      clampGrad = c;
      return this;
    }

    /** Lower limit of sigma after the step; 0 = none. */
    public Builder sigmaFloor(double floor) {
      sigmaFloor = floor;
      return this;
    }

    /** Validates and builds. */
    public MesuParams build() {
      return new MesuParams(memoryWindow, noForgetting, priorMean, priorSigma, rateMean, rateSigma, clampGrad, sigmaFloor);
    }
  }
}
