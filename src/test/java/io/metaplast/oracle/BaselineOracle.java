package io.metaplast.oracle;

/** SGD, EWC and SI in double precision. */
public final class BaselineOracle {
  private BaselineOracle() {}

  /** theta - rate g. */
  public static double sgd(double theta, double gradient, double rate) {
    return theta - rate * gradient;
  }

  /** fisher + g^2. */
  public static double fisherAccumulate(double gradient, double fisher) {
    return fisher + gradient * gradient;
  }

  /** decay total + fisher / items. */
  public static double fisherMerge(double fisher, double items, double decay, double total) {
    return decay * total + fisher / items;
  }

  /** g + lambda fisher (theta - anchor). */
  public static double ewcPenaltyGradient(double theta, double anchor, double fisher, double lambda, double gradient) {
    return gradient + lambda * fisher * (theta - anchor);
  }

  /** path - g (thetaNew - thetaOld). */
  public static double siPath(double gradient, double thetaNew, double thetaOld, double path) {
    return path - gradient * (thetaNew - thetaOld);
  }

  /** omega + max(path / (delta^2 + xi), 0). */
  public static double siConsolidate(double delta, double xi, double path, double omega) {
    return omega + Math.max(path / (delta * delta + xi), 0);
  }

  /** g + 2c omega (theta - anchor). */
  public static double siPenaltyGradient(double theta, double anchor, double omega, double c, double gradient) {
    return gradient + 2 * c * omega * (theta - anchor);
  }
}
