package io.metaplast.contract;

import static io.metaplast.contract.Check.U;

import io.metaplast.F32Buffer;
import io.metaplast.oracle.RandomOracle;
import java.util.List;

class SampleContractTest extends KernelContract {
  SampleContractTest() {
    super("sample");
  }

  @Override
  int[] threadSizes() {
    return new int[] {3, 1000, 100_003};
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        new Mode(
            "sample",
            r -> {
              Run.Group<F32Buffer> mu = r.group("mu", 1, Run.GroupKind.SIGNED_IN);
              Run.Group<F32Buffer> sigma = r.group("sigma", 1, Run.GroupKind.POSITIVE_IN);
              Run.Group<F32Buffer> w = r.group("w", samples(r), Run.GroupKind.OUT);
              r.tensorSets().forEach(
                  set -> r.backend().bayes().sample(r.weights(mu, sigma, null, set), r.seed(), r.step(), w.of(set), r.stream()));
            },
            SampleContractTest::verify));
  }

  private static int samples(Run r) {
    return r.theCase().index() % 41 == 7 ? 19 : 1 + r.theCase().index() % 5;
  }

  private static void verify(Run r) {
    for (int t = 0; t < r.layout().tensors(); t++) {
      float[] mu = r.before("mu." + t);
      float[] sigma = r.before("sigma." + t);
      float[] w = r.after("w." + t);
      int n = mu.length;
      for (int i = 0; i < w.length; i++) {
        double z = RandomOracle.epsilon(r.seed(), r.layout().number(t), i / n, r.step(), i % n);
        double expected = mu[i % n] + sigma[i % n] * z;
        double bound = U * (Math.abs(sigma[i % n] * z) + Math.abs(expected)) * (1 + 8 * U) + sigma[i % n] * RandomOracle.normalBound(z) * (1 + 4 * U);
        Check.near("w." + t, i, w[i], expected, bound);
      }
    }
  }
}
