package io.metaplast.continual;

import io.metaplast.BackendOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** A short continual-learning stream with every method: shows in seconds that learning works on a machine, not how well a method does. */
public final class LearnSmoke {
  private static final int TASKS = 3;
  private static final int STEPS = 1000;
  private static final int TEST_IMAGES = 1024;

  private LearnSmoke() {}

  /** Training steps over all methods and tasks, for a progress bar. */
  public static long totalSteps() {
    return (long) TASKS * STEPS * LearnMethod.values().length;
  }

  /**
   * Three tasks of 1,000 steps with every method; nothing is stored.
   *
   * @param data folder with MNIST, or null for synthetic digits
   * @param outOfDistribution folder with another set, or null
   */
  public static LearnResult run(BackendOptions backend, Path data, Path outOfDistribution, LearnListener listener) throws IOException {
    LearnData sets =
        data == null ? LearnData.synthetic(STEPS, TEST_IMAGES, outOfDistribution) : LearnData.load(data, true, outOfDistribution);
    return run(backend, sets, TASKS, STEPS, List.of(LearnMethod.values()), listener);
  }

  static LearnResult run(
      BackendOptions backend, LearnData data, int tasks, int steps, List<LearnMethod> methods, LearnListener listener) throws IOException {
    LearnSettings settings = LearnSettings.published(data).withLength(steps, Math.min(TEST_IMAGES, data.test().count()));
    return PermutedImages.run(data, settings, new PermutedImages.Options(tasks, methods, backend, true, false, null), listener);
  }
}
