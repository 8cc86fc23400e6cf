package io.metaplast.internal.java;

import java.util.Arrays;

/**
 * Philox4x32-10 (Salmon et al., SC 2011) for runs of consecutive blocks, one array per word of the block. A round is one loop over the arrays, with 32-bit
 * operations only: the high half of a product is put together from 16-bit pieces, because no JIT compiler of JDK 17 vectorises a 32 x 32 -> 64 bit product.
 */
final class Philox {
  private static final int M0 = 0xD2511F53;
  private static final int M1 = 0xCD9E8D57;
  private static final int M0_LOW = M0 & 0xffff;
  private static final int M0_HIGH = M0 >>> 16;
  private static final int M1_LOW = M1 & 0xffff;
  private static final int M1_HIGH = M1 >>> 16;
  private static final int WEYL0 = 0x9E3779B9;
  private static final int WEYL1 = 0xBB67AE85;
  private static final int ROUNDS = 10;

  /** 0, 1, 2, ...: loops over induction variables do not vectorise on JDK 17, loops over this array do. */
  private final int[] ramp;

  /** For at most {@code blocks} blocks a call. */
  Philox(int blocks) {
    ramp = new int[blocks];
    Arrays.setAll(ramp, i -> i);
  }

  /** Words j of blocks first..first+n-1 go to wj[0..n). {@code first} is an unsigned block number. */
  void blocks(long seed, int stream, int step, long first, int n, int[] w0, int[] w1, int[] w2, int[] w3) {
    // the upper counter word is constant up to the next multiple of 2^32
    int run = (int) Math.min(n, (1L << 32) - (first & 0xffffffffL));
    firstRounds(seed, stream, step, first, 0, run, w0, w1, w2, w3);
    if (run < n) {
      firstRounds(seed, stream, step, first, run, n, w0, w1, w2, w3);
    }
    int key0 = (int) seed + 2 * WEYL0;
    int key1 = (int) (seed >>> 32) + 2 * WEYL1;
    for (int r = 2; r < ROUNDS; r++) {
      round(w0, w1, w2, w3, n, key0, key1);
      key0 += WEYL0;
      key1 += WEYL1;
    }
  }

  /** Rounds 1 and 2: only counter word 0 varies, so half of their products are constants. */
  private void firstRounds(long seed, int stream, int step, long first, int from, int to, int[] w0, int[] w1, int[] w2, int[] w3) {
    int key0 = (int) seed;
    int key1 = (int) (seed >>> 32);
    int low = (int) first;
    int high = (int) ((first + from) >>> 32);
    int c0 = high1(stream) ^ high ^ key0;
    int mask2 = step ^ key1;
    int mask0 = stream * M1 ^ (key0 + WEYL0);
    int mask3 = high0(c0) ^ (key1 + WEYL1);
    varyingRounds(low, mask2, mask0, mask3, from, to, w0, w1, w2);
    Arrays.fill(w3, from, to, c0 * M0);
  }

  private void varyingRounds(int low, int mask2, int mask0, int mask3, int from, int to, int[] w0, int[] w1, int[] w2) {
    int[] offset = ramp;
    for (int i = from; i < to; i++) {
      int x = low + offset[i];
      int y = high0(x) ^ mask2;
      w0[i] = high1(y) ^ mask0;
      w1[i] = y * M1;
      w2[i] = x * M0 ^ mask3;
    }
  }

  private static void round(int[] w0, int[] w1, int[] w2, int[] w3, int n, int key0, int key1) {
    for (int i = 0; i < n; i++) {
      int x = w0[i];
      int y = w2[i];
      w0[i] = high1(y) ^ w1[i] ^ key0;
      w1[i] = y * M1;
      w2[i] = high0(x) ^ w3[i] ^ key1;
      w3[i] = x * M0;
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
