package io.metaplast.kfac;

import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import java.util.Objects;

/**
 * Where the gradients of a merged layer go.
 *
 * @param weight dW [out][in]; may be the matrix of the incoming gradient
 * @param bias db [out], or null
 * @param gamma [out]
 * @param beta [out]
 * @param mean [out], or null together with variance: the statistics are held fixed
 * @param variance [out]
 */
public record BatchNormMergeGradients(F32Matrix weight, F32Buffer bias, F32Buffer gamma, F32Buffer beta, F32Buffer mean, F32Buffer variance) {
  /**
   * Validates.
   *
   * @throws IllegalArgumentException if one of mean and variance is null and the other not; lengths are checked by the call
   */
  public BatchNormMergeGradients {
    Objects.requireNonNull(weight, "weight");
    Objects.requireNonNull(gamma, "gamma");
    Objects.requireNonNull(beta, "beta");
    if ((mean == null) != (variance == null)) {
      throw new IllegalArgumentException("mean and variance: both or none");
    }
  }
}
