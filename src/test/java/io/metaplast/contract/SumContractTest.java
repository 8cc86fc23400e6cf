package io.metaplast.contract;

import static io.metaplast.contract.Check.U;

import io.metaplast.F32Buffer;
import io.metaplast.oracle.ReadoutOracle;
import java.util.List;

class SumContractTest extends KernelContract {
  SumContractTest() {
    super("sum");
  }

  @Override
  boolean splits() {
    return false; // one fixed order of additions over the whole range
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        new Mode(
            "sum",
            r -> {
              F32Buffer x = r.in("x", r.signed(r.n()));
              F32Buffer out = r.out("out", 1);
              r.backend().bayes().sum(x, out, r.keep(r.backend().workspace(r.backend().bayes().sumWorkspaceBytes(r.n()))), r.stream());
            },
            r -> {
              double sum = 0;
              double terms = 0;
              for (float v : r.before("x")) {
                sum += v;
                terms += Math.abs(v);
              }
              Check.near("out", 0, r.after("out")[0], sum, (ReadoutOracle.r16Depth(r.n()) + 1) * U * terms);
            }));
  }
}
