package io.metaplast.contract;

import static io.metaplast.contract.Check.U;

import io.metaplast.F32Buffer;
import io.metaplast.oracle.ReadoutOracle;
import java.util.List;

class DiagHessianFromSigmaContractTest extends KernelContract {
  DiagHessianFromSigmaContractTest() {
    super("diagHessianFromSigma");
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        new Mode(
            "diagHessianFromSigma",
            r -> {
              F32Buffer sigma = r.in("sigma", r.positive(r.n()));
              F32Buffer h = r.out("h", r.n());
              r.pieces(
                  r.n(),
                  (from, length) ->
                      r.backend().bayes().diagHessianFromSigma(sigma.slice(from, length), prior(r), window(r), h.slice(from, length), r.stream()));
            },
            r -> {
              float[] sigma = r.before("sigma");
              float[] h = r.after("h");
              for (int i = 0; i < h.length; i++) {
                double expected = ReadoutOracle.diagHessian(sigma[i], (float) prior(r), window(r));
                double terms = (1.0 / sigma[i] / sigma[i] + 1 / (prior(r) * prior(r))) / window(r);
                Check.near("h", i, h[i], expected, 6 * U * terms);
              }
            }));
  }

  private static double prior(Run r) {
    return 0.06 + r.theCase().index() % 3;
  }

  private static double window(Run r) {
    return 300_000 + r.theCase().index();
  }
}
