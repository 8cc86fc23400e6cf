package io.metaplast.contract;

import static io.metaplast.contract.Check.TINY;
import static io.metaplast.contract.Check.U;

import io.metaplast.bayes.BgdParams;
import io.metaplast.bayes.MesuParams;
import io.metaplast.bayes.MesuRatioParams;
import io.metaplast.bayes.UpdateRule;
import io.metaplast.oracle.RuleOracle;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Update rules for tests: random parameters of the size that the papers use, and the oracle's value and error bound of a step. */
final class Rules {
  private Rules() {}

  /** A MESU rule; clip, floor, forgetting and prior vary. */
  static MesuParams mesu(SplittableRandom r) {
    return new MesuParams(
        Math.exp(r.nextDouble(4, 16)), r.nextInt(5) == 0, r.nextInt(2) * 0.1, r.nextBoolean() ? 1 : r.nextDouble(0.02, 1), r.nextDouble(0.3, 1.6),
        r.nextDouble(0.3, 2.1), r.nextInt(2) * r.nextDouble(0.05, 1), r.nextInt(2) * 1e-3);
  }

  /** A ratio-limited rule; second order, ranges of sigma and mu vary. */
  static MesuRatioParams ratio(SplittableRandom r) {
    double low = r.nextInt(3) == 0 ? 0 : r.nextDouble(1e-6, 0.02);
    boolean meanRange = r.nextInt(3) == 0;
    return new MesuRatioParams(
        Math.exp(r.nextDouble(4, 16)), r.nextInt(5) == 0, r.nextInt(2) * 0.1, r.nextBoolean() ? 1 : r.nextDouble(0.02, 1), r.nextDouble(0.5, 5),
        r.nextDouble(1, 130), r.nextDouble(0.01, 0.6), r.nextInt(2) * r.nextDouble(0.5, 2), low, low + r.nextDouble(0.1, 1), meanRange ? -0.5 : 0,
        meanRange ? 0.75 : 0);
  }

  /** A BGD rule. */
  static BgdParams bgd(SplittableRandom r) {
    return new BgdParams(r.nextDouble(0.1, 3));
  }

  /** One rule a tensor. */
  static List<UpdateRule> many(SplittableRandom r, int tensors) {
    return IntStream.range(0, tensors).mapToObj(t -> (UpdateRule) mesu(r)).toList();
  }

  /** The rule for the tensors of {@code set}. */
  static UpdateRule of(List<UpdateRule> rules, int[] set) {
    return rules.size() == 1 ? rules.get(0) : UpdateRule.perTensor(Arrays.stream(set).mapToObj(rules::get).toList());
  }

  /** Compares a step with the oracle: (operations + 1) * u * (sum of absolute terms); the fp32 host constants count as operations. */
  static void verify(String what, int i, UpdateRule rule, double mu, double sigma, double gm, double gs, float newMu, float newSigma) {
    if (rule instanceof MesuParams p) {
      RuleOracle.Step s =
          RuleOracle.mesu(
              mu, sigma, gm, gs, (float) p.rateMean(), (float) p.rateSigma(), (float) p.priorMean(), (float) p.priorSigma(),
              p.noForgetting() ? Double.POSITIVE_INFINITY : p.memoryWindow(), (float) p.clampGrad());
      double expected = p.sigmaFloor() > 0 ? Math.max(s.sigma(), (float) p.sigmaFloor()) : s.sigma();
      Check.near(what + " mu", i, newMu, s.mu(), 10 * U * s.muTerms() + TINY);
      Check.near(what + " sigma", i, newSigma, expected, 11 * U * s.sigmaTerms() + TINY);
    } else if (rule instanceof MesuRatioParams p) {
      RuleOracle.Step s =
          RuleOracle.ratio(
              mu, sigma, gm, gs, (float) p.coefficientMean(), (float) p.coefficientSigma(), (float) p.priorMean(), (float) p.priorSigma(),
              p.noForgetting() ? Double.POSITIVE_INFINITY : p.memoryWindow(), (float) p.ratioMax(), (float) p.secondOrder(), (float) p.sigmaMin(),
              (float) p.sigmaMax());
      double expectedMu = p.meanMin() < p.meanMax() ? Math.min(Math.max(s.mu(), (float) p.meanMin()), (float) p.meanMax()) : s.mu();
      Check.near(what + " mu", i, newMu, expectedMu, 15 * U * s.muTerms() + TINY);
      Check.near(what + " sigma", i, newSigma, s.sigma(), 15 * U * s.sigmaTerms() + TINY);
    } else {
      RuleOracle.Step s = RuleOracle.bgd(mu, sigma, gm, gs, (float) ((BgdParams) rule).eta());
      Check.near(what + " mu", i, newMu, s.mu(), 5 * U * s.muTerms() + TINY);
      Check.near(what + " sigma", i, newSigma, s.sigma(), 8 * U * s.sigmaTerms() + TINY);
      if (!(newSigma > 0)) {
        throw new AssertionError(what + " sigma[" + i + "] is " + newSigma + ": BGD must stay positive");
      }
    }
  }

  /**
   * A compensated MESU step: sigma' + lo' is the oracle's sigma + lo up to the roundings of q itself and of q + lo, which are small against an ulp of sigma.
   * Where the floor acts, only the floor is checked.
   */
  static void verifyCompensated(
      String what, int i, UpdateRule rule, double mu, double sigma, double low, double gm, double gs, float newSigma, float newLow) {
    MesuParams p = (MesuParams) rule;
    RuleOracle.Step s =
        RuleOracle.mesu(
            mu, sigma, gm, gs, (float) p.rateMean(), (float) p.rateSigma(), (float) p.priorMean(), (float) p.priorSigma(),
            p.noForgetting() ? Double.POSITIVE_INFINITY : p.memoryWindow(), (float) p.clampGrad());
    double expected = s.sigma() + low;
    if (p.sigmaFloor() > 0 && expected < p.sigmaFloor() * (1 + 1e-5)) {
      Check.near(what + " sigma", i, newSigma, Math.max(expected, (float) p.sigmaFloor()), 11 * U * s.sigmaTerms() + TINY);
      return;
    }
    double q = Math.abs(s.sigma() - sigma);
    double qTerms = s.sigmaTerms() - Math.abs(sigma);
    // the low part is exact while the step is smaller than sigma (fast two-sum); beyond, it is as good as plain fp32
    boolean exact = q + Math.abs(low) < 0.99 * sigma;
    double bound = 11 * U * qTerms + 2 * U * (q + Math.abs(low)) + (exact ? 0 : 3 * U * (q + sigma)) + TINY;
    double sum = (double) newSigma + newLow;
    if (!(Math.abs(sum - expected) <= bound)) {
      throw new AssertionError(what + " sigma + low [" + i + "] is " + sum + ", oracle " + expected + ", bound " + bound);
    }
    if (exact && Math.abs(newLow) > Math.ulp(newSigma)) {
      throw new AssertionError(what + " low[" + i + "] is " + newLow + ", more than an ulp of sigma " + newSigma);
    }
  }
}
