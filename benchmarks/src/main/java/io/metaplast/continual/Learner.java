package io.metaplast.continual;

import java.util.Map;

/** One method's network: learns task after task and gives weights to test. */
interface Learner extends AutoCloseable {
  /** Told about training steps as they are done. */
  interface Progress {
    void steps(int steps);
  }

  /**
   * Learns one task.
   *
   * @param task from 0
   * @param order permutation of its pixels
   * @return nanoseconds of the training steps, without the preparation of the images
   */
  long learn(int task, int[] order, Progress progress);

  /** Weight samples of {@link #draw}: K, or 1 for a point network. */
  int samples();

  /**
   * Weights to test with.
   *
   * @param finished tasks learned so far; addresses the random numbers
   * @param first receives the first layer, [samples][hidden][inputs]
   * @param second receives the second layer, [samples][outputs][hidden]
   */
  void draw(int finished, float[] first, float[] second);

  /** Sigma of the network for the report of the task just learned, or null. */
  TaskResult.Sigma sigma();

  /** Everything that later tasks depend on, by name. */
  Map<String, float[]> state();

  /** Puts back what {@link #state} gave. */
  void restore(Map<String, float[]> state);

  /** Microseconds per step by phase if measured, else null. */
  Map<String, Double> profile();

  @Override
  void close();
}
