package io.metaplast.contract;

import static io.metaplast.contract.Check.U;
import static org.assertj.core.api.Assertions.assertThat;

import io.metaplast.Bits;
import io.metaplast.Data.Profile;
import io.metaplast.F32Buffer;
import io.metaplast.TestBackends.Target;
import io.metaplast.TensorGroup;
import io.metaplast.TensorLayout;
import io.metaplast.bayes.StepReport;
import io.metaplast.bayes.UpdateRule;
import io.metaplast.oracle.RandomOracle;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class LinearStepContractTest extends KernelContract {
  LinearStepContractTest() {
    super("linearStep");
  }

  @Override
  int largest() {
    return 70_000;
  }

  @Override
  int[] threadSizes() {
    return new int[] {3, 1000, 70_001};
  }

  @Override
  boolean splits() {
    return false;
  }

  @Override
  public List<Mode> modes() {
    return List.of(
        mode("linearStep, mesu", r -> Rules.mesu(r.random()), false, false, true),
        mode("linearStep, mesu, epsilon stored", r -> Rules.mesu(r.random()), true, false, true),
        mode("linearStep, mesu, compensated, no dx", r -> Rules.mesu(r.random()), false, true, false),
        mode("linearStep, ratio", r -> Rules.ratio(r.random()), false, false, true),
        mode("linearStep, bgd, epsilon stored, no dx", r -> Rules.bgd(r.random()), true, false, false));
  }

  private static Mode mode(String name, Function<Run, UpdateRule> rule, boolean stored, boolean compensated, boolean dx) {
    return new Mode(name, r -> call(r, rule, stored, compensated, dx), r -> verify(r, stored, compensated, dx));
  }

  private static void call(Run r, Function<Run, UpdateRule> rule, boolean stored, boolean compensated, boolean wantDx) {
    Layer layer = new Layer(r);
    int weights = (int) layer.shape.weights();
    F32Buffer mu = r.inOut("mu", r.signed(weights));
    F32Buffer sigma = r.inOut("sigma", r.positive(weights));
    F32Buffer low = compensated ? r.inOut("low", new float[weights]) : null;
    F32Buffer x = r.in("x", r.signed(layer.inputs()));
    float[] d = r.signed(layer.outputs());
    for (int i = 0; i < d.length; i++) {
      if (r.random().nextInt(4) == 0) {
        d[i] = r.random().nextBoolean() ? 0f : -0f;
      }
    }
    F32Buffer delta = r.in("delta", d);
    float[] active = r.signed(layer.outputs());
    for (int i = 0; i < active.length; i++) {
      if (r.random().nextInt(3) == 0) {
        active[i] = r.random().nextInt(8) == 0 ? -0f : 0f;
      }
    }
    F32Buffer y = layer.shape.relu() ? r.in("y", active) : null;
    F32Buffer epsilon = stored ? r.in("epsilon", r.signed(layer.shape.samples() * weights)) : null;
    F32Buffer dx = wantDx ? r.out("dx", layer.shape.samples() * layer.shape.in()) : null;
    StepReport report = r.theCase().index() % 2 == 0 ? r.report() : null;
    r.rules(List.of(rule.apply(r)));
    r.remember(layer);
    r.backend().bayes().linearStep(
        layer.weights(r, mu, sigma, low), 0, layer.shape, x, delta, y, epsilon, r.seed(), r.step(), r.rules().get(0), dx, report, r.stream());
  }

  private static void verify(Run r, boolean stored, boolean compensated, boolean wantDx) {
    Layer layer = r.remembered(Layer.class);
    int in = layer.shape.in();
    int out = layer.shape.out();
    int samples = layer.shape.samples();
    float[] mu = r.before("mu");
    float[] sigma = r.before("sigma");
    float[] x = r.before("x");
    float[] delta = r.before("delta").clone();
    if (layer.shape.relu()) {
      float[] y = r.before("y");
      for (int i = 0; i < delta.length; i++) {
        delta[i] = y[i] > 0 ? delta[i] : 0f;
      }
    }
    if (wantDx) {
      float[] dx = r.after("dx");
      float[] given = stored ? r.before("epsilon") : null;
      for (int k = 0; k < samples; k++) {
        for (int i = 0; i < in; i++) {
          double sum = 0;
          double bound = Check.TINY;
          for (int o = 0; o < out; o++) {
            int e = o * in + i;
            double z = stored ? given[k * in * out + e] : RandomOracle.epsilon(r.seed(), layer.tensorNumber, k, r.step(), e);
            double w = mu[e] + sigma[e] * z;
            double zError = stored ? 0 : RandomOracle.normalBound(z);
            double wError = 1.001 * (U * (Math.abs(sigma[e] * z) + Math.abs(w)) + sigma[e] * zError);
            double d = delta[k * out + o];
            sum += d * w;
            bound += Math.abs(d) * wError + (out + 2) * U * Math.abs(d * w);
          }
          Check.near("dx", k * in + i, dx[k * in + i], sum, bound);
        }
      }
    }
    verifyUpdate(r, layer, delta, x, stored, compensated);
  }

  /** The update must give the bits of the unfused chain: dW = delta x' in fp32, gradAccumulate, step. Those are compared with the oracle themselves. */
  private static void verifyUpdate(Run fused, Layer layer, float[] delta, float[] x, boolean stored, boolean compensated) {
    int in = layer.shape.in();
    int out = layer.shape.out();
    int samples = layer.shape.samples();
    float[] dw = new float[samples * in * out];
    for (int k = 0; k < samples; k++) {
      for (int o = 0; o < out; o++) {
        for (int i = 0; i < in; i++) {
          dw[(k * out + o) * in + i] = delta[k * out + o] * x[layer.x(k, i)];
        }
      }
    }
    TensorLayout layout = TensorLayout.of((long) in * out).withTensorNumbers(layer.tensorNumber);
    Mode chain =
        new Mode(
            "unfused",
            r -> {
              F32Buffer mu = r.inOut("mu", fused.before("mu"));
              F32Buffer sigma = r.inOut("sigma", fused.before("sigma"));
              F32Buffer low = compensated ? r.inOut("low", fused.before("low")) : null;
              TensorGroup<F32Buffer> gradSamples = r.backend().group(layout, samples, List.of(r.in("dw", dw)));
              TensorGroup<F32Buffer> gradMean = r.backend().group(layout, 1, List.of(r.out("gradMean", in * out)));
              TensorGroup<F32Buffer> gradSigma = r.backend().group(layout, 1, List.of(r.out("gradSigma", in * out)));
              if (stored) {
                TensorGroup<F32Buffer> epsilon = r.backend().group(layout, samples, List.of(r.in("epsilon", fused.before("epsilon"))));
                r.backend().bayes().gradAccumulate(gradSamples, epsilon, 1, gradMean, gradSigma, r.stream());
              } else {
                r.backend().bayes().gradAccumulate(gradSamples, fused.seed(), fused.step(), 1, gradMean, gradSigma, r.stream());
              }
              StepReport report = r.report();
              r.backend().bayes().step(layer.weights(r, mu, sigma, low), gradMean, gradSigma, fused.rules().get(0), report, r.stream());
            },
            r -> {});
    try (Run expected = Run.of(chain, fused.theCase(), fused.backend())) {
      Check.sameBits("mu", fused.after("mu"), expected.after("mu"));
      Check.sameBits("sigma", fused.after("sigma"), expected.after("sigma"));
      if (compensated) {
        Check.sameBits("low", fused.after("low"), expected.after("low"));
      }
      if (fused.theCase().index() % 2 == 0) {
        Check.sameBits("report", fused.after("report"), expected.after("report"));
      }
    }
  }

  /** Where delta is 0, or masked by the ReLU, infinities and NaN in x and in the weights must not reach gradients; dx of those outputs stays +0. */
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void zeroDeltaAddsNothing(Target target) {
    for (boolean masked : new boolean[] {false, true}) {
      for (int n : new int[] {1, 5, 16, 33, 100}) {
        Mode mode =
            new Mode(
                "zero delta",
                r -> {
                  Layer layer = new Layer(r);
                  io.metaplast.bayes.LinearShape s =
                      new io.metaplast.bayes.LinearShape(layer.shape.in(), layer.shape.out(), layer.shape.samples(), false, masked);
                  int weights = (int) s.weights();
                  float[] bad = new float[s.samples() * s.in()];
                  for (int i = 0; i < bad.length; i++) {
                    bad[i] = i % 3 == 0 ? Float.NaN : i % 3 == 1 ? Float.POSITIVE_INFINITY : -Float.MAX_VALUE;
                  }
                  F32Buffer mu = r.inOut("mu", r.signed(weights));
                  F32Buffer sigma = r.inOut("sigma", r.positive(weights));
                  float[] delta = new float[s.samples() * s.out()];
                  java.util.Arrays.fill(delta, masked ? 3f : -0f);
                  float[] y = new float[delta.length];
                  java.util.Arrays.fill(y, Float.NaN);
                  F32Buffer dx = r.out("dx", bad.length);
                  r.backend().bayes().linearStep(
                      layer.weights(r, mu, sigma, null), 0, s, r.in("x", bad), r.in("delta", delta), masked ? r.in("y", y) : null, null, r.seed(), r.step(),
                      io.metaplast.bayes.MesuParams.builder().memoryWindow(100).priorSigma(2).build(), dx, null, r.stream());
                },
                r -> {});
        try (Run r = Run.of(mode, new Case(n, n, 0, Profile.TAME, false), target.backend())) {
          for (float v : r.after("dx")) {
            assertThat(Bits.of(v)).isZero();
          }
          float[] before = r.before("sigma");
          float[] after = r.after("sigma");
          for (int i = 0; i < after.length; i++) {
            // only the pull of the prior (2) acts: sigma grows a little
            double q = 0.5 * before[i] * (4 - before[i] * before[i]) / 400;
            Check.near("sigma", i, after[i], before[i] + q, 12 * U * before[i]);
            assertThat(after[i]).isGreaterThan(before[i]);
          }
        }
      }
    }
  }
}
