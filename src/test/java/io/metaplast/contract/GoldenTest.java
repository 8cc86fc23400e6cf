package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.JsonNode;
import io.metaplast.Bits;
import io.metaplast.Coverage;
import io.metaplast.Data.Profile;
import io.metaplast.F32Buffer;
import io.metaplast.Golden;
import io.metaplast.Golden.Vector;
import io.metaplast.I32Buffer;
import io.metaplast.TensorGroup;
import io.metaplast.TensorLayout;
import io.metaplast.TestBackends;
import io.metaplast.TestBackends.Target;
import io.metaplast.bayes.BayesKernels;
import io.metaplast.bayes.BgdParams;
import io.metaplast.bayes.GaussianWeights;
import io.metaplast.bayes.LinearShape;
import io.metaplast.bayes.MesuParams;
import io.metaplast.bayes.MesuRatioParams;
import io.metaplast.bayes.StepReport;
import io.metaplast.bayes.UncertaintyOptions;
import io.metaplast.bayes.UpdateRule;
import io.metaplast.internal.spi.BayesProvider;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The fp32 bits of every golden vector, on every backend and tier. */
public class GoldenTest {
  /** Operations whose vectors run on the backends. mesuFixedPoint and mesuMeanFixedPoint are double iterations: GoldenOracleTest and FixedPointTest. */
  static final Set<String> OPS =
      Set.of(
          "philox4x32", "counterLayout", "uniform24", "ln32", "sincos2pi24", "exp32", "tanh32", "exhaustiveHash", "gaussian", "gaussianBulkHash",
          "weightSample", "gradAccumulate", "mesuStep", "mesuStepCompensated", "mesuStepRatio", "mesuGate", "bgdStep", "diagHessianFromSigma",
          "reduceR16", "bayesLinearStepBatch1", "nllMeanLogSoftmax", "uncertainty", "rocAuc", "ewcOnline", "si");

  /** Element-wise vectors are repeated this often, so that vector lanes and the tail see them too. */
  private static final int REPEAT = 37;

  @Test
  void everyOperationIsCovered() {
    List<Vector> vectors = Golden.bayes();
    assertThat(vectors).hasSize(150);
    for (Vector v : vectors) {
      assertThat(OPS.contains(v.op()) || v.op().equals("mesuFixedPoint") || v.op().equals("mesuMeanFixedPoint")).as(v.id()).isTrue();
    }
  }

  @TestFactory
  Stream<DynamicTest> vectors() {
    List<Vector> vectors = Golden.bayes().stream().filter(v -> OPS.contains(v.op()) && !v.op().equals("exhaustiveHash")).toList();
    return TestBackends.all()
        .flatMap(
            target ->
                vectors.stream()
                    .map(
                        v ->
                            dynamicTest(
                                target + " " + v.id(),
                                () -> {
                                  check(v, target);
                                  Coverage.checked("golden vectors", target.name(), 1);
                                })));
  }

  private static Run run(Target target, Consumer<Run> call) {
    return Run.of(new Mode("golden", call, r -> {}), new Case(0, 0, 3, Profile.TAME, false), target.backend());
  }

  private static void check(Vector v, Target target) {
    BayesKernels kernels = target.backend().bayes();
    switch (v.op()) {
      case "philox4x32" -> philox(v, target);
      case "counterLayout" -> {
        try (Run r =
            run(
                target,
                x -> kernels.philox(
                    Golden.word64(v.in("seed")), v.in("stream").asLong(), v.in("step").asLong(), v.in("element").asLong(), x.outInts("w", 1), x.stream()))) {
          Check.equal(v.id(), 0, r.afterBits("w")[0], Golden.bits(v.out("word")));
        }
      }
      case "uniform24" -> uniform(v, target);
      case "ln32" -> elementary(v, target, BayesProvider.FN_LN);
      case "exp32" -> elementary(v, target, BayesProvider.FN_EXP);
      case "tanh32" -> elementary(v, target, BayesProvider.FN_TANH);
      case "sincos2pi24" -> {
        float[][] sc = Elementary.apply(target.backend(), BayesProvider.FN_SINCOS2PI, filled(v.in("k").asInt() * 0x1p-24f));
        all(v, "sin", sc[0]);
        all(v, "cos", sc[1]);
      }
      case "gaussian" -> gaussian(v, target);
      case "gaussianBulkHash" -> {
        int n = v.in("count").asInt();
        try (Run r =
            run(
                target,
                x -> kernels.gaussian(
                    Golden.word64(v.in("seed")), v.in("stream").asLong(), v.in("step").asLong(), v.in("first").asLong(), x.out("z", n), x.stream()))) {
          assertThat(Bits.fnv(Bits.fnvStart(), r.after("z"), n)).isEqualTo(Golden.word64(v.out("hash")));
        }
      }
      case "weightSample" -> weightSample(v, target);
      case "gradAccumulate" -> gradAccumulate(v, target);
      case "mesuStep" -> step(v, target, mesu(v), "gMu", "gSigma").close();
      case "mesuStepRatio" -> {
        MesuRatioParams rule =
            new MesuRatioParams(
                v.number("N"), false, v.number("muPrior"), v.number("sigmaPrior"), v.number("cMu"), v.number("cSigma"), v.number("ratioMax"),
                v.number("secondOrder"), v.number("sigmaLo"), v.number("sigmaHi"), 0, 0);
        step(v, target, rule, "gMu", "gSigma").close();
      }
      case "bgdStep" -> {
        try (Run r = step(v, target, new BgdParams(v.number("eta")), "eMean", "eEps")) {
          float flipped = (float) Golden.number(v.out("flipped"));
          if (flipped != v.single("sigma")) { // equal only where the gradient is 0
            assertThat(r.after("sigma")[0]).as("the flipped sign").isNotEqualTo(flipped);
          }
          assertThat(r.after("sigma")[0]).isPositive();
        }
      }
      case "mesuStepCompensated" -> compensated(v, target);
      case "mesuGate" -> gate(v, target);
      case "diagHessianFromSigma" -> {
        try (Run r =
            run(
                target,
                x -> kernels.diagHessianFromSigma(
                    x.in("sigma", filled(v.single("sigma"))), v.number("sigmaPrior"), v.number("N"), x.out("h", REPEAT), x.stream()))) {
          all(v, "H", r.after("h"));
        }
      }
      case "reduceR16" -> {
        int n = v.in("n").asInt();
        try (Run r =
            run(
                target,
                x -> {
                  F32Buffer values = x.out("v", n);
                  kernels.gaussian(11, 0, 0, 0, values, x.stream());
                  kernels.sum(values, x.out("sum", 1), x.keep(x.backend().workspace(kernels.sumWorkspaceBytes(n))), x.stream());
                })) {
          all(v, "sum", r.after("sum"));
        }
      }
      case "bayesLinearStepBatch1" -> linear(v, target);
      case "nllMeanLogSoftmax" -> {
        float[] logits = Golden.singles(v.in("logits"));
        int samples = v.in("logits").size();
        try (Run r =
            run(
                target,
                x -> {
                  I32Buffer label = x.inInts("label", new int[] {v.in("label").asInt()});
                  kernels.nllMeanLogSoftmax(
                      samples, 1, logits.length / samples, x.in("logits", logits), label, v.number("scale"), x.out("item", 1), x.out("loss", 1),
                      x.out("grad", logits.length), x.stream());
                })) {
          all(v, "loss", r.after("loss"));
          all(v, "loss", r.after("item"));
          same(v, "dLogits", r.after("grad"));
        }
      }
      case "uncertainty" -> {
        float[] p = Golden.singles(v.in("p"));
        int samples = v.in("p").size();
        UncertaintyOptions options = new UncertaintyOptions(false, v.in("base").asText().equals("bits"), false);
        try (Run r =
            run(
                target,
                x -> kernels.uncertainty(
                    samples, 1, p.length / samples, x.in("p", p), options, x.out("predictive", 1), x.out("aleatoric", 1), x.out("epistemic", 1), x.stream()))) {
          all(v, "predictive", r.after("predictive"));
          all(v, "aleatoric", r.after("aleatoric"));
          all(v, "epistemic", r.after("epistemic"));
        }
      }
      case "rocAuc" -> {
        try (Run r =
            run(
                target,
                x -> {
                  F32Buffer in = x.in("in", Golden.singles(v.in("inDist")));
                  F32Buffer ood = x.in("ood", Golden.singles(v.in("ood")));
                  x.number("rank", kernels.rocAuc(in, ood, x.stream()));
                  x.number("threshold1000", kernels.rocAucThresholds(in, ood, x.stream()));
                })) {
          for (String field : new String[] {"rank", "threshold1000"}) {
            assertThat(Math.abs(r.number(field) - Golden.number(v.out(field)))).as(field).isLessThanOrEqualTo(1e-13);
          }
        }
      }
      case "ewcOnline" -> {
        try (Run r =
            run(
                target,
                x -> {
                  F32Buffer total = x.inOut("total", filled(v.single("fisher")));
                  kernels.fisherMerge(x.inOut("fisher", filled(v.single("newFisher"))), 1, v.number("decay"), total, x.stream());
                  kernels.ewcPenaltyGradient(
                      x.in("theta", filled(v.single("thetaMinusAnchor"))), x.in("anchor", filled(0f)), total, v.number("lam"),
                      x.inOut("g", filled(v.single("g"))), x.stream());
                })) {
          all(v, "fisher", r.after("total"));
          all(v, "grad", r.after("g"));
        }
      }
      case "si" -> {
        try (Run r =
            run(
                target,
                x -> kernels.siConsolidate(
                    x.in("theta", filled(v.single("delta"))), v.number("xi"), x.inOut("path", filled(v.single("w"))), x.inOut("anchor", filled(0f)),
                    x.inOut("omega", filled(v.single("omega"))), x.stream()))) {
          all(v, "omega", r.after("omega"));
        }
      }
      default -> throw new AssertionError("no check for " + v.op());
    }
  }

  /** Counters that a 64-bit element number reaches run on the kernel; the others are known answers of the oracle, which all backends are compared with. */
  private static void philox(Vector v, Target target) {
    int[] c = GoldenOracleTest.words(v.in("counter"));
    int[] key = GoldenOracleTest.words(v.in("key"));
    if (v.in("rounds").asInt() != 10 || c[1] >>> 30 != 0) {
      return;
    }
    long seed = (key[0] & 0xffffffffL) | (long) key[1] << 32;
    long first = ((c[0] & 0xffffffffL) | (long) c[1] << 32) << 2;
    try (Run r =
        run(target, x -> x.backend().bayes().philox(seed, c[2] & 0xffffffffL, c[3] & 0xffffffffL, first, x.outInts("w", 4), x.stream()))) {
      assertThat(r.afterBits("w")).containsExactly(GoldenOracleTest.words(v.out("words")));
    }
  }

  /** The words of block 0 of seed 0 come out of the kernel; UniformContractTest compares all others with the oracle. */
  private static void uniform(Vector v, Target target) {
    int[] block = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
    for (int i = 0; i < 4; i++) {
      if (block[i] == Golden.bits(v.in("word"))) {
        int element = i;
        try (Run r = run(target, x -> x.backend().bayes().uniform(0, 0, 0, element, x.out("u", 1), x.stream()))) {
          all(v, "u", r.after("u"));
        }
      }
    }
  }

  private static void elementary(Vector v, Target target, int function) {
    float[] x = filled(Golden.single(v.f32("x")));
    all(v, "y", Elementary.apply(target.backend(), function, x)[0]);
  }

  private static void gaussian(Vector v, Target target) {
    if (v.has("in", "counter")) {
      // out of reach of an element number: composed of the elementary functions
      int[] words = io.metaplast.oracle.RandomOracle.philox(GoldenOracleTest.words(v.in("counter")), GoldenOracleTest.words(v.in("key")), 10);
      int i = v.in("word").asInt();
      float[] u = {
        (float) io.metaplast.oracle.RandomOracle.uniform(words[i & 2]), (float) io.metaplast.oracle.RandomOracle.uniform(words[(i & 2) + 1])
      };
      float radius = (float) Math.sqrt(-2f * Elementary.apply(target.backend(), BayesProvider.FN_LN, u)[0][0]);
      float[][] sc = Elementary.apply(target.backend(), BayesProvider.FN_SINCOS2PI, u);
      all(v, "z", new float[] {radius * sc[1 - (i & 1)][1]});
      return;
    }
    long element = v.in("element").asLong();
    for (long before = 0; before <= Math.min(element, 19); before++) {
      long first = element - before;
      try (Run r =
          run(
              target,
              x -> x.backend().bayes().gaussian(
                  Golden.word64(v.in("seed")), v.in("stream").asLong(), v.in("step").asLong(), first, x.out("z", 21), x.stream()))) {
        all(v, "z", new float[] {r.after("z")[(int) before]});
      }
    }
  }

  private static void weightSample(Vector v, Target target) {
    int element = v.in("element").asInt();
    int sample = v.in("sample").asInt();
    int n = element + 1;
    TensorLayout layout = TensorLayout.of(n).withTensorNumbers(v.in("tensor").asInt());
    float[] mu = new float[n];
    float[] sigma = new float[n];
    Arrays.fill(mu, v.single("mu"));
    Arrays.fill(sigma, v.single("sigma"));
    try (Run r =
        run(
            target,
            x -> {
              GaussianWeights w = weights(x, layout, x.in("mu", mu), x.in("sigma", sigma), null);
              TensorGroup<F32Buffer> samples = x.backend().group(layout, sample + 1, List.of(x.out("w", n * (sample + 1))));
              x.backend().bayes().sample(w, Golden.word64(v.in("seed")), v.in("step").asLong(), samples, x.stream());
            })) {
      all(v, "w", new float[] {r.after("w")[sample * n + element]});
    }
  }

  private static void gradAccumulate(Vector v, Target target) {
    float[] dw = Golden.singles(v.in("dW"));
    float[] eps = Golden.singles(v.in("eps"));
    TensorLayout layout = TensorLayout.of(REPEAT);
    try (Run r =
        run(
            target,
            x -> {
              TensorGroup<F32Buffer> gradSamples = x.backend().group(layout, dw.length, List.of(x.in("dw", repeated(dw))));
              TensorGroup<F32Buffer> epsilon = x.backend().group(layout, eps.length, List.of(x.in("eps", repeated(eps))));
              x.backend().bayes().gradAccumulate(
                  gradSamples, epsilon, v.number("scale"), x.backend().group(layout, 1, List.of(x.out("gMu", REPEAT))),
                  x.backend().group(layout, 1, List.of(x.out("gSigma", REPEAT))), x.stream());
            })) {
      all(v, "gMu", r.after("gMu"));
      all(v, "gSigma", r.after("gSigma"));
    }
  }

  private static MesuParams mesu(Vector v) {
    return new MesuParams(
        v.number("N"), false, v.number("muPrior"), v.number("sigmaPrior"), v.number("lrMu"), v.number("lrSigma"), v.number("clampGrad"), 0);
  }

  private static Run step(Vector v, Target target, UpdateRule rule, String gradMu, String gradSigma) {
    TensorLayout layout = TensorLayout.of(REPEAT);
    Run r =
        run(
            target,
            x -> {
              GaussianWeights w = weights(x, layout, x.inOut("mu", filled(v.single("mu"))), x.inOut("sigma", filled(v.single("sigma"))), null);
              TensorGroup<F32Buffer> gm = x.backend().group(layout, 1, List.of(x.in("gm", filled(v.single(gradMu)))));
              TensorGroup<F32Buffer> gs = x.backend().group(layout, 1, List.of(x.in("gs", filled(v.single(gradSigma)))));
              x.backend().bayes().step(w, gm, gs, rule, null, x.stream());
            });
    all(v, "mu", r.after("mu"));
    all(v, "sigma", r.after("sigma"));
    return r;
  }

  private static void compensated(Vector v, Target target) {
    TensorLayout layout = TensorLayout.of(REPEAT);
    MesuParams rule = new MesuParams(v.number("N"), false, 0, v.number("sigmaPrior"), 1, 1, 0, 0);
    try (Run r =
        run(
            target,
            x -> {
              F32Buffer zero = x.in("zero", filled(0f));
              TensorGroup<F32Buffer> g = x.backend().group(layout, 1, List.of(zero));
              GaussianWeights w =
                  weights(x, layout, x.inOut("mu", filled(0f)), x.inOut("sigma", filled(v.single("sigma"))), x.inOut("lo", filled(0f)));
              GaussianWeights plain = weights(x, layout, x.inOut("plainMu", filled(0f)), x.inOut("plain", filled(v.single("sigma"))), null);
              for (int t = 0; t < v.in("steps").asInt(); t++) {
                x.backend().bayes().step(w, g, g, rule, null, x.stream());
                x.backend().bayes().step(plain, g, g, rule, null, x.stream());
              }
            })) {
      all(v, "sigma", r.after("sigma"));
      all(v, "lo", r.after("lo"));
      all(v, "plainSigma", r.after("plain"));
    }
  }

  private static void gate(Vector v, Target target) {
    float[] gradMu = Golden.singles(v.in("gMu"));
    float[] gradSigma = Golden.singles(v.in("gSigma"));
    TensorLayout layout = TensorLayout.of(gradMu.length);
    boolean open = v.out("open").asBoolean();
    try (Run r =
        run(
            target,
            x -> {
              GaussianWeights w = weights(x, layout, x.inOut("mu", new float[] {1, 2}), x.inOut("sigma", new float[] {0.5f, 0.25f}), null);
              StepReport report = x.report();
              x.backend().bayes().stepGated(
                  w, x.backend().group(layout, 1, List.of(x.in("gm", gradMu))), x.backend().group(layout, 1, List.of(x.in("gs", gradSigma))),
                  MesuParams.builder().memoryWindow(10).priorSigma(2).build(), report, x.stream());
              assertThat(report.read().gateOpen()).isEqualTo(open);
            })) {
      // the pull of the prior moves both elements, so that an open gate shows
      assertThat(Arrays.equals(r.after("mu"), r.before("mu"))).isEqualTo(!open);
      assertThat(Arrays.equals(r.after("sigma"), r.before("sigma"))).isEqualTo(!open);
    }
  }

  private static void linear(Vector v, Target target) {
    int samples = v.in("K").asInt();
    int in = v.in("nIn").asInt();
    int out = v.in("nOut").asInt();
    long seed = Golden.word64(v.in("seed"));
    long step = v.in("step").asLong();
    TensorLayout layout = TensorLayout.of((long) in * out).withTensorNumbers(v.in("tensor").asInt());
    LinearShape shape = new LinearShape(in, out, samples, false, false);
    float[] delta = Golden.singles(v.in("delta"));
    float[] x = Golden.singles(v.in("x"));
    for (boolean stored : new boolean[] {false, true}) {
      try (Run r =
          run(
              target,
              c -> {
                GaussianWeights w =
                    weights(c, layout, c.inOut("mu", Golden.singles(v.in("mu"))), c.inOut("sigma", Golden.singles(v.in("sigma"))), null);
                F32Buffer input = c.in("x", x);
                F32Buffer epsilon = stored ? c.out("epsilon", samples * in * out) : null;
                BayesKernels kernels = c.backend().bayes();
                kernels.linearForward(w, 0, shape, input, seed, step, epsilon, c.out("y", samples * out), c.stream());
                kernels.linearStep(
                    w, 0, shape, input, c.in("delta", delta), null, epsilon, seed, step, mesu(v), c.out("dx", samples * in), null, c.stream());
                kernels.gradAccumulate(
                    c.backend().group(layout, samples, List.of(c.in("dw", outer(delta, x, samples, out, in)))), seed, step, 1,
                    c.backend().group(layout, 1, List.of(c.out("gMu", in * out))), c.backend().group(layout, 1, List.of(c.out("gSigma", in * out))),
                    c.stream());
              })) {
        for (String field : new String[] {"y", "dx", "gMu", "gSigma", "mu", "sigma"}) {
          same(v, field, r.after(field));
        }
      }
    }
  }

  private static float[] outer(float[] delta, float[] x, int samples, int out, int in) {
    float[] dw = new float[samples * out * in];
    for (int k = 0; k < samples; k++) {
      for (int o = 0; o < out; o++) {
        for (int i = 0; i < in; i++) {
          dw[(k * out + o) * in + i] = delta[k * out + o] * x[k * in + i];
        }
      }
    }
    return dw;
  }

  private static GaussianWeights weights(Run r, TensorLayout layout, F32Buffer mu, F32Buffer sigma, F32Buffer low) {
    return GaussianWeights.of(
        r.backend().group(layout, 1, List.of(mu)), r.backend().group(layout, 1, List.of(sigma)),
        low == null ? null : r.backend().group(layout, 1, List.of(low)));
  }

  private static float[] filled(float value) {
    float[] x = new float[REPEAT];
    Arrays.fill(x, value);
    return x;
  }

  /** [K][REPEAT] of one value per sample. */
  private static float[] repeated(float[] perSample) {
    float[] x = new float[perSample.length * REPEAT];
    for (int i = 0; i < x.length; i++) {
      x[i] = perSample[i / REPEAT];
    }
    return x;
  }

  /** All elements have the bits of the field. */
  private static void all(Vector v, String field, float[] actual) {
    int expected = Bits.of(Golden.single(v.f32(field)));
    for (int i = 0; i < actual.length; i++) {
      Check.equal(v.id() + " " + field, i, Bits.of(actual[i]), expected);
    }
  }

  /** The elements have the bits of the array. */
  private static void same(Vector v, String field, float[] actual) {
    JsonNode node = v.f32(field);
    float[] expected = Golden.singles(node);
    assertThat(actual).hasSameSizeAs(expected);
    Check.sameBits(v.id() + " " + field, actual, expected);
  }
}
