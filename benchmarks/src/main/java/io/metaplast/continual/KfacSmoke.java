package io.metaplast.continual;

import io.metaplast.BackendKind;
import io.metaplast.BackendOptions;
import java.io.IOException;
import java.util.List;

/** A short sequence of tasks for a network with batch norm: shows in seconds that it learns on a machine, not how well a method does. */
public final class KfacSmoke {
  private static final int TASKS = 3;
  private static final int IMAGES = 2560;
  private static final int TEST_IMAGES = 1000;

  private KfacSmoke() {}

  /** Training steps over all methods and tasks, for a progress bar. */
  public static long totalSteps() {
    return (long) KfacMethod.values().length * TASKS * KfacSettings.EPOCHS * (IMAGES / KfacSettings.BATCH);
  }

  /** Three permutations of synthetic digits with every method; nothing is stored. */
  public static KfacResult run(BackendOptions backend, LearnListener listener) throws IOException {
    LearnData data = LearnData.synthetic(IMAGES, TEST_IMAGES, null);
    // Products come from OpenBLAS, so that memory must be the host's.
    BackendOptions host = backend.kind() == BackendKind.CUDA ? backend.withKind(null) : backend;
    KfacExperiment.Options options = new KfacExperiment.Options(TASKS, List.of(KfacMethod.values()), host, null);
    return KfacExperiment.run(data, KfacSettings.standard(data, 1000), options, listener);
  }
}
