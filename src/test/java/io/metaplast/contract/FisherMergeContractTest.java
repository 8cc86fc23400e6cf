package io.metaplast.contract;

import static io.metaplast.contract.Check.TINY;
import static io.metaplast.contract.Check.U;

import io.metaplast.F32Buffer;
import io.metaplast.oracle.BaselineOracle;
import java.util.List;

class FisherMergeContractTest extends KernelContract {
  FisherMergeContractTest() {
    super("fisherMerge");
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        new Mode(
            "fisherMerge",
            r -> {
              F32Buffer fisher = r.inOut("fisher", r.positive(r.n()));
              F32Buffer total = r.inOut("total", r.positive(r.n()));
              r.pieces(
                  r.n(),
                  (from, length) ->
                      r.backend().bayes().fisherMerge(fisher.slice(from, length), items(r), 0.2, total.slice(from, length), r.stream()));
            },
            r -> {
              float[] fisher = r.before("fisher");
              float[] total = r.before("total");
              for (int i = 0; i < fisher.length; i++) {
                double expected = BaselineOracle.fisherMerge(fisher[i], items(r), (float) 0.2, total[i]);
                Check.near("total", i, r.after("total")[i], expected, 4 * U * expected + TINY);
                Check.equal("fisher", i, Float.floatToRawIntBits(r.after("fisher")[i]), 0);
              }
            }));
  }

  private static long items(Run r) {
    return 1 + r.theCase().index() % 60_000;
  }
}
