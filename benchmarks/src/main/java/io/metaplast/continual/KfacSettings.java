package io.metaplast.continual;

import io.metaplast.Metaplast;

/**
 * Everything a result depends on, beside method and number of tasks. Stored as JSON beside the results; a run is only ever continued under
 * the very same settings.
 *
 * @param numericsVersion of the library
 * @param train SHA-256 of the training set
 * @param test SHA-256 of the test set
 * @param seed of all random numbers; runs of one seed have permutations, initial weights and order of images in common
 * @param memory what is kept of earlier tasks
 * @param optimizer the optimiser
 * @param offset added to the pixels, which are 0 to 1
 * @param hidden units of each of the two hidden layers
 * @param epochs per task
 * @param batch training images per step
 * @param images training images of every task
 * @param testImages images per test, which share their batch statistics
 * @param curvatureBatches training batches that the curvature of a task is estimated from
 * @param rate learning rate at the start of a task; it falls to 0 along a cosine
 * @param weightDecay pull of the matrices towards the last optimum
 */
public record KfacSettings(
    int numericsVersion,
    String train,
    String test,
    long seed,
    Memory memory,
    Optimizer optimizer,
    double offset,
    int hidden,
    int epochs,
    int batch,
    int images,
    int testImages,
    int curvatureBatches,
    double rate,
    double weightDecay) {
  /** Usual number of epochs. */
  static final int EPOCHS = 5;

  /** Usual batch. */
  static final int BATCH = 256;

  /** Usual width of the hidden layers. */
  static final int HIDDEN = 100;

  /** Usual number of batches that curvature is estimated from, where there are that many. */
  static final int CURVATURE_BATCHES = 200;

  /** Usual weight decay. */
  static final double WEIGHT_DECAY = 1e-4;

  /** What is kept of earlier tasks. */
  public enum Memory {
    /** One curvature, merged over tasks and anchored at the last optimum. */
    PAIR,
    /** The curvature and the optimum of every task. */
    LIST
  }

  /** How weights follow the gradient; moments start anew with every task. */
  public enum Optimizer {
    /** Adam with the usual constants, rate 1e-3 unless said otherwise. */
    ADAM(1e-3),
    /** Momentum .9, rate .05 unless said otherwise. */
    SGD(0.05);

    private final double rate;

    Optimizer(double rate) {
      this.rate = rate;
    }

    /** Usual learning rate. */
    public double rate() {
      return rate;
    }
  }

  /** Validates. */
  public KfacSettings {
    if (!Double.isFinite(offset)) {
      throw new IllegalArgumentException("offset = " + offset + " must be finite");
    }
    atLeast("hidden", hidden, 1, 1 << 12);
    atLeast("epochs", epochs, 1, 1 << 16);
    atLeast("batch", batch, 2, 1 << 16);
    atLeast("images", images, batch, Integer.MAX_VALUE);
    atLeast("test images", testImages, 2, Integer.MAX_VALUE);
    atLeast("curvature batches", curvatureBatches, 1, images / batch);
    if (!(rate > 0 && rate < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("rate = " + rate + " must be finite and > 0");
    }
    if (!(weightDecay >= 0 && weightDecay < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("weight decay = " + weightDecay + " must be finite and >= 0");
    }
  }

  private static void atLeast(String name, int value, int low, int high) {
    if (value < low || value > high) {
      throw new IllegalArgumentException(name + " = " + value + " must be in " + low + ".." + high);
    }
  }

  /** The settings of the recorded runs on all images of {@code data}. */
  public static KfacSettings standard(LearnData data, long seed) {
    int images = data.train().count();
    return new KfacSettings(
        Metaplast.NUMERICS_VERSION, data.train().sha256(), data.test().sha256(), seed, Memory.PAIR, Optimizer.ADAM, 0, HIDDEN, EPOCHS, BATCH,
        images, data.test().count(), Math.min(CURVATURE_BATCHES, images / BATCH), Optimizer.ADAM.rate(), WEIGHT_DECAY);
  }

  /** The same with another seed. */
  KfacSettings withSeed(long newSeed) {
    return new KfacSettings(
        numericsVersion, train, test, newSeed, memory, optimizer, offset, hidden, epochs, batch, images, testImages, curvatureBatches, rate, weightDecay);
  }

  /** The same with another memory, optimiser at its usual rate, and offset. */
  KfacSettings with(Memory newMemory, Optimizer newOptimizer, double newOffset) {
    return new KfacSettings(
        numericsVersion, train, test, seed, newMemory, newOptimizer, newOffset, hidden, epochs, batch, images, testImages, curvatureBatches,
        newOptimizer.rate(), weightDecay);
  }

  /** Training steps of a task: whole batches, as batch norm needs them. */
  int steps() {
    return epochs * (images / batch);
  }
}
