package io.metaplast.continual;

/**
 * Shape of the network: two linear layers without bias, ReLU between them.
 *
 * @param inputs pixels
 * @param hidden hidden units
 * @param outputs classes
 */
record Network(int inputs, int hidden, int outputs) {
  /** Weights of layer 0 or 1. */
  int weights(int layer) {
    return layer == 0 ? inputs * hidden : hidden * outputs;
  }

  /** L of the initial means, uniform in (-L, L); sigma starts at L / 2. L = 4 / sqrt(fan in). */
  double limit(int layer) {
    return 4 / Math.sqrt(layer == 0 ? inputs : hidden);
  }
}
