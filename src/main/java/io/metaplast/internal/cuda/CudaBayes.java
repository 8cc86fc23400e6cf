package io.metaplast.internal.cuda;

import io.metaplast.bayes.LinearShape;
import io.metaplast.internal.BufferImpl;
import io.metaplast.internal.TensorGroupImpl;
import io.metaplast.internal.spi.BayesProvider;
import io.metaplast.internal.spi.RuleRows;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The Bayesian kernels of the CUDA library, one native call each, which returns when the work is in the stream. The host tables of a call
 * are read before it returns.
 */
final class CudaBayes implements BayesProvider {
  private static final int F32 = 0; // METAPLAST_F32
  private static final int BF16 = 1; // METAPLAST_BF16

  private final CudaProvider provider;
  private final long context;
  private final Tables tables = new Tables();

  CudaBayes(CudaProvider provider, long context) {
    this.provider = provider;
    this.context = context;
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
    provider.check("philox", CudaBindings.philox(context, seed, randomStream, step, first, out.length(), address(out), stream));
  }

  @Override
  public void uniform(long seed, int randomStream, int step, long first, BufferImpl out, long stream) {
    provider.check("uniform", CudaBindings.uniform(context, seed, randomStream, step, first, out.length(), address(out), stream));
  }

  @Override
  public void gaussian(long seed, int randomStream, int step, long first, BufferImpl out, long stream) {
    provider.check("gaussian", CudaBindings.gaussian(context, seed, randomStream, step, first, out.length(), address(out), stream));
  }

  @Override
  public void elementary(int function, BufferImpl x, BufferImpl y, BufferImpl y2OrNull, long stream) {
    provider.check("elementary", CudaBindings.elementary(context, function, x.length(), address(x), address(y), address(y2OrNull), stream));
  }

  @Override
  public void weightSample(TensorGroupImpl<?> mu, TensorGroupImpl<?> sigma, long seed, int step, TensorGroupImpl<?> samples, long stream) {
    provider.check(
        "weightSample",
        CudaBindings.weightSample(
            context, mu.layout().tensors(), mu.countTable(), mu.numberTable(), table(mu), table(sigma), seed, step, 0, samples.copies(),
            table(samples), stream));
  }

  @Override
  public void gradAccumulate(
      TensorGroupImpl<?> gradSamples, TensorGroupImpl<?> epsOrNull, long seed, int step, float scale, TensorGroupImpl<?> gradMean,
      TensorGroupImpl<?> gradSigma, long stream) {
    provider.check(
        "gradAccumulate",
        CudaBindings.gradAccumulate(
            context, gradSamples.layout().tensors(), gradSamples.countTable(), gradSamples.numberTable(), gradSamples.copies(),
            table(gradSamples), type(gradSamples), table(epsOrNull), seed, step, scale, table(gradMean), table(gradSigma), stream));
  }

  @Override
  public void update(
      TensorGroupImpl<?> mu, TensorGroupImpl<?> sigma, TensorGroupImpl<?> lowOrNull, TensorGroupImpl<?> gradMean,
      TensorGroupImpl<?> gradSigma, RuleRows rows, boolean gated, BufferImpl reportOrNull, long stream) {
    provider.check(
        "update",
        CudaBindings.gaussianUpdate(
            context, rows.kind(), mu.layout().tensors(), mu.countTable(), table(mu), table(sigma), table(lowOrNull), table(gradMean),
            table(gradSigma), type(gradMean), rows.address(), rows.stride(), flag(gated), address(reportOrNull), stream));
  }

  @Override
  public void updateFromSamples(
      TensorGroupImpl<?> mu, TensorGroupImpl<?> sigma, TensorGroupImpl<?> lowOrNull, TensorGroupImpl<?> gradSamples,
      TensorGroupImpl<?> epsOrNull, long seed, int step, float scale, RuleRows rows, int nextStep, TensorGroupImpl<?> nextOrNull,
      BufferImpl reportOrNull, long stream) {
    provider.check(
        "updateFromSamples",
        CudaBindings.gaussianUpdateFromSamples(
            context, rows.kind(), mu.layout().tensors(), mu.countTable(), mu.numberTable(), table(mu), table(sigma), table(lowOrNull),
            gradSamples.copies(), table(gradSamples), type(gradSamples), table(epsOrNull), seed, step, scale, rows.address(), rows.stride(),
            nextStep, nextOrNull == null ? 0 : nextOrNull.copies(), table(nextOrNull), address(reportOrNull), stream));
  }

  @Override
  public void linearForward(
      BufferImpl mu, BufferImpl sigma, int tensorNumber, LinearShape shape, BufferImpl x, long seed, int step, BufferImpl epsOrNull,
      BufferImpl y, long stream) {
    provider.check(
        "linearForward",
        CudaBindings.linearForwardBatch1(
            context, shape.out(), shape.in(), tensorNumber, address(mu), address(sigma), address(x), stride(shape), shape.samples(), seed,
            step, flag(shape.relu()), address(epsOrNull), address(y), stream));
  }

  @Override
  public void linearStep(
      BufferImpl mu, BufferImpl sigma, BufferImpl lowOrNull, int tensorNumber, LinearShape shape, BufferImpl x, BufferImpl delta,
      BufferImpl activeOrNull, BufferImpl epsOrNull, long seed, int step, RuleRows rows, int rowIndex, BufferImpl dxOrNull,
      BufferImpl reportOrNull, long stream) {
    provider.check(
        "linearStep",
        CudaBindings.linearStepBatch1(
            context, rows.kind(), shape.out(), shape.in(), tensorNumber, address(mu), address(sigma), address(lowOrNull), address(x),
            stride(shape), address(delta), address(activeOrNull), shape.samples(), address(epsOrNull), seed, step,
            rows.address() + (long) rowIndex * RuleRows.ROW * Float.BYTES, address(dxOrNull), address(reportOrNull), stream));
  }

  private static long stride(LinearShape shape) {
    return shape.sharedInput() ? 0 : shape.in();
  }

  @Override
  public void nllMeanLogSoftmax(
      int samples, int batch, int classes, BufferImpl logits, BufferImpl labels, float inverseSamples, float gradScale, BufferImpl itemLoss,
      BufferImpl loss, BufferImpl gradOrNull, long stream) {
    provider.check(
        "nllMeanLogSoftmax",
        CudaBindings.nllMeanLogSoftmax(
            context, samples, batch, classes, address(logits), address(labels), inverseSamples, gradScale, address(itemLoss), address(loss),
            address(gradOrNull), stream));
  }

  @Override
  public void uncertainty(
      int samples, int batch, int classes, BufferImpl input, boolean fromLogits, boolean bits, boolean clamp, float inverseSamples,
      BufferImpl predictive, BufferImpl aleatoric, BufferImpl epistemic, long stream) {
    provider.check(
        "uncertainty",
        CudaBindings.uncertainty(
            context, samples, batch, classes, address(input), flag(fromLogits), flag(bits), flag(clamp), inverseSamples,
            address(predictive), address(aleatoric), address(epistemic), stream));
  }

  @Override
  public void diagHessian(BufferImpl sigma, float priorPrecision, float inverseWindow, BufferImpl h, long stream) {
    provider.check(
        "diagHessian",
        CudaBindings.diagHessian(context, sigma.length(), address(sigma), priorPrecision, inverseWindow, address(h), stream));
  }

  @Override
  public void sum(BufferImpl x, BufferImpl out, BufferImpl workspaceOrNull, long stream) {
    long workspaceBytes = workspaceOrNull == null ? 0 : workspaceOrNull.length();
    provider.check(
        "sum", CudaBindings.reduceSum(context, x.length(), address(x), address(out), address(workspaceOrNull), workspaceBytes, stream));
  }

  @Override
  public long sumWorkspaceBytes(long n) {
    return CudaBindings.reduceSumWorkspace(n);
  }

  @Override
  public void rocPairs(BufferImpl inDistribution, BufferImpl outOfDistribution, long[] counts, long stream) {
    synchronized (tables) {
      long device = tables.reserve(2 * Long.BYTES);
      provider.check(
          "rocPairs",
          CudaBindings.rocPairs(
              context, inDistribution.length(), address(inDistribution), outOfDistribution.length(), address(outOfDistribution), device,
              stream));
      tables.download(device, counts, 2, stream);
    }
  }

  @Override
  public void rocThresholds(BufferImpl inDistribution, BufferImpl outOfDistribution, float[] fractions, long[] counts, long stream) {
    synchronized (tables) {
      int n = fractions.length;
      long device = tables.reserve(2L * n * Long.BYTES + (long) n * Float.BYTES);
      long fractionsOnDevice = device + 2L * n * Long.BYTES;
      tables.upload(fractionsOnDevice, fractions, stream);
      provider.check(
          "rocThresholds",
          CudaBindings.rocThresholds(
              context, inDistribution.length(), address(inDistribution), outOfDistribution.length(), address(outOfDistribution), n,
              fractionsOnDevice, device, stream));
      tables.download(device, counts, 2 * n, stream);
    }
  }

  /** Frees what calls have left for the next ones. */
  void close() {
    synchronized (tables) {
      tables.free();
    }
  }

  /** Small tables that a waiting call hands over or gets back: device memory and a host buffer of the same size, kept for the next call. */
  private final class Tables {
    private ByteBuffer host = ByteBuffer.allocateDirect(0);
    private long hostAddress;
    private long device;
    private long bytes;

    /** Device memory for one call. */
    long reserve(long wanted) {
      if (wanted > bytes) {
        free();
        device = provider.allocateDevice(wanted);
        bytes = wanted;
        host = ByteBuffer.allocateDirect(Math.toIntExact(wanted)).order(ByteOrder.nativeOrder());
        hostAddress = CudaBindings.addressOf(host);
      }
      return device;
    }

    void upload(long to, float[] values, long stream) {
      for (int i = 0; i < values.length; i++) {
        host.putFloat(i * Float.BYTES, values[i]);
      }
      provider.check("copy", CudaBindings.copy(context, to, hostAddress, (long) values.length * Float.BYTES, stream));
      provider.synchronize(stream); // the host buffer is used again
    }

    void download(long from, long[] values, int n, long stream) {
      provider.check("copy", CudaBindings.copy(context, hostAddress, from, (long) n * Long.BYTES, stream));
      provider.synchronize(stream);
      for (int i = 0; i < n; i++) {
        values[i] = host.getLong(i * Long.BYTES);
      }
    }

    void free() {
      if (bytes > 0) {
        provider.freeDevice(device, bytes);
        bytes = 0;
      }
    }
  }

  @Override
  public void sgdStep(BufferImpl theta, BufferImpl gradient, float rate, long stream) {
    provider.check("sgdStep", CudaBindings.sgdStep(context, theta.length(), address(theta), address(gradient), rate, stream));
  }

  @Override
  public void fisherAccumulate(BufferImpl gradient, BufferImpl fisher, long stream) {
    provider.check("fisherAccumulate", CudaBindings.fisherAccumulate(context, fisher.length(), address(gradient), address(fisher), stream));
  }

  @Override
  public void fisherMerge(BufferImpl fisher, float inverseItems, float decay, BufferImpl total, long stream) {
    provider.check(
        "fisherMerge", CudaBindings.fisherMerge(context, fisher.length(), inverseItems, decay, address(fisher), address(total), stream));
  }

  @Override
  public void ewcPenaltyGradient(BufferImpl theta, BufferImpl anchor, BufferImpl fisher, float lambda, BufferImpl gradient, long stream) {
    provider.check(
        "ewcPenaltyGradient",
        CudaBindings.ewcPenaltyGrad(
            context, theta.length(), address(theta), address(anchor), address(fisher), lambda, address(gradient), stream));
  }

  @Override
  public void siPath(BufferImpl gradient, BufferImpl thetaNew, BufferImpl thetaOld, BufferImpl path, long stream) {
    provider.check(
        "siPath",
        CudaBindings.siPath(context, path.length(), address(gradient), address(thetaNew), address(thetaOld), address(path), stream));
  }

  @Override
  public void siConsolidate(BufferImpl theta, float xi, BufferImpl path, BufferImpl anchor, BufferImpl omega, long stream) {
    provider.check(
        "siConsolidate",
        CudaBindings.siConsolidate(context, theta.length(), address(theta), xi, address(path), address(anchor), address(omega), stream));
  }

  @Override
  public void siPenaltyGradient(BufferImpl theta, BufferImpl anchor, BufferImpl omega, float twoC, BufferImpl gradient, long stream) {
    provider.check(
        "siPenaltyGradient",
        CudaBindings.siPenaltyGrad(
            context, theta.length(), address(theta), address(anchor), address(omega), twoC, address(gradient), stream));
  }
}
