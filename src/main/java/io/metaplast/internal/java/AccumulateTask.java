package io.metaplast.internal.java;

import io.metaplast.internal.TensorGroupImpl;

/** gradAccumulate: gMu = scale * sum of dW[k], gSigma = scale * sum of dW[k] * epsilon(k). */
final class AccumulateTask extends TensorTask {
  private static final int GRAD_MEAN = 0;
  private static final int GRAD_SIGMA = 1;

  private final SampleGradients gradients = new SampleGradients();
  private TensorGroupImpl<?> gradMean;
  private TensorGroupImpl<?> gradSigma;

  void run(
      WorkerPool pool, Scratch scratch, TensorGroupImpl<?> samples, TensorGroupImpl<?> epsilonOrNull, long seed, int step, float scale,
      TensorGroupImpl<?> gradMean, TensorGroupImpl<?> gradSigma) {
    gradients.set(samples, epsilonOrNull, seed, step, scale);
    this.gradMean = gradMean;
    this.gradSigma = gradSigma;
    start(pool, scratch, samples.layout(), gradients.nanosPerElement());
  }

  @Override
  void clear() {
    gradients.clear();
    gradMean = null;
    gradSigma = null;
  }

  @Override
  void tensor(int t, Scratch scratch) {
    scratch.operand[GRAD_MEAN].set(gradMean.buffer(t));
    scratch.operand[GRAD_SIGMA].set(gradSigma.buffer(t));
    gradients.tensor(t, scratch);
  }

  @Override
  void chunk(int t, long at, int n, Scratch scratch) {
    float[] a = scratch.chunk[GRAD_MEAN];
    float[] b = scratch.chunk[GRAD_SIGMA];
    gradients.accumulate(randomStream(t), count(t), at, n, scratch, a, b);
    scratch.operand[GRAD_MEAN].store(at, a, 0, n);
    scratch.operand[GRAD_SIGMA].store(at, b, 0, n);
  }
}
