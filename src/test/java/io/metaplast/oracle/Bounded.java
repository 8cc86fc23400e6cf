package io.metaplast.oracle;

/**
 * A value in double precision with a bound of the error that fp32 arithmetic makes on the way to it: every operation adds half a unit in the last place of
 * its result to what its operands bring. The value itself never sees fp32.
 *
 * @param value the exact formula
 * @param error how far the fp32 result may be off
 */
public record Bounded(double value, double error) {
  /** Unit roundoff of fp32. */
  private static final double U = 0x1p-24;

  /** Half of the smallest subnormal. */
  private static final double TINY = 0x1p-150;

  /** Something that fp32 holds exactly. */
  public static Bounded of(double exact) {
    return new Bounded(exact, 0);
  }

  private static Bounded rounded(double value, double error) {
    return new Bounded(value, error + U * (Math.abs(value) + error) + TINY);
  }

  /** Sum. */
  public Bounded plus(Bounded b) {
    return rounded(value + b.value, error + b.error);
  }

  /** Sum. */
  public Bounded plus(double exact) {
    return plus(of(exact));
  }

  /** Difference. */
  public Bounded minus(Bounded b) {
    return plus(b.negated());
  }

  /** Difference. */
  public Bounded minus(double exact) {
    return plus(of(-exact));
  }

  /** The other sign, exact. */
  public Bounded negated() {
    return new Bounded(-value, error);
  }

  /** Product. */
  public Bounded times(Bounded b) {
    return rounded(value * b.value, Math.abs(value) * b.error + Math.abs(b.value) * error + error * b.error);
  }

  /** Product. */
  public Bounded times(double exact) {
    return times(of(exact));
  }

  /** Quotient; the divisor must stay away from 0. */
  public Bounded over(Bounded b) {
    double q = value / b.value;
    return rounded(q, (error + Math.abs(q) * b.error) / (Math.abs(b.value) - b.error));
  }

  /** Square root of something that is at least 0. */
  public Bounded sqrt() {
    double low = Math.max(value - error, 0);
    double root = Math.sqrt(value);
    return rounded(root, Math.max(Math.sqrt(value + error) - root, root - Math.sqrt(low)));
  }

  /** Result of a function with slope at most {@code slope} between the operand's bounds, evaluated within {@code ulps} units in the last place. */
  public Bounded function(double result, double slope, double ulps) {
    double passed = slope * error;
    return new Bounded(result, passed + ulps * 2 * U * (Math.abs(result) + passed) + TINY);
  }

  /** Sum of many: {@code depth} additions lie between a term and the result. */
  public static Bounded sum(Bounded[] terms, int depth) {
    double value = 0;
    double magnitude = 0;
    double error = 0;
    for (Bounded t : terms) {
      value += t.value;
      magnitude += Math.abs(t.value) + t.error;
      error += t.error;
    }
    return new Bounded(value, error + 1.01 * depth * (U * magnitude + TINY));
  }

  /** The same value with more room. */
  public Bounded widened(double more) {
    return new Bounded(value, error + more);
  }
}
