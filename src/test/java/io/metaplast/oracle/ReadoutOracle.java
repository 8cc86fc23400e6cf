package io.metaplast.oracle;

import java.util.stream.IntStream;

/** Loss, uncertainty, Hessian, sums and ROC in double precision; counts are exact. */
public final class ReadoutOracle {
  private ReadoutOracle() {}

  /** log-softmax of {@code classes} logits from {@code from}. */
  public static double[] logSoftmax(double[] logits, int from, int classes) {
    double max = IntStream.range(0, classes).mapToDouble(c -> logits[from + c]).max().orElseThrow();
    double sum = IntStream.range(0, classes).mapToDouble(c -> Math.exp(logits[from + c] - max)).sum();
    return IntStream.range(0, classes).mapToDouble(c -> logits[from + c] - max - Math.log(sum)).toArray();
  }

  /** Negative log-likelihood of an item: minus the mean over samples of log-softmax at the label; logits [K][B][C]. */
  public static double nll(double[] logits, int samples, int batch, int classes, int b, int label) {
    double sum = 0;
    for (int k = 0; k < samples; k++) {
      sum += logSoftmax(logits, (k * batch + b) * classes, classes)[label];
    }
    return -sum / samples;
  }

  /** Gradient of scale * nll with respect to the logits of sample {@code k}. */
  public static double[] nllGradient(double[] logits, int samples, int batch, int classes, int k, int b, int label, double scale) {
    double[] g = logSoftmax(logits, (k * batch + b) * classes, classes);
    double others = 0; // 1 - p of the label, without cancellation
    for (int c = 0; c < classes; c++) {
      g[c] = Math.exp(g[c]) * scale / samples;
      others += c == label ? 0 : g[c];
    }
    g[label] = -others;
    return g;
  }

  /** Predictive, aleatoric and epistemic part for probabilities [K][C], in nats or bits. */
  public static double[] uncertainty(double[][] p, boolean bits) {
    int classes = p[0].length;
    double[] mean = new double[classes];
    double aleatoric = 0;
    for (double[] sample : p) {
      aleatoric += entropy(sample) / p.length;
      for (int c = 0; c < classes; c++) {
        mean[c] += sample[c] / p.length;
      }
    }
    double unit = bits ? 1 / Math.log(2) : 1;
    double predictive = entropy(mean) * unit;
    return new double[] {predictive, aleatoric * unit, predictive - aleatoric * unit};
  }

  private static double entropy(double[] p) {
    double h = 0;
    for (double v : p) {
      h -= v * Math.log(v + 1e-12);
    }
    return h;
  }

  /** H = (1/sigma^2 - 1/prior^2) / N. */
  public static double diagHessian(double sigma, double priorSigma, double window) {
    return (1 / (sigma * sigma) - 1 / (priorSigma * priorSigma)) / window;
  }

  /** Largest number of fp32 additions that one element goes through in the R16 order. */
  public static int r16Depth(long n) {
    if (n <= 4096) {
      return (int) Math.max(0, (n + 15) / 16 - 1) + 4;
    }
    return 259 + r16Depth((n + 4095) / 4096);
  }

  /** Pairs in &lt; ood and pairs in = ood. */
  public static long[] rocPairs(float[] in, float[] ood) {
    long below = 0;
    long equal = 0;
    for (float a : in) {
      for (float b : ood) {
        below += a < b ? 1 : 0;
        equal += a == b ? 1 : 0;
      }
    }
    return new long[] {below, equal};
  }

  /** P(in &lt; ood) + P(in = ood)/2. */
  public static double rocAuc(float[] in, float[] ood) {
    long[] pairs = rocPairs(in, ood);
    return (pairs[0] + 0.5 * pairs[1]) / ((double) in.length * ood.length);
  }

  /** The authors' AUC: thresholds max(ood)*f32(j/999) in fp32, strict "&lt;", trapezoid rule over (fraction of ood below, fraction of in below). */
  public static double rocAucThresholds(float[] in, float[] ood) {
    float max = ood[0];
    for (float v : ood) {
      if (v > max) {
        max = v;
      }
    }
    double area = 0;
    double lastX = 0;
    double lastY = 0;
    for (int j = 0; j < 1000; j++) {
      float threshold = max * (float) (j / 999.0);
      double y = below(in, threshold);
      double x = below(ood, threshold);
      if (j > 0) {
        area += (x - lastX) * (y + lastY) / 2;
      }
      lastX = x;
      lastY = y;
    }
    return area;
  }

  private static double below(float[] values, float threshold) {
    long count = 0;
    for (float v : values) {
      count += v < threshold ? 1 : 0;
    }
    return (double) count / values.length;
  }
}
