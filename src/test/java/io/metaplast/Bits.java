package io.metaplast;

/** Bit patterns: hashes as the golden file defines them, and comparison with every NaN taken as one value. */
public final class Bits {
  /** The one NaN that all NaN become: sign and payload are not part of the contract. */
  public static final int NAN = 0x7fc00000;

  private static final long FNV_OFFSET = 0xcbf29ce484222325L;
  private static final long FNV_PRIME = 0x100000001b3L;

  private Bits() {}

  /** Bits of {@code x}, NaN made canonical. */
  public static int of(float x) {
    return x != x ? NAN : Float.floatToRawIntBits(x);
  }

  /** Bits of all elements, NaN made canonical. */
  public static int[] of(float[] x) {
    int[] bits = new int[x.length];
    for (int i = 0; i < x.length; i++) {
      bits[i] = of(x[i]);
    }
    return bits;
  }

  /** Start value of {@link #fnv}. */
  public static long fnvStart() {
    return FNV_OFFSET;
  }

  /** FNV-1a over 32-bit words. */
  public static long fnv(long h, int word) {
    return (h ^ (word & 0xffffffffL)) * FNV_PRIME;
  }

  /** FNV-1a over the bits of fp32 values. */
  public static long fnv(long h, float[] values, int n) {
    for (int i = 0; i < n; i++) {
      h = fnv(h, of(values[i]));
    }
    return h;
  }

  /** FNV-1a over words. */
  public static long fnv(long h, int[] words) {
    for (int word : words) {
      h = fnv(h, word);
    }
    return h;
  }

  /** Value and bits, for messages. */
  public static String show(int bits) {
    return String.format("%08x (%s)", bits, Float.intBitsToFloat(bits));
  }

  /** One unit in the last place of the fp32 number nearest to {@code x}, as a double; at least the smallest subnormal. */
  public static double ulp(double x) {
    return Math.ulp((float) x);
  }
}
