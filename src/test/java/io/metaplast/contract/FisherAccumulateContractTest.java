package io.metaplast.contract;

import static io.metaplast.contract.Check.TINY;
import static io.metaplast.contract.Check.U;

import io.metaplast.F32Buffer;
import io.metaplast.oracle.BaselineOracle;
import java.util.List;

class FisherAccumulateContractTest extends KernelContract {
  FisherAccumulateContractTest() {
    super("fisherAccumulate");
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        new Mode(
            "fisherAccumulate",
            r -> {
              F32Buffer g = r.in("g", r.signed(r.n()));
              F32Buffer fisher = r.inOut("fisher", r.positive(r.n()));
              r.pieces(r.n(), (from, length) -> r.backend().bayes().fisherAccumulate(g.slice(from, length), fisher.slice(from, length), r.stream()));
            },
            r -> {
              float[] g = r.before("g");
              float[] fisher = r.before("fisher");
              for (int i = 0; i < g.length; i++) {
                double expected = BaselineOracle.fisherAccumulate(g[i], fisher[i]);
                Check.near("fisher", i, r.after("fisher")[i], expected, 3 * U * expected + TINY);
              }
            }));
  }
}
