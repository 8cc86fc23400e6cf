package io.metaplast.internal.spi;

import io.metaplast.binary.BatchNormShape;
import io.metaplast.binary.Conv2dShape;
import io.metaplast.internal.BitMatrixImpl;
import io.metaplast.internal.BufferImpl;
import io.metaplast.internal.TensorGroupImpl;

/**
 * The kernels of binarized networks of one backend; contracts in native/include/metaplast/binary.h. Arguments are validated, memory is held for the duration of
 * the call, {@code stream} is the handle (0 on JAVA and CPU). Matrices come as buffer, leading dimension and the sizes that name their shape. Every call has
 * something to do: outputs have elements (sums may be empty).
 */
public interface BinaryProvider {
  void signPack(int rows, int cols, BufferImpl x, int ldx, BitMatrixImpl bits, BitMatrixImpl maskOrNull, long stream);

  /** x is [rows][cols], bits [cols][rows]. */
  void signPackTransposed(int rows, int cols, BufferImpl x, int ldx, BitMatrixImpl bits, long stream);

  /** x is fp32 or bf16. */
  void signUnpack(BitMatrixImpl bits, BufferImpl x, int ldx, long stream);

  void transpose(BitMatrixImpl bits, BitMatrixImpl out, long stream);

  void steBackward(BitMatrixImpl mask, BufferImpl gradOutput, int ldOutput, BufferImpl gradInput, int ldInput, long stream);

  void xnorGemmI32(BitMatrixImpl a, BitMatrixImpl b, BufferImpl y, int ldy, long stream);

  void xnorGemmF32(BitMatrixImpl a, BitMatrixImpl b, BufferImpl scaleOrNull, BufferImpl biasOrNull, BufferImpl y, int ldy, long stream);

  void xnorGemmBits(BitMatrixImpl a, BitMatrixImpl b, BufferImpl limit, BufferImpl invert, BitMatrixImpl y, long stream);

  void signPackXnorGemmBits(
      BufferImpl x, int ldx, BitMatrixImpl a, BitMatrixImpl b, BufferImpl limit, BufferImpl invert, BitMatrixImpl y, long stream);

  void xnorSyrk(BitMatrixImpl x, boolean accumulate, BufferImpl s, int lds, BufferImpl workspace, long stream);

  long xnorSyrkWorkspaceBytes(int batch, int in);

  void factorMovingAverage(
      int rows, int cols, BufferImpl s, int lds, float inverseBatch, float decay, float fresh, BufferImpl factor, int ldf, long stream);

  void signGemmNT(int batch, BufferImpl x, int ldx, BitMatrixImpl w, BufferImpl y, int ldy, long stream);

  void signGemmNN(int batch, BufferImpl dy, int lddy, BitMatrixImpl w, BufferImpl dx, int lddx, long stream);

  void signGemmTN(int out, BufferImpl dy, int lddy, BitMatrixImpl x, BufferImpl dw, int lddw, long stream);

  void gemmTN(int batch, int out, int in, BufferImpl dy, int lddy, BufferImpl x, int ldx, BufferImpl dw, int lddw, long stream);

  /** y is fp32, or int32 where {@code integer}. running*OrNull: both or none; output parts may be null, but not all. */
  void batchNormForward(
      BatchNormShape shape, boolean integer, BufferImpl y, BufferImpl gammaOrNull, BufferImpl betaOrNull, double eps, BufferImpl mean, BufferImpl inv,
      float momentum, BufferImpl runningMeanOrNull, BufferImpl runningVarianceOrNull, BufferImpl outOrNull, BitMatrixImpl signOrNull,
      BitMatrixImpl maskOrNull, long stream);

  void batchNormInference(
      BatchNormShape shape, boolean integer, BufferImpl y, BufferImpl gammaOrNull, BufferImpl betaOrNull, double eps, BufferImpl mean,
      BufferImpl variance, BufferImpl outOrNull, BitMatrixImpl signOrNull, long stream);

  void batchNormBackward(
      BatchNormShape shape, boolean integer, BufferImpl y, BufferImpl gammaOrNull, BufferImpl mean, BufferImpl inv, BufferImpl gradOutput,
      BitMatrixImpl maskOrNull, BufferImpl gradInput, BufferImpl gradGammaOrNull, BufferImpl gradBetaOrNull, long stream);

  /** Signs and shapes of the tensors: rows.weights(). */
  void metaAdamStep(
      TensorGroupImpl<?> hidden, TensorGroupImpl<?> gradients, TensorGroupImpl<?> firstMoment, TensorGroupImpl<?> secondMoment, AdamRows rows,
      long stream);

  /** One of xOrNull and xSignsOrNull. Constants: row 0 of {@code rows}. */
  void metaAdamStepFromProduct(
      int batch, int out, int in, BufferImpl dy, int lddy, BufferImpl xOrNull, int ldx, BitMatrixImpl xSignsOrNull, BufferImpl hidden,
      BufferImpl firstMoment, BufferImpl secondMoment, BitMatrixImpl signsOrNull, AdamRows rows, long stream);

  void ewcConsolidate(BitMatrixImpl signs, BufferImpl fisher, BufferImpl total, BufferImpl target, long stream);

  void ewcPenaltyGradient(BitMatrixImpl signs, BufferImpl total, BufferImpl target, float lambda, BufferImpl gradient, long stream);

  void relaxedSignSample(BufferImpl lambda, float inverseTemperature, long seed, int randomStream, int step, BufferImpl w, long stream);

  void bimuStep(
      BufferImpl lambda, BufferImpl gradient, float rate, float inverseRateMax, float likelihood, float kl, float inverseWindow, boolean gated,
      BufferImpl reportOrNull, long stream);

  void bayesBinnStep(
      BufferImpl lambda, BufferImpl momentum, int samples, BufferImpl w, BufferImpl gradients, float inverseTemperature, float likelihood, float prior,
      float priorWeight, float decay, float fresh, float rate, long stream);

  void conv2d(Conv2dShape shape, BitMatrixImpl x, BitMatrixImpl w, BufferImpl y, BufferImpl workspace, long stream);

  void conv2dGradInput(Conv2dShape shape, BufferImpl dy, BitMatrixImpl w, BufferImpl dx, BufferImpl workspace, long stream);

  void conv2dGradWeight(Conv2dShape shape, BufferImpl dy, BitMatrixImpl x, BufferImpl dw, BufferImpl workspace, long stream);

  long conv2dWorkspaceBytes(Conv2dShape shape);
}
