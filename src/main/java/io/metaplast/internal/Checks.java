package io.metaplast.internal;

import io.metaplast.BitMatrix;

/** Argument checks shared by the kernel families; every message names the argument, what was seen and what is wanted. */
final class Checks {
  /** Largest value of an unsigned 32-bit argument. */
  static final long MAX_UINT32 = 0xffffffffL;

  private Checks() {}

  static int uint32(String name, long value) {
    if (value < 0 || value > MAX_UINT32) {
      throw new IllegalArgumentException(name + " = " + value + " must be in 0.." + MAX_UINT32);
    }
    return (int) value;
  }

  static void dimension(String name, int value) {
    if (value < 0) {
      throw new IllegalArgumentException(name + " = " + value + " must be >= 0");
    }
  }

  /** The float nearest to a scalar that must be finite as such. */
  static float finite(String name, double value) {
    float f = (float) value;
    if (!Float.isFinite(f)) {
      throw new IllegalArgumentException(name + " = " + value + " must be finite (in fp32)");
    }
    return f;
  }

  static float nonNegative(String name, double value) {
    float f = (float) value;
    if (!(value >= 0) || !Float.isFinite(f)) {
      throw new IllegalArgumentException(name + " = " + value + " must be finite and >= 0");
    }
    return f;
  }

  static float positive(String name, double value) {
    float f = (float) value;
    if (!(f > 0) || !Float.isFinite(f)) {
      throw new IllegalArgumentException(name + " = " + value + " must be finite and > 0 (in fp32)");
    }
    return f;
  }

  static long bytes(String name, long length, int elementBytes) {
    if (length < 0) {
      throw new IllegalArgumentException(name + " = " + length + " must be >= 0");
    }
    if (length > Long.MAX_VALUE / elementBytes) {
      throw new IllegalArgumentException(
          name + " = " + length + " elements of " + elementBytes + " bytes exceed the limit of " + Long.MAX_VALUE + " bytes");
    }
    return length * elementBytes;
  }

  /** a*b, both >= 0. */
  static long product(String name, long a, long b) {
    long high = Math.multiplyHigh(a, b);
    long low = a * b;
    if (high != 0 || low < 0) {
      throw new IllegalArgumentException(name + " = " + a + "*" + b + " exceeds the limit of " + Long.MAX_VALUE + " elements");
    }
    return low;
  }

  static void length(String name, long length, String wantedName, long wanted) {
    if (length != wanted) {
      throw new IllegalArgumentException(name + ".length " + length + " != " + wantedName + " " + wanted);
    }
  }

  /** Rows or columns of a bit matrix. */
  static int bitDimension(String name, long value) {
    if (value < 0 || value > BitMatrix.MAX_DIMENSION) {
      throw new IllegalArgumentException(name + " = " + value + " must be in 0.." + BitMatrix.MAX_DIMENSION);
    }
    return (int) value;
  }

  static void equal(String name, long value, String wantedName, long wanted) {
    if (value != wanted) {
      throw new IllegalArgumentException(name + " " + value + " != " + wantedName + " " + wanted);
    }
  }
}
