package io.metaplast.internal.java;

import io.metaplast.internal.spi.RuleRows;

/**
 * The update rules over arrays with one common index, which is what lets the loops vectorise. Clips and floors use Math.min and Math.max
 * where these give the same bits as the comparisons of the specification: NaN passes through both, and a zero bound never meets a zero of
 * the other sign.
 */
final class Rule {
  private int kind;
  private float priorMean;
  private float priorPull;
  private float priorVariance;
  private float rateMean;
  private float rateSigma;
  private float clamp;
  private float ratioMax;
  private float secondOrder;
  private float sigmaMin;
  private float sigmaMax;
  private float meanMin;
  private float meanMax;

  /** Takes row {@code row} of {@code rows}. */
  void load(RuleRows rows, int row) {
    float[] v = rows.values();
    int o = row * rows.stride() * RuleRows.ROW;
    kind = rows.kind();
    priorMean = v[o + RuleRows.PRIOR_MEAN];
    priorPull = v[o + RuleRows.PRIOR_PULL];
    priorVariance = v[o + RuleRows.PRIOR_VARIANCE];
    rateMean = v[o + RuleRows.RATE_MEAN];
    rateSigma = v[o + RuleRows.RATE_SIGMA];
    clamp = v[o + RuleRows.CLAMP];
    ratioMax = v[o + RuleRows.RATIO_MAX];
    secondOrder = v[o + RuleRows.SECOND_ORDER];
    sigmaMin = v[o + RuleRows.SIGMA_MIN];
    sigmaMax = v[o + RuleRows.SIGMA_MAX];
    meanMin = v[o + RuleRows.MEAN_MIN];
    meanMax = v[o + RuleRows.MEAN_MAX];
  }

  /** Whether {@link #apply} leaves the gradients as they are. */
  boolean keepsGradients() {
    return kind != RuleRows.RULE_MESU_RATIO;
  }

  /**
   * Updates elements from..to-1 in place, a chunk at most; {@code low} may be null. The ratio rule overwrites the gradients and a spare
   * chunk.
   */
  void apply(float[] mu, float[] sigma, float[] low, float[] gradMean, float[] gradSigma, int from, int to, float[] spare) {
    if (kind == RuleRows.RULE_BGD) {
      bgd(mu, sigma, gradMean, gradSigma, from, to, rateMean);
    } else if (kind == RuleRows.RULE_MESU_RATIO) {
      ratio(mu, sigma, gradMean, gradSigma, from, to, spare);
    } else {
      float floor = sigmaMin > 0f ? sigmaMin : Float.NEGATIVE_INFINITY;
      float clip = clamp > 0f ? clamp : Float.POSITIVE_INFINITY;
      if (low != null) {
        compensated(
            mu, sigma, low, gradMean, gradSigma, from, to, priorMean, priorPull, priorVariance, rateMean, rateSigma, clip, floor);
      } else if (clamp > 0f) {
        clipped(mu, sigma, gradMean, gradSigma, from, to, priorMean, priorPull, priorVariance, rateMean, rateSigma, clip, floor);
      } else {
        mesu(mu, sigma, gradMean, gradSigma, from, to, priorMean, priorPull, priorVariance, rateMean, rateSigma, floor);
      }
    }
  }

  private static void mesu(
      float[] mu, float[] sigma, float[] gradMean, float[] gradSigma, int from, int to, float priorMean, float priorPull,
      float priorVariance, float rateMean, float rateSigma, float floor) {
    for (int i = from; i < to; i++) {
      float m = mu[i];
      float s = sigma[i];
      float a = s * ((priorMean - m) * priorPull);
      a = a - s * gradMean[i];
      a = rateMean * (s * a);
      mu[i] = m + a;
      float q = (priorVariance - s * s) * priorPull;
      q = q - s * gradSigma[i];
      q = rateSigma * (s * q);
      sigma[i] = Math.max(s + q, floor);
    }
  }

  private static void clipped(
      float[] mu, float[] sigma, float[] gradMean, float[] gradSigma, int from, int to, float priorMean, float priorPull,
      float priorVariance, float rateMean, float rateSigma, float clip, float floor) {
    float minusClip = -clip;
    for (int i = from; i < to; i++) {
      float m = mu[i];
      float s = sigma[i];
      float a = s * ((priorMean - m) * priorPull);
      a = a - Math.max(Math.min(s * gradMean[i], clip), minusClip);
      a = rateMean * (s * a);
      mu[i] = m + a;
      float q = (priorVariance - s * s) * priorPull;
      q = q - Math.max(Math.min(s * gradSigma[i], clip), minusClip);
      q = rateSigma * (s * q);
      sigma[i] = Math.max(s + q, floor);
    }
  }

  private static void compensated(
      float[] mu, float[] sigma, float[] low, float[] gradMean, float[] gradSigma, int from, int to, float priorMean, float priorPull,
      float priorVariance, float rateMean, float rateSigma, float clip, float floor) {
    float minusClip = -clip;
    for (int i = from; i < to; i++) {
      float m = mu[i];
      float s = sigma[i];
      float a = s * ((priorMean - m) * priorPull);
      a = a - Math.max(Math.min(s * gradMean[i], clip), minusClip);
      a = rateMean * (s * a);
      mu[i] = m + a;
      float q = (priorVariance - s * s) * priorPull;
      q = q - Math.max(Math.min(s * gradSigma[i], clip), minusClip);
      q = rateSigma * (s * q);
      float y = q + low[i];
      float updated = s + y;
      low[i] = y - (updated - s);
      sigma[i] = Math.max(updated, floor);
    }
  }

  /**
   * The two branches x >= 0 and x < 0 are one expression: the side that does not apply gets root(0) = 1, and a factor or divisor 1 is
   * exact.
   */
  private static void bgd(float[] mu, float[] sigma, float[] mean, float[] meanEpsilon, int from, int to, float eta) {
    for (int i = from; i < to; i++) {
      float s = sigma[i];
      float t = s * (s * mean[i]);
      mu[i] = mu[i] - eta * t;
      float x = 0.5f * (s * meanEpsilon[i]);
      float grow = root(Math.max(-x, 0f));
      float shrink = root(Math.max(x, 0f));
      sigma[i] = s * grow / shrink;
    }
  }

  /**
   * a + sqrt(1 + a*a), with a in place of the root from a = 2^60 on. The minimum does that without a branch: the root is never above 1 +
   * a, and is a where 1 + a is, until a*a overflows (compared for every a >= 0).
   */
  private static float root(float a) {
    return a + Math.min(Elementary.sqrt(1f + a * a), 1f + a);
  }

  private void ratio(float[] mu, float[] sigma, float[] gradMean, float[] gradSigma, int from, int to, float[] spare) {
    if (secondOrder > 0f) {
      dampedDeltas(mu, sigma, gradMean, gradSigma, from, to, priorMean, priorPull, priorVariance, rateMean, rateSigma, secondOrder);
    } else {
      deltas(mu, sigma, gradMean, gradSigma, from, to, priorMean, priorPull, priorVariance, rateMean, rateSigma);
    }
    boolean sigmaBound = sigmaMin > 0f;
    boolean meanBound = meanMin < meanMax;
    if (meanBound && (meanMin == 0f || meanMax == 0f) || Positive.violations(sigma, from, to - from, spare) > 0) {
      moveByComparison(mu, sigma, gradMean, gradSigma, from, to, sigmaBound, meanBound);
      return;
    }
    float low = sigmaBound ? sigmaMin : Float.NEGATIVE_INFINITY;
    float high = sigmaBound ? sigmaMax : Float.POSITIVE_INFINITY;
    move(mu, sigma, gradMean, gradSigma, from, to, ratioMax, low, high);
    if (meanBound) {
      range(mu, from, to, meanMin, meanMax);
    }
  }

  /** Gradients become the unlimited changes of mu and sigma. */
  private static void deltas(
      float[] mu, float[] sigma, float[] gradMean, float[] gradSigma, int from, int to, float priorMean, float priorPull,
      float priorVariance, float rateMean, float rateSigma) {
    for (int i = from; i < to; i++) {
      float s = sigma[i];
      float a = s * ((priorMean - mu[i]) * priorPull);
      a = a - s * gradMean[i];
      gradMean[i] = rateMean * (s * a);
      float q = (priorVariance - s * s) * priorPull;
      q = q - s * gradSigma[i];
      gradSigma[i] = rateSigma * (s * q);
    }
  }

  private static void dampedDeltas(
      float[] mu, float[] sigma, float[] gradMean, float[] gradSigma, int from, int to, float priorMean, float priorPull,
      float priorVariance, float rateMean, float rateSigma, float secondOrder) {
    for (int i = from; i < to; i++) {
      float s = sigma[i];
      float a = s * ((priorMean - mu[i]) * priorPull);
      a = a - s * gradMean[i];
      float q = (priorVariance - s * s) * priorPull;
      float xs = s * gradSigma[i];
      q = q - xs;
      float damping = 1f + secondOrder * Math.abs(xs);
      gradMean[i] = rateMean * (s * a) / damping;
      gradSigma[i] = rateSigma * (s * q) / damping;
    }
  }

  /** For positive sigma only: then the limit is not negative and no zero of the wrong sign can come out. */
  private static void move(
      float[] mu, float[] sigma, float[] deltaMean, float[] deltaSigma, int from, int to, float ratioMax, float low, float high) {
    for (int i = from; i < to; i++) {
      float s = sigma[i];
      float limit = ratioMax * s;
      mu[i] = mu[i] + Math.max(Math.min(deltaMean[i], limit), -limit);
      float updated = s + Math.max(Math.min(deltaSigma[i], limit), -limit);
      sigma[i] = Math.min(Math.max(updated, low), high);
    }
  }

  private static void range(float[] x, int from, int to, float low, float high) {
    for (int i = from; i < to; i++) {
      x[i] = Math.min(Math.max(x[i], low), high);
    }
  }

  private void moveByComparison(
      float[] mu, float[] sigma, float[] deltaMean, float[] deltaSigma, int from, int to, boolean sigmaBound, boolean meanBound) {
    for (int i = from; i < to; i++) {
      float s = sigma[i];
      float limit = ratioMax * s;
      float m = mu[i] + clip(deltaMean[i], limit);
      float updated = s + clip(deltaSigma[i], limit);
      sigma[i] = sigmaBound ? inRange(updated, sigmaMin, sigmaMax) : updated;
      mu[i] = meanBound ? inRange(m, meanMin, meanMax) : m;
    }
  }

  private static float clip(float x, float c) {
    return x > c ? c : x < -c ? -c : x;
  }

  private static float inRange(float x, float low, float high) {
    return x < low ? low : x > high ? high : x;
  }
}
