package io.metaplast.internal.java;

/** Maximum and sum of exponentials of a row, in the order of the specification; {@code piece} is a chunk of scratch memory. */
final class Softmax {
  private Softmax() {}

  /** Maximum by ascending ">". */
  static float max(Operand row, long at, int classes, float[] piece) {
    float max = row.get(at);
    for (int c = 0; c < classes; c += Scratch.CHUNK) {
      int n = Math.min(Scratch.CHUNK, classes - c);
      row.load(at + c, piece, 0, n);
      for (int i = 0; i < n; i++) {
        max = piece[i] > max ? piece[i] : max;
      }
    }
    return max;
  }

  /** Sum of exp(l - max), ascending from the first term. */
  static float sum(Operand row, long at, int classes, float max, float[] piece) {
    float sum = 0f;
    for (int c = 0; c < classes; c += Scratch.CHUNK) {
      int n = Math.min(Scratch.CHUNK, classes - c);
      row.load(at + c, piece, 0, n);
      for (int i = 0; i < n; i++) {
        float e = Elementary.exp(piece[i] - max);
        sum = c + i == 0 ? e : sum + e;
      }
    }
    return sum;
  }
}
