package io.metaplast.binary;

import java.math.BigDecimal;
import java.util.Objects;

/** Folds batch norm and sign into integer thresholds, exactly: a candidate in double, then its neighbours settled in decimals of unlimited length. */
record ThresholdFold(int[] limit, int[] invert) {
  static ThresholdFold of(float[] gamma, float[] beta, float[] mean, float[] variance, double eps, int k) {
    Objects.requireNonNull(gamma, "gamma");
    length("beta", beta, gamma);
    length("mean", mean, gamma);
    length("variance", variance, gamma);
    if (k < 0) {
      throw new IllegalArgumentException("k = " + k + " must be >= 0");
    }
    if (!Double.isFinite(eps)) {
      throw new IllegalArgumentException("eps = " + eps + " must be finite");
    }
    int n = gamma.length;
    int[] limit = new int[n];
    int[] invert = new int[n];
    for (int c = 0; c < n; c++) {
      finite("gamma", c, gamma[c]);
      finite("beta", c, beta[c]);
      finite("mean", c, mean[c]);
      finite("variance", c, variance[c]);
      BigDecimal spread = new BigDecimal(variance[c]).add(new BigDecimal(eps));
      if (spread.signum() <= 0) {
        throw new IllegalArgumentException("variance[" + c + "] = " + variance[c] + " + eps " + eps + " must be > 0");
      }
      if (gamma[c] == 0) {
        limit[c] = beta[c] >= 0 ? k : -1;
        continue;
      }
      double t = mean[c] - beta[c] * Math.sqrt((double) variance[c] + eps) / gamma[c];
      long last = settle(gamma[c], beta[c], mean[c], spread, k, t) - 1;
      boolean turned = gamma[c] < 0;
      if (turned && (last < 0 || last == k)) { // always or never, written the same way as for gamma >= 0
        limit[c] = last < 0 ? k : -1;
      } else {
        limit[c] = (int) last;
        invert[c] = turned ? 1 : 0;
      }
    }
    return new ThresholdFold(limit, invert);
  }

  /**
   * gamma &gt; 0: the smallest p in 0..k+1 whose bit is 0; gamma &lt; 0: the smallest p whose bit is 1. The bit is monotone in p, so a search outwards from the
   * candidate of double arithmetic ends at it.
   */
  private static long settle(float gamma, float beta, float mean, BigDecimal spread, int k, double t) {
    double candidate = (k - t) / 2;
    long p = Double.isNaN(candidate) ? 0 : (long) Math.max(0, Math.min(k + 1.0, Math.floor(candidate) + 1));
    boolean near = gamma > 0; // the bit before the turn
    long low = 0;
    long high = k + 1L;
    // doubling steps: one or two comparisons where double arithmetic was right, a binary search where it was far off
    long step = 1;
    while (low < high) {
      if (p >= high) {
        p = high - 1;
      }
      if (p < low) {
        p = low;
      }
      if (bit(gamma, beta, mean, spread, k - 2 * p) == near) {
        low = p + 1;
        p = Math.min(high - 1, p + step);
      } else {
        high = p;
        p = Math.max(low, p - step);
      }
      step = Math.min(2 * step, Math.max(1, (high - low) / 2));
    }
    return low;
  }

  /** gamma * (y - mean) / sqrt(spread) + beta &gt;= 0 in exact arithmetic. */
  static boolean bit(float gamma, float beta, float mean, BigDecimal spread, long y) {
    BigDecimal left = new BigDecimal(gamma).multiply(BigDecimal.valueOf(y).subtract(new BigDecimal(mean)));
    BigDecimal right = new BigDecimal(beta).negate();
    int l = left.signum();
    int r = right.signum();
    if (l >= 0 && r <= 0) {
      return true;
    }
    if (l < 0 && r >= 0 || l == 0) { // l = 0 with r > 0
      return false;
    }
    int squares = left.multiply(left).compareTo(right.multiply(right).multiply(spread));
    return l > 0 ? squares >= 0 : squares <= 0;
  }

  private static void length(String name, float[] values, float[] gamma) {
    Objects.requireNonNull(values, name);
    if (values.length != gamma.length) {
      throw new IllegalArgumentException(name + ".length " + values.length + " != gamma.length " + gamma.length);
    }
  }

  private static void finite(String name, int c, float value) {
    if (!Float.isFinite(value)) {
      throw new IllegalArgumentException(name + "[" + c + "] = " + value + " must be finite");
    }
  }
}
