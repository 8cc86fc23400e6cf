package io.metaplast.bayes;

import io.metaplast.DeviceBuffer;
import io.metaplast.F32Buffer;
import io.metaplast.I32Buffer;
import io.metaplast.Stream;
import io.metaplast.TensorGroup;
import io.metaplast.Workspace;

/**
 * The Bayesian kernels. All are class A: the same bits on Java, on every CPU tier and on CUDA, for any number of threads.
 *
 * <p>Notation: n = elements of a tensor, K = Monte-Carlo samples, B = batch, C = classes. epsilon(seed, step, tensor, k, e) is the Gaussian of element e
 * with key = seed and counter (e/4, tensor number * 256 + k, step); it can be regenerated anywhere, so nothing has to store it. {@code step} and
 * {@code randomStream} are unsigned 32-bit values in a long; a step must not come back under one seed.
 *
 * <p>Every method checks all arguments before it writes anything. Unless a method says otherwise: {@link NullPointerException} for null,
 * {@link IllegalArgumentException} for a length, layout or range mismatch, overlapping operands (outputs may overlap nothing except where in place is
 * said) or a handle of another backend, {@link IllegalStateException} for a closed handle. Empty operands are allowed and write nothing. On CUDA a call
 * returns once it is queued on its stream. With full checks, sigma must be positive and finite. Sources: Bonnet et al., Nature Communications 2025,
 * DOI 10.1038/s41467-025-64601-w (MESU); Salmon et al., SC 2011 (Philox); Zeno et al. (BGD); Kirkpatrick et al. 2017 (EWC); Zenke et al. 2017 (SI).
 * The order of every operation is written in {@code native/include/metaplast/bayes.h}.
 */
public interface BayesKernels {
  /** Random words: out[i] = Philox4x32-10 word of element first + i. {@code first} is unsigned; first + n must not pass 2^64. */
  void philox(long seed, long randomStream, long step, long first, I32Buffer out, Stream stream);

  /** Uniforms in (0,1): odd multiples of 2^-24. Arguments as {@link #philox}. */
  void uniform(long seed, long randomStream, long step, long first, F32Buffer out, Stream stream);

  /** Standard normal values (Box-Muller), |z| &lt;= 5.77. Arguments as {@link #philox}. */
  void gaussian(long seed, long randomStream, long step, long first, F32Buffer out, Stream stream);

  /**
   * K samples of all weights: samples[t][k] = mu + sigma * epsilon(seed, step, t, k), K = {@code samples.copies()}. One independent draw per weight, sample
   * and step, shared by all items of a batch.
   */
  void sample(GaussianWeights weights, long seed, long step, TensorGroup<F32Buffer> samples, Stream stream);

  /** epsilon itself, for all K samples: epsilon[t][k]. For callers who store it. */
  void epsilon(long seed, long step, TensorGroup<F32Buffer> epsilon, Stream stream);

  /**
   * Monte-Carlo gradients with regenerated epsilon: gMu = scale * sum_k dW_k, gSigma = scale * sum_k dW_k epsilon_k, k ascending.
   *
   * @param gradSamples dW, K copies, fp32 or bf16
   * @param scale 1 when 1/K is already in the loss gradient (as {@link #nllMeanLogSoftmax} does), else 1/K
   */
  void gradAccumulate(
      TensorGroup<? extends DeviceBuffer> gradSamples, long seed, long step, double scale, TensorGroup<F32Buffer> gradMean,
      TensorGroup<F32Buffer> gradSigma, Stream stream);

  /** As the other form, with stored epsilon of the same layout and copies as {@code gradSamples}. */
  void gradAccumulate(
      TensorGroup<? extends DeviceBuffer> gradSamples, TensorGroup<F32Buffer> epsilon, double scale, TensorGroup<F32Buffer> gradMean,
      TensorGroup<F32Buffer> gradSigma, Stream stream);

  /**
   * One update of all weights by {@code rule}, in place, from the gradients of the expected loss. 24 bytes of traffic per parameter with fp32 gradients,
   * 20 with bf16.
   *
   * @param gradMean gradients with respect to mu, fp32 or bf16 (both groups alike); for {@link BgdParams} the mean over samples of g
   * @param gradSigma gradients with respect to sigma; for {@link BgdParams} the mean over samples of g * epsilon
   * @param report counters, or null
   */
  void step(
      GaussianWeights weights, TensorGroup<? extends DeviceBuffer> gradMean, TensorGroup<? extends DeviceBuffer> gradSigma, UpdateRule rule,
      StepReport report, Stream stream);

  /** As {@link #step}, but nothing is written unless some |gradient| &gt; 0 over all tensors; NaN does not open the gate. The report is required. */
  void stepGated(
      GaussianWeights weights, TensorGroup<? extends DeviceBuffer> gradMean, TensorGroup<? extends DeviceBuffer> gradSigma, UpdateRule rule,
      StepReport report, Stream stream);

  /** {@link #gradAccumulate} and {@link #step} in one pass, with the same bits; epsilon is regenerated. */
  void stepFromSamples(
      GaussianWeights weights, TensorGroup<? extends DeviceBuffer> gradSamples, long seed, long step, double scale, UpdateRule rule,
      StepReport report, Stream stream);

  /** As {@link #stepFromSamples}, with stored epsilon. */
  void stepFromStoredSamples(
      GaussianWeights weights, TensorGroup<? extends DeviceBuffer> gradSamples, TensorGroup<F32Buffer> epsilon, double scale, UpdateRule rule,
      StepReport report, Stream stream);

  /**
   * As {@link #stepFromSamples}, and in the same pass the samples of the updated weights for {@code nextStep}:
   * next[t][k] = mu' + sigma' * epsilon(seed, nextStep, t, k).
   */
  void stepFromSamplesAndSample(
      GaussianWeights weights, TensorGroup<? extends DeviceBuffer> gradSamples, long seed, long step, double scale, UpdateRule rule,
      long nextStep, TensorGroup<F32Buffer> next, StepReport report, Stream stream);

  /**
   * Forward pass of a linear layer for one item and K samples: y[k][o] = sum_i w_k[o][i] x[k][i], with w_k = mu + sigma epsilon_k never in memory.
   *
   * @param tensor index of the layer's tensor in {@code weights}; it must have {@code shape.weights()} elements
   * @param x [K][in], or [in] if the input is shared
   * @param epsilon null, or [K][out*in]: receives epsilon, so that {@link #linearStep} need not regenerate it
   * @param y [K][out]
   */
  void linearForward(
      GaussianWeights weights, int tensor, LinearShape shape, F32Buffer x, long seed, long step, F32Buffer epsilon, F32Buffer y, Stream stream);

  /**
   * Backward pass and update of a linear layer in one pass over mu and sigma; dW is never formed. 16 bytes of traffic per parameter. A sample whose delta is 0
   * for an output adds nothing to that row; the pull of the prior acts all the same.
   *
   * @param x as in the forward call
   * @param delta [K][out], gradient of the loss with respect to y, 1/K included
   * @param y [K][out] of the forward call if {@code shape.relu()} (delta counts only where y &gt; 0), else ignored, may be null
   * @param epsilon null (regenerated), or what the forward call wrote
   * @param dx [K][in], gradient with respect to x with the weights before the update, or null
   * @param report counters, or null
   */
  void linearStep(
      GaussianWeights weights, int tensor, LinearShape shape, F32Buffer x, F32Buffer delta, F32Buffer y, F32Buffer epsilon, long seed,
      long step, UpdateRule rule, F32Buffer dx, StepReport report, Stream stream);

  /**
   * Negative log-likelihood of the mean over samples of log-softmax, summed over the batch, and its gradient.
   *
   * @param logits [K][B][C]
   * @param labels [B], in 0..C-1
   * @param scale factor of the gradient: 1 for the sum over the batch, 1/B for the mean. The loss itself is always the sum
   * @param itemLoss [B]
   * @param loss [1], the sum of itemLoss
   * @param gradLogits [K][B][C] or null; may be {@code logits} itself
   */
  void nllMeanLogSoftmax(
      int samples, int batch, int classes, F32Buffer logits, I32Buffer labels, double scale, F32Buffer itemLoss, F32Buffer loss,
      F32Buffer gradLogits, Stream stream);

  /**
   * Predictive entropy, its aleatoric part (mean entropy of the samples) and its epistemic part (their difference), per item.
   *
   * @param input logits or probabilities, [K][B][C]
   * @param predictive [B]
   * @param aleatoric [B]
   * @param epistemic [B]
   */
  void uncertainty(
      int samples, int batch, int classes, F32Buffer input, UncertaintyOptions options, F32Buffer predictive, F32Buffer aleatoric,
      F32Buffer epistemic, Stream stream);

  /** Diagonal Hessian read off the uncertainty: h = (1/sigma^2 - 1/priorSigma^2) / memoryWindow; negative where sigma &gt; priorSigma. */
  void diagHessianFromSigma(F32Buffer sigma, double priorSigma, double memoryWindow, F32Buffer h, Stream stream);

  /** out[0] = sum of x in a fixed order; {@code workspace} must hold {@link #sumWorkspaceBytes}. */
  void sum(F32Buffer x, F32Buffer out, Workspace workspace, Stream stream);

  /** Workspace that {@link #sum} needs for n elements; 0 on JAVA and CPU. */
  long sumWorkspaceBytes(long n);

  /**
   * P(in &lt; ood) + P(in = ood)/2 from exact integer counts: 1 when every in-distribution score is below every out-of-distribution score.
   * NaN when either is empty. Waits for the result.
   */
  double rocAuc(F32Buffer inDistribution, F32Buffer outOfDistribution, Stream stream);

  /**
   * The authors' AUC: 1000 thresholds max(ood)*j/999, strict "&lt;", trapezoid rule. It never reaches the largest out-of-distribution score, so it lies below
   * {@link #rocAuc}. Waits for the result.
   */
  double rocAucThresholds(F32Buffer inDistribution, F32Buffer outOfDistribution, Stream stream);

  /** theta -= rate * gradient, in place. */
  void sgdStep(F32Buffer theta, F32Buffer gradient, double rate, Stream stream);

  /** fisher += gradient^2. */
  void fisherAccumulate(F32Buffer gradient, F32Buffer fisher, Stream stream);

  /** At the end of a task: total = decay * total + fisher / items; fisher = 0. */
  void fisherMerge(F32Buffer fisher, long items, double decay, F32Buffer total, Stream stream);

  /** EWC: gradient += lambda * fisher * (theta - anchor). */
  void ewcPenaltyGradient(F32Buffer theta, F32Buffer anchor, F32Buffer fisher, double lambda, F32Buffer gradient, Stream stream);

  /** SI: path -= gradient * (thetaNew - thetaOld). */
  void siPath(F32Buffer gradient, F32Buffer thetaNew, F32Buffer thetaOld, F32Buffer path, Stream stream);

  /** SI at the end of a task: omega += max(path / ((theta - anchor)^2 + xi), 0); path = 0; anchor = theta. */
  void siConsolidate(F32Buffer theta, double xi, F32Buffer path, F32Buffer anchor, F32Buffer omega, Stream stream);

  /** SI: gradient += 2c * omega * (theta - anchor). */
  void siPenaltyGradient(F32Buffer theta, F32Buffer anchor, F32Buffer omega, double c, F32Buffer gradient, Stream stream);
}
