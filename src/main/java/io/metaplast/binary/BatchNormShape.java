package io.metaplast.binary;

/**
 * Shape of a batch norm: y is [batch][channels][spatial], contiguous; statistics run over batch and spatial.
 *
 * @param batch items
 * @param channels channels
 * @param spatial positions of a channel, 1 after a linear layer, height * width after a convolution
 */
public record BatchNormShape(int batch, int channels, int spatial) {
  /** Validates. */
  public BatchNormShape {
    if (batch < 0) {
      throw new IllegalArgumentException("batch = " + batch + " must be >= 0");
    }
    if (channels < 0) {
      throw new IllegalArgumentException("channels = " + channels + " must be >= 0");
    }
    if (spatial < 0) {
      throw new IllegalArgumentException("spatial = " + spatial + " must be >= 0");
    }
    if ((long) channels * spatial > Integer.MAX_VALUE) {
      throw new IllegalArgumentException("channels*spatial = " + (long) channels * spatial + " exceeds the limit of " + Integer.MAX_VALUE);
    }
  }

  /** After a linear layer. */
  public static BatchNormShape of(int batch, int channels) {
    return new BatchNormShape(batch, channels, 1);
  }

  /** Values of a channel. */
  public long values() {
    return (long) batch * spatial;
  }

  /** All elements. */
  public long elements() {
    return (long) batch * channels * spatial;
  }
}
