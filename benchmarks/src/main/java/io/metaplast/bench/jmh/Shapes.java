package io.metaplast.bench.jmh;

import io.metaplast.bench.KfacWorkloads;
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

  /** The orders of "1024x8", which is COUNTxN, or of "resnet50". */
  static int[] orders(String text) {
    if (text.equals("resnet50")) {
      return KfacWorkloads.resnet50();
    }
    int[] s = of(text);
    return KfacWorkloads.times(s[0], s[1]);
  }

  private static int[] numbers(String text, String separator) {
    return Arrays.stream(text.split(separator)).mapToInt(Integer::parseInt).toArray();
  }
}
