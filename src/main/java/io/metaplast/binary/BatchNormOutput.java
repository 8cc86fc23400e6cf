package io.metaplast.binary;

import io.metaplast.BitMatrix;
import io.metaplast.F32Buffer;

/**
 * Where a batch norm puts its result; every part is optional, one is needed.
 *
 * @param values the normalised values, [batch][channels][spatial], or null
 * @param signs their signs, [batch][channels*spatial], or null
 * @param mask where their magnitude is at most 1 (NaN included): the straight-through mask of hardtanh for the backward pass, or null
 */
public record BatchNormOutput(F32Buffer values, BitMatrix signs, BitMatrix mask) {
  /** Validates. */
  public BatchNormOutput {
    if (values == null && signs == null && mask == null) {
      throw new IllegalArgumentException("values, signs and mask are all null; one is needed");
    }
  }

  /** fp32 values only. */
  public static BatchNormOutput values(F32Buffer values) {
    return new BatchNormOutput(values, null, null);
  }

  /** Signs, with the mask that the backward pass needs. */
  public static BatchNormOutput signs(BitMatrix signs, BitMatrix mask) {
    return new BatchNormOutput(null, signs, mask);
  }
}
