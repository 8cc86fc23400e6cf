package io.metaplast.internal.java;

import io.metaplast.binary.BatchNormShape;
import io.metaplast.binary.Conv2dShape;
import io.metaplast.internal.BitMatrixImpl;
import io.metaplast.internal.BufferImpl;
import io.metaplast.internal.TensorGroupImpl;
import io.metaplast.internal.spi.AdamRows;
import io.metaplast.internal.spi.BinaryProvider;

/**
 * The kernels of binarized networks in Java: hands the arguments to the task of each kernel. Tasks and scratch memory belong to the calling
 * thread and are reused.
 */
final class JavaBinary implements BinaryProvider {
  /** What a calling thread keeps. */
  private static final class Caller {
    final Scratch scratch = new Scratch();
    final PackTask pack = new PackTask();
    final TransposeTask transpose = new TransposeTask();
    final XnorTask xnor = new XnorTask();
    final SyrkTask syrk = new SyrkTask();
    final FactorTask factor = new FactorTask();
    final ProductTask product = new ProductTask();
    final BatchNormTask batchNorm = new BatchNormTask();
    final MetaAdamTask metaAdam = new MetaAdamTask();
    final BinaryEwcTask ewc = new BinaryEwcTask();
    final BernoulliTask bernoulli = new BernoulliTask();
    final ConvTask conv = new ConvTask();
    final ConvGradInputTask convGradInput = new ConvGradInputTask();
    final ConvGradWeightTask convGradWeight = new ConvGradWeightTask();
  }

  private final ThreadLocal<Caller> callers = ThreadLocal.withInitial(Caller::new);
  private final WorkerPool pool;

  JavaBinary(WorkerPool pool) {
    this.pool = pool;
  }

  @Override
  public void signPack(int rows, int cols, BufferImpl x, int ldx, BitMatrixImpl bits, BitMatrixImpl maskOrNull, long stream) {
    Caller caller = callers.get();
    caller.pack.pack(pool, caller.scratch, rows, cols, x, ldx, bits, maskOrNull);
  }

  @Override
  public void signPackTransposed(int rows, int cols, BufferImpl x, int ldx, BitMatrixImpl bits, long stream) {
    Caller caller = callers.get();
    caller.transpose.run(pool, caller.scratch, rows, cols, x, ldx, bits);
  }

  @Override
  public void signUnpack(BitMatrixImpl bits, BufferImpl x, int ldx, long stream) {
    Caller caller = callers.get();
    caller.pack.unpack(pool, caller.scratch, bits, x, ldx);
  }

  @Override
  public void transpose(BitMatrixImpl bits, BitMatrixImpl out, long stream) {
    Caller caller = callers.get();
    caller.transpose.run(pool, caller.scratch, bits, out);
  }

  @Override
  public void steBackward(BitMatrixImpl mask, BufferImpl gradOutput, int ldOutput, BufferImpl gradInput, int ldInput, long stream) {
    Caller caller = callers.get();
    caller.pack.ste(pool, caller.scratch, mask, gradOutput, ldOutput, gradInput, ldInput);
  }

  @Override
  public void xnorGemmI32(BitMatrixImpl a, BitMatrixImpl b, BufferImpl y, int ldy, long stream) {
    Caller caller = callers.get();
    caller.xnor.integers(pool, caller.scratch, a, b, y, ldy);
  }

  @Override
  public void xnorGemmF32(BitMatrixImpl a, BitMatrixImpl b, BufferImpl scaleOrNull, BufferImpl biasOrNull, BufferImpl y, int ldy, long stream) {
    Caller caller = callers.get();
    caller.xnor.reals(pool, caller.scratch, a, b, scaleOrNull, biasOrNull, y, ldy);
  }

  @Override
  public void xnorGemmBits(BitMatrixImpl a, BitMatrixImpl b, BufferImpl limit, BufferImpl invert, BitMatrixImpl y, long stream) {
    Caller caller = callers.get();
    caller.xnor.signs(pool, caller.scratch, a, b, limit, invert, y);
  }

  @Override
  public void signPackXnorGemmBits(
      BufferImpl x, int ldx, BitMatrixImpl a, BitMatrixImpl b, BufferImpl limit, BufferImpl invert, BitMatrixImpl y, long stream) {
    if (a.length() > 0) {
      signPack(a.rows(), a.cols(), x, ldx, a, null, stream);
    }
    if (y.length() > 0) {
      xnorGemmBits(a, b, limit, invert, y, stream);
    }
  }

  @Override
  public void xnorSyrk(BitMatrixImpl x, boolean accumulate, BufferImpl s, int lds, BufferImpl workspace, long stream) {
    Caller caller = callers.get();
    caller.syrk.run(pool, caller.scratch, x, accumulate, s, lds, workspace);
  }

  @Override
  public long xnorSyrkWorkspaceBytes(int batch, int in) {
    return SyrkTask.workspaceBytes(batch, in);
  }

  @Override
  public void factorMovingAverage(
      int rows, int cols, BufferImpl s, int lds, float inverseBatch, float decay, float fresh, BufferImpl factor, int ldf, long stream) {
    Caller caller = callers.get();
    caller.factor.run(pool, caller.scratch, rows, cols, s, lds, inverseBatch, decay, fresh, factor, ldf);
  }

  @Override
  public void signGemmNT(int batch, BufferImpl x, int ldx, BitMatrixImpl w, BufferImpl y, int ldy, long stream) {
    Caller caller = callers.get();
    caller.product.nt(pool, caller.scratch, batch, x, ldx, w, y, ldy);
  }

  @Override
  public void signGemmNN(int batch, BufferImpl dy, int lddy, BitMatrixImpl w, BufferImpl dx, int lddx, long stream) {
    Caller caller = callers.get();
    caller.product.nn(pool, caller.scratch, batch, dy, lddy, w, dx, lddx);
  }

  @Override
  public void signGemmTN(int out, BufferImpl dy, int lddy, BitMatrixImpl x, BufferImpl dw, int lddw, long stream) {
    Caller caller = callers.get();
    caller.product.tn(pool, caller.scratch, out, dy, lddy, x, dw, lddw);
  }

  @Override
  public void gemmTN(int batch, int out, int in, BufferImpl dy, int lddy, BufferImpl x, int ldx, BufferImpl dw, int lddw, long stream) {
    Caller caller = callers.get();
    caller.product.real(pool, caller.scratch, batch, out, in, dy, lddy, x, ldx, dw, lddw);
  }

  @Override
  public void batchNormForward(
      BatchNormShape shape, boolean integer, BufferImpl y, BufferImpl gammaOrNull, BufferImpl betaOrNull, double eps, BufferImpl mean, BufferImpl inv,
      float momentum, BufferImpl runningMeanOrNull, BufferImpl runningVarianceOrNull, BufferImpl outOrNull, BitMatrixImpl signOrNull,
      BitMatrixImpl maskOrNull, long stream) {
    Caller caller = callers.get();
    caller.batchNorm.forward(
        pool, caller.scratch, shape, integer, y, gammaOrNull, betaOrNull, eps, mean, inv, momentum, runningMeanOrNull, runningVarianceOrNull,
        outOrNull, signOrNull, maskOrNull);
  }

  @Override
  public void batchNormInference(
      BatchNormShape shape, boolean integer, BufferImpl y, BufferImpl gammaOrNull, BufferImpl betaOrNull, double eps, BufferImpl mean,
      BufferImpl variance, BufferImpl outOrNull, BitMatrixImpl signOrNull, long stream) {
    Caller caller = callers.get();
    caller.batchNorm.inference(
        pool, caller.scratch, shape, integer, y, gammaOrNull, betaOrNull, eps, mean, variance, outOrNull, signOrNull);
  }

  @Override
  public void batchNormBackward(
      BatchNormShape shape, boolean integer, BufferImpl y, BufferImpl gammaOrNull, BufferImpl mean, BufferImpl inv, BufferImpl gradOutput,
      BitMatrixImpl maskOrNull, BufferImpl gradInput, BufferImpl gradGammaOrNull, BufferImpl gradBetaOrNull, long stream) {
    Caller caller = callers.get();
    caller.batchNorm.backward(
        pool, caller.scratch, shape, integer, y, gammaOrNull, mean, inv, gradOutput, maskOrNull, gradInput, gradGammaOrNull, gradBetaOrNull);
  }

  @Override
  public void metaAdamStep(
      TensorGroupImpl<?> hidden, TensorGroupImpl<?> gradients, TensorGroupImpl<?> firstMoment, TensorGroupImpl<?> secondMoment, AdamRows rows,
      long stream) {
    Caller caller = callers.get();
    caller.metaAdam.run(pool, caller.scratch, hidden, gradients, firstMoment, secondMoment, rows);
  }

  @Override
  public void metaAdamStepFromProduct(
      int batch, int out, int in, BufferImpl dy, int lddy, BufferImpl xOrNull, int ldx, BitMatrixImpl xSignsOrNull, BufferImpl hidden,
      BufferImpl firstMoment, BufferImpl secondMoment, BitMatrixImpl signsOrNull, AdamRows rows, long stream) {
    Caller caller = callers.get();
    caller.product.step(
        pool, caller.scratch, batch, out, in, dy, lddy, xOrNull, ldx, xSignsOrNull, hidden, firstMoment, secondMoment, signsOrNull, rows);
  }

  @Override
  public void ewcConsolidate(BitMatrixImpl signs, BufferImpl fisher, BufferImpl total, BufferImpl target, long stream) {
    Caller caller = callers.get();
    caller.ewc.consolidate(pool, caller.scratch, signs, fisher, total, target);
  }

  @Override
  public void ewcPenaltyGradient(BitMatrixImpl signs, BufferImpl total, BufferImpl target, float lambda, BufferImpl gradient, long stream) {
    Caller caller = callers.get();
    caller.ewc.penalty(pool, caller.scratch, signs, total, target, lambda, gradient);
  }

  @Override
  public void relaxedSignSample(
      BufferImpl lambda, float inverseTemperature, long seed, int randomStream, int step, BufferImpl w, long stream) {
    Caller caller = callers.get();
    caller.bernoulli.sample(pool, caller.scratch, lambda, inverseTemperature, seed, randomStream, step, w);
  }

  @Override
  public void bimuStep(
      BufferImpl lambda, BufferImpl gradient, float rate, float inverseRateMax, float likelihood, float kl, float inverseWindow, boolean gated,
      BufferImpl reportOrNull, long stream) {
    Caller caller = callers.get();
    caller.bernoulli.bimu(
        pool, caller.scratch, lambda, gradient, rate, inverseRateMax, likelihood, kl, inverseWindow, gated, reportOrNull);
  }

  @Override
  public void bayesBinnStep(
      BufferImpl lambda, BufferImpl momentum, int samples, BufferImpl w, BufferImpl gradients, float inverseTemperature, float likelihood,
      float prior, float priorWeight, float decay, float fresh, float rate, long stream) {
    Caller caller = callers.get();
    caller.bernoulli.bayesBinn(
        pool, caller.scratch, lambda, momentum, samples, w, gradients, inverseTemperature, likelihood, prior, priorWeight, decay, fresh, rate);
  }

  @Override
  public void conv2d(Conv2dShape shape, BitMatrixImpl x, BitMatrixImpl w, BufferImpl y, BufferImpl workspace, long stream) {
    Caller caller = callers.get();
    caller.conv.run(pool, caller.scratch, shape, x, w, y, workspace);
  }

  @Override
  public void conv2dGradInput(Conv2dShape shape, BufferImpl dy, BitMatrixImpl w, BufferImpl dx, BufferImpl workspace, long stream) {
    Caller caller = callers.get();
    caller.convGradInput.run(pool, caller.scratch, shape, dy, w, dx);
  }

  @Override
  public void conv2dGradWeight(Conv2dShape shape, BufferImpl dy, BitMatrixImpl x, BufferImpl dw, BufferImpl workspace, long stream) {
    Caller caller = callers.get();
    caller.convGradWeight.run(pool, caller.scratch, shape, dy, x, dw);
  }

  @Override
  public long conv2dWorkspaceBytes(Conv2dShape shape) {
    return ConvTask.workspaceBytes(shape);
  }
}
