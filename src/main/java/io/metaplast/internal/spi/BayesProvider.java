package io.metaplast.internal.spi;

import io.metaplast.bayes.LinearShape;
import io.metaplast.internal.BufferImpl;
import io.metaplast.internal.TensorGroupImpl;

/**
 * The Bayesian kernels of one backend; contracts in native/include/metaplast/bayes.h. Arguments are validated, memory is held for the duration of the call,
 * {@code stream} is the handle (0 on JAVA and CPU). Nullable arguments are named so. {@code seed}, {@code first} and the 32-bit values are unsigned.
 */
public interface BayesProvider {
  int FN_LN = 0;
  int FN_SINCOS2PI = 1;
  int FN_EXP = 2;
  int FN_TANH = 3;

  void philox(long seed, int randomStream, int step, long first, BufferImpl out, long stream);

  void uniform(long seed, int randomStream, int step, long first, BufferImpl out, long stream);

  void gaussian(long seed, int randomStream, int step, long first, BufferImpl out, long stream);

  /** For tests: the elementary functions; y2 is null except for FN_SINCOS2PI. */
  void elementary(int function, BufferImpl x, BufferImpl y, BufferImpl y2OrNull, long stream);

  void weightSample(TensorGroupImpl<?> mu, TensorGroupImpl<?> sigma, long seed, int step, TensorGroupImpl<?> samples, long stream);

  /** epsOrNull: stored epsilon, else regenerated from (seed, step). gradSamples is F32 or BF16. */
  void gradAccumulate(
      TensorGroupImpl<?> gradSamples, TensorGroupImpl<?> epsOrNull, long seed, int step, float scale, TensorGroupImpl<?> gradMean,
      TensorGroupImpl<?> gradSigma, long stream);

  void update(
      TensorGroupImpl<?> mu, TensorGroupImpl<?> sigma, TensorGroupImpl<?> lowOrNull, TensorGroupImpl<?> gradMean, TensorGroupImpl<?> gradSigma,
      RuleRows rows, boolean gated, BufferImpl reportOrNull, long stream);

  /** nextOrNull: samples of the updated weights for nextStep. */
  void updateFromSamples(
      TensorGroupImpl<?> mu, TensorGroupImpl<?> sigma, TensorGroupImpl<?> lowOrNull, TensorGroupImpl<?> gradSamples,
      TensorGroupImpl<?> epsOrNull, long seed, int step, float scale, RuleRows rows, int nextStep, TensorGroupImpl<?> nextOrNull,
      BufferImpl reportOrNull, long stream);

  void linearForward(
      BufferImpl mu, BufferImpl sigma, int tensorNumber, LinearShape shape, BufferImpl x, long seed, int step, BufferImpl epsOrNull,
      BufferImpl y, long stream);

  /** rowIndex: the row of {@code rows} to use. activeOrNull: y of the forward call when shape.relu(). */
  void linearStep(
      BufferImpl mu, BufferImpl sigma, BufferImpl lowOrNull, int tensorNumber, LinearShape shape, BufferImpl x, BufferImpl delta,
      BufferImpl activeOrNull, BufferImpl epsOrNull, long seed, int step, RuleRows rows, int rowIndex, BufferImpl dxOrNull,
      BufferImpl reportOrNull, long stream);

  void nllMeanLogSoftmax(
      int samples, int batch, int classes, BufferImpl logits, BufferImpl labels, float inverseSamples, float gradScale, BufferImpl itemLoss,
      BufferImpl loss, BufferImpl gradOrNull, long stream);

  void uncertainty(
      int samples, int batch, int classes, BufferImpl input, boolean fromLogits, boolean bits, boolean clamp, float inverseSamples,
      BufferImpl predictive, BufferImpl aleatoric, BufferImpl epistemic, long stream);

  void diagHessian(BufferImpl sigma, float priorPrecision, float inverseWindow, BufferImpl h, long stream);

  void sum(BufferImpl x, BufferImpl out, BufferImpl workspaceOrNull, long stream);

  long sumWorkspaceBytes(long n);

  /** counts[0] = pairs in < ood, counts[1] = equal pairs. Waits. */
  void rocPairs(BufferImpl inDistribution, BufferImpl outOfDistribution, long[] counts, long stream);

  /** counts[j] = in below t_j, counts[T+j] = ood below t_j, T = fractions.length. Waits. */
  void rocThresholds(BufferImpl inDistribution, BufferImpl outOfDistribution, float[] fractions, long[] counts, long stream);

  void sgdStep(BufferImpl theta, BufferImpl gradient, float rate, long stream);

  void fisherAccumulate(BufferImpl gradient, BufferImpl fisher, long stream);

  void fisherMerge(BufferImpl fisher, float inverseItems, float decay, BufferImpl total, long stream);

  void ewcPenaltyGradient(BufferImpl theta, BufferImpl anchor, BufferImpl fisher, float lambda, BufferImpl gradient, long stream);

  void siPath(BufferImpl gradient, BufferImpl thetaNew, BufferImpl thetaOld, BufferImpl path, long stream);

  void siConsolidate(BufferImpl theta, float xi, BufferImpl path, BufferImpl anchor, BufferImpl omega, long stream);

  void siPenaltyGradient(BufferImpl theta, BufferImpl anchor, BufferImpl omega, float twoC, BufferImpl gradient, long stream);
}
