package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.metaplast.Data.Profile;
import io.metaplast.F32Buffer;
import io.metaplast.TestBackends.Target;
import io.metaplast.bayes.StepReport;
import io.metaplast.binary.BimuParams;
import io.metaplast.oracle.BinaryOracle;
import io.metaplast.oracle.Bounded;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class BimuStepContractTest extends BinaryContract {
  private static final BimuParams PARAMS = new BimuParams(4.9, 0.0023, 161.3, 3.76, 700);

  BimuStepContractTest() {
    super("bimuStep");
  }

  @Override
  boolean splits() {
    return false; // the report counts a whole call
  }

  @Override
  public List<Mode> modes() {
    return List.of(mode("bimuStep", false), mode("bimuStep, gated", true));
  }

  private static Mode mode(String name, boolean gated) {
    return new Mode(
        name,
        r -> {
          F32Buffer lambda = r.inOut("lambda", r.signed(r.n()));
          boolean shut = gated && r.theCase().index() % 4 == 1;
          F32Buffer gradient = r.in("gradient", shut ? new float[r.n()] : r.signed(r.n()));
          StepReport report = gated || r.theCase().index() % 2 == 0 ? r.report() : null;
          r.backend().binary().bimuStep(lambda, gradient, PARAMS, gated, report, r.stream());
        },
        r -> {
          float[] lambda = r.before("lambda");
          float[] g = r.before("gradient");
          boolean open = !gated;
          for (float v : g) {
            open |= Math.abs(v) > 0;
          }
          for (int i = 0; i < lambda.length; i++) {
            Bounded l =
                BinaryOracle.bimu(lambda[i], g[i], (float) 4.9, (float) (1 / 0.0023), (float) 161.3, (float) 3.76, (float) (1 / 700.0));
            Check.near("lambda", i, r.after("lambda")[i], open ? l.value() : lambda[i], open ? l.error() : 0);
          }
        });
  }

  /** 1/rateMax is lost against a huge gradient that points away from 0: the denominator rounds to 0, is counted, and the step still runs. */
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void lostDenominatorsAreCounted(Target target) {
    Mode mode =
        new Mode(
            "lost denominators",
            r -> {
              float[] lambda = new float[100];
              float[] gradient = new float[100];
              for (int i = 0; i < 100; i++) {
                lambda[i] = i % 2 == 0 ? 30f : -30f;
                gradient[i] = i < 40 ? 1e20f * -lambda[i] : 0.01f;
              }
              StepReport report = r.report();
              r.backend().binary().bimuStep(r.inOut("lambda", lambda), r.in("gradient", gradient), PARAMS, false, report, r.stream());
              r.number("count", report.read().sigmaNotPositive());
            },
            r -> {});
    try (Run r = Run.of(mode, new Case(0, 100, 1, Profile.TAME, false), target.backend())) {
      assertThat(r.number("count")).isEqualTo(40);
      for (int i = 0; i < 100; i++) {
        assertThat(Float.isInfinite(r.after("lambda")[i])).isEqualTo(i < 40);
      }
    }
  }
}
