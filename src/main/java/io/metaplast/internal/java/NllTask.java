package io.metaplast.internal.java;

import io.metaplast.internal.BufferImpl;

/** nllMeanLogSoftmax: a unit is an item of the batch. Rows are read in pieces of a chunk, and exponentials formed anew in each pass. */
final class NllTask extends ParallelTask {
  private static final double NANOS = 15; // per logit

  private static final int LOGITS = 0;
  private static final int ITEM_LOSS = 1;
  private static final int GRADIENT = 2;

  private BufferImpl logits;
  private BufferImpl labels;
  private BufferImpl itemLoss;
  private BufferImpl gradient; // or null
  private int samples;
  private int batch;
  private int classes;
  private float inverseSamples;
  private float gradScale;

  void run(
      WorkerPool pool, Scratch scratch, int samples, int batch, int classes, BufferImpl logits, BufferImpl labels, float inverseSamples,
      float gradScale, BufferImpl itemLoss, BufferImpl gradientOrNull) {
    this.samples = samples;
    this.batch = batch;
    this.classes = classes;
    this.logits = logits;
    this.labels = labels;
    this.inverseSamples = inverseSamples;
    this.gradScale = gradScale;
    this.itemLoss = itemLoss;
    this.gradient = gradientOrNull;
    try {
      checkLabels();
      pool.run(this, batch, NANOS * samples * classes, scratch);
    } finally {
      clear();
    }
  }

  /** Before anything is written. */
  private void checkLabels() {
    int[] labelWords = ((JavaMemory) labels.memory()).ints();
    int firstLabel = (int) (labels.byteOffset() / Integer.BYTES);
    for (int b = 0; b < batch; b++) {
      int label = labelWords[firstLabel + b];
      if (label < 0 || label >= classes) {
        throw new IllegalArgumentException("labels[" + b + "] = " + label + " must be in 0.." + (classes - 1));
      }
    }
  }

  @Override
  void clear() {
    logits = null;
    labels = null;
    itemLoss = null;
    gradient = null;
  }

  @Override
  void run(long from, long to, Scratch scratch) {
    scratch.operand[LOGITS].set(logits);
    scratch.operand[ITEM_LOSS].set(itemLoss);
    if (gradient != null) {
      scratch.operand[GRADIENT].set(gradient);
    }
    int[] labelWords = ((JavaMemory) labels.memory()).ints();
    int firstLabel = (int) (labels.byteOffset() / Integer.BYTES);
    for (long b = from; b < to; b++) {
      int label = labelWords[firstLabel + (int) b];
      float sum = 0f;
      for (int k = 0; k < samples; k++) {
        float logProbability = row((k * (long) batch + b) * classes, label, scratch);
        sum = k == 0 ? logProbability : sum + logProbability;
      }
      scratch.operand[ITEM_LOSS].put(b, -sum * inverseSamples);
    }
  }

  /** Log probability of the label under the row at {@code at}; writes the row's gradient. */
  private float row(long at, int label, Scratch scratch) {
    Operand row = scratch.operand[LOGITS];
    float[] piece = scratch.chunk[LOGITS];
    float max = Softmax.max(row, at, classes, piece);
    float sum = Softmax.sum(row, at, classes, max, piece);
    float shifted = row.get(at + label) - max;
    if (gradient != null) {
      for (int c = 0; c < classes; c += Scratch.CHUNK) {
        int n = Math.min(Scratch.CHUNK, classes - c);
        row.load(at + c, piece, 0, n);
        for (int i = 0; i < n; i++) {
          float hit = c + i == label ? 1f : 0f;
          piece[i] = (Elementary.exp(piece[i] - max) / sum - hit) * gradScale;
        }
        scratch.operand[GRADIENT].store(at + c, piece, 0, n);
      }
    }
    return sum != sum ? sum : shifted - Elementary.ln(sum); // the logarithm is for numbers only
  }
}
