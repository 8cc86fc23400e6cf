package io.metaplast.oracle;

import io.metaplast.binary.Conv2dShape;

/** The binarized family in double precision, from the formulas; where fp32 rounds, with a bound of what that may do ({@link Bounded}). */
public final class BinaryOracle {
  private BinaryOracle() {}

  // ---- real x +-1 -------------------------------------------------------------------------------------------------------------------

  /**
   * x sign(W)^T and the sum of magnitudes of its terms: element 0 is the result, 1 the sum of |x|.
   *
   * @param at (row, term) to the value
   * @param sign (term, column) to +-1
   */
  public static double[] product(int terms, java.util.function.IntToDoubleFunction at, java.util.function.IntToDoubleFunction sign) {
    double sum = 0;
    double magnitude = 0;
    for (int i = 0; i < terms; i++) {
      double t = at.applyAsDouble(i) * sign.applyAsDouble(i);
      sum += t;
      magnitude += Math.abs(t);
    }
    return new double[] {sum, magnitude};
  }

  // ---- batch norm -------------------------------------------------------------------------------------------------------------------

  /** Mean, biased variance and 1/sqrt(variance + eps) of the values of a channel. */
  public static double[] statistics(double[] y, double eps) {
    double mean = 0;
    for (double v : y) {
      mean += v;
    }
    mean /= y.length;
    double var = 0;
    for (double v : y) {
      var += (v - mean) * (v - mean);
    }
    var /= y.length;
    return new double[] {mean, var, 1 / Math.sqrt(var + eps)};
  }

  /** gamma (y - mean) / sqrt(var + eps) + beta. */
  public static double normalise(double y, double mean, double inv, double gamma, double beta) {
    return gamma * ((y - mean) * inv) + beta;
  }

  /** Gradients of the batch norm of one channel. */
  public record ChannelGradients(double[] dx, double dgamma, double dbeta) {}

  /** Backward pass of one channel, from its statistics. */
  public static ChannelGradients backward(double[] y, double[] dout, double mean, double inv, double gamma) {
    int n = y.length;
    double dgamma = 0;
    double dbeta = 0;
    for (int i = 0; i < n; i++) {
      dgamma += dout[i] * ((y[i] - mean) * inv);
      dbeta += dout[i];
    }
    double[] dx = new double[n];
    for (int i = 0; i < n; i++) {
      dx[i] = gamma * inv * (dout[i] - dbeta / n - (y[i] - mean) * inv * dgamma / n);
    }
    return new ChannelGradients(dx, dgamma, dbeta);
  }

  /** Additions between a term and the result of the library's blocked sum of n terms: 16 accumulators in chunks of 4,096, combined pairwise. */
  public static int sumDepth(int n) {
    return Math.min(n, 4096) / 16 + 6 + n / 4096;
  }

  // ---- metaplastic Adam -------------------------------------------------------------------------------------------------------------

  /** Constants of a step. */
  public record Adam(double alpha, double beta1, double fresh1, double beta2, double fresh2, double epsilon, double weightDecay, double meta) {
    /** In double precision. */
    public static Adam exact(double rate, double beta1, double beta2, double epsilon, double weightDecay, double meta, long t) {
      double alpha = rate * Math.sqrt(1 - Math.pow(beta2, t)) / (1 - Math.pow(beta1, t));
      return new Adam(alpha, beta1, 1 - beta1, beta2, 1 - beta2, epsilon, weightDecay, meta);
    }

    /** Each rounded to fp32 once, as kernels get them. */
    public Adam rounded() {
      return new Adam(
          (float) alpha, (float) beta1, (float) fresh1, (float) beta2, (float) fresh2, (float) epsilon, (float) weightDecay, (float) meta);
    }
  }

  /** State of a weight after a step. */
  public record AdamState(Bounded w, Bounded m, Bounded v) {}

  /** f = 1 - tanh^2(meta |w|) = 4e/(1+e)^2 with e = exp(-2 meta |w|): the form that does not cancel. */
  public static double factor(double meta, double w) {
    double e = Math.exp(-2 * meta * Math.abs(w));
    return 4 * e / ((1 + e) * (1 + e));
  }

  /** One step of one weight. */
  public static AdamState adam(Adam c, double w, double gradient, double oldM, double oldV) {
    Bounded g = Bounded.of(gradient);
    if (c.weightDecay != 0) {
      g = g.plus(Bounded.of(c.weightDecay).times(w));
    }
    Bounded m = Bounded.of(c.beta1).times(oldM).plus(g.times(c.fresh1));
    Bounded v = Bounded.of(c.beta2).times(oldV).plus(g.times(g).times(c.fresh2));
    Bounded d = v.sqrt().plus(c.epsilon);
    Bounded x = Bounded.of(c.meta).times(Math.abs(w));
    Bounded f = metaFactor(x);
    boolean shrink = w > 0 && m.value() > 0 || w < 0 && m.value() < 0;
    Bounded u = shrink ? m.times(f) : m;
    if (Math.abs(m.value()) <= m.error()) {
      u = u.widened(Math.abs(m.value())); // the sign of m, and with it the factor, is open
    }
    return new AdamState(Bounded.of(w).minus(u.over(d).times(c.alpha)), m, v);
  }

  /** 4e/(1+e)^2, e = exp(-2x). */
  private static Bounded metaFactor(Bounded x) {
    double exact = Math.exp(-2 * x.value());
    Bounded e = new Bounded(2 * x.value(), 2 * x.error()).function(exact, Math.exp(-2 * (x.value() - x.error())), 1.5).widened(2 * x.value() > 87 ? 2e-38 : 0);
    Bounded a = e.plus(1);
    Bounded f = e.times(4).over(a.times(a));
    return new Bounded(4 * exact / ((1 + exact) * (1 + exact)), f.error());
  }

  // ---- Bernoulli weights ------------------------------------------------------------------------------------------------------------

  private static Bounded tanh(Bounded x) {
    double near = Math.max(0, Math.abs(x.value()) - x.error());
    double slope = 1 - Math.tanh(near) * Math.tanh(near);
    return x.function(Math.tanh(x.value()), slope, 4);
  }

  /** tanh((l + logit(u)/2) / T). */
  public static Bounded relaxed(double l, double u, double inverseTemperature) {
    Bounded odds = Bounded.of(u).function(Math.log(u), 0, 1).minus(Bounded.of(1 - u).function(Math.log1p(-u), 0, 1));
    return tanh(odds.times(0.5).plus(l).times(inverseTemperature));
  }

  /** BiMU; {@code inverseRateMax} and {@code inverseWindow} as the kernel gets them. */
  public static Bounded bimu(double l, double g, double rate, double inverseRateMax, double likelihood, double kl, double inverseWindow) {
    Bounded th = tanh(Bounded.of(l));
    Bounded ic = metaFactor(Bounded.of(Math.abs(l))).times(kl);
    Bounded p = Bounded.of(likelihood).times(g);
    Bounded den = ic.plus(p.times(th).times(2)).plus(new Bounded(Math.abs(p.value()), p.error()).times(2).plus(inverseRateMax));
    Bounded r = p.times(rate).plus(ic.times(l).times(inverseWindow));
    return Bounded.of(l).minus(r.over(den));
  }

  /** Natural parameter and momentum after a step of BayesBiNN. */
  public record BinnState(Bounded l, Bounded momentum) {}

  /** BayesBiNN; samples and gradients of one weight, constants as the kernel gets them. */
  public static BinnState binn(
      double l, double momentum, double[] w, double[] g, double inverseTemperature, double likelihood, double prior, double priorWeight, double decay,
      double fresh, double rate) {
    Bounded th = tanh(Bounded.of(l));
    Bounded a = Bounded.of(1).minus(th.times(th)).plus(1e-10);
    Bounded s = null;
    for (int k = 0; k < w.length; k++) {
      Bounded c = Bounded.of(1).minus(Bounded.of(w[k]).times(w[k])).plus(1e-10).times(inverseTemperature).over(a).times(g[k]);
      s = s == null ? c : s.plus(c);
    }
    s = s.times(likelihood).plus(Bounded.of(l).minus(prior).times(priorWeight));
    Bounded mom = Bounded.of(decay).times(momentum).plus(s.times(fresh));
    return new BinnState(Bounded.of(l).minus(mom.times(rate)), mom);
  }

  // ---- convolution ------------------------------------------------------------------------------------------------------------------

  /** A position of the convolution: called for every pair of output and input that a kernel element links. */
  public interface Link {
    /**
     * A link.
     *
     * @param n item
     * @param o output channel
     * @param y index of the output in [batch][outChannels][outHeight][outWidth]
     * @param c channel of the input
     * @param x index of the input in [channels][height][width] of item n
     * @param w index of the weight in [channels/groups][kernelHeight][kernelWidth] of channel o
     */
    void visit(int n, int o, int y, int c, int x, int w);
  }

  /** All links of a convolution, directly from its definition: input row = output row * stride - pad + kernel row * dilation. */
  public static void links(Conv2dShape s, Link link) {
    int perGroup = s.channels() / s.groups();
    int outPerGroup = s.outChannels() / s.groups();
    int ho = s.outHeight();
    int wo = s.outWidth();
    for (int n = 0; n < s.batch(); n++) {
      for (int o = 0; o < s.outChannels(); o++) {
        for (int i = 0; i < ho; i++) {
          for (int j = 0; j < wo; j++) {
            int y = ((n * s.outChannels() + o) * ho + i) * wo + j;
            for (int c = 0; c < perGroup; c++) {
              int channel = o / outPerGroup * perGroup + c;
              for (int r = 0; r < s.kernelHeight(); r++) {
                for (int t = 0; t < s.kernelWidth(); t++) {
                  int row = i * s.strideHeight() - s.padHeight() + r * s.dilationHeight();
                  int col = j * s.strideWidth() - s.padWidth() + t * s.dilationWidth();
                  if (row >= 0 && row < s.height() && col >= 0 && col < s.width()) {
                    link.visit(n, o, y, channel, (channel * s.height() + row) * s.width() + col, (c * s.kernelHeight() + r) * s.kernelWidth() + t);
                  }
                }
              }
            }
          }
        }
      }
    }
  }
}
