package io.metaplast.contract;

import io.metaplast.F32Matrix;
import io.metaplast.I32Matrix;
import io.metaplast.oracle.Bounded;
import java.util.List;

class FactorMovingAverageContractTest extends BinaryContract {
  FactorMovingAverageContractTest() {
    super("factorMovingAverage");
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        new Mode(
            "factorMovingAverage",
            r -> {
              int[] d = Dims.matrix(r);
              long batch = 1 + r.random().nextInt(1000);
              double decay = r.random().nextInt(5) / 4.0 * 0.99;
              int[] values = new int[d[0] * d[1]];
              for (int i = 0; i < values.length; i++) {
                values[i] = r.theCase().index() % 3 == 0 ? r.random().nextInt() : r.random().nextInt(-1000, 1001);
              }
              I32Matrix s = r.intMatrix("s", false, d[0], d[1], values);
              F32Matrix factor = r.inOutMatrix("factor", d[0], d[1], r.signed(d[0] * d[1]));
              r.pieces(
                  d[0],
                  (from, rows) -> r.backend().binary().factorMovingAverage(s.rows(from, rows), batch, decay, factor.rows(from, rows), r.stream()));
              r.number("batch", batch);
              r.number("decay", decay);
            },
            r -> {
              double decay = r.number("decay");
              for (int i = 0; i < r.before("factor").length; i++) {
                Bounded t = Bounded.of(r.beforeBits("s")[i]).times(1).times((float) (1 / r.number("batch"))).times((float) (1 - decay));
                Bounded a = Bounded.of((float) decay).times(r.before("factor")[i]).plus(t);
                Check.near("factor", i, r.after("factor")[i], a.value(), a.error());
              }
            }));
  }
}
