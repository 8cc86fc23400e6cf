package io.metaplast.continual;

import java.util.List;

/** Told how a run goes. Called on the thread of the run; an exception thrown from here ends the run, finished tasks stay stored. */
public interface LearnListener {
  /** Ignores everything. */
  LearnListener NONE = new LearnListener() {};

  /**
   * A method starts.
   *
   * @param tasks tasks of the run
   * @param stepsPerTask training steps of a task
   * @param finished results taken over from an earlier, interrupted run; may be empty
   */
  default void start(LearnMethod method, int tasks, int stepsPerTask, List<TaskResult> finished) {}

  /** {@code steps} more training steps of the current method are done. */
  default void steps(int steps) {}

  /** A task has been learned, tested and stored. */
  default void finished(LearnMethod method, TaskResult result) {}

  /** A method has ended. */
  default void end(MethodResult result) {}

  /** Something the user should read. */
  default void notice(String message) {}
}
