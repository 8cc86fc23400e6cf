package io.metaplast.bench.jmh;

import java.util.Arrays;

/** Shapes as JMH parameters. */
final class Shapes {
  private Shapes() {}

  /** The numbers of "4096x4096x4096". */
  static int[] of(String shape) {
    return Arrays.stream(shape.split("x")).mapToInt(Integer::parseInt).toArray();
  }
}
