package io.metaplast.binary;

import io.metaplast.Backend;
import io.metaplast.I32Buffer;
import java.util.Objects;

/**
 * Batch norm followed by sign, folded into an integer comparison per channel: the output bit of a dot product of K signs with p unequal pairs is
 * (p &lt;= limit) xor invert. Folded once on the host in exact arithmetic, so that inference runs from bits to bits. At a tie (batch norm gives exactly 0) the
 * bit is 1, as sign(0) = +1; fp32 batch norm may round such a value to either side.
 */
public final class Thresholds implements AutoCloseable {
  private final I32Buffer limit;
  private final I32Buffer invert;

  private Thresholds(I32Buffer limit, I32Buffer invert) {
    this.limit = limit;
    this.invert = invert;
  }

  /**
   * Folds gamma * (y - mean) / sqrt(var + eps) + beta &gt;= 0 for y = K - 2p, evaluated exactly on the fp32 parameters.
   *
   * @param gamma [channels]; negative scales turn the comparison round, 0 gives the sign of beta
   * @param beta [channels]
   * @param mean [channels]
   * @param variance [channels]
   * @param eps finite; variance + eps must be &gt; 0
   * @param k length of the dot product
   * @throws IllegalArgumentException if lengths differ, a value is not finite, or variance + eps &lt;= 0
   */
  public static Thresholds fold(Backend backend, float[] gamma, float[] beta, float[] mean, float[] variance, double eps, int k) {
    ThresholdFold fold = ThresholdFold.of(gamma, beta, mean, variance, eps, k);
    return of(backend, fold.limit(), fold.invert());
  }

  /**
   * Thresholds from their integers.
   *
   * @param limit per channel
   * @param invert 0 or 1 per channel
   */
  public static Thresholds of(Backend backend, int[] limit, int[] invert) {
    Objects.requireNonNull(limit, "limit");
    Objects.requireNonNull(invert, "invert");
    if (limit.length != invert.length) {
      throw new IllegalArgumentException("limit.length " + limit.length + " != invert.length " + invert.length);
    }
    for (int c = 0; c < invert.length; c++) {
      if (invert[c] != 0 && invert[c] != 1) {
        throw new IllegalArgumentException("invert[" + c + "] = " + invert[c] + " must be 0 or 1");
      }
    }
    I32Buffer l = backend.allocateI32(limit.length);
    I32Buffer i = backend.allocateI32(invert.length);
    l.upload(limit);
    i.upload(invert);
    return new Thresholds(l, i);
  }

  /** Number of channels. */
  public int channels() {
    return (int) limit.length();
  }

  /** Limits of p, [channels]. */
  public I32Buffer limit() {
    return limit;
  }

  /** 0 or 1, [channels]. */
  public I32Buffer invert() {
    return invert;
  }

  @Override
  public void close() {
    limit.close();
    invert.close();
  }
}
