package io.metaplast.internal.java;

import io.metaplast.internal.BufferImpl;
import java.util.Arrays;

/**
 * Integer counts behind ROC AUC, from sorted scores. Equal scores are those that compare equal: the zeros are one score, and NaN is in no
 * pair.
 */
final class RocCounts {
  private final Operand operand = new Operand();
  private float[] a = new float[0];
  private float[] b = new float[0];

  /** counts[0] = pairs in < out, counts[1] = pairs in == out. */
  void pairs(BufferImpl in, BufferImpl out, long[] counts) {
    a = grown(a, in.length());
    b = grown(b, out.length());
    int n = sorted(in, a);
    int m = sorted(out, b);
    long below = 0;
    long equal = 0;
    int lower = 0; // scores of a below b[j]
    int upper = 0; // scores of a not above b[j]
    for (int j = 0; j < m; j++) {
      while (lower < n && a[lower] < b[j]) {
        lower++;
      }
      while (upper < n && a[upper] <= b[j]) {
        upper++;
      }
      below += lower;
      equal += upper - lower;
    }
    counts[0] = below;
    counts[1] = equal;
  }

  /** counts[j] = in below max(out) * fractions[j], counts[T + j] = out below it. */
  void thresholds(BufferImpl in, BufferImpl out, float[] fractions, long[] counts) {
    a = grown(a, in.length());
    b = grown(b, out.length());
    float max = maximum(out);
    int n = sorted(in, a);
    int m = sorted(out, b);
    for (int j = 0; j < fractions.length; j++) {
      float threshold = max * fractions[j];
      counts[j] = below(a, n, threshold);
      counts[fractions.length + j] = below(b, m, threshold);
    }
  }

  /** By ascending ">", so that a NaN in front stays. */
  private float maximum(BufferImpl x) {
    operand.set(x);
    float max = operand.get(0);
    for (long i = 1; i < x.length(); i++) {
      float v = operand.get(i);
      max = v > max ? v : max;
    }
    operand.clear();
    return max;
  }

  /** Number of scores below the threshold; none for NaN. */
  private static int below(float[] sorted, int n, float threshold) {
    int low = 0;
    int high = n;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (sorted[middle] < threshold) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /** Sorts the scores that are numbers into {@code target}; returns how many. */
  private int sorted(BufferImpl x, float[] target) {
    operand.set(x);
    int length = (int) x.length();
    operand.load(0, target, 0, length);
    operand.clear();
    int n = 0;
    for (int i = 0; i < length; i++) {
      float v = target[i];
      if (v == v) {
        target[n++] = v + 0f; // -0 becomes +0: sorting tells them apart
      }
    }
    Arrays.sort(target, 0, n);
    return n;
  }

  private static float[] grown(float[] array, long length) {
    return array.length >= length ? array : new float[(int) length];
  }
}
