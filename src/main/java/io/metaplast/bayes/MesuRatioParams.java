package io.metaplast.bayes;

import static io.metaplast.bayes.RuleChecks.finite;
import static io.metaplast.bayes.RuleChecks.nonNegative;
import static io.metaplast.bayes.RuleChecks.positive;
import static io.metaplast.bayes.RuleChecks.prior;

/**
 * The ratio-limited MESU rule of the authors' PyTorch code: steps of mu and sigma are limited to {@code ratioMax * sigma}, there is no factor 1/2 on sigma
 * (it is absorbed in {@code coefficientSigma}), and sigma is kept in a range.
 *
 * @param memoryWindow N, in batches; finite, &gt; 0
 * @param noForgetting drops the pull of the prior
 * @param priorMean mean of the prior; finite
 * @param priorSigma standard deviation of the prior; finite, &gt; 0
 * @param coefficientMean cMu; finite, &gt; 0
 * @param coefficientSigma cSigma; finite, &gt; 0
 * @param ratioMax largest |step| / sigma; finite, &gt; 0
 * @param secondOrder so; finite, &gt;= 0: steps are divided by 1 + so*|sigma gSigma|; 0 = off
 * @param sigmaMin lower limit of sigma; finite, &gt;= 0, 0 switches the range of sigma off
 * @param sigmaMax upper limit of sigma; finite, &gt;= sigmaMin
 * @param meanMin lower limit of mu; the range acts only if meanMin &lt; meanMax
 * @param meanMax upper limit of mu
 */
public record MesuRatioParams(
    double memoryWindow,
    boolean noForgetting,
    double priorMean,
    double priorSigma,
    double coefficientMean,
    double coefficientSigma,
    double ratioMax,
    double secondOrder,
    double sigmaMin,
    double sigmaMax,
    double meanMin,
    double meanMax)
    implements UpdateRule {
  /** Validates. */
  public MesuRatioParams {
    positive("memoryWindow", memoryWindow);
    finite("priorMean", priorMean);
    positive("priorSigma", priorSigma);
    prior(memoryWindow, noForgetting, priorSigma);
    positive("coefficientMean", coefficientMean);
    positive("coefficientSigma", coefficientSigma);
    positive("ratioMax", ratioMax);
    nonNegative("secondOrder", secondOrder);
    nonNegative("sigmaMin", sigmaMin);
    nonNegative("sigmaMax", sigmaMax);
    finite("meanMin", meanMin);
    finite("meanMax", meanMax);
    if (sigmaMax < sigmaMin) {
      throw new IllegalArgumentException("sigmaMax = " + sigmaMax + " must be >= sigmaMin = " + sigmaMin);
    }
  }

  /** The rule without secondOrder and without a range on mu. */
  public static MesuRatioParams of(
      double memoryWindow, double priorMean, double priorSigma, double coefficientMean, double coefficientSigma, double ratioMax,
      double sigmaMin, double sigmaMax) {
    return new MesuRatioParams(
        memoryWindow, false, priorMean, priorSigma, coefficientMean, coefficientSigma, ratioMax, 0, sigmaMin, sigmaMax, 0, 0);
  }
}
