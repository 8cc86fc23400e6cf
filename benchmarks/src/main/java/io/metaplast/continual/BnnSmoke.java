package io.metaplast.continual;

import io.metaplast.BackendOptions;
import io.metaplast.Metaplast;
import java.io.IOException;
import java.util.List;

/** A short sequence of tasks for a binarized network: shows in seconds that it learns on a machine, not how well a method does. */
public final class BnnSmoke {
  private static final int TASKS = 3;
  private static final int IMAGES = 3000;
  private static final int TEST_IMAGES = 1000;
  private static final int EPOCHS = 5;
  private static final int BATCH = 100;
  private static final int HIDDEN = 256;
  private static final double RATE = 0.005;
  private static final double WEIGHT_DECAY = 1e-7;
  private static final double EWC_STRENGTH = 5000;
  private static final List<BnnMethod> METHODS = BnnMethod.of(List.of("meta", "ewc"), List.of(0.0, 1.35));

  private BnnSmoke() {}

  /** Training steps over all methods and tasks, for a progress bar. */
  public static long totalSteps() {
    return (long) METHODS.size() * TASKS * EPOCHS * (IMAGES / BATCH);
  }

  /** Three permutations of synthetic digits with plain and metaplastic Adam and EWC; nothing is stored. */
  public static BnnResult run(BackendOptions backend, LearnListener listener) throws IOException {
    LearnData data = LearnData.synthetic(IMAGES, TEST_IMAGES, null);
    return BnnExperiment.run(data, settings(data), new BnnExperiment.Options(TASKS, METHODS, backend, null), listener);
  }

  /** The settings of {@link #run} for some data. */
  static BnnSettings settings(LearnData data) {
    int images = data.train().count();
    return new BnnSettings(
        Metaplast.NUMERICS_VERSION, data.train().sha256(), data.test().sha256(), BnnSettings.Experiment.PERMUTED, BnnSettings.Scenario.TASK, 1000,
        HIDDEN, EPOCHS, BATCH, data.test().count(), images, images, data.test().count(), 1, RATE, WEIGHT_DECAY, EWC_STRENGTH, images);
  }
}
