package io.metaplast.binary;

/**
 * Metaplastic Adam (Laborieux et al., Nature Communications 2021, DOI 10.1038/s41467-021-22768-y): Adam on the hidden weights, whose step is scaled by
 * 1 - tanh^2(meta |W|) where it would bring a weight nearer to zero. meta = 0 is plain Adam.
 *
 * @param learningRate finite, &gt; 0
 * @param beta1 decay of the first moment; 0 &lt;= beta1 &lt; 1
 * @param beta2 decay of the second moment; 0 &lt;= beta2 &lt; 1
 * @param epsilon added to the square root of the uncorrected second moment; finite, &gt; 0 in fp32
 * @param weightDecay added to the gradient before the moments; finite, &gt;= 0
 * @param meta metaplasticity; finite, &gt;= 0
 */
public record AdamParams(double learningRate, double beta1, double beta2, double epsilon, double weightDecay, double meta) {
  /** Validates. */
  public AdamParams {
    positive("learningRate", learningRate);
    decay("beta1", beta1);
    decay("beta2", beta2);
    positive("epsilon", epsilon);
    nonNegative("weightDecay", weightDecay);
    nonNegative("meta", meta);
  }

  /** Beta 0.9 and 0.999, epsilon 1e-8, no weight decay, no metaplasticity. */
  public static AdamParams of(double learningRate) {
    return new AdamParams(learningRate, 0.9, 0.999, 1e-8, 0, 0);
  }

  /** The same with another metaplasticity. */
  public AdamParams withMeta(double newMeta) {
    return new AdamParams(learningRate, beta1, beta2, epsilon, weightDecay, newMeta);
  }

  /** The same with another weight decay. */
  public AdamParams withWeightDecay(double newWeightDecay) {
    return new AdamParams(learningRate, beta1, beta2, epsilon, newWeightDecay, meta);
  }

  private static void positive(String name, double value) {
    if (!((float) value > 0) || !Float.isFinite((float) value)) {
      throw new IllegalArgumentException(name + " = " + value + " must be finite and > 0 (in fp32)");
    }
  }

  private static void nonNegative(String name, double value) {
    if (!(value >= 0) || !Float.isFinite((float) value)) {
      throw new IllegalArgumentException(name + " = " + value + " must be finite and >= 0");
    }
  }

  private static void decay(String name, double value) {
    if (!(value >= 0 && (float) value < 1)) {
      throw new IllegalArgumentException(name + " = " + value + " must be in 0..1, 1 excluded (in fp32)");
    }
  }
}
