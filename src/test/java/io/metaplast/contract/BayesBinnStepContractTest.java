package io.metaplast.contract;

import io.metaplast.F32Buffer;
import io.metaplast.binary.BayesBinnParams;
import io.metaplast.oracle.BinaryOracle;
import io.metaplast.oracle.Bounded;
import java.util.List;

class BayesBinnStepContractTest extends BinaryContract {
  BayesBinnStepContractTest() {
    super("bayesBinnStep");
  }

  @Override
  boolean splits() {
    return false; // samples are [K][n]
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        new Mode(
            "bayesBinnStep",
            r -> {
              int n = r.n();
              int samples = 1 + r.theCase().index() % 4;
              BayesBinnParams p =
                  new BayesBinnParams(1e-3, r.random().nextBoolean() ? 0.9 : 0, r.random().nextBoolean() ? 1 : 0.01, 100, 0.25, r.random().nextInt(2));
              long step = 1 + r.random().nextInt(2000);
              F32Buffer lambda = r.inOut("lambda", r.signed(n));
              F32Buffer momentum = r.inOut("momentum", r.signed(n));
              float[] w = r.signed(samples * n);
              for (int i = 0; i < w.length; i++) {
                w[i] = r.theCase().profile() == io.metaplast.Data.Profile.TAME ? (float) StrictMath.tanh(w[i]) : w[i];
              }
              F32Buffer gradients = r.in("gradients", r.signed(samples * n));
              r.backend().binary().bayesBinnStep(lambda, momentum, samples, r.in("samples", w), gradients, p, step, r.stream());
              r.number("step", step);
              r.remember(p);
            },
            BayesBinnStepContractTest::verify));
  }

  private static void verify(Run r) {
    int samples = 1 + r.theCase().index() % 4;
    BayesBinnParams p = r.remembered(BayesBinnParams.class);
    float[] lambda = r.before("lambda");
    int n = lambda.length;
    for (int i = 0; i < n; i++) {
      double[] w = new double[samples];
      double[] g = new double[samples];
      for (int k = 0; k < samples; k++) {
        w[k] = r.before("samples")[k * n + i];
        g[k] = r.before("gradients")[k * n + i];
      }
      BinaryOracle.BinnState s =
          BinaryOracle.binn(
              lambda[i], r.before("momentum")[i], w, g, (float) (1 / p.temperature()), (float) (p.trainItems() / samples), (float) p.prior(),
              (float) p.priorWeight(), (float) p.momentum(), (float) (1 - p.momentum()),
              (float) (p.rate() / (1 - Math.pow(p.momentum(), r.number("step")))));
      Check.near("momentum", i, r.after("momentum")[i], s.momentum().value(), s.momentum().error());
      Check.near("lambda", i, r.after("lambda")[i], s.l().value(), s.l().error());
    }
  }
}
