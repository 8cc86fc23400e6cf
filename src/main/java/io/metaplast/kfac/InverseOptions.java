package io.metaplast.kfac;

/**
 * What an inverse does when the fp32 factorization or its residual probe fails: the rungs that follow, each tried in this order for the failing matrix
 * alone.
 *
 * @param residualTolerance largest residual of the probe that is accepted, finite and &gt; 0
 * @param doublePrecision the same damping in double precision; status {@link InverseReport#RECOVERED_DOUBLE}
 * @param moreDamping in double precision with damping 10, 100, 1000 times, from at least 1e-8 tr/n; status {@link InverseReport#RECOVERED_DAMPING}
 * @param clampEigenvalues inverse from eigenvalues max(l, 0) + damping; status {@link InverseReport#RECOVERED_EIGEN}
 * @param keepPrevious when all fails the output keeps what it held and counts as usable; status {@link InverseReport#KEPT_PREVIOUS}
 */
public record InverseOptions(
    double residualTolerance, boolean doublePrecision, boolean moreDamping, boolean clampEigenvalues, boolean keepPrevious) {
  /** Residual tolerance of the fp32 inverse where nothing else is said. */
  public static final double DEFAULT_RESIDUAL_TOLERANCE = 0.03;

  /** The bare kernel: no rung after the first. */
  public static final InverseOptions NONE = new InverseOptions(DEFAULT_RESIDUAL_TOLERANCE, false, false, false, false);

  /** Every rung. */
  public static final InverseOptions STANDARD = new InverseOptions(DEFAULT_RESIDUAL_TOLERANCE, true, true, true, true);

  /**
   * Validates.
   *
   * @throws IllegalArgumentException if the tolerance is not positive and finite
   */
  public InverseOptions {
    if (!(residualTolerance > 0) || residualTolerance == Double.POSITIVE_INFINITY) {
      throw new IllegalArgumentException("residualTolerance = " + residualTolerance + " must be finite and > 0");
    }
  }

  /** True if there is a rung after the first. */
  public boolean escalates() {
    return doublePrecision || moreDamping || clampEigenvalues;
  }
}
