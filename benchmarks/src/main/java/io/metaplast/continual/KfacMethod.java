package io.metaplast.continual;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;

/** How a network with batch norm keeps what it has learned: which curvature of earlier tasks holds its weights. */
public enum KfacMethod {
  /** Nothing. */
  NONE("none"),
  /** Squared gradients of single examples, one number a weight. */
  EWC("ewc"),
  /** One Kronecker pair a layer, as if batch norm did not tie the examples of a batch. */
  PLAIN("plain"),
  /** The same with the relations between examples that batch norm makes: under it the input factor is the centred covariance. */
  EXTENDED("extended"),
  /** Statistics of batch norm held fixed after the first task and merged into the weights; plain pairs of the merged layers, with bias. */
  MERGED("merged");

  private final String label;

  KfacMethod(String label) {
    this.label = label;
  }

  /** Name on the command line and in result files. */
  @JsonValue
  public String label() {
    return label;
  }

  /** Whether matrices are held by Kronecker pairs. */
  boolean kronecker() {
    return this == PLAIN || this == EXTENDED || this == MERGED;
  }

  /**
   * The method of that name.
   *
   * @throws IllegalArgumentException if there is none; the message lists them
   */
  static KfacMethod of(String label) {
    for (KfacMethod method : values()) {
      if (method.label.equals(label)) {
        return method;
      }
    }
    throw new IllegalArgumentException(
        "method '" + label + "' is unknown; valid: " + String.join(", ", Arrays.stream(values()).map(KfacMethod::label).toList()));
  }
}
