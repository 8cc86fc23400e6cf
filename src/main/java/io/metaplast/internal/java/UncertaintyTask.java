package io.metaplast.internal.java;

import io.metaplast.internal.BufferImpl;

/** uncertainty: a unit is an item of the batch; classes are treated in pieces of a chunk. */
final class UncertaintyTask extends ParallelTask {
  private static final double NANOS = 25; // per probability
  private static final float TINY = 1e-12f;

  private static final int INPUT = 0;
  private static final int PREDICTIVE = 1;
  private static final int ALEATORIC = 2;
  private static final int EPISTEMIC = 3;
  private static final int MEAN = 1; // chunk

  // per sample, in the growing array of the sums
  private static final int MAX = 0;
  private static final int SUM = 1;
  private static final int ENTROPY = 2;
  private static final int PER_SAMPLE = 3;

  private BufferImpl input;
  private BufferImpl predictive;
  private BufferImpl aleatoric;
  private BufferImpl epistemic;
  private int samples;
  private int batch;
  private int classes;
  private boolean fromLogits;
  private boolean bits;
  private boolean clamp;
  private float inverseSamples;

  void run(
      WorkerPool pool, Scratch scratch, int samples, int batch, int classes, BufferImpl input, boolean fromLogits, boolean bits,
      boolean clamp, float inverseSamples, BufferImpl predictive, BufferImpl aleatoric, BufferImpl epistemic) {
    this.samples = samples;
    this.batch = batch;
    this.classes = classes;
    this.input = input;
    this.fromLogits = fromLogits;
    this.bits = bits;
    this.clamp = clamp;
    this.inverseSamples = inverseSamples;
    this.predictive = predictive;
    this.aleatoric = aleatoric;
    this.epistemic = epistemic;
    try {
      pool.run(this, batch, NANOS * samples * classes, scratch);
    } finally {
      clear();
    }
  }

  @Override
  void clear() {
    input = null;
    predictive = null;
    aleatoric = null;
    epistemic = null;
  }

  @Override
  void run(long from, long to, Scratch scratch) {
    Operand[] o = scratch.operand;
    o[INPUT].set(input);
    o[PREDICTIVE].set(predictive);
    o[ALEATORIC].set(aleatoric);
    o[EPISTEMIC].set(epistemic);
    float[] perSample = scratch.sums.chunkSums(Math.multiplyExact(PER_SAMPLE, samples));
    for (long b = from; b < to; b++) {
      item(b, perSample, scratch);
    }
  }

  private void item(long b, float[] perSample, Scratch scratch) {
    Operand row = scratch.operand[INPUT];
    float[] piece = scratch.chunk[INPUT];
    float[] mean = scratch.chunk[MEAN];
    if (fromLogits) {
      for (int k = 0; k < samples; k++) {
        float max = Softmax.max(row, rowStart(k, b), classes, piece);
        perSample[PER_SAMPLE * k + MAX] = max;
        perSample[PER_SAMPLE * k + SUM] = Softmax.sum(row, rowStart(k, b), classes, max, piece);
      }
    }
    float meanEntropy = 0f;
    for (int c = 0; c < classes; c += Scratch.CHUNK) {
      int n = Math.min(Scratch.CHUNK, classes - c);
      for (int k = 0; k < samples; k++) {
        int s = PER_SAMPLE * k;
        row.load(rowStart(k, b) + c, piece, 0, n);
        if (fromLogits) {
          probabilities(piece, n, perSample[s + MAX], perSample[s + SUM]);
        }
        for (int i = 0; i < n; i++) {
          mean[i] = k == 0 ? piece[i] : mean[i] + piece[i];
        }
        perSample[s + ENTROPY] = addTerms(c == 0, perSample[s + ENTROPY], piece, n);
      }
      for (int i = 0; i < n; i++) {
        mean[i] = mean[i] * inverseSamples;
      }
      meanEntropy = addTerms(c == 0, meanEntropy, mean, n);
    }
    float sampleEntropies = -perSample[ENTROPY];
    for (int k = 1; k < samples; k++) {
      sampleEntropies = sampleEntropies + -perSample[PER_SAMPLE * k + ENTROPY];
    }
    put(b, -meanEntropy, sampleEntropies * inverseSamples, scratch);
  }

  private void put(long b, float totalNats, float noiseNats, Scratch scratch) {
    float total = bits ? totalNats * Elementary.LOG2_E : totalNats;
    float noise = bits ? noiseNats * Elementary.LOG2_E : noiseNats;
    float knowledge = total - noise;
    scratch.operand[PREDICTIVE].put(b, total);
    scratch.operand[ALEATORIC].put(b, noise);
    scratch.operand[EPISTEMIC].put(b, clamp && knowledge < 0f ? 0f : knowledge);
  }

  private long rowStart(int k, long b) {
    return (k * (long) batch + b) * classes;
  }

  private static void probabilities(float[] logits, int n, float max, float sum) {
    for (int i = 0; i < n; i++) {
      logits[i] = Elementary.exp(logits[i] - max) / sum;
    }
  }

  /** Continues a sum of p * ln(p + 1e-12). */
  private static float addTerms(boolean first, float sum, float[] p, int n) {
    float total = sum;
    for (int i = 0; i < n; i++) {
      float term = p[i] * Elementary.ln(p[i] + TINY);
      total = first && i == 0 ? term : total + term;
    }
    return total;
  }
}
