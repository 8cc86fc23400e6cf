package io.metaplast.continual;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** What the summaries of methods on a sequence of tasks have in common. Accuracies are fractions. */
public interface EndOfRun {
  /** Tasks learned. */
  int tasks();

  /** Mean accuracy over all tasks. */
  double mean();

  /** Mean over tasks of the accuracy right after learning them. */
  double newestMean();

  /** Accuracy on the first task. */
  double first();

  /** Accuracy on every task. */
  List<TaskResult.Tested> end();

  /** Training time, the staging of images included. */
  double millisPerStep();

  /** Accuracy on every task in %, one after the other. */
  default String accuracies() {
    return end().stream().map(t -> String.format(Locale.ROOT, "%.1f", 100 * t.accuracy())).collect(Collectors.joining(" "));
  }

  /** A fraction in %. */
  static String percent(double fraction) {
    return String.format(Locale.ROOT, "%.2f", 100 * fraction);
  }
}
