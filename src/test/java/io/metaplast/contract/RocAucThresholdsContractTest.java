package io.metaplast.contract;

import io.metaplast.F32Buffer;
import io.metaplast.oracle.ReadoutOracle;
import java.util.List;

class RocAucThresholdsContractTest extends KernelContract {
  RocAucThresholdsContractTest() {
    super("rocAucThresholds");
  }

  @Override
  boolean splits() {
    return false; // one number from all scores
  }

  @Override
  public List<Mode> modes() {
    return List.of(mode("rocAucThresholds, many in", true), mode("rocAucThresholds, many out", false));
  }

  private static Mode mode(String name, boolean manyIn) {
    return new Mode(
        name,
        r -> {
          int few = 1 + r.theCase().index() % 61;
          F32Buffer in = r.in("in", scores(r, manyIn ? 1 + r.n() : few));
          F32Buffer ood = r.in("ood", scores(r, manyIn ? few : 1 + r.n()));
          r.number("auc", r.backend().bayes().rocAucThresholds(in, ood, r.stream()));
        },
        r -> {
          double expected = ReadoutOracle.rocAucThresholds(r.before("in"), r.before("ood"));
          if (!(Math.abs(r.number("auc") - expected) <= 1e-12)) {
            throw new AssertionError("auc is " + r.number("auc") + ", oracle " + expected);
          }
        });
  }

  /** Entropy-like scores, and some that lie on a threshold. */
  private static float[] scores(Run r, int n) {
    float[] s = RocAucContractTest.scores(r, n);
    for (int i = 0; i < n; i++) {
      s[i] = r.random().nextInt(3) == 0 ? 2f * (float) (r.random().nextInt(1000) / 999.0) : Math.abs(s[i]);
    }
    return s;
  }
}
