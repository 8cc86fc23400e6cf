package io.metaplast.bench;

import java.util.Locale;

/** Numbers for people. */
final class Texts {
  private Texts() {}

  /** Three significant digits, no exponent between 0.001 and a million. */
  static String number(double value) {
    double size = Math.abs(value);
    if (value == 0) {
      return "0";
    }
    if (size < 1e-3 || size >= 1e6) {
      return String.format(Locale.ROOT, "%.2e", value);
    }
    int decimals = Math.max(0, 2 - (int) Math.floor(Math.log10(size)));
    return String.format(Locale.ROOT, "%." + decimals + "f", value);
  }

  /** A time in the unit that suits it. */
  static String time(double nanos) {
    if (nanos < 1e3) {
      return number(nanos) + " ns";
    }
    return nanos < 1e6 ? number(nanos / 1e3) + " us" : number(nanos / 1e6) + " ms";
  }

  /** A rate with G, M or k. */
  static String rate(double perSecond) {
    if (perSecond >= 1e9) {
      return number(perSecond / 1e9) + " G/s";
    }
    if (perSecond >= 1e6) {
      return number(perSecond / 1e6) + " M/s";
    }
    return perSecond >= 1e3 ? number(perSecond / 1e3) + " k/s" : number(perSecond) + " /s";
  }

  /** Whole percent. */
  static String percent(double percent) {
    return String.format(Locale.ROOT, "%.0f %%", percent);
  }
}
