package io.metaplast.bayes;

/** Range checks of rule parameters; the messages name the argument and the value. Values must stay in range after rounding to fp32 as well. */
final class RuleChecks {
  private RuleChecks() {}

  static void finite(String name, double value) {
    if (!Float.isFinite((float) value)) {
      throw new IllegalArgumentException(name + " = " + value + " must be finite (in fp32)");
    }
  }

  static void positive(String name, double value) {
    if (!(value > 0) || !Float.isFinite((float) value)) {
      throw new IllegalArgumentException(name + " = " + value + " must be finite and > 0");
    }
  }

  static void nonNegative(String name, double value) {
    if (!(value >= 0) || !Float.isFinite((float) value)) {
      throw new IllegalArgumentException(name + " = " + value + " must be finite and >= 0");
    }
  }
}
