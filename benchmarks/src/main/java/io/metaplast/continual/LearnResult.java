package io.metaplast.continual;

import io.metaplast.bench.Machine;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A whole run: settings, machine and one curve per method.
 *
 * @param experiment what was run, in words
 * @param data the image sets, in words
 * @param settings everything the figures depend on
 * @param machine where it ran
 * @param environment backends and libraries in use, by name
 * @param methods in the order they ran
 */
public record LearnResult(
    String experiment, String data, LearnSettings settings, Machine machine, Map<String, String> environment, List<MethodResult> methods) {
  /** Copies. */
  public LearnResult {
    environment = Collections.unmodifiableMap(new LinkedHashMap<>(environment));
    methods = List.copyOf(methods);
  }
}
