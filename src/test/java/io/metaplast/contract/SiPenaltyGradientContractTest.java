package io.metaplast.contract;

import static io.metaplast.contract.Check.TINY;
import static io.metaplast.contract.Check.U;

import io.metaplast.F32Buffer;
import io.metaplast.oracle.BaselineOracle;
import java.util.List;

class SiPenaltyGradientContractTest extends KernelContract {
  SiPenaltyGradientContractTest() {
    super("siPenaltyGradient");
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        new Mode(
            "siPenaltyGradient",
            r -> {
              F32Buffer theta = r.in("theta", r.signed(r.n()));
              F32Buffer anchor = r.in("anchor", r.signed(r.n()));
              F32Buffer omega = r.in("omega", r.positive(r.n()));
              F32Buffer g = r.inOut("g", r.signed(r.n()));
              r.pieces(
                  r.n(),
                  (from, length) ->
                      r.backend().bayes().siPenaltyGradient(
                          theta.slice(from, length), anchor.slice(from, length), omega.slice(from, length), 0.08, g.slice(from, length), r.stream()));
            },
            r -> {
              float[] theta = r.before("theta");
              float[] anchor = r.before("anchor");
              float[] omega = r.before("omega");
              float[] g = r.before("g");
              for (int i = 0; i < g.length; i++) {
                double expected = BaselineOracle.siPenaltyGradient(theta[i], anchor[i], omega[i], 0.08, g[i]);
                double terms = Math.abs(g[i]) + 0.16 * omega[i] * (Math.abs(theta[i]) + Math.abs(anchor[i]));
                Check.near("g", i, r.after("g")[i], expected, 6 * U * terms + TINY);
              }
            }));
  }
}
