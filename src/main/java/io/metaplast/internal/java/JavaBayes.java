package io.metaplast.internal.java;

import io.metaplast.bayes.LinearShape;
import io.metaplast.internal.BufferImpl;
import io.metaplast.internal.TensorGroupImpl;
import io.metaplast.internal.java.ElementTask.Kernel;
import io.metaplast.internal.spi.BayesProvider;
import io.metaplast.internal.spi.RuleRows;

/**
 * The Bayesian kernels in Java: hands the arguments to the task of each kernel. Tasks and scratch memory belong to the calling thread and
 * are reused.
 */
final class JavaBayes implements BayesProvider {
  /** What a calling thread keeps. */
  private static final class Caller {
    final Scratch scratch = new Scratch();
    final RandomTask random = new RandomTask();
    final SampleTask sample = new SampleTask();
    final AccumulateTask accumulate = new AccumulateTask();
    final GateTask gate = new GateTask();
    final UpdateTask update = new UpdateTask();
    final SampleUpdateTask sampleUpdate = new SampleUpdateTask();
    final LinearForwardTask linearForward = new LinearForwardTask();
    final LinearStepTask linearStep = new LinearStepTask();
    final NllTask nll = new NllTask();
    final UncertaintyTask uncertainty = new UncertaintyTask();
    final SumTask sum = new SumTask();
    final RocCounts roc = new RocCounts();
    final ElementTask element = new ElementTask();
  }

  private final ThreadLocal<Caller> callers = ThreadLocal.withInitial(Caller::new);
  private final WorkerPool pool;

  JavaBayes(WorkerPool pool) {
    this.pool = pool;
  }

  @Override
  public void philox(long seed, int randomStream, int step, long first, BufferImpl out, long stream) {
    random(RandomTask.Kind.WORDS, seed, randomStream, step, first, out);
  }

  @Override
  public void uniform(long seed, int randomStream, int step, long first, BufferImpl out, long stream) {
    random(RandomTask.Kind.UNIFORM, seed, randomStream, step, first, out);
  }

  @Override
  public void gaussian(long seed, int randomStream, int step, long first, BufferImpl out, long stream) {
    random(RandomTask.Kind.GAUSSIAN, seed, randomStream, step, first, out);
  }

  private void random(RandomTask.Kind kind, long seed, int randomStream, int step, long first, BufferImpl out) {
    Caller caller = callers.get();
    caller.random.run(pool, caller.scratch, kind, seed, randomStream, step, first, out);
  }

  @Override
  public void elementary(int function, BufferImpl x, BufferImpl y, BufferImpl y2OrNull, long stream) {
    Caller caller = callers.get();
    caller.random.run(pool, caller.scratch, function, x, y, y2OrNull);
  }

  @Override
  public void weightSample(TensorGroupImpl<?> mu, TensorGroupImpl<?> sigma, long seed, int step, TensorGroupImpl<?> samples, long stream) {
    Caller caller = callers.get();
    caller.sample.run(pool, caller.scratch, mu, sigma, seed, step, samples);
  }

  @Override
  public void gradAccumulate(
      TensorGroupImpl<?> gradSamples, TensorGroupImpl<?> epsOrNull, long seed, int step, float scale, TensorGroupImpl<?> gradMean,
      TensorGroupImpl<?> gradSigma, long stream) {
    Caller caller = callers.get();
    caller.accumulate.run(pool, caller.scratch, gradSamples, epsOrNull, seed, step, scale, gradMean, gradSigma);
  }

  @Override
  public void update(
      TensorGroupImpl<?> mu, TensorGroupImpl<?> sigma, TensorGroupImpl<?> lowOrNull, TensorGroupImpl<?> gradMean,
      TensorGroupImpl<?> gradSigma, RuleRows rows, boolean gated, BufferImpl reportOrNull, long stream) {
    Caller caller = callers.get();
    if (gated) {
      GateTask gate = caller.gate;
      gate.run(pool, caller.scratch, gradMean, gradSigma);
      ReportWords.set(reportOrNull, ReportWords.GATE_OPEN, gate.open() ? 1 : 0);
      ReportWords.add(reportOrNull, ReportWords.NAN_GRADIENTS, gate.nanGradients());
      if (!gate.open()) {
        return;
      }
    }
    caller.update.run(pool, caller.scratch, mu, sigma, lowOrNull, gradMean, gradSigma, rows, reportOrNull);
  }

  @Override
  public void updateFromSamples(
      TensorGroupImpl<?> mu, TensorGroupImpl<?> sigma, TensorGroupImpl<?> lowOrNull, TensorGroupImpl<?> gradSamples,
      TensorGroupImpl<?> epsOrNull, long seed, int step, float scale, RuleRows rows, int nextStep, TensorGroupImpl<?> nextOrNull,
      BufferImpl reportOrNull, long stream) {
    Caller caller = callers.get();
    caller.sampleUpdate.run(
        pool, caller.scratch, mu, sigma, lowOrNull, gradSamples, epsOrNull, seed, step, scale, rows, nextStep, nextOrNull, reportOrNull);
  }

  @Override
  public void linearForward(
      BufferImpl mu, BufferImpl sigma, int tensorNumber, LinearShape shape, BufferImpl x, long seed, int step, BufferImpl epsOrNull,
      BufferImpl y, long stream) {
    Caller caller = callers.get();
    caller.linearForward.run(pool, caller.scratch, mu, sigma, tensorNumber, shape, x, seed, step, epsOrNull, y);
  }

  @Override
  public void linearStep(
      BufferImpl mu, BufferImpl sigma, BufferImpl lowOrNull, int tensorNumber, LinearShape shape, BufferImpl x, BufferImpl delta,
      BufferImpl activeOrNull, BufferImpl epsOrNull, long seed, int step, RuleRows rows, int rowIndex, BufferImpl dxOrNull,
      BufferImpl reportOrNull, long stream) {
    Caller caller = callers.get();
    caller.linearStep.run(
        pool, caller.scratch, mu, sigma, lowOrNull, tensorNumber, shape, x, delta, activeOrNull, epsOrNull, seed, step, rows, rowIndex,
        dxOrNull, reportOrNull);
  }

  @Override
  public void nllMeanLogSoftmax(
      int samples, int batch, int classes, BufferImpl logits, BufferImpl labels, float inverseSamples, float gradScale, BufferImpl itemLoss,
      BufferImpl loss, BufferImpl gradOrNull, long stream) {
    Caller caller = callers.get();
    caller.nll.run(
        pool, caller.scratch, samples, batch, classes, logits, labels, inverseSamples, gradScale, itemLoss, gradOrNull);
    put(caller, loss, caller.sum.run(pool, caller.scratch, itemLoss));
  }

  @Override
  public void uncertainty(
      int samples, int batch, int classes, BufferImpl input, boolean fromLogits, boolean bits, boolean clamp, float inverseSamples,
      BufferImpl predictive, BufferImpl aleatoric, BufferImpl epistemic, long stream) {
    Caller caller = callers.get();
    caller.uncertainty.run(
        pool, caller.scratch, samples, batch, classes, input, fromLogits, bits, clamp, inverseSamples, predictive, aleatoric, epistemic);
  }

  @Override
  public void diagHessian(BufferImpl sigma, float priorPrecision, float inverseWindow, BufferImpl h, long stream) {
    element(Kernel.DIAG_HESSIAN, priorPrecision, inverseWindow, sigma, h, null, null);
  }

  @Override
  public void sum(BufferImpl x, BufferImpl out, BufferImpl workspaceOrNull, long stream) {
    Caller caller = callers.get();
    put(caller, out, caller.sum.run(pool, caller.scratch, x));
  }

  private static void put(Caller caller, BufferImpl out, float value) {
    Operand operand = caller.scratch.operand[0];
    operand.set(out);
    operand.put(0, value);
    operand.clear();
  }

  @Override
  public long sumWorkspaceBytes(long n) {
    return 0;
  }

  @Override
  public void rocPairs(BufferImpl inDistribution, BufferImpl outOfDistribution, long[] counts, long stream) {
    callers.get().roc.pairs(inDistribution, outOfDistribution, counts);
  }

  @Override
  public void rocThresholds(BufferImpl inDistribution, BufferImpl outOfDistribution, float[] fractions, long[] counts, long stream) {
    callers.get().roc.thresholds(inDistribution, outOfDistribution, fractions, counts);
  }

  @Override
  public void sgdStep(BufferImpl theta, BufferImpl gradient, float rate, long stream) {
    element(Kernel.SGD, rate, 0f, gradient, theta, null, null);
  }

  @Override
  public void fisherAccumulate(BufferImpl gradient, BufferImpl fisher, long stream) {
    element(Kernel.FISHER_ACCUMULATE, 0f, 0f, gradient, fisher, null, null);
  }

  @Override
  public void fisherMerge(BufferImpl fisher, float inverseItems, float decay, BufferImpl total, long stream) {
    element(Kernel.FISHER_MERGE, inverseItems, decay, fisher, total, null, null);
  }

  @Override
  public void ewcPenaltyGradient(BufferImpl theta, BufferImpl anchor, BufferImpl fisher, float lambda, BufferImpl gradient, long stream) {
    element(Kernel.EWC_PENALTY, lambda, 0f, theta, anchor, fisher, gradient);
  }

  @Override
  public void siPath(BufferImpl gradient, BufferImpl thetaNew, BufferImpl thetaOld, BufferImpl path, long stream) {
    element(Kernel.SI_PATH, 0f, 0f, gradient, thetaNew, thetaOld, path);
  }

  @Override
  public void siConsolidate(BufferImpl theta, float xi, BufferImpl path, BufferImpl anchor, BufferImpl omega, long stream) {
    element(Kernel.SI_CONSOLIDATE, xi, 0f, theta, path, anchor, omega);
  }

  @Override
  public void siPenaltyGradient(BufferImpl theta, BufferImpl anchor, BufferImpl omega, float twoC, BufferImpl gradient, long stream) {
    element(Kernel.SI_PENALTY, twoC, 0f, theta, anchor, omega, gradient);
  }

  private void element(Kernel kernel, float p, float q, BufferImpl a, BufferImpl b, BufferImpl c, BufferImpl d) {
    Caller caller = callers.get();
    caller.element.run(pool, caller.scratch, kernel, p, q, a, b, c, d);
  }
}
