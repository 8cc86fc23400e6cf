package io.metaplast.kfac;

import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import java.util.Objects;

/**
 * A linear layer with the batch norm behind it: h = W x + b, y = gamma (h - mean)/sqrt(variance + eps) + beta, statistics held fixed.
 *
 * @param weight W [out][in]
 * @param bias b [out], or null (0)
 * @param gamma [out]
 * @param beta [out]
 * @param mean [out]
 * @param variance [out]
 * @param eps finite, &gt;= 0
 */
public record BatchNormMerge(F32Matrix weight, F32Buffer bias, F32Buffer gamma, F32Buffer beta, F32Buffer mean, F32Buffer variance, double eps) {
  /**
   * Validates.
   *
   * @throws IllegalArgumentException if a vector has not [out] elements, or eps is negative or not finite in fp32
   */
  public BatchNormMerge {
    Objects.requireNonNull(weight, "weight");
    if (!(eps >= 0) || !Float.isFinite((float) eps)) {
      throw new IllegalArgumentException("eps = " + eps + " must be finite and >= 0");
    }
    length("bias", bias, true, weight.rows());
    length("gamma", gamma, false, weight.rows());
    length("beta", beta, false, weight.rows());
    length("mean", mean, false, weight.rows());
    length("variance", variance, false, weight.rows());
  }

  private static void length(String name, F32Buffer buffer, boolean optional, int out) {
    if (buffer == null && optional) {
      return;
    }
    Objects.requireNonNull(buffer, name);
    if (buffer.length() != out) {
      throw new IllegalArgumentException(name + ".length " + buffer.length() + " != weight.rows " + out);
    }
  }
}
