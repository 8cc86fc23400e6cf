package io.metaplast.kfac;

/** How the T positions at which a layer's weights are used enter a factor (Eschenhagen et al. 2023, arXiv 2311.00636). */
public enum Sharing {
  /** Every position is a row: batch * T rows. Curvature of the mean loss: T (G (x) A) with both factors divided by batch * T. */
  EXPAND,
  /** Patches averaged over the positions, for inputs: batch rows. */
  REDUCE_MEAN,
  /** Summed over the positions, for output gradients (kernel 1): batch rows. */
  REDUCE_SUM
}
