package io.metaplast;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/** Counts checks per kernel and target, and what was skipped with which reason; {@link CoverageListener} prints the table at the end of the run. */
public final class Coverage {
  private static final Map<String, Map<String, Long>> CHECKS = new TreeMap<>();
  private static final Map<String, String> SKIPS = new LinkedHashMap<>();
  private static final Map<String, Double> LARGEST = new TreeMap<>();

  private Coverage() {}

  /** {@code count} comparisons of {@code kernel} were made on {@code target}. */
  public static synchronized void checked(String kernel, String target, long count) {
    CHECKS.computeIfAbsent(kernel, k -> new TreeMap<>()).merge(target, count, Long::sum);
  }

  /** {@code what} was seen to reach {@code value}; the table names the largest. */
  public static synchronized void largest(String what, double value) {
    LARGEST.merge(what, value, Math::max);
  }

  /** {@code what} did not run, and why. */
  public static synchronized void skip(String what, String reason) {
    SKIPS.put(what, reason);
  }

  /** Why {@code what} did not run. */
  static synchronized String reason(String what) {
    return SKIPS.getOrDefault(what, "there is no such backend or tier");
  }

  /** The table, then the skips; empty if nothing was recorded. */
  static synchronized String table() {
    if (CHECKS.isEmpty() && SKIPS.isEmpty()) {
      return "";
    }
    TreeSet<String> targets = new TreeSet<>(java.util.Comparator.comparing(Coverage::order));
    CHECKS.values().forEach(row -> targets.addAll(row.keySet()));
    StringBuilder out = new StringBuilder("\nChecks per kernel and backend (seed " + Seeds.base() + ", numerics version " + Metaplast.NUMERICS_VERSION + ")\n");
    out.append(String.format("%-32s", "kernel"));
    targets.forEach(t -> out.append(String.format("%14s", t)));
    out.append('\n');
    CHECKS.forEach(
        (kernel, row) -> {
          out.append(String.format("%-32s", kernel));
          targets.forEach(t -> out.append(String.format("%14s", row.containsKey(t) ? row.get(t).toString() : "-")));
          out.append('\n');
        });
    LARGEST.forEach((what, value) -> out.append(String.format("largest %s: %.3g%n", what, value)));
    SKIPS.forEach((what, reason) -> out.append(what).append(": SKIP: ").append(reason).append('\n'));
    return out.toString();
  }

  private static String order(String target) {
    return switch (target) {
      case "java" -> "0";
      case "cpu/scalar" -> "1";
      case "cpu/avx2" -> "2";
      case "cpu/avx512" -> "3";
      case "cuda" -> "4";
      default -> "5" + target;
    };
  }
}
