package io.metaplast.bayes;

import io.metaplast.TensorLayout;

/**
 * Shape of a Bayesian linear layer applied to one item with K Monte-Carlo samples. W is [out][in] without bias.
 *
 * @param in inputs; 0..2^31-1
 * @param out outputs
 * @param samples K, 1..256
 * @param sharedInput whether one x[in] serves all samples (the first layer of a network), instead of x[K][in]
 * @param relu whether the forward call applies max(y, 0), and the step call masks delta where the output was not positive
 */
public record LinearShape(int in, int out, int samples, boolean sharedInput, boolean relu) {
  /** Validates. */
  public LinearShape {
    if (in < 0) {
      throw new IllegalArgumentException("in = " + in + " must be >= 0");
    }
    if (out < 0) {
      throw new IllegalArgumentException("out = " + out + " must be >= 0");
    }
    if (samples < 1 || samples > TensorLayout.MAX_SAMPLES) {
      throw new IllegalArgumentException("samples = " + samples + " must be in 1.." + TensorLayout.MAX_SAMPLES);
    }
  }

  /** Elements of W. */
  public long weights() {
    return (long) in * out;
  }
}
