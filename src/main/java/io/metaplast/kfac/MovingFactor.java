package io.metaplast.kfac;

import io.metaplast.F32Matrix;
import java.util.Objects;

/**
 * A factor kept as a moving sum with the sum of its weights, so that its value is free of the start (kfac-jax, tensorflow/kfac): raw = beta raw + alpha X'X, weight = beta
 * weight + 1, both from 0; the factor is raw / weight. Used by one call at a time.
 */
public final class MovingFactor {
  private final F32Matrix raw;
  private double weight;

  /** Starts at weight 0 over {@code raw} [d][d]; the first update does not read it. */
  public MovingFactor(F32Matrix raw) {
    this.raw = Objects.requireNonNull(raw, "raw");
  }

  /** The moving sum. */
  public F32Matrix raw() {
    return raw;
  }

  /** Sum of the weights; 0 before the first update. */
  public double weight() {
    return weight;
  }

  /**
   * Sets the weight, for a factor that is loaded.
   *
   * @throws IllegalArgumentException if negative, NaN or infinite
   */
  public void weight(double newWeight) {
    if (!(newWeight >= 0) || newWeight == Double.POSITIVE_INFINITY) {
      throw new IllegalArgumentException("weight = " + newWeight + " must be finite and >= 0");
    }
    weight = newWeight;
  }
}
