package io.metaplast.kfac;

/**
 * How the pairs of two tasks become one.
 *
 * @param traceMinimising balances both pairs first, see {@link #traceMinimising(double)}; otherwise A = a1 A1 + a2 A2, G = g1 G1 + g2 G2
 * @param a1 factor of A1
 * @param a2 factor of A2
 * @param g1 factor of G1
 * @param g2 factor of G2
 */
public record FactorMerge(boolean traceMinimising, double a1, double a2, double g1, double g2) {
  /**
   * Validates.
   *
   * @throws IllegalArgumentException if a factor is negative, NaN or infinite
   */
  public FactorMerge {
    weight("a1", a1);
    weight("a2", a2);
    weight("g1", g1);
    weight("g2", g2);
  }

  /**
   * A = f A1 + A2/pi, G = G1 + pi G2 with pi^2 = tr(G1) tr(A2) / (tr(G2) tr(f A1)): of all such sums the one whose cross terms have the least trace. The merged block is
   * never below the sum of the blocks. (GMvandeVen/continual-learning.)
   *
   * @param forgetting f, 1 to keep all of the old curvature
   */
  public static FactorMerge traceMinimising(double forgetting) {
    return new FactorMerge(true, forgetting, 1, 1, 1);
  }

  /** A = A1 + A2, G = share1 G1 + share2 G2, the shares of data of both (laplace-torch). */
  public static FactorMerge sum(double share1, double share2) {
    return new FactorMerge(false, 1, 1, share1, share2);
  }

  private static void weight(String name, double value) {
    if (!(value >= 0) || value == Double.POSITIVE_INFINITY) {
      throw new IllegalArgumentException(name + " = " + value + " must be finite and >= 0");
    }
  }
}
