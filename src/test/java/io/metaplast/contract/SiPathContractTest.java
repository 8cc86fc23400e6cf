package io.metaplast.contract;

import static io.metaplast.contract.Check.TINY;
import static io.metaplast.contract.Check.U;

import io.metaplast.F32Buffer;
import io.metaplast.oracle.BaselineOracle;
import java.util.List;

class SiPathContractTest extends KernelContract {
  SiPathContractTest() {
    super("siPath");
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        new Mode(
            "siPath",
            r -> {
              F32Buffer g = r.in("g", r.signed(r.n()));
              F32Buffer thetaNew = r.in("thetaNew", r.signed(r.n()));
              F32Buffer thetaOld = r.in("thetaOld", r.signed(r.n()));
              F32Buffer path = r.inOut("path", r.signed(r.n()));
              r.pieces(
                  r.n(),
                  (from, length) ->
                      r.backend().bayes().siPath(
                          g.slice(from, length), thetaNew.slice(from, length), thetaOld.slice(from, length), path.slice(from, length), r.stream()));
            },
            r -> {
              float[] g = r.before("g");
              float[] thetaNew = r.before("thetaNew");
              float[] thetaOld = r.before("thetaOld");
              float[] path = r.before("path");
              for (int i = 0; i < g.length; i++) {
                double expected = BaselineOracle.siPath(g[i], thetaNew[i], thetaOld[i], path[i]);
                double terms = Math.abs(path[i]) + Math.abs(g[i]) * (Math.abs(thetaNew[i]) + Math.abs(thetaOld[i]));
                Check.near("path", i, r.after("path")[i], expected, 4 * U * terms + TINY);
              }
            }));
  }
}
