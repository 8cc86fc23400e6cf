package io.metaplast.oracle;

/** The update rules of the Gaussian posterior as the papers write them, in double precision. */
public final class RuleOracle {
  private RuleOracle() {}

  /** mu and sigma after a step, and the sums of the absolute values of the terms that each came from (the scale of rounding errors). */
  public record Step(double mu, double sigma, double muTerms, double sigmaTerms) {}

  /** MESU as published; clamp 0 = off, window infinite = no forgetting. */
  public static Step mesu(
      double mu, double sigma, double gradMu, double gradSigma, double rateMu, double rateSigma, double priorMu, double priorSigma,
      double window, double clamp) {
    double gm = clamp > 0 ? limit(gradMu, clamp / sigma) : gradMu;
    double gs = clamp > 0 ? limit(gradSigma, clamp / sigma) : gradSigma;
    double s2 = sigma * sigma;
    double p2 = priorSigma * priorSigma;
    double dm = rateMu * (-s2 * gm + s2 * (priorMu - mu) / (window * p2));
    double ds = rateSigma / 2 * (-s2 * gs + sigma * (p2 - s2) / (window * p2));
    double muTerms = Math.abs(mu) + rateMu * (s2 * Math.abs(gm) + s2 * (Math.abs(priorMu) + Math.abs(mu)) / (window * p2));
    double sigmaTerms = Math.abs(sigma) + rateSigma / 2 * (s2 * Math.abs(gs) + Math.abs(sigma) * (p2 + s2) / (window * p2));
    return new Step(mu + dm, sigma + ds, muTerms, sigmaTerms);
  }

  /** The ratio-limited rule: no factor 1/2, steps divided by 1 + so |s gS|, then limited to ratioMax * sigma; sigma kept in a range if low &gt; 0. */
  public static Step ratio(
      double mu, double sigma, double gradMu, double gradSigma, double coefficientMu, double coefficientSigma, double priorMu,
      double priorSigma, double window, double ratioMax, double secondOrder, double low, double high) {
    double s2 = sigma * sigma;
    double p2 = priorSigma * priorSigma;
    double den = 1 + secondOrder * Math.abs(sigma * gradSigma);
    double dm = coefficientMu * (-s2 * gradMu + s2 * (priorMu - mu) / (window * p2)) / den;
    double ds = coefficientSigma * (-s2 * gradSigma + sigma * (p2 - s2) / (window * p2)) / den;
    double muTerms = Math.abs(mu) + coefficientMu * (s2 * Math.abs(gradMu) + s2 * (Math.abs(priorMu) + Math.abs(mu)) / (window * p2)) / den;
    double sigmaTerms = Math.abs(sigma) + coefficientSigma * (s2 * Math.abs(gradSigma) + Math.abs(sigma) * (p2 + s2) / (window * p2)) / den;
    double newSigma = sigma + limit(ds, ratioMax * sigma);
    if (low > 0) {
      newSigma = Math.min(Math.max(newSigma, low), high);
    }
    return new Step(mu + limit(dm, ratioMax * sigma), newSigma, muTerms, sigmaTerms);
  }

  /** Bayesian gradient descent; sigma' = sigma exp(-asinh(sigma ee / 2)). */
  public static Step bgd(double mu, double sigma, double e, double ee, double eta) {
    double x = sigma * ee / 2;
    double a = Math.abs(x);
    double grown = sigma * (a + Math.sqrt(1 + a * a));
    double shrunk = sigma / (a + Math.sqrt(1 + a * a));
    double step = eta * sigma * sigma * e;
    double newSigma = x >= 0 ? shrunk : grown;
    return new Step(mu - step, newSigma, Math.abs(mu) + Math.abs(step), newSigma);
  }

  /** What code with the flipped sign of the root term gives: must not be produced. */
  public static double bgdFlipped(double sigma, double ee) {
    double x = sigma * ee / 2;
    return 2 * sigma - sigma * Math.sqrt(1 + x * x) - sigma * x;
  }

  private static double limit(double x, double c) {
    return x > c ? c : Math.max(x, -c);
  }
}
