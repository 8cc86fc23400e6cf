package io.metaplast.continual;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * How a binarized network keeps what it has learned.
 *
 * @param kind the rule
 * @param meta metaplasticity; 0 for the rules that have none
 */
public record BnnMethod(Kind kind, double meta) {
  /** The rules. */
  public enum Kind {
    /** Metaplastic Adam; meta = 0 is plain Adam. */
    META,
    /** Plain Adam and elastic weight consolidation on the binary weights. */
    EWC,
    /** The control of EWC: its importance values, shuffled within each layer. */
    RANDOM,
    /** A control of the stream: all its images at once, for as many epochs. */
    AT_ONCE
  }

  /** Validates. */
  public BnnMethod {
    if (!(meta >= 0 && meta < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("meta = " + meta + " must be finite and >= 0");
    }
    if (meta != 0 && (kind == Kind.EWC || kind == Kind.RANDOM)) {
      throw new IllegalArgumentException("meta = " + meta + ": " + kind + " has none");
    }
  }

  /** Whether importance values are estimated when a task ends. */
  boolean penalised() {
    return kind == Kind.EWC || kind == Kind.RANDOM;
  }

  /** Name in result files. */
  @JsonValue
  public String label() {
    String number = meta == Math.rint(meta) ? String.format(Locale.ROOT, "%.0f", meta) : Double.toString(meta);
    return switch (kind) {
      case META -> "meta-" + number;
      case EWC -> "ewc";
      case RANDOM -> "random-consolidation";
      case AT_ONCE -> "at-once-meta-" + number;
    };
  }

  /**
   * Methods by name: "meta" stands for one method per value of {@code metas}; "at-once" for one with the first of them.
   *
   * @throws IllegalArgumentException for another name
   */
  static List<BnnMethod> of(List<String> names, List<Double> metas) {
    if (metas.isEmpty()) {
      throw new IllegalArgumentException("meta is empty; name at least one value");
    }
    List<BnnMethod> methods = new ArrayList<>();
    for (String name : names) {
      switch (name) {
        case "meta" -> metas.forEach(meta -> methods.add(new BnnMethod(Kind.META, meta)));
        case "ewc" -> methods.add(new BnnMethod(Kind.EWC, 0));
        case "random" -> methods.add(new BnnMethod(Kind.RANDOM, 0));
        case "at-once" -> methods.add(new BnnMethod(Kind.AT_ONCE, metas.get(0)));
        default -> throw new IllegalArgumentException("method '" + name + "' is unknown; valid: meta, ewc, random, at-once");
      }
    }
    return methods.stream().distinct().toList();
  }
}
