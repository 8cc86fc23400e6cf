package io.metaplast.contract;

import static io.metaplast.contract.Check.U;

import io.metaplast.DeviceBuffer;
import io.metaplast.F32Buffer;
import io.metaplast.oracle.RandomOracle;
import java.util.List;

class GradAccumulateContractTest extends KernelContract {
  GradAccumulateContractTest() {
    super("gradAccumulate");
  }

  @Override
  int[] threadSizes() {
    return new int[] {3, 1000, 70_001};
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        mode("gradAccumulate, epsilon regenerated", false, false),
        mode("gradAccumulate, epsilon regenerated, bf16", false, true),
        mode("gradAccumulate, epsilon stored", true, false),
        mode("gradAccumulate, epsilon stored, bf16", true, true));
  }

  private static Mode mode(String name, boolean stored, boolean bf16) {
    return new Mode(name, r -> call(r, stored, bf16), r -> verify(r, stored));
  }

  static int samples(Run r) {
    return r.theCase().index() % 41 == 7 ? 19 : 1 + r.theCase().index() % 5;
  }

  /** 1, 1/K, or a number that is not a power of two. */
  static double scale(Run r) {
    return switch (r.theCase().index() % 3) {
      case 0 -> 1;
      case 1 -> 1.0 / samples(r);
      default -> 0.3;
    };
  }

  private static void call(Run r, boolean stored, boolean bf16) {
    Run.Group<? extends DeviceBuffer> dw = bf16 ? r.bf16Group("dw", samples(r)) : r.group("dw", samples(r), Run.GroupKind.SIGNED_IN);
    Run.Group<F32Buffer> epsilon = stored ? r.group("epsilon", samples(r), Run.GroupKind.SIGNED_IN) : null;
    Run.Group<F32Buffer> gradMean = r.group("gradMean", 1, Run.GroupKind.OUT);
    Run.Group<F32Buffer> gradSigma = r.group("gradSigma", 1, Run.GroupKind.OUT);
    for (int[] set : r.tensorSets()) {
      if (stored) {
        r.backend().bayes().gradAccumulate(dw.of(set), epsilon.of(set), scale(r), gradMean.of(set), gradSigma.of(set), r.stream());
      } else {
        r.backend().bayes().gradAccumulate(dw.of(set), r.seed(), r.step(), scale(r), gradMean.of(set), gradSigma.of(set), r.stream());
      }
    }
  }

  private static void verify(Run r, boolean stored) {
    int samples = samples(r);
    double scale = (float) scale(r);
    for (int t = 0; t < r.layout().tensors(); t++) {
      float[] dw = r.before("dw." + t);
      float[] epsilon = stored ? r.before("epsilon." + t) : null;
      float[] gradMean = r.after("gradMean." + t);
      float[] gradSigma = r.after("gradSigma." + t);
      int n = gradMean.length;
      for (int i = 0; i < n; i++) {
        double a = 0;
        double b = 0;
        double aTerms = 0;
        double bTerms = 0;
        double zError = 0;
        for (int k = 0; k < samples; k++) {
          double g = dw[k * n + i];
          double z = stored ? epsilon[k * n + i] : RandomOracle.epsilon(r.seed(), r.layout().number(t), k, r.step(), i);
          a += g;
          b += g * z;
          aTerms += Math.abs(g);
          bTerms += Math.abs(g * z);
          zError += stored ? 0 : Math.abs(g) * RandomOracle.normalBound(z);
        }
        Check.near("gradMean." + t, i, gradMean[i], a * scale, (samples + 1) * U * aTerms * scale);
        Check.near("gradSigma." + t, i, gradSigma[i], b * scale, ((samples + 2) * U * bTerms + 1.001 * zError) * scale);
      }
    }
  }
}
