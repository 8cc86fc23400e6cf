package io.metaplast.kfac;

import io.metaplast.binary.Conv2dShape;
import java.util.Objects;

/**
 * Which rows of patches an image batch [batch][channels][height][width] stands for. A row is a position (item, y, x) of the output, or an item where positions
 * are reduced; a column is (channel, ky, kx) inside a group. Padding counts as zeros. With groups, the factor is the sum over them.
 *
 * @param geometry of the convolution; its outChannels is not used and may be groups
 * @param sharing how positions enter
 */
public record Im2colShape(Conv2dShape geometry, Sharing sharing) {
  /** Validates. */
  public Im2colShape {
    Objects.requireNonNull(geometry, "geometry");
    Objects.requireNonNull(sharing, "sharing");
  }

  /** The output gradients of a convolution, dy [batch][channels][height][width]: one column a channel. */
  public static Im2colShape gradients(int batch, int channels, int height, int width, Sharing sharing) {
    return new Im2colShape(Conv2dShape.of(batch, channels, height, width, 1, 1, 1, 0), sharing);
  }

  /** Positions T of the output. */
  public long positions() {
    return (long) geometry.outHeight() * geometry.outWidth();
  }

  /** Rows of X: batch * T, or batch where positions are reduced. */
  public long rows() {
    return sharing == Sharing.EXPAND ? geometry.batch() * positions() : geometry.batch();
  }

  /** Columns of X without the bias coordinate. */
  public int cols() {
    return geometry.patch();
  }
}
