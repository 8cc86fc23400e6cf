package io.metaplast.contract;

import io.metaplast.BitMatrix;
import io.metaplast.F32Buffer;
import io.metaplast.oracle.BitOracle;
import io.metaplast.oracle.Bounded;
import java.util.List;

class BinaryEwcConsolidateContractTest extends BinaryContract {
  BinaryEwcConsolidateContractTest() {
    super("ewcConsolidate");
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        new Mode(
            "ewcConsolidate",
            r -> {
              int[] d = Dims.matrix(r);
              int n = d[0] * d[1];
              BitMatrix signs = r.inBits("signs", r.randomBits(d[0], d[1]));
              F32Buffer fisher = r.in("fisher", r.positive(n));
              F32Buffer total = r.inOut("total", r.positive(n));
              F32Buffer target = r.inOut("target", r.signed(n));
              r.pieces(
                  d[0],
                  (from, rows) -> {
                    long at = (long) from * d[1];
                    long count = (long) rows * d[1];
                    r.backend().binary().ewcConsolidate(
                        signs.rows(from, rows), fisher.slice(at, count), total.slice(at, count), target.slice(at, count), r.stream());
                  });
            },
            r -> {
              BitOracle signs = r.bitsBefore("signs");
              float[] fisher = r.before("fisher");
              for (int i = 0; i < fisher.length; i++) {
                Bounded total = Bounded.of(r.before("total")[i]).plus(fisher[i]);
                Bounded target = Bounded.of(r.before("target")[i]).plus(signs.sign(i / signs.cols(), i % signs.cols()) * fisher[i]);
                Check.near("total", i, r.after("total")[i], total.value(), total.error());
                Check.near("target", i, r.after("target")[i], target.value(), target.error());
              }
            }));
  }
}
