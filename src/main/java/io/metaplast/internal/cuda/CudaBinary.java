package io.metaplast.internal.cuda;

import io.metaplast.BitMatrix;
import io.metaplast.binary.BatchNormShape;
import io.metaplast.binary.Conv2dShape;
import io.metaplast.internal.BitMatrixImpl;
import io.metaplast.internal.BufferImpl;
import io.metaplast.internal.TensorGroupImpl;
import io.metaplast.internal.spi.AdamRows;
import io.metaplast.internal.spi.BinaryProvider;
import io.metaplast.internal.spi.ConvTable;

/**
 * The kernels of binarized networks of the CUDA library, one native call each, which returns when the work is in the stream. The host tables of a call
 * are read before it returns.
 */
final class CudaBinary implements BinaryProvider {
  private static final int F32 = 0; // METAPLAST_F32
  private static final int BF16 = 1; // METAPLAST_BF16
  private static final int I32 = 2; // METAPLAST_I32

  private final CudaProvider provider;
  private final long context;

  CudaBinary(CudaProvider provider, long context) {
    this.provider = provider;
    this.context = context;
  }

  private void check(String kernel, int status) {
    provider.check(kernel, status);
  }

  private static long address(BufferImpl bufferOrNull) {
    return bufferOrNull == null ? 0 : bufferOrNull.rawAddress();
  }

  private static int type(boolean integer) {
    return integer ? I32 : F32;
  }

  @Override
  public void signPack(int rows, int cols, BufferImpl x, int ldx, BitMatrixImpl bits, BitMatrixImpl maskOrNull, long stream) {
    check("signPack", CudaBindings.signPack(context, rows, cols, address(x), ldx, address(bits), address(maskOrNull), stream));
  }

  @Override
  public void signPackTransposed(int rows, int cols, BufferImpl x, int ldx, BitMatrixImpl bits, long stream) {
    check("signPackTransposed", CudaBindings.signPackTransposed(context, rows, cols, address(x), ldx, address(bits), stream));
  }

  @Override
  public void signUnpack(BitMatrixImpl bits, BufferImpl x, int ldx, long stream) {
    int type = x.elementBytes() == 2 ? BF16 : F32;
    check("signUnpack", CudaBindings.signUnpack(context, bits.rows(), bits.cols(), address(bits), type, address(x), ldx, stream));
  }

  @Override
  public void transpose(BitMatrixImpl bits, BitMatrixImpl out, long stream) {
    check("transpose", CudaBindings.bitsTranspose(context, bits.rows(), bits.cols(), address(bits), address(out), stream));
  }

  @Override
  public void steBackward(BitMatrixImpl mask, BufferImpl gradOutput, int ldOutput, BufferImpl gradInput, int ldInput, long stream) {
    check(
        "steBackward",
        CudaBindings.steBackward(
            context, mask.rows(), mask.cols(), address(mask), address(gradOutput), ldOutput, address(gradInput), ldInput, stream));
  }

  @Override
  public void xnorGemmI32(BitMatrixImpl a, BitMatrixImpl b, BufferImpl y, int ldy, long stream) {
    check("xnorGemm", CudaBindings.xnorGemmI32(context, a.rows(), b.rows(), a.cols(), address(a), address(b), address(y), ldy, stream));
  }

  @Override
  public void xnorGemmF32(BitMatrixImpl a, BitMatrixImpl b, BufferImpl scaleOrNull, BufferImpl biasOrNull, BufferImpl y, int ldy, long stream) {
    check(
        "xnorGemm",
        CudaBindings.xnorGemmF32(
            context, a.rows(), b.rows(), a.cols(), address(a), address(b), address(scaleOrNull), address(biasOrNull), address(y), ldy, stream));
  }

  @Override
  public void xnorGemmBits(BitMatrixImpl a, BitMatrixImpl b, BufferImpl limit, BufferImpl invert, BitMatrixImpl y, long stream) {
    check(
        "xnorGemm",
        CudaBindings.xnorGemmBits(
            context, a.rows(), b.rows(), a.cols(), address(a), address(b), address(limit), address(invert), address(y), stream));
  }

  @Override
  public void signPackXnorGemmBits(
      BufferImpl x, int ldx, BitMatrixImpl a, BitMatrixImpl b, BufferImpl limit, BufferImpl invert, BitMatrixImpl y, long stream) {
    check(
        "signPackXnorGemm",
        CudaBindings.signPackXnorGemmBits(
            context, a.rows(), b.rows(), a.cols(), address(x), ldx, address(a), address(b), address(limit), address(invert), address(y), stream));
  }

  @Override
  public void xnorSyrk(BitMatrixImpl x, boolean accumulate, BufferImpl s, int lds, BufferImpl workspace, long stream) {
    check(
        "xnorSyrk",
        CudaBindings.xnorSyrk(
            context, x.rows(), x.cols(), address(x), accumulate ? 1 : 0, address(s), lds, address(workspace), workspace.length(), stream));
  }

  @Override
  public long xnorSyrkWorkspaceBytes(int batch, int in) {
    return in * BitMatrix.rowWords(batch) * Long.BYTES;
  }

  @Override
  public void factorMovingAverage(
      int rows, int cols, BufferImpl s, int lds, float inverseBatch, float decay, float fresh, BufferImpl factor, int ldf, long stream) {
    check(
        "factorMovingAverage",
        CudaBindings.factorMovingAverage(context, rows, cols, address(s), lds, inverseBatch, decay, fresh, address(factor), ldf, stream));
  }

  @Override
  public void signGemmNT(int batch, BufferImpl x, int ldx, BitMatrixImpl w, BufferImpl y, int ldy, long stream) {
    check("signGemmNT", CudaBindings.signGemmNT(context, batch, w.rows(), w.cols(), address(x), ldx, address(w), address(y), ldy, stream));
  }

  @Override
  public void signGemmNN(int batch, BufferImpl dy, int lddy, BitMatrixImpl w, BufferImpl dx, int lddx, long stream) {
    check("signGemmNN", CudaBindings.signGemmNN(context, batch, w.rows(), w.cols(), address(dy), lddy, address(w), address(dx), lddx, stream));
  }

  @Override
  public void signGemmTN(int out, BufferImpl dy, int lddy, BitMatrixImpl x, BufferImpl dw, int lddw, long stream) {
    check("signGemmTN", CudaBindings.signGemmTN(context, x.rows(), out, x.cols(), address(dy), lddy, address(x), address(dw), lddw, stream));
  }

  @Override
  public void gemmTN(int batch, int out, int in, BufferImpl dy, int lddy, BufferImpl x, int ldx, BufferImpl dw, int lddw, long stream) {
    check("gemmTN", CudaBindings.gemmTN(context, batch, out, in, address(dy), lddy, address(x), ldx, address(dw), lddw, stream));
  }

  @Override
  public void batchNormForward(
      BatchNormShape shape, boolean integer, BufferImpl y, BufferImpl gammaOrNull, BufferImpl betaOrNull, double eps, BufferImpl mean, BufferImpl inv,
      float momentum, BufferImpl runningMeanOrNull, BufferImpl runningVarianceOrNull, BufferImpl outOrNull, BitMatrixImpl signOrNull,
      BitMatrixImpl maskOrNull, long stream) {
    check(
        "batchNormForward",
        CudaBindings.batchNormForward(
            context, type(integer), shape.batch(), shape.channels(), shape.spatial(), address(y), address(gammaOrNull), address(betaOrNull), eps,
            address(mean), address(inv), momentum, address(runningMeanOrNull), address(runningVarianceOrNull), address(outOrNull),
            address(signOrNull),
            address(maskOrNull), stream));
  }

  @Override
  public void batchNormInference(
      BatchNormShape shape, boolean integer, BufferImpl y, BufferImpl gammaOrNull, BufferImpl betaOrNull, double eps, BufferImpl mean,
      BufferImpl variance, BufferImpl outOrNull, BitMatrixImpl signOrNull, long stream) {
    check(
        "batchNormInference",
        CudaBindings.batchNormInference(
            context, type(integer), shape.batch(), shape.channels(), shape.spatial(), address(y), address(gammaOrNull), address(betaOrNull), eps,
            address(mean), address(variance), address(outOrNull), address(signOrNull), stream));
  }

  @Override
  public void batchNormBackward(
      BatchNormShape shape, boolean integer, BufferImpl y, BufferImpl gammaOrNull, BufferImpl mean, BufferImpl inv, BufferImpl gradOutput,
      BitMatrixImpl maskOrNull, BufferImpl gradInput, BufferImpl gradGammaOrNull, BufferImpl gradBetaOrNull, long stream) {
    check(
        "batchNormBackward",
        CudaBindings.batchNormBackward(
            context, type(integer), shape.batch(), shape.channels(), shape.spatial(), address(y), address(gammaOrNull), address(mean), address(inv),
            address(gradOutput), address(maskOrNull), address(gradInput), address(gradGammaOrNull), address(gradBetaOrNull), stream));
  }

  @Override
  public void metaAdamStep(
      TensorGroupImpl<?> hidden, TensorGroupImpl<?> gradients, TensorGroupImpl<?> firstMoment, TensorGroupImpl<?> secondMoment, AdamRows rows,
      long stream) {
    check(
        "metaAdamStep",
        CudaBindings.metaAdamStep(
            context, hidden.layout().tensors(), rows.rowsTable(), rows.colsTable(), hidden.addressTable(), gradients.addressTable(),
            firstMoment.addressTable(), secondMoment.addressTable(), rows.signsTable(), rows.constants(), rows.stride(), stream));
  }

  @Override
  public void metaAdamStepFromProduct(
      int batch, int out, int in, BufferImpl dy, int lddy, BufferImpl xOrNull, int ldx, BitMatrixImpl xSignsOrNull, BufferImpl hidden,
      BufferImpl firstMoment, BufferImpl secondMoment, BitMatrixImpl signsOrNull, AdamRows rows, long stream) {
    check(
        "metaAdamStepFromProduct",
        CudaBindings.metaAdamStepFromProduct(
            context, batch, out, in, address(dy), lddy, address(xOrNull), ldx, address(xSignsOrNull), address(hidden), address(firstMoment),
            address(secondMoment), address(signsOrNull), rows.constants(), stream));
  }

  @Override
  public void ewcConsolidate(BitMatrixImpl signs, BufferImpl fisher, BufferImpl total, BufferImpl target, long stream) {
    check(
        "ewcConsolidate",
        CudaBindings.binaryEwcConsolidate(
            context, signs.rows(), signs.cols(), address(signs), address(fisher), address(total), address(target), stream));
  }

  @Override
  public void ewcPenaltyGradient(BitMatrixImpl signs, BufferImpl total, BufferImpl target, float lambda, BufferImpl gradient, long stream) {
    check(
        "ewcPenaltyGradient",
        CudaBindings.binaryEwcGrad(
            context, signs.rows(), signs.cols(), address(signs), address(total), address(target), lambda, address(gradient), stream));
  }

  @Override
  public void relaxedSignSample(BufferImpl lambda, float inverseTemperature, long seed, int randomStream, int step, BufferImpl w, long stream) {
    check(
        "relaxedSignSample",
        CudaBindings.relaxedSignSample(context, seed, randomStream, step, w.length(), address(lambda), inverseTemperature, address(w), stream));
  }

  @Override
  public void bimuStep(
      BufferImpl lambda, BufferImpl gradient, float rate, float inverseRateMax, float likelihood, float kl, float inverseWindow, boolean gated,
      BufferImpl reportOrNull, long stream) {
    check(
        "bimuStep",
        CudaBindings.bimuStep(
            context, lambda.length(), address(lambda), address(gradient), rate, inverseRateMax, likelihood, kl, inverseWindow, gated ? 1 : 0,
            address(reportOrNull), stream));
  }

  @Override
  public void bayesBinnStep(
      BufferImpl lambda, BufferImpl momentum, int samples, BufferImpl w, BufferImpl gradients, float inverseTemperature, float likelihood,
      float prior,
      float priorWeight, float decay, float fresh, float rate, long stream) {
    check(
        "bayesBinnStep",
        CudaBindings.bayesBinnStep(
            context, lambda.length(), samples, address(lambda), address(momentum), address(w), address(gradients), inverseTemperature, likelihood,
            prior,
            priorWeight, decay, fresh, rate, stream));
  }

  @Override
  public void conv2d(Conv2dShape shape, BitMatrixImpl x, BitMatrixImpl w, BufferImpl y, BufferImpl workspace, long stream) {
    check(
        "conv2d",
        CudaBindings.binaryConv2d(
            context, convolution(shape), address(x), address(w), address(y), address(workspace), workspace.length(), stream));
  }

  @Override
  public void conv2dGradInput(Conv2dShape shape, BufferImpl dy, BitMatrixImpl w, BufferImpl dx, BufferImpl workspace, long stream) {
    check(
        "conv2dGradInput",
        CudaBindings.binaryConv2dGradInput(
            context, convolution(shape), address(dy), address(w), address(dx), address(workspace), workspace.length(), stream));
  }

  @Override
  public void conv2dGradWeight(Conv2dShape shape, BufferImpl dy, BitMatrixImpl x, BufferImpl dw, BufferImpl workspace, long stream) {
    check(
        "conv2dGradWeight",
        CudaBindings.binaryConv2dGradWeight(
            context, convolution(shape), address(dy), address(x), address(dw), address(workspace), workspace.length(), stream));
  }

  @Override
  public long conv2dWorkspaceBytes(Conv2dShape shape) {
    return CudaBindings.binaryConv2dWorkspaceBytes(convolution(shape));
  }

  /** Address of the shape as the C ABI wants it; good until this thread's next call. */
  private static long convolution(Conv2dShape shape) {
    ConvTable table = ConvTable.OF_THREAD.get();
    return CudaBindings.addressOf(table.put(shape));
  }
}
