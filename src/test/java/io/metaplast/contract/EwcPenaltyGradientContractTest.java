package io.metaplast.contract;

import static io.metaplast.contract.Check.TINY;
import static io.metaplast.contract.Check.U;

import io.metaplast.F32Buffer;
import io.metaplast.oracle.BaselineOracle;
import java.util.List;

class EwcPenaltyGradientContractTest extends KernelContract {
  EwcPenaltyGradientContractTest() {
    super("ewcPenaltyGradient");
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        new Mode(
            "ewcPenaltyGradient",
            r -> {
              F32Buffer theta = r.in("theta", r.signed(r.n()));
              F32Buffer anchor = r.in("anchor", r.signed(r.n()));
              F32Buffer fisher = r.in("fisher", r.positive(r.n()));
              F32Buffer g = r.inOut("g", r.signed(r.n()));
              r.pieces(
                  r.n(),
                  (from, length) ->
                      r.backend().bayes().ewcPenaltyGradient(
                          theta.slice(from, length), anchor.slice(from, length), fisher.slice(from, length), 0.3, g.slice(from, length), r.stream()));
            },
            r -> {
              float[] theta = r.before("theta");
              float[] anchor = r.before("anchor");
              float[] fisher = r.before("fisher");
              float[] g = r.before("g");
              for (int i = 0; i < g.length; i++) {
                double expected = BaselineOracle.ewcPenaltyGradient(theta[i], anchor[i], fisher[i], (float) 0.3, g[i]);
                double terms = Math.abs(g[i]) + 0.3 * fisher[i] * (Math.abs(theta[i]) + Math.abs(anchor[i]));
                Check.near("g", i, r.after("g")[i], expected, 5 * U * terms + TINY);
              }
            }));
  }
}
