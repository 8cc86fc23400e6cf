package io.metaplast.binary;

import io.metaplast.BitMatrix;
import io.metaplast.DeviceBuffer;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.I32Buffer;
import io.metaplast.I32Matrix;
import io.metaplast.Stream;
import io.metaplast.TensorGroup;
import io.metaplast.Workspace;
import io.metaplast.bayes.StepReport;
import java.util.List;

/**
 * The kernels of binarized networks. sign(x) is +1 where x &gt;= 0 (also for -0) and -1 elsewhere (also for NaN). All are class A: the same bits on Java, on every
 * CPU tier and in the portable CUDA kernels, for any number of threads.
 *
 * <p>Notation: W [out][in], x [batch][in], K = length of a dot product. A trainer keeps the hidden weights W and computes with sign(W); the layers of a step
 * are: {@link #signGemmNT} (real input) or {@link #xnorGemm(BitMatrix, BitMatrix, I32Matrix, Stream)} (signs), {@link #batchNormForward} to signs and mask,
 * and backwards {@link #batchNormBackward} with the mask, {@link #signGemmNN} for dx, {@link #signGemmTN} or {@link #gemmTN} for dW, {@link #metaAdamStep}. Softmax
 * cross-entropy is {@link io.metaplast.bayes.BayesKernels#nllMeanLogSoftmax} with one sample. For inference {@link Thresholds} turn batch norm and sign into an integer comparison.
 *
 * <p>Every method checks all arguments before it writes anything. Unless a method says otherwise: {@link NullPointerException} for null,
 * {@link IllegalArgumentException} for a shape or range mismatch, overlapping operands (outputs may overlap nothing except where in place is said) or a
 * handle of another backend, {@link IllegalStateException} for a closed handle. Dimensions may be 0: nothing is written, or sums are empty and their epilogue
 * still runs. On CUDA a call returns once it is queued on its stream. With full checks, pad bits of bit operands must be 0. Sources: Laborieux et al., Nature
 * Communications 2021, DOI 10.1038/s41467-021-22768-y (metaplasticity); Hubara et al. 2016 (binarized networks); Meng et al. 2020 (BayesBiNN). The
 * order of every operation is written in {@code native/include/metaplast/binary.h}.
 */
public interface BinaryKernels {
  // ---- packing

  /** bits[r][c] = sign of x[r][c]. */
  void signPack(F32Matrix x, BitMatrix bits, Stream stream);

  /** As {@link #signPack(F32Matrix, BitMatrix, Stream)}, and mask[r][c] = not (|x| &gt; 1), which {@link #steBackward} takes. */
  void signPack(F32Matrix x, BitMatrix bits, BitMatrix mask, Stream stream);

  /** bits[c][r] = sign of x[r][c]; bits is [cols][rows]. */
  void signPackTransposed(F32Matrix x, BitMatrix bits, Stream stream);

  /** x[r][c] = +1 or -1. */
  void signUnpack(BitMatrix bits, F32Matrix x, Stream stream);

  /** As the other form, to contiguous fp32 or bf16 elements [rows][cols]. */
  void signUnpack(BitMatrix bits, DeviceBuffer x, Stream stream);

  /** out[c][r] = bits[r][c]. */
  void transpose(BitMatrix bits, BitMatrix out, Stream stream);

  /** Straight-through gradient of sign through hardtanh: gradInput = mask ? gradOutput : 0. In place allowed (the same matrix twice). */
  void steBackward(BitMatrix mask, F32Matrix gradOutput, F32Matrix gradInput, Stream stream);

  // ---- bits x bits

  /** y[i][j] = sum over k of a[i][k] b[j][k] = K - 2 popcount(a xor b), exact. a [M][K], b [N][K], y [M][N]. */
  void xnorGemm(BitMatrix a, BitMatrix b, I32Matrix y, Stream stream);

  /**
   * y = scale[j] * (dot product) + bias[j], the product and the sum each rounded; exact without them.
   *
   * @param scale [N] or null (1)
   * @param bias [N] or null (0)
   * @throws IllegalArgumentException also if K exceeds 2^24, up to which fp32 holds every dot product
   */
  void xnorGemm(BitMatrix a, BitMatrix b, F32Buffer scale, F32Buffer bias, F32Matrix y, Stream stream);

  /** y[i][j] = sign of batch norm of the dot product, by {@code thresholds} (N channels). y [M][N]. */
  void xnorGemm(BitMatrix a, BitMatrix b, Thresholds thresholds, BitMatrix y, Stream stream);

  /**
   * {@link #signPack(F32Matrix, BitMatrix, Stream)} of x and {@link #xnorGemm(BitMatrix, BitMatrix, Thresholds, BitMatrix, Stream)} of a and b in one call, with
   * the same bits. On the CPU, rows are packed while the product of earlier rows runs.
   *
   * @param x [M][K]
   * @param a [M][K], written: the signs of x
   * @param b [N][K]
   * @param y [M][N]
   */
  void signPackXnorGemm(F32Matrix x, BitMatrix a, BitMatrix b, Thresholds thresholds, BitMatrix y, Stream stream);

  /**
   * s = X^T X of sign rows, exact: s[i][j] = sum over the batch of x[b][i] x[b][j], both triangles.
   *
   * @param x [batch][in]
   * @param accumulate adds to s, which must be symmetric as calls leave it, instead of setting it; the batches of all calls together must stay below 2^31
   * @param s [in][in]
   * @param workspace at least {@link #xnorSyrkWorkspaceBytes} bytes
   */
  void xnorSyrk(BitMatrix x, boolean accumulate, I32Matrix s, Workspace workspace, Stream stream);

  /** Bytes of workspace that {@link #xnorSyrk} needs. */
  long xnorSyrkWorkspaceBytes(int batch, int in);

  /**
   * Running Kronecker factor from {@link #xnorSyrk}: factor = decay * factor + (1 - decay) * s / batch.
   *
   * @param batch items that s holds; &gt; 0
   * @param decay 0..1
   */
  void factorMovingAverage(I32Matrix s, long batch, double decay, F32Matrix factor, Stream stream);

  // ---- real x +-1

  /** y = x sign(W)^T: x [batch][in], w [out][in], y [batch][out]. Terms are +-x, exact; quads of columns are summed first. */
  void signGemmNT(F32Matrix x, BitMatrix w, F32Matrix y, Stream stream);

  /** dx = dy sign(W): dy [batch][out], w [out][in], dx [batch][in]. Sums run over out ascending. */
  void signGemmNN(F32Matrix dy, BitMatrix w, F32Matrix dx, Stream stream);

  /** dW = dy^T sign(x): dy [batch][out], x [batch][in], dW [out][in]. Sums run over the batch ascending. */
  void signGemmTN(F32Matrix dy, BitMatrix x, F32Matrix dw, Stream stream);

  /** dW = dy^T x for a real-valued input x [batch][in]. Sums run over the batch ascending, each product rounded. */
  void gemmTN(F32Matrix dy, F32Matrix x, F32Matrix dw, Stream stream);

  // ---- batch norm

  /**
   * Batch norm with the statistics of this batch: (y - mean) * inv * gamma + beta, inv = 1/sqrt(biased variance + eps). With integer y the statistics are exact;
   * batch^2 * max(y)^2 must stay below 2^63. A channel of one value gives beta.
   *
   * @param y {@link F32Buffer} or {@link I32Buffer}, [batch][channels][spatial]
   * @param gamma [channels], or null together with beta (no scale and shift)
   * @param eps finite, &gt; 0 in fp32
   * @param mean [channels], written for the backward call
   * @param inv [channels], written for the backward call
   * @param running moving averages, or null; they need two values a channel at least
   */
  void batchNormForward(
      BatchNormShape shape, DeviceBuffer y, F32Buffer gamma, F32Buffer beta, double eps, F32Buffer mean, F32Buffer inv, RunningStatistics running,
      BatchNormOutput output, Stream stream);

  /**
   * Batch norm with given statistics.
   *
   * @param mean [channels]
   * @param variance [channels]; negative values give NaN
   * @param output its mask must be null
   */
  void batchNormInference(
      BatchNormShape shape, DeviceBuffer y, F32Buffer gamma, F32Buffer beta, double eps, F32Buffer mean, F32Buffer variance, BatchNormOutput output,
      Stream stream);

  /**
   * Backward pass of {@link #batchNormForward}.
   *
   * @param y as in the forward call
   * @param gamma as in the forward call, or null
   * @param mean from the forward call
   * @param inv from the forward call
   * @param gradOutput [batch][channels][spatial]
   * @param mask null, or the mask of the forward call: gradOutput counts only where it is set (backward of sign)
   * @param gradInput [batch][channels][spatial]; may be gradOutput itself
   * @param gradGamma [channels] or null
   * @param gradBeta [channels] or null
   */
  void batchNormBackward(
      BatchNormShape shape, DeviceBuffer y, F32Buffer gamma, F32Buffer mean, F32Buffer inv, F32Buffer gradOutput, BitMatrix mask, F32Buffer gradInput,
      F32Buffer gradGamma, F32Buffer gradBeta, Stream stream);

  // ---- updates

  /**
   * One step of metaplastic Adam on all tensors: hidden weights, moments and signs in one pass. 28.125 bytes of traffic per weight.
   *
   * @param gradients of the layout of {@code weights}; gradients at sign(W) go to W
   * @param params one for all tensors, or one a tensor (metaplasticity per layer)
   * @param step t, from 1 in every run of moments
   */
  void metaAdamStep(HiddenWeights weights, TensorGroup<F32Buffer> gradients, List<AdamParams> params, long step, Stream stream);

  /** {@link #signGemmTN} and {@link #metaAdamStep} of one tensor in one pass, with the same bits; dW is never stored. 24.125 bytes per weight. */
  void metaAdamStepFromProduct(HiddenWeights weights, int tensor, F32Matrix dy, BitMatrix x, AdamParams params, long step, Stream stream);

  /** {@link #gemmTN} and {@link #metaAdamStep} of one tensor in one pass. */
  void metaAdamStepFromProduct(HiddenWeights weights, int tensor, F32Matrix dy, F32Matrix x, AdamParams params, long step, Stream stream);

  /**
   * EWC on binary weights at the end of a task: total += fisher, target += sign * fisher; memory does not grow with the number of tasks.
   *
   * @param signs [rows][cols], signs after the task
   * @param fisher rows*cols elements, as total and target
   */
  void ewcConsolidate(BitMatrix signs, F32Buffer fisher, F32Buffer total, F32Buffer target, Stream stream);

  /** gradient += lambda * (total * sign - target), the gradient of lambda/2 * sum over tasks of F (b - b_task)^2 at b = sign(W). */
  void ewcPenaltyGradient(BitMatrix signs, F32Buffer total, F32Buffer target, double lambda, F32Buffer gradient, Stream stream);

  /**
   * Relaxed Bernoulli weights w = tanh((lambda + logit(u)/2) / temperature), u = uniform(seed, randomStream, step, element).
   *
   * @param lambda natural parameters
   */
  void relaxedSignSample(F32Buffer lambda, double temperature, long seed, long randomStream, long step, F32Buffer w, Stream stream);

  /**
   * BiMU step on natural parameters, in place (arXiv 2605.30198).
   *
   * @param gradient with respect to the relaxed weights
   * @param gated nothing is written unless some |gradient| &gt; 0; the report is then required
   * @param report counts denominators that are not positive, or null
   */
  void bimuStep(F32Buffer lambda, F32Buffer gradient, BimuParams params, boolean gated, StepReport report, Stream stream);

  /**
   * BayesBiNN step on natural parameters, in place (Meng et al. 2020).
   *
   * @param momentum as lambda, initially 0
   * @param samples K relaxed weights, [K][n]
   * @param gradients with respect to them, [K][n]
   * @param samplesCount K, 1..256
   * @param step t, from 1
   */
  void bayesBinnStep(
      F32Buffer lambda, F32Buffer momentum, int samplesCount, F32Buffer samples, F32Buffer gradients, BayesBinnParams params, long step, Stream stream);

  // ---- convolution

  /**
   * Convolution of signs, exact; padding contributes 0.
   *
   * @param x [batch][channels*height*width]
   * @param w [outChannels][channels/groups*kernelHeight*kernelWidth]
   * @param y [batch][outChannels][outHeight][outWidth]
   * @param workspace at least {@link #conv2dWorkspaceBytes} bytes
   */
  void conv2d(Conv2dShape shape, BitMatrix x, BitMatrix w, I32Buffer y, Workspace workspace, Stream stream);

  /** Gradient of {@link #conv2d} with respect to its input: dx [batch][channels][height][width]. */
  void conv2dGradInput(Conv2dShape shape, F32Buffer dy, BitMatrix w, F32Buffer dx, Workspace workspace, Stream stream);

  /** Gradient of {@link #conv2d} with respect to its weights: dw [outChannels][channels/groups*kernelHeight*kernelWidth]. */
  void conv2dGradWeight(Conv2dShape shape, F32Buffer dy, BitMatrix x, F32Buffer dw, Workspace workspace, Stream stream);

  /** Bytes of workspace that each of the three needs on this backend. */
  long conv2dWorkspaceBytes(Conv2dShape shape);
}
