package io.metaplast.internal.java;

import io.metaplast.internal.BufferImpl;
import io.metaplast.internal.TensorGroupImpl;
import io.metaplast.internal.spi.RuleRows;

/**
 * gaussianUpdateFromSamples: gradients of K samples, update and the next samples, chunk by chunk, so that nothing in between leaves the
 * first cache levels.
 */
final class SampleUpdateTask extends TensorTask {
  private static final double UPDATE_NANOS = 0.5;

  private static final int MU = 0;
  private static final int SIGMA = 1;
  private static final int LOW = 2;
  private static final int GRAD_MEAN = 3; // chunk
  private static final int NEXT = 3; // operand
  private static final int GRAD_SIGMA = 4; // chunk
  private static final int SPARE = 5; // chunk

  private final SampleGradients gradients = new SampleGradients();
  private TensorGroupImpl<?> mu;
  private TensorGroupImpl<?> sigma;
  private TensorGroupImpl<?> low;
  private RuleRows rows;
  private long seed;
  private int nextStep;
  private TensorGroupImpl<?> next;
  private BufferImpl report;

  void run(
      WorkerPool pool, Scratch scratch, TensorGroupImpl<?> mu, TensorGroupImpl<?> sigma, TensorGroupImpl<?> lowOrNull,
      TensorGroupImpl<?> samples, TensorGroupImpl<?> epsilonOrNull, long seed, int step, float scale, RuleRows rows, int nextStep,
      TensorGroupImpl<?> nextOrNull, BufferImpl reportOrNull) {
    gradients.set(samples, epsilonOrNull, seed, step, scale);
    this.mu = mu;
    this.sigma = sigma;
    this.low = lowOrNull;
    this.rows = rows;
    this.seed = seed;
    this.nextStep = nextStep;
    this.next = nextOrNull;
    this.report = reportOrNull;
    double nextNanos = next == null ? 0 : next.copies() * GaussianSource.NANOS;
    start(pool, scratch, mu.layout(), UPDATE_NANOS + gradients.nanosPerElement() + nextNanos);
  }

  @Override
  void clear() {
    gradients.clear();
    mu = null;
    sigma = null;
    low = null;
    rows = null;
    next = null;
    report = null;
  }

  @Override
  void tensor(int t, Scratch scratch) {
    scratch.operand[MU].set(mu.buffer(t));
    scratch.operand[SIGMA].set(sigma.buffer(t));
    if (low != null) {
      scratch.operand[LOW].set(low.buffer(t));
    }
    if (next != null) {
      scratch.operand[NEXT].set(next.buffer(t));
    }
    gradients.tensor(t, scratch);
    scratch.rule.load(rows, t);
  }

  @Override
  void chunk(int t, long at, int n, Scratch scratch) {
    Operand[] o = scratch.operand;
    float[][] c = scratch.chunk;
    gradients.accumulate(randomStream(t), count(t), at, n, scratch, c[GRAD_MEAN], c[GRAD_SIGMA]);
    o[MU].load(at, c[MU], 0, n);
    o[SIGMA].load(at, c[SIGMA], 0, n);
    if (low != null) {
      o[LOW].load(at, c[LOW], 0, n);
    }
    scratch.rule.apply(c[MU], c[SIGMA], low == null ? null : c[LOW], c[GRAD_MEAN], c[GRAD_SIGMA], 0, n, c[SPARE]);
    o[MU].store(at, c[MU], 0, n);
    o[SIGMA].store(at, c[SIGMA], 0, n);
    if (low != null) {
      o[LOW].store(at, c[LOW], 0, n);
    }
    if (report != null) {
      ReportWords.add(report, ReportWords.SIGMA_NOT_POSITIVE, Positive.violations(c[SIGMA], 0, n, c[SPARE]));
    }
    if (next != null) {
      for (int k = 0; k < next.copies(); k++) {
        scratch.gaussian.normals(seed, randomStream(t) + k, nextStep, at, n, c[SPARE]);
        SampleTask.weights(c[MU], c[SIGMA], c[SPARE], n);
        o[NEXT].store(k * count(t) + at, c[SPARE], 0, n);
      }
    }
  }
}
