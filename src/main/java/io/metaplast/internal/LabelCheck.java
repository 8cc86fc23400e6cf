package io.metaplast.internal;

import io.metaplast.internal.spi.BackendProvider;

/** Looks for class labels that are out of range. */
public final class LabelCheck {
  private LabelCheck() {}

  /**
   * Reads all labels.
   *
   * @throws IllegalArgumentException naming the first label outside 0..classes-1
   */
  public static void check(BackendProvider provider, BufferImpl labels, int classes) {
    int[] values = new int[(int) Math.min(4096, labels.length())];
    for (long start = 0; start < labels.length(); start += values.length) {
      int n = (int) Math.min(values.length, labels.length() - start);
      provider.read(labels.memory(), labels.byteOffset() + start * Integer.BYTES, values, 0, n);
      for (int i = 0; i < n; i++) {
        if (values[i] < 0 || values[i] >= classes) {
          throw new IllegalArgumentException("labels[" + (start + i) + "] = " + values[i] + " must be in 0.." + (classes - 1));
        }
      }
    }
  }
}
