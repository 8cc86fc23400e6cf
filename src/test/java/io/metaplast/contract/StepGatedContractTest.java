package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.metaplast.Data.Profile;
import io.metaplast.DeviceBuffer;
import io.metaplast.F32Buffer;
import io.metaplast.TestBackends.Target;
import io.metaplast.bayes.GaussianWeights;
import io.metaplast.bayes.MesuParams;
import io.metaplast.bayes.StepReport;
import io.metaplast.bayes.UpdateRule;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class StepGatedContractTest extends KernelContract {
  StepGatedContractTest() {
    super("stepGated");
  }

  @Override
  boolean splits() {
    return false; // the gate looks at all tensors of a call at once
  }

  @Override
  int[] threadSizes() {
    return new int[] {3, 1000, 100_003};
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        mode("stepGated, mesu", r -> Rules.mesu(r.random()), false, 0),
        mode("stepGated, mesu, bf16", r -> Rules.mesu(r.random()), true, 0),
        mode("stepGated, ratio", r -> Rules.ratio(r.random()), false, 0),
        mode("stepGated, gradients all zero or NaN", r -> Rules.mesu(r.random()), false, 1),
        mode("stepGated, one gradient not zero", r -> Rules.bgd(r.random()), false, 2));
  }

  private static Mode mode(String name, Function<Run, UpdateRule> rule, boolean bf16, int gradients) {
    return new Mode(name, r -> call(r, rule, bf16, gradients), StepGatedContractTest::verify);
  }

  private static void call(Run r, Function<Run, UpdateRule> rule, boolean bf16, int gradients) {
    Run.Group<F32Buffer> mu = r.group("mu", 1, Run.GroupKind.SIGNED_IN_OUT);
    Run.Group<F32Buffer> sigma = r.group("sigma", 1, Run.GroupKind.POSITIVE_IN_OUT);
    Run.Group<? extends DeviceBuffer> gradMean;
    Run.Group<? extends DeviceBuffer> gradSigma;
    if (gradients == 0) {
      gradMean = bf16 ? r.bf16Group("gradMean", 1) : r.group("gradMean", 1, Run.GroupKind.SIGNED_IN);
      gradSigma = bf16 ? r.bf16Group("gradSigma", 1) : r.group("gradSigma", 1, Run.GroupKind.SIGNED_IN);
    } else {
      // the only gradient that opens the gate is the last element of sigma's gradient of some tensor
      int opener = gradients == 2 ? r.random().nextInt(r.layout().tensors()) : -1;
      gradMean = r.group("gradMean", 1, (t, n) -> closed(r, n));
      gradSigma = r.group("gradSigma", 1, (t, n) -> {
        float[] g = closed(r, n);
        if (t == opener && n > 0) {
          g[n - 1] = r.random().nextBoolean() ? -Float.MIN_VALUE : 1f;
        }
        return g;
      });
    }
    r.rules(List.of(rule.apply(r)));
    StepReport report = r.report();
    int[] all = r.tensorSets().get(0);
    r.backend().bayes().stepGated(r.weights(mu, sigma, null, all), gradMean.of(all), gradSigma.of(all), r.rules().get(0), report, r.stream());
  }

  private static float[] closed(Run r, int n) {
    float[] g = new float[n];
    for (int i = 0; i < n; i++) {
      int kind = r.random().nextInt(r.theCase().profile() == Profile.TAME ? 2 : 3);
      g[i] = kind == 0 ? 0f : kind == 1 ? -0f : Float.NaN;
    }
    return g;
  }

  private static void verify(Run r) {
    boolean open = false;
    int nans = 0;
    for (int t = 0; t < r.layout().tensors(); t++) {
      for (String name : new String[] {"gradMean.", "gradSigma."}) {
        for (float g : r.before(name + t)) {
          open |= Math.abs(g) > 0;
          nans += g != g ? 1 : 0;
        }
      }
    }
    for (int t = 0; t < r.layout().tensors(); t++) {
      if (open) {
        float[] mu = r.before("mu." + t);
        for (int i = 0; i < mu.length; i++) {
          Rules.verify(
              "tensor " + t, i, r.rules().get(0), mu[i], r.before("sigma." + t)[i], r.before("gradMean." + t)[i], r.before("gradSigma." + t)[i],
              r.after("mu." + t)[i], r.after("sigma." + t)[i]);
        }
      } else {
        assertThat(r.afterBits("mu." + t)).as("mu.%d behind a closed gate", t).containsExactly(r.beforeBits("mu." + t));
        assertThat(r.afterBits("sigma." + t)).as("sigma.%d behind a closed gate", t).containsExactly(r.beforeBits("sigma." + t));
      }
    }
    int[] report = r.afterBits("report");
    assertThat(report[2]).as("gate open").isEqualTo(open ? 1 : 0);
    assertThat(report[4]).as("NaN gradients").isEqualTo(nans);
  }

  /** The counters over several calls: NaN gradients and bad sigmas add up, the gate is that of the last call. */
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void reportOfSeveralCalls(Target target) {
    Mode mode =
        new Mode(
            "stepGated, three calls",
            r -> {
              Run.Group<F32Buffer> mu = r.group("mu", 1, Run.GroupKind.SIGNED_IN_OUT);
              Run.Group<F32Buffer> sigma = r.group("sigma", 1, Run.GroupKind.POSITIVE_IN_OUT);
              Run.Group<F32Buffer> closed = r.group("closed", 1, (t, n) -> new float[n]);
              Run.Group<F32Buffer> nan = r.group("nan", 1, (t, n) -> filled(n, Float.NaN));
              Run.Group<F32Buffer> huge = r.group("huge", 1, (t, n) -> filled(n, 1e30f));
              StepReport report = r.report();
              int[] all = r.tensorSets().get(0);
              GaussianWeights w = r.weights(mu, sigma, null, all);
              MesuParams rule = MesuParams.builder().sigmaFloor(0).build();
              r.backend().bayes().stepGated(w, closed.of(all), nan.of(all), rule, report, r.stream());
              r.backend().bayes().stepGated(w, closed.of(all), huge.of(all), rule, report, r.stream());
              r.backend().bayes().stepGated(w, nan.of(all), closed.of(all), rule, report, r.stream());
              StepReport.Counts counts = report.read();
              long n = r.layout().totalCount();
              assertThat(counts).isEqualTo(new StepReport.Counts(n, false, 2 * n));
              report.reset();
              assertThat(report.read()).isEqualTo(new StepReport.Counts(0, false, 0));
            },
            r -> {});
    for (int n : new int[] {1, 63, 5000}) {
      Run.of(mode, new Case(n, n, 3, Profile.TAME, false), target.backend()).close();
    }
  }

  private static float[] filled(int n, float value) {
    float[] x = new float[n];
    java.util.Arrays.fill(x, value);
    return x;
  }
}
