package io.metaplast.contract;

import static io.metaplast.contract.Check.TINY;
import static io.metaplast.contract.Check.U;

import io.metaplast.F32Buffer;
import io.metaplast.oracle.BaselineOracle;
import java.util.List;

class SgdStepContractTest extends KernelContract {
  SgdStepContractTest() {
    super("sgdStep");
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        new Mode(
            "sgdStep",
            r -> {
              F32Buffer theta = r.inOut("theta", r.signed(r.n()));
              F32Buffer g = r.in("g", r.signed(r.n()));
              r.pieces(r.n(), (from, length) -> r.backend().bayes().sgdStep(theta.slice(from, length), g.slice(from, length), 0.002, r.stream()));
            },
            r -> {
              float[] theta = r.before("theta");
              float[] g = r.before("g");
              for (int i = 0; i < theta.length; i++) {
                double expected = BaselineOracle.sgd(theta[i], g[i], (float) 0.002);
                Check.near("theta", i, r.after("theta")[i], expected, 3 * U * (Math.abs(theta[i]) + 0.002 * Math.abs(g[i])) + TINY);
              }
            }));
  }
}
