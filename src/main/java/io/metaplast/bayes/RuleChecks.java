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
    if (!((float) value > 0) || !Float.isFinite((float) value)) {
      throw new IllegalArgumentException(name + " = " + value + " must be finite and > 0 (in fp32)");
    }
  }

  /** The constants that kernels get of a prior, 1/(N priorSigma^2) and priorSigma^2, must be finite in fp32 too. */
  static void prior(double memoryWindow, boolean noForgetting, double priorSigma) {
    double variance = (double) (float) priorSigma * (float) priorSigma;
    if (!Float.isFinite((float) variance)) {
      throw new IllegalArgumentException("priorSigma = " + priorSigma + " is too large: priorSigma^2 must be finite in fp32");
    }
    if (!noForgetting && !Float.isFinite((float) (1 / (memoryWindow * variance)))) {
      throw new IllegalArgumentException(
          "memoryWindow = " + memoryWindow + ", priorSigma = " + priorSigma + " are too small: 1/(memoryWindow*priorSigma^2) must be finite in fp32");
    }
  }

  static void nonNegative(String name, double value) {
    if (!(value >= 0) || !Float.isFinite((float) value)) {
      throw new IllegalArgumentException(name + " = " + value + " must be finite and >= 0");
    }
  }
}
