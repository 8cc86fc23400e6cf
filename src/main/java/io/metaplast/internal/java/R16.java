package io.metaplast.internal.java;

/** The sum of many elements in the order that all backends share: 16 lanes over chunks of 4096, then the same over the chunk sums. */
final class R16 {
  private static final int LANES = 16;

  private final float[] lane = new float[LANES];
  private float[] chunkSums = new float[0];

  /** Room for {@code n} chunk sums; contents are undefined. */
  float[] chunkSums(int n) {
    if (chunkSums.length < n) {
      chunkSums = new float[Math.max(n, 2 * chunkSums.length)];
    }
    return chunkSums;
  }

  /** R16 of sums[at..at+n), in place. */
  float ofChunkSums(float[] sums, int at, int n) {
    int left = n;
    while (left > Scratch.CHUNK) {
      int chunks = (int) Scratch.chunks(left);
      for (int c = 0; c < chunks; c++) {
        int from = c * Scratch.CHUNK;
        sums[at + c] = chunk(sums, at + from, Math.min(Scratch.CHUNK, left - from));
      }
      left = chunks;
    }
    return left == 1 ? sums[at] : chunk(sums, at, left);
  }

  /** The sum of one chunk: p[at..at+n), n <= 4096. */
  float chunk(float[] p, int at, int n) {
    float[] l = lane;
    int done = 0;
    if (n >= LANES) {
      done = n & -LANES;
      lanes(p, at, at + done, l);
    } else {
      for (int j = 0; j < LANES; j++) {
        l[j] = j < n ? p[at + j] : 0f;
      }
      done = n;
    }
    for (int j = 0; j < n - done; j++) {
      l[j] += p[at + done + j];
    }
    for (int h = LANES / 2; h > 0; h >>= 1) {
      for (int j = 0; j < h; j++) {
        l[j] += l[j + h];
      }
    }
    return l[0];
  }

  /** Lane sums of p[at..end), a positive multiple of 16 elements; in locals, because that is what keeps them in registers. */
  private static void lanes(float[] p, int at, int end, float[] l) {
    float l0 = p[at];
    float l1 = p[at + 1];
    float l2 = p[at + 2];
    float l3 = p[at + 3];
    float l4 = p[at + 4];
    float l5 = p[at + 5];
    float l6 = p[at + 6];
    float l7 = p[at + 7];
    float l8 = p[at + 8];
    float l9 = p[at + 9];
    float l10 = p[at + 10];
    float l11 = p[at + 11];
    float l12 = p[at + 12];
    float l13 = p[at + 13];
    float l14 = p[at + 14];
    float l15 = p[at + 15];
    for (int i = at + LANES; i < end; i += LANES) {
      l0 += p[i];
      l1 += p[i + 1];
      l2 += p[i + 2];
      l3 += p[i + 3];
      l4 += p[i + 4];
      l5 += p[i + 5];
      l6 += p[i + 6];
      l7 += p[i + 7];
      l8 += p[i + 8];
      l9 += p[i + 9];
      l10 += p[i + 10];
      l11 += p[i + 11];
      l12 += p[i + 12];
      l13 += p[i + 13];
      l14 += p[i + 14];
      l15 += p[i + 15];
    }
    l[0] = l0;
    l[1] = l1;
    l[2] = l2;
    l[3] = l3;
    l[4] = l4;
    l[5] = l5;
    l[6] = l6;
    l[7] = l7;
    l[8] = l8;
    l[9] = l9;
    l[10] = l10;
    l[11] = l11;
    l[12] = l12;
    l[13] = l13;
    l[14] = l14;
    l[15] = l15;
  }
}
