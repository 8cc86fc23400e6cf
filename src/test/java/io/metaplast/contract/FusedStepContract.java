package io.metaplast.contract;

import io.metaplast.DeviceBuffer;
import io.metaplast.F32Buffer;
import io.metaplast.bayes.GaussianWeights;
import io.metaplast.bayes.StepReport;
import io.metaplast.bayes.UpdateRule;
import java.util.List;
import java.util.function.Function;

/** Gradients of the samples and update in one pass, in its three forms. */
abstract class FusedStepContract extends KernelContract {
  FusedStepContract(String kernel) {
    super(kernel);
  }

  @Override
  int[] threadSizes() {
    return new int[] {3, 1000, 70_001};
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        mode("mesu", r -> List.of(Rules.mesu(r.random())), false, false),
        mode("mesu, bf16, compensated", r -> List.of(Rules.mesu(r.random())), true, true),
        mode("mesu, a rule per tensor", r -> Rules.many(r.random(), r.layout().tensors()), false, false),
        mode("ratio", r -> List.of(Rules.ratio(r.random())), false, false),
        mode("bgd, bf16", r -> List.of(Rules.bgd(r.random())), true, false));
  }

  /** Whether epsilon is given. */
  boolean stored() {
    return false;
  }

  /** Samples for the next step; 0 = none. */
  int nextSamples(Run r) {
    return 0;
  }

  private Mode mode(String name, Function<Run, List<UpdateRule>> rules, boolean bf16, boolean compensated) {
    return new Mode(kernel() + ", " + name, r -> call(r, rules, bf16, compensated), r -> verify(r, bf16, compensated));
  }

  private void call(Run r, Function<Run, List<UpdateRule>> rules, boolean bf16, boolean compensated) {
    int samples = GradAccumulateContractTest.samples(r);
    double scale = GradAccumulateContractTest.scale(r);
    Run.Group<F32Buffer> mu = r.group("mu", 1, Run.GroupKind.SIGNED_IN_OUT);
    Run.Group<F32Buffer> sigma = r.group("sigma", 1, Run.GroupKind.POSITIVE_IN_OUT);
    Run.Group<F32Buffer> low = compensated ? r.lowGroup() : null;
    Run.Group<? extends DeviceBuffer> dw = bf16 ? r.bf16Group("dw", samples) : r.group("dw", samples, Run.GroupKind.SIGNED_IN);
    Run.Group<F32Buffer> epsilon = stored() ? r.group("epsilon", samples, Run.GroupKind.SIGNED_IN) : null;
    Run.Group<F32Buffer> next = nextSamples(r) > 0 ? r.group("next", nextSamples(r), Run.GroupKind.OUT) : null;
    r.rules(rules.apply(r));
    StepReport report = r.theCase().index() % 2 == 0 ? r.report() : null;
    for (int[] set : r.tensorSets()) {
      GaussianWeights w = r.weights(mu, sigma, low, set);
      UpdateRule rule = Rules.of(r.rules(), set);
      if (stored()) {
        r.backend().bayes().stepFromStoredSamples(w, dw.of(set), epsilon.of(set), scale, rule, report, r.stream());
      } else if (next != null) {
        r.backend().bayes().stepFromSamplesAndSample(
            w, dw.of(set), r.seed(), r.step(), scale, rule, nextStep(r), next.of(set), report, r.stream());
      } else {
        r.backend().bayes().stepFromSamples(w, dw.of(set), r.seed(), r.step(), scale, rule, report, r.stream());
      }
    }
  }

  private static long nextStep(Run r) {
    return (r.step() + 1) & 0xffffffffL;
  }

  /** The fused pass must give the bits of gradAccumulate, step and sample, one after the other; those are compared with the oracle themselves. */
  private void verify(Run fused, boolean bf16, boolean compensated) {
    Mode chain =
        new Mode(
            "chain",
            r -> {
              int samples = GradAccumulateContractTest.samples(fused);
              double scale = GradAccumulateContractTest.scale(fused);
              r.layout(fused.layout());
              Run.Group<F32Buffer> mu = r.copy("mu", 1, fused, true);
              Run.Group<F32Buffer> sigma = r.copy("sigma", 1, fused, true);
              Run.Group<F32Buffer> low = compensated ? r.copy("low", 1, fused, true) : null;
              Run.Group<? extends DeviceBuffer> dw = bf16 ? r.copyBf16("dw", samples, fused) : r.copy("dw", samples, fused, false);
              Run.Group<F32Buffer> gradMean = r.group("gradMean", 1, Run.GroupKind.OUT);
              Run.Group<F32Buffer> gradSigma = r.group("gradSigma", 1, Run.GroupKind.OUT);
              int[] all = r.tensorSets().get(0);
              if (stored()) {
                Run.Group<F32Buffer> epsilon = r.copy("epsilon", samples, fused, false);
                r.backend().bayes().gradAccumulate(dw.of(all), epsilon.of(all), scale, gradMean.of(all), gradSigma.of(all), r.stream());
              } else {
                r.backend().bayes().gradAccumulate(dw.of(all), fused.seed(), fused.step(), scale, gradMean.of(all), gradSigma.of(all), r.stream());
              }
              GaussianWeights w = r.weights(mu, sigma, low, all);
              StepReport report = r.report();
              r.backend().bayes().step(w, gradMean.of(all), gradSigma.of(all), Rules.of(fused.rules(), all), report, r.stream());
              if (nextSamples(fused) > 0) {
                Run.Group<F32Buffer> next = r.group("next", nextSamples(fused), Run.GroupKind.OUT);
                r.backend().bayes().sample(w, fused.seed(), nextStep(fused), next.of(all), r.stream());
              }
            },
            r -> {});
    try (Run expected = Run.of(chain, fused.theCase(), fused.backend())) {
      for (int t = 0; t < fused.layout().tensors(); t++) {
        Check.sameBits("mu." + t, fused.after("mu." + t), expected.after("mu." + t));
        Check.sameBits("sigma." + t, fused.after("sigma." + t), expected.after("sigma." + t));
        if (compensated) {
          Check.sameBits("low." + t, fused.after("low." + t), expected.after("low." + t));
        }
        if (nextSamples(fused) > 0) {
          Check.sameBits("next." + t, fused.after("next." + t), expected.after("next." + t));
        }
      }
      if (fused.theCase().index() % 2 == 0) {
        Check.sameBits("report", fused.after("report"), expected.after("report"));
      }
    }
  }
}
