package io.metaplast.bench.jmh;

import java.util.Arrays;

/** Shapes as JMH parameters. */
final class Shapes {
  private Shapes() {}

  /** The numbers of "4096x4096x4096". */
  static int[] of(String shape) {
    return numbers(shape, "x");
  }

  /** The widths of "784-100-100-10". */
  static int[] network(String widths) {
    return numbers(widths, "-");
  }

  private static int[] numbers(String text, String separator) {
    return Arrays.stream(text.split(separator)).mapToInt(Integer::parseInt).toArray();
  }
}
