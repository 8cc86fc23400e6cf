package io.metaplast.internal.spi;

import io.metaplast.BitMatrix;
import io.metaplast.binary.AdamParams;
import io.metaplast.binary.HiddenWeights;
import io.metaplast.internal.BufferImpl;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * Host tables of the metaplastic step of one {@link HiddenWeights}: int64 rows, int64 columns, addresses of the sign bits (0 = none), then rows of constants
 * (metaplast_adam_row_t), formed in double and rounded once. Used by one call at a time like the weights.
 */
public final class AdamRows {
  /** Floats of a row of constants. */
  public static final int ROW = 8;

  public static final int ALPHA = 0;
  public static final int BETA1 = 1;
  public static final int FRESH1 = 2;
  public static final int BETA2 = 3;
  public static final int FRESH2 = 4;
  public static final int EPSILON = 5;
  public static final int WEIGHT_DECAY = 6;
  public static final int META = 7;

  private final HiddenWeights weights;
  private final int tensors;
  private final ByteBuffer tables;
  private final long address;
  private final float[] values;
  private int stride;

  /** Tables of {@code weights}. */
  public AdamRows(BackendProvider provider, HiddenWeights weights) {
    this.weights = weights;
    tensors = weights.tensors();
    tables = ByteBuffer.allocateDirect(Math.max(1, tensors) * (24 + 4 * ROW)).order(ByteOrder.nativeOrder());
    values = new float[Math.max(1, tensors) * ROW];
    for (int t = 0; t < tensors; t++) {
      tables.putLong(8 * t, weights.shape(t).rows());
      tables.putLong(8 * (tensors + t), weights.shape(t).cols());
      BitMatrix signs = weights.signs(t);
      tables.putLong(8 * (2 * tensors + t), signs == null ? 0 : ((BufferImpl) signs).rawAddress());
    }
    address = provider.addressOf(tables);
  }

  /** Whose tables these are. */
  public HiddenWeights weights() {
    return weights;
  }

  /** Forms the constants of step {@code t}: one row, or one a tensor. */
  public void prepare(List<AdamParams> params, long t) {
    stride = params.size() == 1 ? 0 : 1;
    for (int i = 0; i < params.size(); i++) {
      row(i, params.get(i), t);
    }
  }

  /** Forms the constants of step {@code t}, the same for all tensors. */
  public void prepare(AdamParams params, long t) {
    stride = 0;
    row(0, params, t);
  }

  private void row(int i, AdamParams p, long t) {
    int o = i * ROW;
    values[o + ALPHA] = (float) (p.learningRate() * Math.sqrt(1 - StrictMath.pow(p.beta2(), t)) / (1 - StrictMath.pow(p.beta1(), t)));
    values[o + BETA1] = (float) p.beta1();
    values[o + FRESH1] = (float) (1 - p.beta1());
    values[o + BETA2] = (float) p.beta2();
    values[o + FRESH2] = (float) (1 - p.beta2());
    values[o + EPSILON] = (float) p.epsilon();
    values[o + WEIGHT_DECAY] = (float) p.weightDecay();
    values[o + META] = (float) p.meta();
    int at = 24 * tensors + 4 * o;
    for (int k = 0; k < ROW; k++) {
      tables.putFloat(at + 4 * k, values[o + k]);
    }
  }

  /** 1 with a row per tensor, else 0. */
  public int stride() {
    return stride;
  }

  /** Rows of constants; element {@code t * stride() * ROW + field}. */
  public float[] values() {
    return values;
  }

  /** Native address of the int64 rows of the tensors. */
  public long rowsTable() {
    return address;
  }

  /** Native address of their int64 columns. */
  public long colsTable() {
    return address + 8L * tensors;
  }

  /** Native address of the addresses of their sign bits. */
  public long signsTable() {
    return address + 16L * tensors;
  }

  /** Native address of the first row of constants. */
  public long constants() {
    return address + 24L * tensors;
  }
}
