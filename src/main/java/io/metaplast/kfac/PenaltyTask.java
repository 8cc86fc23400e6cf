package io.metaplast.kfac;

import io.metaplast.F32Matrix;
import java.util.List;

/**
 * What is remembered of one task: lambda/2 sum over layers and terms of weight &lt;W - anchor, G (W - anchor) A&gt;.
 *
 * @param lambda finite, &gt;= 0
 * @param anchors the task's optimum, one matrix [out][in] a layer
 * @param terms for each layer its Kronecker terms: one, or two for a layer under batch norm; none for a layer without penalty
 */
public record PenaltyTask(double lambda, List<F32Matrix> anchors, List<List<PenaltyTerm>> terms) {
  /**
   * Validates and copies the lists.
   *
   * @throws IllegalArgumentException if lambda is negative, NaN or infinite, the lists differ in length, or a term does not fit its anchor
   */
  public PenaltyTask {
    if (!(lambda >= 0) || lambda == Double.POSITIVE_INFINITY) {
      throw new IllegalArgumentException("lambda = " + lambda + " must be finite and >= 0");
    }
    anchors = List.copyOf(anchors);
    terms = terms.stream().map(List::copyOf).toList();
    if (anchors.size() != terms.size()) {
      throw new IllegalArgumentException("anchors.size " + anchors.size() + " != terms.size " + terms.size());
    }
    for (int l = 0; l < anchors.size(); l++) {
      for (PenaltyTerm term : terms.get(l)) {
        if (term.pair().g().rows() != anchors.get(l).rows() || term.pair().a().rows() != anchors.get(l).cols()) {
          throw new IllegalArgumentException(
              "terms[" + l + "]: factors of " + term.pair().g().rows() + " and " + term.pair().a().rows() + " do not fit anchors[" + l + "], "
                  + anchors.get(l).rows() + " x " + anchors.get(l).cols());
        }
      }
    }
  }
}
