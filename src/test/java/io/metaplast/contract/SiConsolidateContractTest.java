package io.metaplast.contract;

import static io.metaplast.contract.Check.TINY;
import static io.metaplast.contract.Check.U;

import io.metaplast.F32Buffer;
import io.metaplast.oracle.BaselineOracle;
import java.util.List;

class SiConsolidateContractTest extends KernelContract {
  SiConsolidateContractTest() {
    super("siConsolidate");
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        new Mode(
            "siConsolidate",
            r -> {
              F32Buffer theta = r.in("theta", r.signed(r.n()));
              F32Buffer path = r.inOut("path", r.signed(r.n()));
              F32Buffer anchor = r.inOut("anchor", r.signed(r.n()));
              F32Buffer omega = r.inOut("omega", r.positive(r.n()));
              r.pieces(
                  r.n(),
                  (from, length) ->
                      r.backend().bayes().siConsolidate(
                          theta.slice(from, length), xi(r), path.slice(from, length), anchor.slice(from, length), omega.slice(from, length), r.stream()));
            },
            r -> {
              float[] theta = r.before("theta");
              float[] path = r.before("path");
              float[] anchor = r.before("anchor");
              float[] omega = r.before("omega");
              for (int i = 0; i < theta.length; i++) {
                double delta = (double) theta[i] - anchor[i];
                double expected = BaselineOracle.siConsolidate(delta, (float) xi(r), path[i], omega[i]);
                double rest = Math.abs(path[i]) / (delta * delta + (float) xi(r));
                Check.near("omega", i, r.after("omega")[i], expected, U * (omega[i] + 7 * rest) + TINY);
                Check.equal("path", i, Float.floatToRawIntBits(r.after("path")[i]), 0);
                Check.equal("anchor", i, Float.floatToRawIntBits(r.after("anchor")[i]), Float.floatToRawIntBits(theta[i]));
              }
            }));
  }

  private static double xi(Run r) {
    return r.theCase().index() % 2 == 0 ? 1 : 1e-3;
  }
}
