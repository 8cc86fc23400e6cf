package io.metaplast.internal.java;

import io.metaplast.internal.BufferImpl;
import io.metaplast.internal.TensorGroupImpl;
import io.metaplast.internal.spi.RuleRows;

/**
 * gaussianUpdate: one update of all tensors from given gradients, in the callers' arrays where the operands line up, else chunk-wise in
 * scratch memory.
 */
final class UpdateTask extends TensorTask {
  private static final double NANOS = 0.3;

  private static final int MU = 0;
  private static final int SIGMA = 1;
  private static final int LOW = 2;
  private static final int GRAD_MEAN = 3;
  private static final int GRAD_SIGMA = 4;
  private static final int SPARE = 5; // chunk

  private TensorGroupImpl<?> mu;
  private TensorGroupImpl<?> sigma;
  private TensorGroupImpl<?> low;
  private TensorGroupImpl<?> gradMean;
  private TensorGroupImpl<?> gradSigma;
  private RuleRows rows;
  private BufferImpl report;

  void run(
      WorkerPool pool, Scratch scratch, TensorGroupImpl<?> mu, TensorGroupImpl<?> sigma, TensorGroupImpl<?> lowOrNull,
      TensorGroupImpl<?> gradMean, TensorGroupImpl<?> gradSigma, RuleRows rows, BufferImpl reportOrNull) {
    this.mu = mu;
    this.sigma = sigma;
    this.low = lowOrNull;
    this.gradMean = gradMean;
    this.gradSigma = gradSigma;
    this.rows = rows;
    this.report = reportOrNull;
    start(pool, scratch, mu.layout(), NANOS);
  }

  @Override
  void clear() {
    mu = null;
    sigma = null;
    low = null;
    gradMean = null;
    gradSigma = null;
    rows = null;
    report = null;
  }

  @Override
  void tensor(int t, Scratch scratch) {
    scratch.operand[MU].set(mu.buffer(t));
    scratch.operand[SIGMA].set(sigma.buffer(t));
    scratch.operand[GRAD_MEAN].set(gradMean.buffer(t));
    scratch.operand[GRAD_SIGMA].set(gradSigma.buffer(t));
    if (low != null) {
      scratch.operand[LOW].set(low.buffer(t));
    }
    scratch.rule.load(rows, t);
  }

  @Override
  void chunk(int t, long at, int n, Scratch scratch) {
    if (scratch.rule.keepsGradients() && aligned(scratch)) {
      Operand[] o = scratch.operand;
      int from = o[MU].base() + (int) at;
      float[] lowArray = low == null ? null : o[LOW].array();
      apply(o[MU].array(), o[SIGMA].array(), lowArray, o[GRAD_MEAN].array(), o[GRAD_SIGMA].array(), from, n, scratch);
      return;
    }
    for (int i = MU; i <= GRAD_SIGMA; i++) {
      if (i != LOW || low != null) {
        scratch.operand[i].load(at, scratch.chunk[i], 0, n);
      }
    }
    float[][] c = scratch.chunk;
    apply(c[MU], c[SIGMA], low == null ? null : c[LOW], c[GRAD_MEAN], c[GRAD_SIGMA], 0, n, scratch);
    scratch.operand[MU].store(at, c[MU], 0, n);
    scratch.operand[SIGMA].store(at, c[SIGMA], 0, n);
    if (low != null) {
      scratch.operand[LOW].store(at, c[LOW], 0, n);
    }
  }

  private void apply(
      float[] mean, float[] deviation, float[] lowOrNull, float[] gMean, float[] gSigma, int from, int n, Scratch scratch) {
    scratch.rule.apply(mean, deviation, lowOrNull, gMean, gSigma, from, from + n, scratch.chunk[SPARE]);
    if (report != null) {
      ReportWords.add(report, ReportWords.SIGMA_NOT_POSITIVE, Positive.violations(deviation, from, n, scratch.chunk[SPARE]));
    }
  }

  /** Whether all operands are arrays in which an element has the same index. */
  private boolean aligned(Scratch scratch) {
    Operand[] o = scratch.operand;
    return o[MU].array() != null
        && o[SIGMA].sameIndex(o[MU])
        && o[GRAD_MEAN].sameIndex(o[MU])
        && o[GRAD_SIGMA].sameIndex(o[MU])
        && (low == null || o[LOW].sameIndex(o[MU]));
  }
}
