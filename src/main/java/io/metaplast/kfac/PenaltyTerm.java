package io.metaplast.kfac;

import java.util.Objects;

/**
 * One Kronecker term of a layer's quadratic penalty.
 *
 * @param pair its factors
 * @param weight finite, &gt;= 0
 */
public record PenaltyTerm(KroneckerPair pair, double weight) {
  /**
   * Validates.
   *
   * @throws IllegalArgumentException if the weight is negative, NaN or infinite
   */
  public PenaltyTerm {
    Objects.requireNonNull(pair, "pair");
    if (!(weight >= 0) || weight == Double.POSITIVE_INFINITY) {
      throw new IllegalArgumentException("weight = " + weight + " must be finite and >= 0");
    }
  }
}
