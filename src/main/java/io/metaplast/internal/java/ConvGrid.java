package io.metaplast.internal.java;

import io.metaplast.binary.Conv2dShape;
import java.util.Arrays;

/** Which input pixel belongs to an output position and a tap (kernel position). Positions and pixels are counted through all items. */
final class ConvGrid {
  private int items;
  private int height;
  private int width;
  private int outHeight;
  private int outWidth;
  private int kernelWidth;
  private int strideHeight;
  private int strideWidth;
  private int padHeight;
  private int padWidth;
  private int dilationHeight;
  private int dilationWidth;

  void set(Conv2dShape shape) {
    items = shape.batch();
    height = shape.height();
    width = shape.width();
    outHeight = shape.outHeight();
    outWidth = shape.outWidth();
    kernelWidth = shape.kernelWidth();
    strideHeight = shape.strideHeight();
    strideWidth = shape.strideWidth();
    padHeight = shape.padHeight();
    padWidth = shape.padWidth();
    dilationHeight = shape.dilationHeight();
    dilationWidth = shape.dilationWidth();
  }

  int outWidth() {
    return outWidth;
  }

  /** Output positions of an item. */
  int outPixels() {
    return outHeight * outWidth;
  }

  /** Output positions of all items. */
  int positions() {
    return items * outPixels();
  }

  /** Pixels of all items. */
  int pixels() {
    return items * height * width;
  }

  /** Image row that output row {@code row} meets at a tap; may lie outside. */
  int inRow(int row, int tap) {
    return row * strideHeight - padHeight + tap / kernelWidth * dilationHeight;
  }

  /** Image column that output column 0 meets at a tap; may lie outside. */
  int firstColumn(int tap) {
    return tap % kernelWidth * dilationWidth - padWidth;
  }

  /** First output column that meets the image at a tap. */
  private int from(int tap) {
    int first = firstColumn(tap);
    return first >= 0 ? 0 : Math.min(outWidth, (strideWidth - 1 - first) / strideWidth);
  }

  /** One past the last output column that meets the image. */
  private int to(int tap) {
    int room = width - firstColumn(tap);
    return room <= 0 ? 0 : (int) Math.min(outWidth, (room + strideWidth - 1L) / strideWidth);
  }

  /**
   * target[0..n) = pixels that positions column.. meet at a tap, 0 outside of the image; of plane {@code plane} of {@code planes} of every
   * item, planes lying in {@code pixels} one after the other.
   */
  void shifted(int[] pixels, int plane, int planes, int tap, int column, int n, int[] target) {
    int low = from(tap);
    int high = Math.max(low, to(tap));
    for (int i = 0; i < n; ) {
      int line = (column + i) / outWidth; // of all items
      int first = (column + i) % outWidth;
      int end = Math.min(outWidth, first + n - i);
      int row = inRow(line % outHeight, tap);
      int start = i - first; // where output column 0 would lie
      if (row < 0 || row >= height) {
        Arrays.fill(target, i, start + end, 0);
      } else {
        int a = Math.max(first, Math.min(end, low));
        int b = Math.max(a, Math.min(end, high));
        int source = ((line / outHeight * planes + plane) * height + row) * width + firstColumn(tap);
        Arrays.fill(target, i, start + a, 0);
        if (strideWidth == 1 && a < b) {
          System.arraycopy(pixels, source + a, target, start + a, b - a);
        } else {
          for (int c = a; c < b; c++) {
            target[start + c] = pixels[source + c * strideWidth];
          }
        }
        Arrays.fill(target, start + b, start + end, 0);
      }
      i = start + end;
    }
  }

  /** target = -1 where positions column.. meet no pixel at a tap, else 0; whether there is such a position. */
  boolean outside(int tap, int column, int n, int[] target) {
    int low = from(tap);
    int high = Math.max(low, to(tap));
    boolean any = false;
    for (int i = 0; i < n; ) {
      int line = (column + i) / outWidth;
      int first = (column + i) % outWidth;
      int end = Math.min(outWidth, first + n - i);
      int row = inRow(line % outHeight, tap);
      int start = i - first;
      boolean inside = row >= 0 && row < height;
      int a = inside ? Math.max(first, Math.min(end, low)) : end;
      int b = inside ? Math.max(a, Math.min(end, high)) : end;
      Arrays.fill(target, i, start + a, -1);
      Arrays.fill(target, start + a, start + b, 0);
      Arrays.fill(target, start + b, start + end, -1);
      any |= b - a < end - first;
      i = start + end;
    }
    return any;
  }

  /**
   * target[0..n) = for pixels {@code pixel}.. of all items, the value of output channel {@code channel} (of {@code channels}) at the
   * position that meets the pixel at a tap, 0 where there is none.
   */
  void scattered(Operand values, int channel, int channels, int tap, int pixel, int n, float[] target) {
    int shift = firstColumn(tap);
    for (int i = 0; i < n; ) {
      int line = (pixel + i) / width;
      int first = (pixel + i) % width;
      int end = Math.min(width, first + n - i);
      int start = i - first;
      int offset = line % height - inRow(0, tap);
      Arrays.fill(target, i, start + end, 0f);
      if (offset >= 0 && offset % strideHeight == 0 && offset / strideHeight < outHeight) {
        long source = ((long) (line / height * channels + channel) * outHeight + offset / strideHeight) * outWidth;
        row(values, source, shift, first, end, start, target);
      }
      i = start + end;
    }
  }

  /** One image row of {@link #scattered}: columns first..end-1, output column c meets column c * stride + shift. */
  private void row(Operand values, long source, int shift, int first, int end, int start, float[] target) {
    int low = first <= shift ? 0 : (first - shift + strideWidth - 1) / strideWidth;
    int high = end <= shift ? 0 : Math.min(outWidth, (end - shift + strideWidth - 1) / strideWidth);
    if (low >= high) {
      return;
    }
    if (strideWidth == 1) {
      values.load(source + low, target, start + low + shift, high - low);
    } else {
      for (int c = low; c < high; c++) {
        target[start + c * strideWidth + shift] = values.get(source + c);
      }
    }
  }
}
