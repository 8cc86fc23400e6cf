package io.metaplast.binary;

/**
 * Constants of {@link BinaryKernels#bayesBinnStep}.
 *
 * @param rate learning rate; finite, &gt; 0
 * @param momentum decay of the momentum; 0 &lt;= momentum &lt; 1
 * @param temperature of the relaxation; finite, &gt; 0, so that its inverse is finite in fp32
 * @param trainItems N of the data set; finite, &gt; 0
 * @param prior natural parameter of the prior; finite
 * @param priorWeight pull of the prior; finite, &gt;= 0
 */
public record BayesBinnParams(double rate, double momentum, double temperature, double trainItems, double prior, double priorWeight) {
  /** Validates. */
  public BayesBinnParams {
    positive("rate", rate);
    if (!(momentum >= 0 && (float) momentum < 1)) {
      throw new IllegalArgumentException("momentum = " + momentum + " must be in 0..1, 1 excluded (in fp32)");
    }
    positive("temperature", temperature);
    positive("1/temperature", 1 / temperature);
    positive("trainItems", trainItems);
    if (!Float.isFinite((float) prior)) {
      throw new IllegalArgumentException("prior = " + prior + " must be finite (in fp32)");
    }
    if (!(priorWeight >= 0) || !Float.isFinite((float) priorWeight)) {
      throw new IllegalArgumentException("priorWeight = " + priorWeight + " must be finite and >= 0");
    }
  }

  private static void positive(String name, double value) {
    if (!((float) value > 0) || !Float.isFinite((float) value)) {
      throw new IllegalArgumentException(name + " = " + value + " must be finite and > 0 (in fp32)");
    }
  }
}
