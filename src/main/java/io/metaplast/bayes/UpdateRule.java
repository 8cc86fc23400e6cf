package io.metaplast.bayes;

import java.util.List;
import java.util.Objects;

/**
 * How a Gaussian posterior is updated from the gradients of one batch: {@link MesuParams}, {@link MesuRatioParams}, {@link BgdParams}, or one such rule
 * per tensor ({@link #perTensor}). Immutable; validated when built. Create a rule once and pass the same object to every call: its constants are
 * then prepared only once.
 */
public sealed interface UpdateRule permits MesuParams, MesuRatioParams, BgdParams, UpdateRule.PerTensor {
  /** One rule per tensor of a layout, in order; all of the same class. */
  static UpdateRule perTensor(List<? extends UpdateRule> rules) {
    return new PerTensor(rules);
  }

  /**
   * One rule per tensor, all of the same class.
   *
   * @param rules the rules, in the order of the layout
   */
  record PerTensor(List<? extends UpdateRule> rules) implements UpdateRule {
    /** Copies and validates. */
    public PerTensor {
      rules = List.copyOf(Objects.requireNonNull(rules, "rules"));
      if (rules.isEmpty()) {
        throw new IllegalArgumentException("rules is empty: one rule per tensor is needed");
      }
      for (int t = 0; t < rules.size(); t++) {
        if (rules.get(t) instanceof PerTensor || rules.get(t).getClass() != rules.get(0).getClass()) {
          throw new IllegalArgumentException(
              "rules[" + t + "] is a " + rules.get(t).getClass().getSimpleName() + "; all must be of the same simple rule as rules[0], a "
                  + rules.get(0).getClass().getSimpleName());
        }
      }
    }
  }
}
