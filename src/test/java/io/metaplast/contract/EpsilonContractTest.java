package io.metaplast.contract;

import io.metaplast.F32Buffer;
import io.metaplast.oracle.RandomOracle;
import java.util.List;

class EpsilonContractTest extends KernelContract {
  EpsilonContractTest() {
    super("epsilon");
  }

  @Override
  int[] threadSizes() {
    return new int[] {3, 1000, 100_003};
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        new Mode(
            "epsilon",
            r -> {
              Run.Group<F32Buffer> epsilon = r.group("epsilon", 1 + r.theCase().index() % 4, Run.GroupKind.OUT);
              r.tensorSets().forEach(set -> r.backend().bayes().epsilon(r.seed(), r.step(), epsilon.of(set), r.stream()));
            },
            r -> {
              int samples = 1 + r.theCase().index() % 4;
              for (int t = 0; t < r.layout().tensors(); t++) {
                float[] z = r.after("epsilon." + t);
                for (int i = 0; i < z.length; i++) {
                  int n = z.length / samples;
                  double expected = RandomOracle.epsilon(r.seed(), r.layout().number(t), i / n, r.step(), i % n);
                  Check.near("epsilon." + t, i, z[i], expected, RandomOracle.normalBound(expected));
                }
              }
            }));
  }
}
