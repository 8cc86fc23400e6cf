package io.metaplast.internal.java;

import io.metaplast.internal.TensorGroupImpl;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/** First phase of a gated update: whether any |gradient| > 0 over all tensors, and how many gradients are NaN. */
final class GateTask extends TensorTask {
  private static final double NANOS = 0.6;

  private static final int GRAD_MEAN = 0;
  private static final int GRAD_SIGMA = 1;

  private final AtomicBoolean open = new AtomicBoolean();
  private final AtomicLong nans = new AtomicLong();
  private TensorGroupImpl<?> gradMean;
  private TensorGroupImpl<?> gradSigma;

  void run(WorkerPool pool, Scratch scratch, TensorGroupImpl<?> gradMean, TensorGroupImpl<?> gradSigma) {
    this.gradMean = gradMean;
    this.gradSigma = gradSigma;
    open.set(false);
    nans.set(0);
    start(pool, scratch, gradMean.layout(), NANOS);
  }

  boolean open() {
    return open.get();
  }

  long nanGradients() {
    return nans.get();
  }

  @Override
  void clear() {
    gradMean = null;
    gradSigma = null;
  }

  @Override
  void tensor(int t, Scratch scratch) {
    scratch.operand[GRAD_MEAN].set(gradMean.buffer(t));
    scratch.operand[GRAD_SIGMA].set(gradSigma.buffer(t));
  }

  @Override
  void chunk(int t, long at, int n, Scratch scratch) {
    for (int i = GRAD_MEAN; i <= GRAD_SIGMA; i++) {
      scratch.operand[i].load(at, scratch.chunk[i], 0, n);
      look(scratch.chunk[i], n);
    }
  }

  private void look(float[] g, int n) {
    boolean anyNonZero = false;
    int nanCount = 0;
    for (int i = 0; i < n; i++) {
      anyNonZero |= Math.abs(g[i]) > 0f;
      nanCount += g[i] != g[i] ? 1 : 0;
    }
    if (anyNonZero) {
      open.set(true);
    }
    if (nanCount > 0) {
      nans.addAndGet(nanCount);
    }
  }
}
