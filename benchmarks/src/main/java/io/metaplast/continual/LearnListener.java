package io.metaplast.continual;

/** Told how a run goes. Called on the thread of the run; an exception thrown from here ends the run, finished tasks stay stored. */
public interface LearnListener {
  /** Ignores everything. */
  LearnListener NONE = new LearnListener() {};

  /**
   * A method starts.
   *
   * @param method its name
   * @param steps training steps of the run
   * @param finishedSteps steps taken over from an earlier, interrupted run
   * @param finishedTasks tasks taken over from it
   */
  default void start(String method, long steps, long finishedSteps, int finishedTasks) {}

  /** {@code steps} more training steps of the current method are done. */
  default void steps(int steps) {}

  /**
   * A task has been learned, tested and stored.
   *
   * @param summary its figures in a few words
   */
  default void finished(String method, String summary) {}

  /** A method has ended. */
  default void end(String method) {}

  /** Something the user should read. */
  default void notice(String message) {}
}
