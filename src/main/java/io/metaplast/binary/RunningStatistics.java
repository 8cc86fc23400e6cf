package io.metaplast.binary;

import io.metaplast.F32Buffer;
import java.util.Objects;

/**
 * Moving averages of batch statistics: r = (1 - momentum) r + momentum * statistic; the variance is the unbiased one.
 *
 * @param mean [channels], initially 0
 * @param variance [channels], initially 1
 * @param momentum weight of the new batch, 0..1; 0.1 is usual
 */
public record RunningStatistics(F32Buffer mean, F32Buffer variance, double momentum) {
  /** Validates. */
  public RunningStatistics {
    Objects.requireNonNull(mean, "mean");
    Objects.requireNonNull(variance, "variance");
    if (!(momentum >= 0 && momentum <= 1)) {
      throw new IllegalArgumentException("momentum = " + momentum + " must be in 0..1");
    }
  }
}
