package io.metaplast.continual;

import java.io.PrintWriter;
import java.time.Duration;
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
  public void start(String method, long steps, long finishedSteps, int finishedTasks) {
    if (finishedTasks > 0) {
      out.println(method + ": continuing after task " + finishedTasks + " of an earlier run");
      out.flush();
    }
    // The bar's own estimate would take the steps of the earlier run for work done in no time, so it starts after them.
    bar =
        new ProgressBarBuilder()
            .setTaskName(method)
            .setInitialMax(steps)
            .startsFrom(Math.min(finishedSteps, steps), Duration.ZERO)
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
  public void finished(String method, String summary) {
    bar.setExtraMessage(" " + summary);
  }

  @Override
  public void end(String method) {
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
