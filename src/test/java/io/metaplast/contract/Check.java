package io.metaplast.contract;

/** Comparison with the oracle. */
final class Check {
  /** Unit roundoff of fp32. */
  static final double U = 0x1p-24;

  /** What the rounding of a subnormal product may add, with room for the factors that follow. */
  static final double TINY = 0x1p-120;

  private Check() {}

  static void near(String what, int i, float actual, double expected, double bound) {
    if (!(Math.abs(actual - expected) <= bound)) {
      throw new AssertionError(what + "[" + i + "] is " + actual + ", oracle " + expected + ", error " + Math.abs(actual - expected) + " > bound " + bound);
    }
  }

  static void equal(String what, int i, int actual, int expected) {
    if (actual != expected) {
      throw new AssertionError(String.format("%s[%d] is %08x, expected %08x", what, i, actual, expected));
    }
  }

  static void sameBits(String what, float[] actual, float[] expected) {
    for (int i = 0; i < expected.length; i++) {
      equal(what, i, io.metaplast.Bits.of(actual[i]), io.metaplast.Bits.of(expected[i]));
    }
  }

  static double[] doubles(float[] x) {
    double[] d = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      d[i] = x[i];
    }
    return d;
  }
}
