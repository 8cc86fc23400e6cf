package io.metaplast.oracle;

/** Counter-based random numbers, written from the definition: exact integers for the words, double precision for the normals. */
public final class RandomOracle {
  private static final long MASK = 0xffffffffL;

  private RandomOracle() {}

  /** Philox4x32 of {@code rounds} rounds: four words from a counter and a key. */
  public static int[] philox(int[] counter, int[] key, int rounds) {
    long c0 = counter[0] & MASK;
    long c1 = counter[1] & MASK;
    long c2 = counter[2] & MASK;
    long c3 = counter[3] & MASK;
    long a = key[0] & MASK;
    long d = key[1] & MASK;
    for (int round = 0; round < rounds; round++) {
      long p0 = 0xD2511F53L * c0;
      long p1 = 0xCD9E8D57L * c2;
      long n0 = (p1 >>> 32) ^ c1 ^ a;
      long n2 = (p0 >>> 32) ^ c3 ^ d;
      c0 = n0;
      c1 = p1 & MASK;
      c2 = n2;
      c3 = p0 & MASK;
      a = (a + 0x9E3779B9L) & MASK;
      d = (d + 0xBB67AE85L) & MASK;
    }
    return new int[] {(int) c0, (int) c1, (int) c2, (int) c3};
  }

  /** The four words of a block. */
  public static int[] block(long seed, int stream, int step, long block) {
    return philox(new int[] {(int) block, (int) (block >>> 32), stream, step}, new int[] {(int) seed, (int) (seed >>> 32)}, 10);
  }

  /** The word of an element; {@code element} is unsigned. */
  public static int word(long seed, int stream, int step, long element) {
    return block(seed, stream, step, element >>> 2)[(int) (element & 3)];
  }

  /** k of the uniform k * 2^-24 that a word gives. */
  public static int k24(int word) {
    return 1 | (word >>> 8);
  }

  /** Uniform in (0,1). */
  public static double uniform(int word) {
    return k24(word) * 0x1p-24;
  }

  /** The normal of word {@code i} of a block: Box-Muller on the pair that the word belongs to. */
  public static double normal(int[] words, int i) {
    double radius = Math.sqrt(-2 * Math.log(uniform(words[i & 2])));
    double[] sc = sinCos(k24(words[(i & 2) + 1]));
    return radius * sc[1 - (i & 1)];
  }

  /** The normal of an element. */
  public static double normal(long seed, int stream, int step, long element) {
    return normal(block(seed, stream, step, element >>> 2), (int) (element & 3));
  }

  /** Epsilon of a weight: tensor number, sample, step, element. */
  public static double epsilon(long seed, int tensor, int sample, long step, long element) {
    return normal(seed, tensor * 256 + sample, (int) step, element);
  }

  /** sin and cos of 2 pi k/2^24, reduced to the first octant in integers so that small results keep their relative precision. */
  public static double[] sinCos(int k) {
    int quarter = ((k + (1 << 21)) >> 22) & 3;
    int rest = k - (((k + (1 << 21)) >> 22) << 22);
    double angle = rest * (2 * Math.PI * 0x1p-24);
    double s = Math.sin(angle);
    double c = Math.cos(angle);
    return switch (quarter) {
      case 0 -> new double[] {s, c};
      case 1 -> new double[] {c, -s};
      case 2 -> new double[] {-s, -c};
      default -> new double[] {-c, s};
    };
  }

  /** Error that the contract allows for a normal: 4 ulp. */
  public static double normalBound(double z) {
    return 4 * io.metaplast.Bits.ulp(z);
  }
}
