package io.metaplast.binary;

/**
 * Constants of {@link BinaryKernels#bimuStep}. Published values: rate 4.9, rateMax 0.0023, likelihood 161.3, kl 3.76, memoryWindow 700.
 *
 * @param rate learning rate; finite, &gt; 0
 * @param rateMax largest step per unit of gradient; finite, &gt; 0
 * @param likelihood weight of the gradient; finite, &gt; 0
 * @param kl weight of the curvature term; finite, &gt;= 0
 * @param memoryWindow N, in batches; finite, &gt; 0
 */
public record BimuParams(double rate, double rateMax, double likelihood, double kl, double memoryWindow) {
  /** Validates. */
  public BimuParams {
    positive("rate", rate);
    positive("rateMax", rateMax);
    positive("1/rateMax", 1 / rateMax);
    positive("likelihood", likelihood);
    if (!(kl >= 0) || !Float.isFinite((float) kl)) {
      throw new IllegalArgumentException("kl = " + kl + " must be finite and >= 0");
    }
    positive("memoryWindow", memoryWindow);
    positive("1/memoryWindow", 1 / memoryWindow);
  }

  private static void positive(String name, double value) {
    if (!((float) value > 0) || !Float.isFinite((float) value)) {
      throw new IllegalArgumentException(name + " = " + value + " must be finite and > 0 (in fp32)");
    }
  }
}
