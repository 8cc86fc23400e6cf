package io.metaplast.internal.cpu;

import io.metaplast.KernelException;
import io.metaplast.bayes.LinearShape;
import io.metaplast.internal.BufferImpl;
import io.metaplast.internal.LabelCheck;
import io.metaplast.internal.TensorGroupImpl;
import io.metaplast.internal.spi.BayesProvider;
import io.metaplast.internal.spi.RuleRows;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The Bayesian kernels of the CPU library, one native call each. Operands stay reachable during a call: the layer above holds their memory and tables until the
 * call has returned.
 */
final class CpuBayes implements BayesProvider {
  private static final int F32 = 0; // METAPLAST_F32
  private static final int BF16 = 1; // METAPLAST_BF16
  private static final int E_ARGUMENT = 1; // METAPLAST_E_ARGUMENT

  private final CpuProvider provider;
  private final long context;

  CpuBayes(CpuProvider provider, long context) {
    this.provider = provider;
    this.context = context;
  }

  private static void check(String kernel, int status) {
    if (status != 0) {
      throw new KernelException(kernel + " failed with status " + status, status, 0, "");
    }
  }

  private static long address(BufferImpl bufferOrNull) {
    return bufferOrNull == null ? 0 : bufferOrNull.rawAddress();
  }

  private static long table(TensorGroupImpl<?> groupOrNull) {
    return groupOrNull == null ? 0 : groupOrNull.addressTable();
  }

  private static int type(TensorGroupImpl<?> group) {
    return group.bf16() ? BF16 : F32;
  }

  private static int flag(boolean on) {
    return on ? 1 : 0;
  }

  @Override
  public void philox(long seed, int randomStream, int step, long first, BufferImpl out, long stream) {
    check("philox", CpuBindings.philox(context, seed, randomStream, step, first, out.length(), address(out)));
  }

  @Override
  public void uniform(long seed, int randomStream, int step, long first, BufferImpl out, long stream) {
    check("uniform", CpuBindings.uniform(context, seed, randomStream, step, first, out.length(), address(out)));
  }

  @Override
  public void gaussian(long seed, int randomStream, int step, long first, BufferImpl out, long stream) {
    check("gaussian", CpuBindings.gaussian(context, seed, randomStream, step, first, out.length(), address(out)));
  }

  @Override
  public void elementary(int function, BufferImpl x, BufferImpl y, BufferImpl y2OrNull, long stream) {
    check("elementary", CpuBindings.elementary(context, function, x.length(), address(x), address(y), address(y2OrNull)));
  }

  @Override
  public void weightSample(TensorGroupImpl<?> mu, TensorGroupImpl<?> sigma, long seed, int step, TensorGroupImpl<?> samples, long stream) {
    check(
        "weightSample",
        CpuBindings.weightSample(
            context, mu.layout().tensors(), mu.countTable(), mu.numberTable(), table(mu), table(sigma), seed, step, 0, samples.copies(),
            table(samples)));
  }

  @Override
  public void gradAccumulate(
      TensorGroupImpl<?> gradSamples, TensorGroupImpl<?> epsOrNull, long seed, int step, float scale, TensorGroupImpl<?> gradMean,
      TensorGroupImpl<?> gradSigma, long stream) {
    check(
        "gradAccumulate",
        CpuBindings.gradAccumulate(
            context, gradSamples.layout().tensors(), gradSamples.countTable(), gradSamples.numberTable(), gradSamples.copies(),
            table(gradSamples), type(gradSamples), table(epsOrNull), seed, step, scale, table(gradMean), table(gradSigma)));
  }

  @Override
  public void update(
      TensorGroupImpl<?> mu, TensorGroupImpl<?> sigma, TensorGroupImpl<?> lowOrNull, TensorGroupImpl<?> gradMean, TensorGroupImpl<?> gradSigma,
      RuleRows rows, boolean gated, BufferImpl reportOrNull, long stream) {
    check(
        "update",
        CpuBindings.gaussianUpdate(
            context, rows.kind(), mu.layout().tensors(), mu.countTable(), table(mu), table(sigma), table(lowOrNull), table(gradMean),
            table(gradSigma), type(gradMean), rows.address(), rows.stride(), flag(gated), address(reportOrNull)));
  }

  @Override
  public void updateFromSamples(
      TensorGroupImpl<?> mu, TensorGroupImpl<?> sigma, TensorGroupImpl<?> lowOrNull, TensorGroupImpl<?> gradSamples,
      TensorGroupImpl<?> epsOrNull, long seed, int step, float scale, RuleRows rows, int nextStep, TensorGroupImpl<?> nextOrNull,
      BufferImpl reportOrNull, long stream) {
    check(
        "updateFromSamples",
        CpuBindings.gaussianUpdateFromSamples(
            context, rows.kind(), mu.layout().tensors(), mu.countTable(), mu.numberTable(), table(mu), table(sigma), table(lowOrNull),
            gradSamples.copies(), table(gradSamples), type(gradSamples), table(epsOrNull), seed, step, scale, rows.address(), rows.stride(),
            nextStep, nextOrNull == null ? 0 : nextOrNull.copies(), table(nextOrNull), address(reportOrNull)));
  }

  @Override
  public void linearForward(
      BufferImpl mu, BufferImpl sigma, int tensorNumber, LinearShape shape, BufferImpl x, long seed, int step, BufferImpl epsOrNull,
      BufferImpl y, long stream) {
    check(
        "linearForward",
        CpuBindings.linearForwardBatch1(
            context, shape.out(), shape.in(), tensorNumber, address(mu), address(sigma), address(x), stride(shape), shape.samples(), seed, step,
            flag(shape.relu()), address(epsOrNull), address(y)));
  }

  @Override
  public void linearStep(
      BufferImpl mu, BufferImpl sigma, BufferImpl lowOrNull, int tensorNumber, LinearShape shape, BufferImpl x, BufferImpl delta,
      BufferImpl activeOrNull, BufferImpl epsOrNull, long seed, int step, RuleRows rows, int rowIndex, BufferImpl dxOrNull,
      BufferImpl reportOrNull, long stream) {
    check(
        "linearStep",
        CpuBindings.linearStepBatch1(
            context, rows.kind(), shape.out(), shape.in(), tensorNumber, address(mu), address(sigma), address(lowOrNull), address(x),
            stride(shape), address(delta), address(activeOrNull), shape.samples(), address(epsOrNull), seed, step,
            rows.address() + (long) rowIndex * RuleRows.ROW * Float.BYTES, address(dxOrNull), address(reportOrNull)));
  }

  private static long stride(LinearShape shape) {
    return shape.sharedInput() ? 0 : shape.in();
  }

  @Override
  public void nllMeanLogSoftmax(
      int samples, int batch, int classes, BufferImpl logits, BufferImpl labels, float inverseSamples, float gradScale, BufferImpl itemLoss,
      BufferImpl loss, BufferImpl gradOrNull, long stream) {
    int status =
        CpuBindings.nllMeanLogSoftmax(
            context, samples, batch, classes, address(logits), address(labels), inverseSamples, gradScale, address(itemLoss), address(loss),
            address(gradOrNull));
    if (status == E_ARGUMENT) {
      LabelCheck.check(provider, labels, classes);
    }
    check("nllMeanLogSoftmax", status);
  }

  @Override
  public void uncertainty(
      int samples, int batch, int classes, BufferImpl input, boolean fromLogits, boolean bits, boolean clamp, float inverseSamples,
      BufferImpl predictive, BufferImpl aleatoric, BufferImpl epistemic, long stream) {
    check(
        "uncertainty",
        CpuBindings.uncertainty(
            context, samples, batch, classes, address(input), flag(fromLogits), flag(bits), flag(clamp), inverseSamples, address(predictive),
            address(aleatoric), address(epistemic)));
  }

  @Override
  public void diagHessian(BufferImpl sigma, float priorPrecision, float inverseWindow, BufferImpl h, long stream) {
    check("diagHessian", CpuBindings.diagHessian(context, sigma.length(), address(sigma), priorPrecision, inverseWindow, address(h)));
  }

  @Override
  public void sum(BufferImpl x, BufferImpl out, BufferImpl workspaceOrNull, long stream) {
    check("sum", CpuBindings.reduceSum(context, x.length(), address(x), address(out)));
  }

  @Override
  public long sumWorkspaceBytes(long n) {
    return 0;
  }

  @Override
  public void rocPairs(BufferImpl inDistribution, BufferImpl outOfDistribution, long[] counts, long stream) {
    Scratch scratch = Scratch.OF_THREAD.get();
    check(
        "rocPairs",
        CpuBindings.rocPairs(
            context, inDistribution.length(), address(inDistribution), outOfDistribution.length(), address(outOfDistribution), scratch.counts(2)));
    scratch.get(counts, 2);
  }

  @Override
  public void rocThresholds(BufferImpl inDistribution, BufferImpl outOfDistribution, float[] fractions, long[] counts, long stream) {
    Scratch scratch = Scratch.OF_THREAD.get();
    long countsAddress = scratch.counts(2 * fractions.length);
    long fractionsAddress = scratch.put(fractions);
    check(
        "rocThresholds",
        CpuBindings.rocThresholds(
            context, inDistribution.length(), address(inDistribution), outOfDistribution.length(), address(outOfDistribution), fractions.length,
            fractionsAddress, countsAddress));
    scratch.get(counts, 2 * fractions.length);
  }

  /** Native memory for small tables that a call hands over or gets back: counts, then fractions. */
  private static final class Scratch {
    static final ThreadLocal<Scratch> OF_THREAD = ThreadLocal.withInitial(Scratch::new);

    private ByteBuffer memory = ByteBuffer.allocateDirect(0);
    private int end;

    /** Room for n numbers; ends what was in use. */
    long counts(int n) {
      end = n * Long.BYTES;
      // fractions, if any, follow: half a word for each pair of counts
      if (memory.capacity() < 2 * end) {
        memory = ByteBuffer.allocateDirect(2 * end).order(ByteOrder.nativeOrder());
      }
      return CpuBindings.addressOf(memory);
    }

    long put(float[] fractions) {
      memory.position(end);
      memory.asFloatBuffer().put(fractions);
      memory.position(0);
      return CpuBindings.addressOf(memory) + end;
    }

    void get(long[] counts, int n) {
      for (int i = 0; i < n; i++) {
        counts[i] = memory.getLong(i * Long.BYTES);
      }
    }
  }

  @Override
  public void sgdStep(BufferImpl theta, BufferImpl gradient, float rate, long stream) {
    check("sgdStep", CpuBindings.sgdStep(context, theta.length(), address(theta), address(gradient), rate));
  }

  @Override
  public void fisherAccumulate(BufferImpl gradient, BufferImpl fisher, long stream) {
    check("fisherAccumulate", CpuBindings.fisherAccumulate(context, fisher.length(), address(gradient), address(fisher)));
  }

  @Override
  public void fisherMerge(BufferImpl fisher, float inverseItems, float decay, BufferImpl total, long stream) {
    check("fisherMerge", CpuBindings.fisherMerge(context, fisher.length(), inverseItems, decay, address(fisher), address(total)));
  }

  @Override
  public void ewcPenaltyGradient(BufferImpl theta, BufferImpl anchor, BufferImpl fisher, float lambda, BufferImpl gradient, long stream) {
    check(
        "ewcPenaltyGradient",
        CpuBindings.ewcPenaltyGrad(context, theta.length(), address(theta), address(anchor), address(fisher), lambda, address(gradient)));
  }

  @Override
  public void siPath(BufferImpl gradient, BufferImpl thetaNew, BufferImpl thetaOld, BufferImpl path, long stream) {
    check("siPath", CpuBindings.siPath(context, path.length(), address(gradient), address(thetaNew), address(thetaOld), address(path)));
  }

  @Override
  public void siConsolidate(BufferImpl theta, float xi, BufferImpl path, BufferImpl anchor, BufferImpl omega, long stream) {
    check("siConsolidate", CpuBindings.siConsolidate(context, theta.length(), address(theta), xi, address(path), address(anchor), address(omega)));
  }

  @Override
  public void siPenaltyGradient(BufferImpl theta, BufferImpl anchor, BufferImpl omega, float twoC, BufferImpl gradient, long stream) {
    check(
        "siPenaltyGradient",
        CpuBindings.siPenaltyGrad(context, theta.length(), address(theta), address(anchor), address(omega), twoC, address(gradient)));
  }
}
