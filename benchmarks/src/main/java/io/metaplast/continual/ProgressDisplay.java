package io.metaplast.continual;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** A progress bar per method, with the time left and the latest accuracies. */
final class ProgressDisplay implements LearnListener, AutoCloseable {
  private static final int UPDATE_MILLIS = 500;

  private final PrintWriter out;
  private ProgressBar bar;

  ProgressDisplay(PrintWriter out) {
    this.out = out;
  }

  @Override
  public void start(LearnMethod method, int tasks, int stepsPerTask, List<TaskResult> finished) {
    if (!finished.isEmpty()) {
      out.println(method.label() + ": continuing after task " + finished.size() + " of an earlier run");
      out.flush();
    }
    long done = (long) finished.size() * stepsPerTask;
    // The bar's own estimate would take the steps of the earlier run for work done in no time, so it starts after them.
    bar =
        new ProgressBarBuilder()
            .setTaskName(method.label())
            .setInitialMax((long) tasks * stepsPerTask)
            .startsFrom(Math.min(done, (long) tasks * stepsPerTask), Duration.ZERO)
            .setStyle(ProgressBarStyle.ASCII)
            .setUnit(" steps", 1)
            .setUpdateIntervalMillis(UPDATE_MILLIS)
            .build();
  }

  @Override
  public void steps(int steps) {
    bar.stepBy(steps);
  }

  @Override
  public void finished(LearnMethod method, TaskResult result) {
    bar.setExtraMessage(
        String.format(
            Locale.ROOT, " task %d: newest %.2f %%, last 5 %.2f %%, %.0f us/step", result.task(), 100 * result.newest(),
            100 * result.lastFive(), result.microsecondsPerStep()));
  }

  @Override
  public void end(MethodResult result) {
    close();
  }

  @Override
  public void notice(String message) {
    out.println(message);
    out.flush();
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
      bar = null;
    }
  }
}
