package io.metaplast.contract;

import io.metaplast.BitMatrix;
import io.metaplast.F32Buffer;
import io.metaplast.oracle.BitOracle;
import io.metaplast.oracle.Bounded;
import java.util.List;

class BinaryEwcPenaltyGradientContractTest extends BinaryContract {
  BinaryEwcPenaltyGradientContractTest() {
    super("ewcPenaltyGradient");
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        new Mode(
            "binary ewcPenaltyGradient",
            r -> {
              int[] d = Dims.matrix(r);
              int n = d[0] * d[1];
              double lambda = r.random().nextInt(4) * 1666.67;
              BitMatrix signs = r.inBits("signs", r.randomBits(d[0], d[1]));
              F32Buffer total = r.in("total", r.positive(n));
              F32Buffer target = r.in("target", r.signed(n));
              F32Buffer gradient = r.inOut("gradient", r.signed(n));
              r.pieces(
                  d[0],
                  (from, rows) -> {
                    long at = (long) from * d[1];
                    long count = (long) rows * d[1];
                    r.backend().binary().ewcPenaltyGradient(
                        signs.rows(from, rows), total.slice(at, count), target.slice(at, count), lambda, gradient.slice(at, count), r.stream());
                  });
              r.number("lambda", lambda);
            },
            r -> {
              BitOracle signs = r.bitsBefore("signs");
              for (int i = 0; i < r.before("total").length; i++) {
                Bounded t = Bounded.of(signs.sign(i / signs.cols(), i % signs.cols()) * r.before("total")[i]).minus(r.before("target")[i]);
                Bounded g = t.times((float) r.number("lambda")).plus(r.before("gradient")[i]);
                Check.near("gradient", i, r.after("gradient")[i], g.value(), g.error());
              }
            }));
  }
}
