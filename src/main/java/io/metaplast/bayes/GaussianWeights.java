package io.metaplast.bayes;

import io.metaplast.Backend;
import io.metaplast.F32Buffer;
import io.metaplast.TensorGroup;
import io.metaplast.TensorLayout;
import java.util.Objects;

/**
 * A factorised Gaussian over the weights of a network: mu and sigma of every tensor, sigma being the standard deviation itself (no log, no softplus).
 * Optionally sigma carries a low part that keeps what fp32 sigma would lose of a weak prior pull (memory windows above some 4 million batches).
 */
public final class GaussianWeights implements AutoCloseable {
  private final TensorGroup<F32Buffer> mean;
  private final TensorGroup<F32Buffer> sigma;
  private final TensorGroup<F32Buffer> sigmaLow;
  private final boolean owner;

  private GaussianWeights(TensorGroup<F32Buffer> mean, TensorGroup<F32Buffer> sigma, TensorGroup<F32Buffer> sigmaLow, boolean owner) {
    this.mean = mean;
    this.sigma = sigma;
    this.sigmaLow = sigmaLow;
    this.owner = owner;
  }

  /** Zeroed mu and sigma, each in one arena. Fill sigma with positive values before use. */
  public static GaussianWeights allocate(Backend backend, TensorLayout layout) {
    return new GaussianWeights(backend.allocateGroup(layout, 1), backend.allocateGroup(layout, 1), null, true);
  }

  /** As {@link #allocate}, with a low part of sigma: 8 more bytes of traffic per parameter and step; MESU rule only. */
  public static GaussianWeights allocateCompensated(Backend backend, TensorLayout layout) {
    return new GaussianWeights(
        backend.allocateGroup(layout, 1), backend.allocateGroup(layout, 1), backend.allocateGroup(layout, 1), true);
  }

  /**
   * Over the caller's groups, which stay the caller's.
   *
   * @param sigmaLow the low part of sigma, initially 0, or null
   * @throws IllegalArgumentException if layouts differ, a group holds several copies, or backends differ
   */
  public static GaussianWeights of(TensorGroup<F32Buffer> mean, TensorGroup<F32Buffer> sigma, TensorGroup<F32Buffer> sigmaLow) {
    Objects.requireNonNull(mean, "mean");
    Objects.requireNonNull(sigma, "sigma");
    same("sigma", sigma, mean);
    if (sigmaLow != null) {
      same("sigmaLow", sigmaLow, mean);
    }
    if (mean.copies() != 1) {
      throw new IllegalArgumentException("mean.copies " + mean.copies() + " != 1");
    }
    return new GaussianWeights(mean, sigma, sigmaLow, false);
  }

  private static void same(String name, TensorGroup<F32Buffer> group, TensorGroup<F32Buffer> mean) {
    if (!group.layout().equals(mean.layout())) {
      throw new IllegalArgumentException(name + ".layout " + group.layout() + " != mean.layout " + mean.layout());
    }
    if (group.copies() != 1) {
      throw new IllegalArgumentException(name + ".copies " + group.copies() + " != 1");
    }
    if (group.backend() != mean.backend()) {
      throw new IllegalArgumentException(name + " belongs to " + group.backend() + ", mean to " + mean.backend());
    }
  }

  /** Counts and numbers of the tensors. */
  public TensorLayout layout() {
    return mean.layout();
  }

  /** The backend whose kernels accept these weights. */
  public Backend backend() {
    return mean.backend();
  }

  /** Means. */
  public TensorGroup<F32Buffer> mean() {
    return mean;
  }

  /** Standard deviations. */
  public TensorGroup<F32Buffer> sigma() {
    return sigma;
  }

  /** Low parts of sigma, or null. */
  public TensorGroup<F32Buffer> sigmaLow() {
    return sigmaLow;
  }

  @Override
  public void close() {
    if (owner) {
      mean.close();
      sigma.close();
      if (sigmaLow != null) {
        sigmaLow.close();
      }
    }
  }
}
