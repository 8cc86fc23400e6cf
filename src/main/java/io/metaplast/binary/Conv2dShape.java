package io.metaplast.binary;

/**
 * Shape of a 2-D convolution. x is [batch][channels][height][width], w is [outChannels][channels/groups][kernelHeight][kernelWidth], y is
 * [batch][outChannels][outHeight()][outWidth()].
 *
 * @param groups divides channels and outChannels
 */
public record Conv2dShape(
    int batch, int channels, int height, int width, int outChannels, int kernelHeight, int kernelWidth, int strideHeight, int strideWidth,
    int padHeight, int padWidth, int dilationHeight, int dilationWidth, int groups) {
  private static final int MAX_PAD = 1 << 20;

  /** Validates. */
  public Conv2dShape {
    atLeast("batch", batch, 0);
    atLeast("channels", channels, 0);
    atLeast("height", height, 0);
    atLeast("width", width, 0);
    atLeast("outChannels", outChannels, 0);
    atLeast("kernelHeight", kernelHeight, 1);
    atLeast("kernelWidth", kernelWidth, 1);
    atLeast("strideHeight", strideHeight, 1);
    atLeast("strideWidth", strideWidth, 1);
    pad("padHeight", padHeight);
    pad("padWidth", padWidth);
    atLeast("dilationHeight", dilationHeight, 1);
    atLeast("dilationWidth", dilationWidth, 1);
    atLeast("groups", groups, 1);
    if (channels % groups != 0 || outChannels % groups != 0) {
      throw new IllegalArgumentException("groups = " + groups + " must divide channels " + channels + " and outChannels " + outChannels);
    }
    limit("channels*height*width", (double) channels * height * width);
    limit("channels/groups*kernelHeight*kernelWidth", (double) channels / groups * kernelHeight * kernelWidth);
    limit("batch*outHeight*outWidth", (double) batch * out(height, kernelHeight, strideHeight, padHeight, dilationHeight)
        * out(width, kernelWidth, strideWidth, padWidth, dilationWidth));
    limit("outChannels*outHeight*outWidth", (double) outChannels * out(height, kernelHeight, strideHeight, padHeight, dilationHeight)
        * out(width, kernelWidth, strideWidth, padWidth, dilationWidth));
  }

  /** Square kernel, one stride and one padding, no dilation, one group. */
  public static Conv2dShape of(int batch, int channels, int height, int width, int outChannels, int kernel, int stride, int pad) {
    return new Conv2dShape(batch, channels, height, width, outChannels, kernel, kernel, stride, stride, pad, pad, 1, 1, 1);
  }

  /** Height of y; 0 where the kernel does not fit. */
  public int outHeight() {
    return out(height, kernelHeight, strideHeight, padHeight, dilationHeight);
  }

  /** Width of y; 0 where the kernel does not fit. */
  public int outWidth() {
    return out(width, kernelWidth, strideWidth, padWidth, dilationWidth);
  }

  /** Terms of one output away from the border: channels/groups * kernelHeight * kernelWidth. */
  public int patch() {
    return channels / groups * kernelHeight * kernelWidth;
  }

  /** Elements of one item of x. */
  public int inputs() {
    return channels * height * width;
  }

  /** Elements of y. */
  public long outputs() {
    return (long) batch * outChannels * outHeight() * outWidth();
  }

  private static int out(int size, int kernel, int stride, int pad, int dilation) {
    long room = size + 2L * pad - (long) dilation * (kernel - 1L) - 1;
    return room < 0 ? 0 : (int) (room / stride + 1);
  }

  private static void atLeast(String name, int value, int least) {
    if (value < least) {
      throw new IllegalArgumentException(name + " = " + value + " must be >= " + least);
    }
  }

  private static void pad(String name, int value) {
    if (value < 0 || value > MAX_PAD) {
      throw new IllegalArgumentException(name + " = " + value + " must be in 0.." + MAX_PAD);
    }
  }

  private static void limit(String name, double product) {
    if (product > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(name + " = " + product + " exceeds the limit of " + Integer.MAX_VALUE);
    }
  }
}
