package io.metaplast;

import java.util.Map;
import java.util.Objects;

/**
 * What a backend is, or why it is not there.
 *
 * @param kind the backend
 * @param available whether it can be opened
 * @param reason if not available: why, in words that name the next step; else empty
 * @param device device in use: CPU or GPU name, or the Java runtime
 * @param isa tier in force (CPU), compute capability (CUDA) or empty
 * @param threads threads a call may use, the caller included; 0 where not applicable
 * @param details further facts by name, in the order to print them
 */
public record BackendInfo(
    BackendKind kind, boolean available, String reason, String device, String isa, int threads, Map<String, String> details) {
  /** Copies details. */
  public BackendInfo {
    Objects.requireNonNull(kind, "kind");
    Objects.requireNonNull(reason, "reason");
    Objects.requireNonNull(device, "device");
    Objects.requireNonNull(isa, "isa");
    details = java.util.Collections.unmodifiableMap(new java.util.LinkedHashMap<>(details));
  }
}
