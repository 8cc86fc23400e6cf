package io.metaplast.continual;

import io.metaplast.Metaplast;
import io.metaplast.TensorLayout;

/**
 * Everything a result depends on. Stored as JSON beside the results; a run is only ever continued under the very same settings. The number
 * of tasks is not among them: a finished run may be made longer.
 *
 * @param numericsVersion of the library
 * @param train SHA-256 of the training set
 * @param test SHA-256 of the test set
 * @param outOfDistribution SHA-256 of the out-of-distribution set, or empty
 * @param seed of all random numbers
 * @param stepsPerTask training images per task, in file order
 * @param testImages images per permutation in a test
 * @param hidden hidden units
 * @param samples Monte-Carlo samples K in training and tests
 * @param everyTask which tasks are tested after each task
 * @param allEvery all tasks so far are tested after every this many tasks, and at the end; 0 = only at the end
 * @param memoryWindow MESU: N in batches
 * @param priorMean MESU
 * @param priorSigma MESU
 * @param rateMean MESU
 * @param rateSigma MESU
 * @param clampGrad MESU: 0 = off
 * @param sigmaFloor MESU: 0 = none, as published
 * @param bgdRate BGD: eta
 * @param pointRate learning rate of the point networks
 * @param ewcStrength online EWC: lambda
 * @param ewcDecay online EWC: decay of the Fisher information
 * @param siStrength SI: c
 * @param siDamping SI: xi
 */
public record LearnSettings(
    int numericsVersion,
    String train,
    String test,
    String outOfDistribution,
    long seed,
    int stepsPerTask,
    int testImages,
    int hidden,
    int samples,
    Tested everyTask,
    int allEvery,
    double memoryWindow,
    double priorMean,
    double priorSigma,
    double rateMean,
    double rateSigma,
    double clampGrad,
    double sigmaFloor,
    double bgdRate,
    double pointRate,
    double ewcStrength,
    double ewcDecay,
    double siStrength,
    double siDamping) {
  /** Which tasks are tested after each task. */
  public enum Tested {
    /** The last five and the first. */
    LAST5,
    /** All so far. */
    ALL
  }

  /** Images of a full test: the authors test in batches of 128 and drop the remainder, which leaves 9,984 of 10,000. */
  static int fullTest(int images) {
    return images < 128 ? images : images / 128 * 128;
  }

  /** Validates. */
  public LearnSettings {
    atLeast("steps", stepsPerTask, 1, Integer.MAX_VALUE);
    atLeast("limit", testImages, 1, Integer.MAX_VALUE);
    atLeast("hidden", hidden, 1, 1 << 16);
    atLeast("samples", samples, 1, TensorLayout.MAX_SAMPLES);
    atLeast("all-every", allEvery, 0, Integer.MAX_VALUE);
  }

  private static void atLeast(String name, int value, int low, int high) {
    if (value < low || value > high) {
      throw new IllegalArgumentException(name + " = " + value + " must be in " + low + ".." + high);
    }
  }

  /** The published settings of the 200-task run (kellian-cottart/mesu-pmnist) for the given data. */
  public static LearnSettings published(LearnData data) {
    return new LearnSettings(
        Metaplast.NUMERICS_VERSION,
        data.train().sha256(),
        data.test().sha256(),
        data.outOfDistribution() == null ? "" : data.outOfDistribution().sha256(),
        1000,
        data.train().count(),
        fullTest(data.test().count()),
        50,
        10,
        Tested.LAST5,
        20,
        300_000,
        0,
        1,
        1,
        1,
        0,
        0,
        1,
        0.002,
        2,
        0.2,
        1e-4,
        1);
  }

  /** The same with other lengths of training and test. */
  public LearnSettings withLength(int newStepsPerTask, int newTestImages) {
    return new LearnSettings(
        numericsVersion, train, test, outOfDistribution, seed, newStepsPerTask, newTestImages, hidden, samples, everyTask, allEvery,
        memoryWindow, priorMean, priorSigma, rateMean, rateSigma, clampGrad, sigmaFloor, bgdRate, pointRate, ewcStrength, ewcDecay,
        siStrength, siDamping);
  }
}
