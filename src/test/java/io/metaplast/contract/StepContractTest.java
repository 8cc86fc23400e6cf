package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.metaplast.DeviceBuffer;
import io.metaplast.F32Buffer;
import io.metaplast.bayes.StepReport;
import io.metaplast.bayes.UpdateRule;
import java.util.List;
import java.util.function.Function;

class StepContractTest extends KernelContract {
  StepContractTest() {
    super("step");
  }

  @Override
  int[] threadSizes() {
    return new int[] {3, 1000, 100_003};
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        mode("step, mesu", r -> List.of(Rules.mesu(r.random())), false, false),
        mode("step, mesu, bf16", r -> List.of(Rules.mesu(r.random())), true, false),
        mode("step, mesu, compensated", r -> List.of(Rules.mesu(r.random())), false, true),
        mode("step, mesu, a rule per tensor", r -> Rules.many(r.random(), r.layout().tensors()), false, false),
        mode("step, ratio", r -> List.of(Rules.ratio(r.random())), false, false),
        mode("step, ratio, bf16", r -> List.of(Rules.ratio(r.random())), true, false),
        mode("step, bgd", r -> List.of(Rules.bgd(r.random())), false, false),
        mode("step, bgd, bf16", r -> List.of(Rules.bgd(r.random())), true, false));
  }

  private static Mode mode(String name, Function<Run, List<UpdateRule>> rules, boolean bf16, boolean compensated) {
    return new Mode(name, r -> call(r, rules, bf16, compensated), r -> verify(r, compensated));
  }

  private static void call(Run r, Function<Run, List<UpdateRule>> rules, boolean bf16, boolean compensated) {
    Run.Group<F32Buffer> mu = r.group("mu", 1, Run.GroupKind.SIGNED_IN_OUT);
    Run.Group<F32Buffer> sigma = r.group("sigma", 1, Run.GroupKind.POSITIVE_IN_OUT);
    Run.Group<F32Buffer> low = compensated ? r.lowGroup() : null;
    Run.Group<? extends DeviceBuffer> gradMean = bf16 ? r.bf16Group("gradMean", 1) : r.group("gradMean", 1, Run.GroupKind.SIGNED_IN);
    Run.Group<? extends DeviceBuffer> gradSigma = bf16 ? r.bf16Group("gradSigma", 1) : r.group("gradSigma", 1, Run.GroupKind.SIGNED_IN);
    r.rules(rules.apply(r));
    StepReport report = r.theCase().index() % 2 == 0 ? r.report() : null;
    for (int[] set : r.tensorSets()) {
      r.backend().bayes().step(
          r.weights(mu, sigma, low, set), gradMean.of(set), gradSigma.of(set), Rules.of(r.rules(), set), report, r.stream());
    }
  }

  private static void verify(Run r, boolean compensated) {
    int notPositive = 0;
    for (int t = 0; t < r.layout().tensors(); t++) {
      float[] mu = r.before("mu." + t);
      float[] sigma = r.before("sigma." + t);
      float[] low = compensated ? r.before("low." + t) : new float[mu.length];
      float[] gm = r.before("gradMean." + t);
      float[] gs = r.before("gradSigma." + t);
      float[] newMu = r.after("mu." + t);
      float[] newSigma = r.after("sigma." + t);
      UpdateRule rule = r.rules().size() == 1 ? r.rules().get(0) : r.rules().get(t);
      for (int i = 0; i < mu.length; i++) {
        if (compensated) {
          Rules.verifyCompensated("tensor " + t, i, rule, mu[i], sigma[i], low[i], gm[i], gs[i], newSigma[i], r.after("low." + t)[i]);
        } else {
          Rules.verify("tensor " + t, i, rule, mu[i], sigma[i], gm[i], gs[i], newMu[i], newSigma[i]);
        }
        notPositive += newSigma[i] > 0 ? 0 : 1;
      }
    }
    if (r.theCase().index() % 2 == 0) {
      assertThat(r.afterBits("report")).as("report").containsExactly(notPositive, 0, 0, 0, 0, 0, 0, 0);
    }
  }
}
