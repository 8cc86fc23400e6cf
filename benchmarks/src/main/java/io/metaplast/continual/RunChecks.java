package io.metaplast.continual;

import java.util.List;

/** What is refused before an experiment starts. */
final class RunChecks {
  private RunChecks() {}

  static void somethingToDo(int tasks, List<?> methods) {
    if (tasks < 1) {
      throw new IllegalArgumentException("tasks = " + tasks + " must be >= 1");
    }
    if (methods.isEmpty()) {
      throw new IllegalArgumentException("methods is empty; name at least one");
    }
  }

  static void atMost(String name, long value, long limit) {
    if (value > limit) {
      throw new IllegalArgumentException(name + " = " + value + " must be at most " + limit);
    }
  }
}
