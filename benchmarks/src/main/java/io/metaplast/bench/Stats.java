package io.metaplast.bench;

import java.util.Arrays;

/**
 * Order statistics of repeated measurements.
 *
 * @param count how many
 * @param min smallest
 * @param lowerQuartile 25 % lie below
 * @param median half lie below
 * @param upperQuartile 75 % lie below
 */
record Stats(int count, double min, double lowerQuartile, double median, double upperQuartile) {
  /** Statistics of at least one value; quantiles between two values are interpolated. */
  static Stats of(double[] values) {
    if (values.length == 0) {
      throw new IllegalArgumentException("no values");
    }
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return new Stats(sorted.length, sorted[0], quantile(sorted, 0.25), quantile(sorted, 0.5), quantile(sorted, 0.75));
  }

  /** Distance of the quartiles relative to the median. */
  double spread() {
    return (upperQuartile - lowerQuartile) / median;
  }

  /** Relative change of the median from the first half of a series to the second: a machine that got slower or faster meanwhile. */
  static double drift(double[] values) {
    if (values.length < 4) {
      return 0;
    }
    double first = of(Arrays.copyOfRange(values, 0, values.length / 2)).median;
    double second = of(Arrays.copyOfRange(values, values.length / 2, values.length)).median;
    return Math.abs(second - first) / Math.min(first, second);
  }

  private static double quantile(double[] sorted, double q) {
    double position = q * (sorted.length - 1);
    int below = (int) position;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
  }
}
