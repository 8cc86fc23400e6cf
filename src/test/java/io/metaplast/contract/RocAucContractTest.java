package io.metaplast.contract;

import io.metaplast.F32Buffer;
import io.metaplast.oracle.ReadoutOracle;
import java.util.List;

class RocAucContractTest extends KernelContract {
  RocAucContractTest() {
    super("rocAuc");
  }

  @Override
  boolean splits() {
    return false; // one number from all pairs
  }

  @Override
  public List<Mode> modes() {
    return List.of(mode("rocAuc, many in", true), mode("rocAuc, many out", false));
  }

  private static Mode mode(String name, boolean manyIn) {
    return new Mode(
        name,
        r -> {
          int few = 1 + r.theCase().index() % 61;
          F32Buffer in = r.in("in", scores(r, manyIn ? 1 + r.n() : few));
          F32Buffer ood = r.in("ood", scores(r, manyIn ? few : 1 + r.n()));
          r.number("auc", r.backend().bayes().rocAuc(in, ood, r.stream()));
        },
        r -> {
          double expected = ReadoutOracle.rocAuc(r.before("in"), r.before("ood"));
          if (Math.abs(r.number("auc") - expected) > 1e-15) {
            throw new AssertionError("auc is " + r.number("auc") + ", oracle " + expected);
          }
        });
  }

  /** Scores with many ties. */
  static float[] scores(Run r, int n) {
    float[] s = r.signed(n);
    for (int i = 1; i < n; i++) {
      if (r.random().nextInt(4) == 0) {
        s[i] = s[r.random().nextInt(i)];
      }
    }
    return s;
  }
}
