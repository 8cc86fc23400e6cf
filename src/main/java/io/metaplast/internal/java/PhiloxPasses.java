package io.metaplast.internal.java;

import java.util.Arrays;

/**
 * Philox4x32-10 (Salmon et al., SC 2011) for runs of consecutive blocks. A round is one loop with 32-bit operations only: the high half of
 * a product is put together from 16-bit pieces, because the JIT compiler of JDK 17 does not vectorise a 32 x 32 -> 64 bit product.
 */
final class PhiloxPasses {
  private static final int M0 = 0xD2511F53;
  private static final int M1 = 0xCD9E8D57;
  private static final int M0_LOW = M0 & 0xffff;
  private static final int M0_HIGH = M0 >>> 16;
  private static final int M1_LOW = M1 & 0xffff;
  private static final int M1_HIGH = M1 >>> 16;
  private static final int WEYL0 = 0x9E3779B9;
  private static final int WEYL1 = 0xBB67AE85;
  private static final int ROUNDS = 10;

  private PhiloxPasses() {}

  /** The passes that fill w0..w3 with the words of the blocks from l.block on; they use up the key. */
  static Pass[] create() {
    Pass[] passes = new Pass[ROUNDS - 1];
    Arrays.fill(passes, new Round());
    passes[0] = new FirstRounds();
    return passes;
  }

  /** Rounds 1 and 2: only counter word 0 varies, so half of their products are constants. Two loops: one does not vectorise on JDK 17. */
  private static final class FirstRounds extends Pass {
    /** 0, 1, 2, ...: a loop that computes with its induction variable does not vectorise on JDK 17, a loop over this array does. */
    private final int[] ramp = new int[Lanes.BLOCKS];

    FirstRounds() {
      Arrays.setAll(ramp, i -> i);
    }

    @Override
    void run(Lanes l, int n) {
      // the upper word of the block number is constant up to the next multiple of 2^32
      int run = (int) Math.min(n, (1L << 32) - (l.block & 0xffffffffL));
      part(l, 0, run);
      if (run < n) {
        part(l, run, n);
      }
      l.key0 += 2 * WEYL0;
      l.key1 += 2 * WEYL1;
    }

    private void part(Lanes l, int from, int to) {
      int high = (int) ((l.block + from) >>> 32);
      int c0 = high1(l.stream) ^ high ^ l.key0;
      int mask2 = l.step ^ l.key1;
      int mask0 = l.stream * M1 ^ (l.key0 + WEYL0);
      int mask3 = high0(c0) ^ (l.key1 + WEYL1);
      firstRound(ramp, (int) l.block, mask2, mask3, from, to, l.w0, l.w2);
      secondRound(mask0, from, to, l.w0, l.w1);
      Arrays.fill(l.w3, from, to, c0 * M0);
    }

    private static void firstRound(int[] ramp, int low, int mask2, int mask3, int from, int to, int[] w0, int[] w2) {
      for (int i = from; i < to; i++) {
        int x = low + ramp[i];
        w0[i] = high0(x) ^ mask2;
        w2[i] = x * M0 ^ mask3;
      }
    }

    private static void secondRound(int mask0, int from, int to, int[] w0, int[] w1) {
      for (int i = from; i < to; i++) {
        int y = w0[i];
        w0[i] = high1(y) ^ mask0;
        w1[i] = y * M1;
      }
    }
  }

  /** Any later round. */
  private static final class Round extends Pass {
    @Override
    void run(Lanes l, int n) {
      int key0 = l.key0;
      int key1 = l.key1;
      l.key0 += WEYL0;
      l.key1 += WEYL1;
      int[] w0 = l.w0;
      int[] w1 = l.w1;
      int[] w2 = l.w2;
      int[] w3 = l.w3;
      for (int i = 0; i < n; i++) {
        int x = w0[i];
        int y = w2[i];
        w0[i] = high1(y) ^ w1[i] ^ key0;
        w1[i] = y * M1;
        w2[i] = high0(x) ^ w3[i] ^ key1;
        w3[i] = x * M0;
      }
    }
  }

  /** Upper 32 bits of the unsigned product x * M0. */
  private static int high0(int x) {
    int low = x & 0xffff;
    int high = x >>> 16;
    int p = (low * M0_LOW >>> 16) + high * M0_LOW;
    int q = (p & 0xffff) + low * M0_HIGH;
    return (p >>> 16) + (q >>> 16) + high * M0_HIGH;
  }

  /** Upper 32 bits of the unsigned product x * M1. */
  private static int high1(int x) {
    int low = x & 0xffff;
    int high = x >>> 16;
    int p = (low * M1_LOW >>> 16) + high * M1_LOW;
    int q = (p & 0xffff) + low * M1_HIGH;
    return (p >>> 16) + (q >>> 16) + high * M1_HIGH;
  }
}
