package io.metaplast.contract;

import static io.metaplast.contract.Check.U;

import io.metaplast.Coverage;
import io.metaplast.Data.Profile;
import io.metaplast.F32Buffer;
import io.metaplast.TestBackends;
import io.metaplast.TestBackends.Target;
import io.metaplast.oracle.ReadoutOracle;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SumContractTest extends KernelContract {
  SumContractTest() {
    super("sum");
  }

  @Override
  boolean splits() {
    return false; // one fixed order of additions over the whole range
  }

  /** More than 4096 chunks: three levels of sums. */
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void threeLevels(Target target) {
    Mode mode = modes().get(0);
    Case large = new Case(600_000, (1 << 24) + 4096 + 17, 3, Profile.TAME, false);
    try (Run run = Run.of(mode, large, target.backend());
        Run java = Run.of(mode, large, TestBackends.java().backend())) {
      mode.verify().accept(run);
      run.assertSameBits(java, target.name() + " against java");
    }
    Coverage.checked(kernel(), target.name(), 1);
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
