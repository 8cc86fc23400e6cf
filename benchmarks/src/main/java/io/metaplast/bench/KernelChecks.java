package io.metaplast.bench;

import io.metaplast.Backend;
import io.metaplast.Bf16Buffer;
import io.metaplast.F32Buffer;
import io.metaplast.I32Buffer;
import io.metaplast.Stream;
import io.metaplast.TensorGroup;
import io.metaplast.TensorLayout;
import io.metaplast.Workspace;
import io.metaplast.bayes.BayesKernels;
import io.metaplast.bayes.BgdParams;
import io.metaplast.bayes.GaussianWeights;
import io.metaplast.bayes.LinearShape;
import io.metaplast.bayes.MesuParams;
import io.metaplast.bayes.MesuRatioParams;
import io.metaplast.bayes.StepReport;
import io.metaplast.bayes.UncertaintyOptions;
import io.metaplast.bayes.UpdateRule;
import java.util.List;

/**
 * Every kernel of the library as a deterministic case: operands from a seed, one call, all outputs. One row each in the verification
 * table.
 */
final class KernelChecks {
  /** Runs one kernel on one backend. */
  interface Case {
    void run(Backend backend, Stream stream, HostData data, int n, Outputs outputs);
  }

  /**
   * One row of the table.
   *
   * @param kernel name of the kernel, as in BayesKernels, with its variant
   * @param body what to run
   * @param sizes element counts to run it with
   */
  record KernelCheck(String kernel, Case body, int... sizes) {}

  private static final long SEED = 0x5eed_0123_4567_89abL;
  private static final long STEP = 4_000_000_000L;
  private static final int[] SIZES = {0, 1, 2, 3, 5, 8, 15, 16, 17, 31, 33, 64, 100, 127, 1000, 4096, 4097, 65_537, 300_007};
  private static final int[] ITEMS = {1, 2, 3, 8, 17, 33, 100};
  private static final MesuParams MESU = MesuParams.builder().memoryWindow(1000).priorMean(0.01).priorSigma(0.3).clampGrad(0.9).build();
  private static final MesuParams MESU_PLAIN = MesuParams.builder().memoryWindow(300_000).priorSigma(1).sigmaFloor(0).build();
  private static final MesuRatioParams RATIO = new MesuRatioParams(5e5, false, 0, 0.1, 1, 60, 0.5, 1, 1e-4, 0.1, -1, 1);
  private static final BgdParams BGD = new BgdParams(1);

  private static final List<KernelCheck> BAYES =
      List.of(
          new KernelCheck("philox", KernelChecks::philox, SIZES),
          new KernelCheck("uniform", (b, s, d, n, o) -> random(b, s, d, n, o, true), SIZES),
          new KernelCheck("gaussian", (b, s, d, n, o) -> random(b, s, d, n, o, false), SIZES),
          new KernelCheck("sample", KernelChecks::sample, SIZES),
          new KernelCheck("epsilon", KernelChecks::epsilon, SIZES),
          new KernelCheck("gradAccumulate", (b, s, d, n, o) -> gradAccumulate(b, s, d, n, o, false, false), SIZES),
          new KernelCheck("gradAccumulate, stored", (b, s, d, n, o) -> gradAccumulate(b, s, d, n, o, true, false), SIZES),
          new KernelCheck("gradAccumulate, bf16", (b, s, d, n, o) -> gradAccumulate(b, s, d, n, o, false, true), SIZES),
          new KernelCheck("step, MESU", (b, s, d, n, o) -> step(b, s, d, n, o, MESU_PLAIN, false, false), SIZES),
          new KernelCheck("step, MESU clipped", (b, s, d, n, o) -> step(b, s, d, n, o, MESU, false, false), SIZES),
          new KernelCheck("step, MESU compensated", (b, s, d, n, o) -> step(b, s, d, n, o, MESU_PLAIN, true, false), SIZES),
          new KernelCheck("step, MESU bf16", (b, s, d, n, o) -> step(b, s, d, n, o, MESU, false, true), SIZES),
          new KernelCheck("step, MESU per tensor", (b, s, d, n, o) -> step(b, s, d, n, o, perTensor(), false, false), SIZES),
          new KernelCheck("step, ratio-limited", (b, s, d, n, o) -> step(b, s, d, n, o, RATIO, false, false), SIZES),
          new KernelCheck("step, BGD", (b, s, d, n, o) -> step(b, s, d, n, o, BGD, false, false), SIZES),
          new KernelCheck("stepGated", KernelChecks::stepGated, SIZES),
          new KernelCheck("stepFromSamples", (b, s, d, n, o) -> fromSamples(b, s, d, n, o, MESU, 0), SIZES),
          new KernelCheck("stepFromSamples, ratio-limited", (b, s, d, n, o) -> fromSamples(b, s, d, n, o, RATIO, 0), SIZES),
          new KernelCheck("stepFromStoredSamples", (b, s, d, n, o) -> fromSamples(b, s, d, n, o, MESU, 1), SIZES),
          new KernelCheck("stepFromSamplesAndSample", (b, s, d, n, o) -> fromSamples(b, s, d, n, o, MESU, 2), SIZES),
          new KernelCheck("linearForward", (b, s, d, n, o) -> linear(b, s, d, n, o, false, false), ITEMS),
          new KernelCheck("linearStep", (b, s, d, n, o) -> linear(b, s, d, n, o, true, false), ITEMS),
          new KernelCheck("linearStep, stored", (b, s, d, n, o) -> linear(b, s, d, n, o, true, true), ITEMS),
          new KernelCheck("nllMeanLogSoftmax", KernelChecks::nll, ITEMS),
          new KernelCheck("uncertainty", KernelChecks::uncertainty, ITEMS),
          new KernelCheck("diagHessianFromSigma", KernelChecks::diagHessian, SIZES),
          new KernelCheck("sum", KernelChecks::sum, SIZES),
          new KernelCheck("rocAuc", (b, s, d, n, o) -> auc(b, s, d, n, o, false), 1, 2, 17, 100, 1000, 4097),
          new KernelCheck("rocAucThresholds", (b, s, d, n, o) -> auc(b, s, d, n, o, true), 1, 2, 17, 100, 1000, 4097),
          new KernelCheck("sgdStep", KernelChecks::sgd, SIZES),
          new KernelCheck("fisherAccumulate", KernelChecks::fisherAccumulate, SIZES),
          new KernelCheck("fisherMerge", KernelChecks::fisherMerge, SIZES),
          new KernelCheck("ewcPenaltyGradient", KernelChecks::ewc, SIZES),
          new KernelCheck("siPath", KernelChecks::siPath, SIZES),
          new KernelCheck("siConsolidate", KernelChecks::siConsolidate, SIZES),
          new KernelCheck("siPenaltyGradient", KernelChecks::siPenalty, SIZES));

  /** All rows. */
  static final List<KernelCheck> ALL = java.util.stream.Stream.of(BAYES, BinaryKernelChecks.ALL, KfacKernelChecks.ALL).flatMap(List::stream).toList();

  private KernelChecks() {}

  private static UpdateRule perTensor() {
    return UpdateRule.perTensor(List.of(MESU, MESU_PLAIN, MesuParams.builder().noForgetting(true).rateMean(0.5).rateSigma(0.25).build()));
  }

  /** Three tensors of uneven size, n elements together, with numbers that are not 0, 1, 2. */
  private static TensorLayout layout(int n) {
    int first = n / 3;
    int second = (n - first) / 2;
    return TensorLayout.of(first, second, n - first - second).withTensorNumbers(7, 0, (1 << 24) - 1);
  }

  private static F32Buffer upload(Backend backend, float[] values) {
    F32Buffer buffer = backend.allocate(values.length);
    buffer.upload(values);
    return buffer;
  }

  private interface Maker {
    float[] make(int n);
  }

  private static TensorGroup<F32Buffer> group(Backend backend, TensorLayout layout, int copies, Maker maker) {
    TensorGroup<F32Buffer> group = backend.allocateGroup(layout, copies);
    for (int t = 0; t < layout.tensors(); t++) {
      group.get(t).upload(maker.make(Math.toIntExact(layout.count(t) * copies)));
    }
    return group;
  }

  private static TensorGroup<Bf16Buffer> bf16(Backend backend, TensorLayout layout, int copies, Maker maker) {
    TensorGroup<Bf16Buffer> group = backend.allocateBf16Group(layout, copies);
    for (int t = 0; t < layout.tensors(); t++) {
      group.get(t).upload(maker.make(Math.toIntExact(layout.count(t) * copies)));
    }
    return group;
  }

  /** sigma > 0 over many orders of magnitude; mu ordinary. */
  private static GaussianWeights weights(Backend backend, TensorLayout layout, HostData data, boolean compensated) {
    GaussianWeights weights = compensated ? GaussianWeights.allocateCompensated(backend, layout)
        : GaussianWeights.allocate(backend, layout);
    for (int t = 0; t < layout.tensors(); t++) {
      int n = Math.toIntExact(layout.count(t));
      weights.mean().get(t).upload(data.normal(n, 0.2));
      float[] sigma = data.between(n, 0.001, 0.3);
      for (int i = 0; i < n; i += 37) {
        sigma[i] *= 1e-12f;
      }
      weights.sigma().get(t).upload(sigma);
    }
    return weights;
  }

  private static void add(Outputs outputs, GaussianWeights weights) {
    outputs.add("mu", weights.mean());
    outputs.add("sigma", weights.sigma());
    if (weights.sigmaLow() != null) {
      outputs.add("sigmaLow", weights.sigmaLow());
    }
  }

  private static void philox(Backend backend, Stream stream, HostData data, int n, Outputs outputs) {
    try (I32Buffer words = backend.allocateI32(n)) {
      // Offsets not divisible by four start inside a counter block; the large one needs the high counter word.
      for (long first : new long[] {0, 1, 4_999_999_999L}) {
        backend.bayes().philox(SEED, 0xffff_fff0L, STEP, first, words, stream);
        outputs.add("words from " + first, words);
      }
    }
  }

  private static void random(Backend backend, Stream stream, HostData data, int n, Outputs outputs, boolean uniform) {
    try (F32Buffer values = backend.allocate(n)) {
      for (long first : new long[] {0, 3, 1L << 40}) {
        if (uniform) {
          backend.bayes().uniform(SEED, 5, STEP, first, values, stream);
        } else {
          backend.bayes().gaussian(SEED, 5, STEP, first, values, stream);
        }
        outputs.add("values from " + first, values);
      }
    }
  }

  private static void sample(Backend backend, Stream stream, HostData data, int n, Outputs outputs) {
    TensorLayout layout = layout(n);
    try (GaussianWeights weights = weights(backend, layout, data, false); TensorGroup<F32Buffer> samples = backend.allocateGroup(layout,
        3)) {
      backend.bayes().sample(weights, SEED, STEP, samples, stream);
      outputs.add("w", samples);
    }
  }

  private static void epsilon(Backend backend, Stream stream, HostData data, int n, Outputs outputs) {
    try (TensorGroup<F32Buffer> epsilon = backend.allocateGroup(layout(n), 3)) {
      backend.bayes().epsilon(SEED, STEP, epsilon, stream);
      outputs.add("epsilon", epsilon);
    }
  }

  private static void gradAccumulate(Backend backend, Stream stream, HostData data, int n, Outputs outputs, boolean stored, boolean bf16) {
    TensorLayout layout = layout(n);
    BayesKernels bayes = backend.bayes();
    Maker maker = m -> data.wild(m, 0.1);
    try (TensorGroup<F32Buffer> gradMean = backend.allocateGroup(layout, 1);
        TensorGroup<F32Buffer> gradSigma = backend.allocateGroup(layout, 1)) {
      if (bf16) {
        try (TensorGroup<Bf16Buffer> gradients = bf16(backend, layout, 3, maker)) {
          bayes.gradAccumulate(gradients, SEED, STEP, 1.0 / 3, gradMean, gradSigma, stream);
        }
      } else {
        try (TensorGroup<F32Buffer> gradients = group(backend, layout, 3,
            maker); TensorGroup<F32Buffer> epsilon = backend.allocateGroup(layout, 3)) {
          if (stored) {
            bayes.epsilon(SEED, STEP, epsilon, stream);
            bayes.gradAccumulate(gradients, epsilon, 1.0 / 3, gradMean, gradSigma, stream);
          } else {
            bayes.gradAccumulate(gradients, SEED, STEP, 1.0 / 3, gradMean, gradSigma, stream);
          }
        }
      }
      outputs.add("gMu", gradMean);
      outputs.add("gSigma", gradSigma);
    }
  }

  private static void step(
      Backend backend, Stream stream, HostData data, int n, Outputs outputs, UpdateRule rule, boolean compensated, boolean bf16) {
    TensorLayout layout = layout(n);
    Maker maker = m -> data.wild(m, 3);
    try (GaussianWeights weights = weights(backend, layout, data, compensated); StepReport report = StepReport.allocate(backend)) {
      if (bf16) {
        try (TensorGroup<Bf16Buffer> gradMean = bf16(backend, layout, 1, maker); TensorGroup<Bf16Buffer> gradSigma = bf16(backend, layout,
            1, maker)) {
          backend.bayes().step(weights, gradMean, gradSigma, rule, report, stream);
          backend.bayes().step(weights, gradMean, gradSigma, rule, report, stream);
        }
      } else {
        try (TensorGroup<F32Buffer> gradMean = group(backend, layout, 1, maker);
            TensorGroup<F32Buffer> gradSigma = group(backend, layout, 1, maker)) {
          backend.bayes().step(weights, gradMean, gradSigma, rule, report, stream);
          backend.bayes().step(weights, gradMean, gradSigma, rule, report, stream);
        }
      }
      add(outputs, weights);
      outputs.addCount("sigma not positive", report.read().sigmaNotPositive());
    }
  }

  private static void stepGated(Backend backend, Stream stream, HostData data, int n, Outputs outputs) {
    TensorLayout layout = layout(n);
    try (GaussianWeights weights = weights(backend, layout, data, false);
        StepReport report = StepReport.allocate(backend);
        TensorGroup<F32Buffer> zero = backend.allocateGroup(layout, 1);
        TensorGroup<F32Buffer> gradients = group(backend, layout, 1, m -> data.normal(m, 0.1))) {
      for (int t = 0; t < layout.tensors(); t++) {
        if (layout.count(t) > 2) {
          zero.get(t).upload(1, new float[] {Float.NaN}, 0, 1);
        }
      }
      backend.bayes().stepGated(weights, zero, zero, MESU, report, stream);
      outputs.addCount("closed", report.read().gateOpen() ? 1L : 0L);
      outputs.addCount("NaN gradients", report.read().nanGradients());
      add(outputs, weights);
      backend.bayes().stepGated(weights, zero, gradients, MESU, report, stream);
      outputs.addCount("open", report.read().gateOpen() ? 1L : 0L);
      add(outputs, weights);
    }
  }

  /** mode 0: epsilon regenerated; 1: stored; 2: regenerated, with the next step's samples. */
  private static void fromSamples(Backend backend, Stream stream, HostData data, int n, Outputs outputs, UpdateRule rule, int mode) {
    TensorLayout layout = layout(n);
    BayesKernels bayes = backend.bayes();
    try (GaussianWeights weights = weights(backend, layout, data, false);
        StepReport report = StepReport.allocate(backend);
        TensorGroup<F32Buffer> gradients = group(backend, layout, 2, m -> data.wild(m, 0.5));
        TensorGroup<F32Buffer> other = backend.allocateGroup(layout, 2)) {
      switch (mode) {
        case 0 -> bayes.stepFromSamples(weights, gradients, SEED, STEP, 0.5, rule, report, stream);
        case 1 -> {
          bayes.epsilon(SEED, STEP, other, stream);
          bayes.stepFromStoredSamples(weights, gradients, other, 0.5, rule, report, stream);
        }
        default -> {
          bayes.stepFromSamplesAndSample(weights, gradients, SEED, STEP, 0.5, rule, STEP + 1, other, report, stream);
          outputs.add("next", other);
        }
      }
      add(outputs, weights);
      outputs.addCount("sigma not positive", report.read().sigmaNotPositive());
    }
  }

  private static void linear(Backend backend, Stream stream, HostData data, int n, Outputs outputs, boolean step, boolean stored) {
    int in = 5 * n + 3;
    int out = n;
    int samples = n % 2 == 0 ? 4 : 10;
    LinearShape shape = new LinearShape(in, out, samples, n % 3 == 0, n % 2 == 1);
    TensorLayout layout = TensorLayout.of(4, shape.weights());
    try (GaussianWeights weights = weights(backend, layout, data, false);
        StepReport report = StepReport.allocate(backend);
        F32Buffer x = upload(backend, data.normal(shape.sharedInput() ? in : samples * in, 1));
        F32Buffer y = backend.allocate((long) samples * out);
        F32Buffer epsilon = backend.allocate(samples * shape.weights());
        F32Buffer delta = upload(backend, sparse(data.normal(samples * out, 0.1)));
        F32Buffer dx = backend.allocate((long) samples * in)) {
      backend.bayes().linearForward(weights, 1, shape, x, SEED, STEP, stored ? epsilon : null, y, stream);
      outputs.add("y", y);
      if (step) {
        backend.bayes().linearStep(weights, 1, shape, x, delta, y, stored ? epsilon : null, SEED, STEP, MESU, dx, report, stream);
        outputs.add("dx", dx);
        add(outputs, weights);
      }
    }
  }

  /** Every third delta is zero: such a pair of sample and row must add nothing. */
  private static float[] sparse(float[] delta) {
    for (int i = 0; i < delta.length; i += 3) {
      delta[i] = i % 2 == 0 ? 0f : -0f;
    }
    return delta;
  }

  private static void nll(Backend backend, Stream stream, HostData data, int n, Outputs outputs) {
    int samples = 3;
    int classes = 10;
    try (F32Buffer logits = upload(backend, data.normal(samples * n * classes, 10));
        I32Buffer labels = backend.allocateI32(n);
        F32Buffer itemLoss = backend.allocate(n);
        F32Buffer loss = backend.allocate(1);
        F32Buffer gradient = backend.allocate((long) samples * n * classes)) {
      labels.upload(data.integers(n, classes));
      backend.bayes().nllMeanLogSoftmax(samples, n, classes, logits, labels, 1.0 / n, itemLoss, loss, gradient, stream);
      outputs.add("itemLoss", itemLoss);
      outputs.add("loss", loss);
      outputs.add("gradient", gradient);
    }
  }

  private static void uncertainty(Backend backend, Stream stream, HostData data, int n, Outputs outputs) {
    int samples = 5;
    int classes = 10;
    try (F32Buffer logits = upload(backend, data.normal(samples * n * classes, 10));
        F32Buffer predictive = backend.allocate(n);
        F32Buffer aleatoric = backend.allocate(n);
        F32Buffer epistemic = backend.allocate(n)) {
      for (boolean bits : new boolean[] {false, true}) {
        backend.bayes().uncertainty(
            samples, n, classes, logits, new UncertaintyOptions(true, bits, bits), predictive, aleatoric, epistemic, stream);
        outputs.add("predictive", predictive);
        outputs.add("aleatoric", aleatoric);
        outputs.add("epistemic", epistemic);
      }
    }
  }

  private static void diagHessian(Backend backend, Stream stream, HostData data, int n, Outputs outputs) {
    try (F32Buffer sigma = upload(backend, data.between(n, 1e-4, 2)); F32Buffer h = backend.allocate(n)) {
      backend.bayes().diagHessianFromSigma(sigma, 1, 300_000, h, stream);
      outputs.add("h", h);
    }
  }

  private static void sum(Backend backend, Stream stream, HostData data, int n, Outputs outputs) {
    try (F32Buffer x = upload(backend, data.normal(n, 1));
        F32Buffer out = backend.allocate(1);
        Workspace workspace = backend.workspace(backend.bayes().sumWorkspaceBytes(n))) {
      backend.bayes().sum(x, out, workspace, stream);
      outputs.add("sum", out);
    }
  }

  private static void auc(Backend backend, Stream stream, HostData data, int n, Outputs outputs, boolean thresholds) {
    try (F32Buffer in = upload(backend, data.ties(n)); F32Buffer ood = upload(backend, data.ties(n + 3))) {
      double auc = thresholds ? backend.bayes().rocAucThresholds(in, ood, stream) : backend.bayes().rocAuc(in, ood, stream);
      outputs.addCount("auc", Double.doubleToLongBits(auc));
    }
  }

  private static void sgd(Backend backend, Stream stream, HostData data, int n, Outputs outputs) {
    try (F32Buffer theta = upload(backend, data.wild(n, 1)); F32Buffer gradient = upload(backend, data.wild(n, 1))) {
      backend.bayes().sgdStep(theta, gradient, 0.002, stream);
      outputs.add("theta", theta);
    }
  }

  private static void fisherAccumulate(Backend backend, Stream stream, HostData data, int n, Outputs outputs) {
    try (F32Buffer gradient = upload(backend, data.wild(n, 1)); F32Buffer fisher = upload(backend, data.between(n, 0, 3))) {
      backend.bayes().fisherAccumulate(gradient, fisher, stream);
      outputs.add("fisher", fisher);
    }
  }

  private static void fisherMerge(Backend backend, Stream stream, HostData data, int n, Outputs outputs) {
    try (F32Buffer fisher = upload(backend, data.wild(n, 1)); F32Buffer total = upload(backend, data.between(n, 0, 3))) {
      backend.bayes().fisherMerge(fisher, 60_000, 0.2, total, stream);
      outputs.add("fisher", fisher);
      outputs.add("total", total);
    }
  }

  private static void ewc(Backend backend, Stream stream, HostData data, int n, Outputs outputs) {
    try (F32Buffer theta = upload(backend, data.wild(n, 1));
        F32Buffer anchor = upload(backend, data.normal(n, 1));
        F32Buffer fisher = upload(backend, data.between(n, 0, 3));
        F32Buffer gradient = upload(backend, data.normal(n, 1))) {
      backend.bayes().ewcPenaltyGradient(theta, anchor, fisher, 2, gradient, stream);
      outputs.add("gradient", gradient);
    }
  }

  private static void siPath(Backend backend, Stream stream, HostData data, int n, Outputs outputs) {
    try (F32Buffer gradient = upload(backend, data.wild(n, 1));
        F32Buffer after = upload(backend, data.normal(n, 1));
        F32Buffer before = upload(backend, data.normal(n, 1));
        F32Buffer path = upload(backend, data.normal(n, 1))) {
      backend.bayes().siPath(gradient, after, before, path, stream);
      outputs.add("path", path);
    }
  }

  private static void siConsolidate(Backend backend, Stream stream, HostData data, int n, Outputs outputs) {
    try (F32Buffer theta = upload(backend, data.normal(n, 1));
        F32Buffer path = upload(backend, data.wild(n, 1));
        F32Buffer anchor = upload(backend, data.normal(n, 1));
        F32Buffer omega = upload(backend, data.between(n, 0, 1))) {
      backend.bayes().siConsolidate(theta, 1e-3, path, anchor, omega, stream);
      outputs.add("path", path);
      outputs.add("anchor", anchor);
      outputs.add("omega", omega);
    }
  }

  private static void siPenalty(Backend backend, Stream stream, HostData data, int n, Outputs outputs) {
    try (F32Buffer theta = upload(backend, data.wild(n, 1));
        F32Buffer anchor = upload(backend, data.normal(n, 1));
        F32Buffer omega = upload(backend, data.between(n, 0, 1));
        F32Buffer gradient = upload(backend, data.normal(n, 1))) {
      backend.bayes().siPenaltyGradient(theta, anchor, omega, 1e-4, gradient, stream);
      outputs.add("gradient", gradient);
    }
  }
}
