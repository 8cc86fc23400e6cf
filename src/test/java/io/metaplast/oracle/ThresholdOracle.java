package io.metaplast.oracle;

import java.math.BigDecimal;
import java.math.BigInteger;

/**
 * Sign of gamma (y - mean) / sqrt(var + eps) + beta on fp32 parameters, exactly: with root s = sqrt(var + eps) > 0 this is the sign of A + B s with
 * A = gamma (y - mean) and B = beta. Decided in double where its error bound allows, otherwise with integers: all parameters are multiples of one power of two,
 * so A and B become integers, and B s lies between two neighbouring integers that the integer square root gives.
 */
public final class ThresholdOracle {
  private ThresholdOracle() {}

  /** Whether the sign is +1: the value is at least 0, a tie included. */
  public static boolean bit(float gamma, float beta, float mean, float variance, double eps, long y) {
    double a = gamma * (y - (double) mean);
    double b = beta * Math.sqrt((double) variance + eps);
    if (a == 0 || b == 0 || a > 0 == b > 0) { // signs are exact in double
      return a + b >= 0;
    }
    double room = 1e-13 * (Math.abs(a) + Math.abs(b)) + 1e-13 * Math.abs((double) gamma * mean);
    if (Math.abs(a + b) > room) {
      return a + b > 0;
    }
    return sign(gamma, beta, mean, variance, eps, y) >= 0;
  }

  /** -1, 0 or 1. */
  public static int sign(float gamma, float beta, float mean, float variance, double eps, long y) {
    // in units of 2^-149 resp. 2^-1074: integers
    BigInteger a = fixed(gamma, 149).multiply(BigInteger.valueOf(y).shiftLeft(149).subtract(fixed(mean, 149))); // 2^-298
    BigInteger b = fixed(beta, 149); // 2^-149
    BigInteger s2 = fixed(variance, 1074).add(fixed(eps, 1074)); // 2^-1074
    if (s2.signum() <= 0) {
      throw new IllegalArgumentException("variance + eps must be > 0");
    }
    // |B s| in units of 2^-298 is sqrt(B^2 S 2^(596 - 298 - 1074)) = sqrt(B^2 S 2^-776); floor and remainder of the root of B^2 S, scaled by 2^388
    BigInteger[] root = b.multiply(b).multiply(s2).sqrtAndRemainder();
    BigInteger scaled = a.abs().shiftLeft(388);
    int bs = b.signum();
    if (a.signum() == 0 || bs == 0 || a.signum() == bs) {
      return a.signum() != 0 ? a.signum() : bs;
    }
    int magnitudes = scaled.compareTo(root[0]); // of |A| and |B s|; the root is floor(|B s|)
    if (magnitudes == 0 && root[1].signum() != 0) {
      magnitudes = -1;
    }
    return magnitudes * a.signum();
  }

  /** x in units of 2^-bits; x must be a multiple of that. */
  private static BigInteger fixed(double x, int bits) {
    return new BigDecimal(x).multiply(new BigDecimal(BigInteger.ONE.shiftLeft(bits))).toBigIntegerExact();
  }
}
