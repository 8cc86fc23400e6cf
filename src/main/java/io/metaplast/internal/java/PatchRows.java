package io.metaplast.internal.java;

import io.metaplast.binary.Conv2dShape;
import io.metaplast.kfac.Im2colShape;
import java.util.Arrays;

/** The rows of patches of an image batch: row = (item, y, x), column = (channel, ky, kx) inside a group. */
final class PatchRows {
  private Conv2dShape shape;
  private int outWidth;
  private int positions; // of an item
  private int kernel; // taps
  private int groupChannels;

  void set(Im2colShape newShape) {
    shape = newShape.geometry();
    outWidth = shape.outWidth();
    positions = shape.outHeight() * outWidth;
    kernel = shape.kernelHeight() * shape.kernelWidth();
    groupChannels = shape.channels() / shape.groups();
  }

  void clear() {
    shape = null;
  }

  int positions() {
    return positions;
  }

  /** target[to..to+n) = columns column.. of the patch at a position of an item. */
  void patch(Operand x, int group, int item, int position, int column, int n, float[] target, int to) {
    int top = position / outWidth * shape.strideHeight() - shape.padHeight();
    int left = position % outWidth * shape.strideWidth() - shape.padWidth();
    int channel = column / kernel;
    int tap = column % kernel;
    int ky = tap / shape.kernelWidth();
    int kx = tap % shape.kernelWidth();
    int i = 0;
    while (i < n) {
      int run = Math.min(shape.kernelWidth() - kx, n - i);
      int y = top + ky * shape.dilationHeight();
      if (y < 0 || y >= shape.height()) {
        Arrays.fill(target, to + i, to + i + run, 0f);
      } else {
        long plane = (long) item * shape.channels() + (long) group * groupChannels + channel;
        long line = (plane * shape.height() + y) * shape.width();
        for (int k = 0; k < run; k++) {
          int at = left + (kx + k) * shape.dilationWidth();
          target[to + i + k] = at < 0 || at >= shape.width() ? 0f : x.get(line + at);
        }
      }
      i += run;
      kx = 0;
      if (++ky == shape.kernelHeight()) {
        ky = 0;
        channel++;
      }
    }
  }
}
