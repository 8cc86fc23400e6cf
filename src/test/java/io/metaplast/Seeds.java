package io.metaplast;

import java.util.SplittableRandom;

/** Seeds of the randomised tests: fixed for every commit, replayed or varied by the property {@code metaplast.test.seed}. */
public final class Seeds {
  /** Property that replaces the fixed seed. */
  public static final String PROPERTY = "metaplast.test.seed";

  private static final long BASE = Long.getLong(PROPERTY, 20251120L);
  private static final boolean LONG_CAMPAIGN = "long".equals(System.getProperty("metaplast.test.campaign"));

  private Seeds() {}

  /** The seed of this run; reports print it. */
  public static long base() {
    return BASE;
  }

  /** Whether the long campaign was asked for ({@code -Dmetaplast.test.campaign=long}). */
  public static boolean longCampaign() {
    return LONG_CAMPAIGN;
  }

  /** {@code normal} on every commit, {@code campaign} in the long campaign. */
  public static int rounds(int normal, int campaign) {
    return LONG_CAMPAIGN ? campaign : normal;
  }

  /** A generator that depends on the seed of this run and on what it is for. */
  public static SplittableRandom random(String purpose, long index) {
    long h = BASE;
    for (int i = 0; i < purpose.length(); i++) {
      h = (h ^ purpose.charAt(i)) * 0x9E3779B97F4A7C15L;
      h ^= h >>> 29;
    }
    return new SplittableRandom(h + index * 0xD1B54A32D192ED03L);
  }
}
