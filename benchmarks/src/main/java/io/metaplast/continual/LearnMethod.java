package io.metaplast.continual;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;

/** The learning rules that the experiment compares. */
public enum LearnMethod {
  /** Metaplasticity from synaptic uncertainty; Bayesian. */
  MESU("mesu", true),
  /** Bayesian gradient descent; Bayesian. */
  BGD("bgd", true),
  /** Plain gradient descent; a point network, as those below. */
  SGD("sgd", false),
  /** Online elastic weight consolidation: Fisher information and anchor refreshed when a task ends. */
  EWC_ONLINE("ewc-online", false),
  /** Synaptic intelligence. */
  SI("si", false);

  private final String label;
  private final boolean bayesian;

  LearnMethod(String label, boolean bayesian) {
    this.label = label;
    this.bayesian = bayesian;
  }

  /** Name on the command line and in result files. */
  @JsonValue
  public String label() {
    return label;
  }

  /** Whether weights are distributions, of which K samples are drawn. */
  public boolean bayesian() {
    return bayesian;
  }

  /** Whether the rule has to be told when a task ends. */
  public boolean usesTaskBoundaries() {
    return this == EWC_ONLINE || this == SI;
  }

  /**
   * The method of that name.
   *
   * @throws IllegalArgumentException if there is none; the message lists them
   */
  public static LearnMethod of(String label) {
    for (LearnMethod method : values()) {
      if (method.label.equals(label)) {
        return method;
      }
    }
    throw new IllegalArgumentException(
        "method '" + label + "' is unknown; valid: all, " + String.join(", ", Arrays.stream(values()).map(LearnMethod::label).toList()));
  }
}
