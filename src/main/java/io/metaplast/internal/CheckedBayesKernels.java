package io.metaplast.internal;

import io.metaplast.DeviceBuffer;
import io.metaplast.F32Buffer;
import io.metaplast.I32Buffer;
import io.metaplast.Stream;
import io.metaplast.TensorGroup;
import io.metaplast.TensorLayout;
import io.metaplast.Workspace;
import io.metaplast.bayes.BayesKernels;
import io.metaplast.bayes.GaussianWeights;
import io.metaplast.bayes.LinearShape;
import io.metaplast.bayes.MesuParams;
import io.metaplast.bayes.StepReport;
import io.metaplast.bayes.UncertaintyOptions;
import io.metaplast.bayes.UpdateRule;
import io.metaplast.internal.spi.BackendProvider;
import io.metaplast.internal.spi.BayesProvider;
import io.metaplast.internal.spi.RuleRows;
import java.util.Objects;

/** The Bayesian kernels as users see them: checks every argument, then lets the backend's provider run. Nothing is written by a call that throws. */
final class CheckedBayesKernels implements BayesKernels {
  /** Thresholds of {@link #rocAucThresholds}. */
  private static final int THRESHOLDS = 1000;

  private static final float[] FRACTIONS = fractions();

  private final BackendImpl backend;
  private final BackendProvider provider;
  private final BayesProvider bayes;
  private final boolean fullChecks;

  CheckedBayesKernels(BackendImpl backend) {
    this.backend = backend;
    this.provider = backend.provider();
    this.bayes = provider.bayes();
    this.fullChecks = backend.options().fullChecks();
  }

  private static float[] fractions() {
    float[] fractions = new float[THRESHOLDS];
    for (int j = 0; j < THRESHOLDS; j++) {
      fractions[j] = (float) (j / (THRESHOLDS - 1.0));
    }
    return fractions;
  }

  // ---- random numbers

  @Override
  public void philox(long seed, long randomStream, long step, long first, I32Buffer out, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BufferImpl o = guard.output("out", out);
      long handle = guard.stream(stream);
      int r = Checks.uint32("randomStream", randomStream);
      int s = Checks.uint32("step", step);
      checkElements(first, o);
      if (o.length() > 0) {
        bayes.philox(seed, r, s, first, o, handle);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public void uniform(long seed, long randomStream, long step, long first, F32Buffer out, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BufferImpl o = guard.output("out", out);
      long handle = guard.stream(stream);
      int r = Checks.uint32("randomStream", randomStream);
      int s = Checks.uint32("step", step);
      checkElements(first, o);
      if (o.length() > 0) {
        bayes.uniform(seed, r, s, first, o, handle);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public void gaussian(long seed, long randomStream, long step, long first, F32Buffer out, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BufferImpl o = guard.output("out", out);
      long handle = guard.stream(stream);
      int r = Checks.uint32("randomStream", randomStream);
      int s = Checks.uint32("step", step);
      checkElements(first, o);
      if (o.length() > 0) {
        bayes.gaussian(seed, r, s, first, o, handle);
      }
    } finally {
      guard.exit();
    }
  }

  /** first is unsigned; first + n may be at most 2^64. */
  private static void checkElements(long first, BufferImpl out) {
    long end = first + out.length();
    if (Long.compareUnsigned(end, first) < 0 && end != 0) {
      throw new IllegalArgumentException("first = " + Long.toUnsignedString(first) + " + out.length " + out.length() + " must not pass 2^64");
    }
  }

  // ---- sampling and gradients

  @Override
  public void sample(GaussianWeights weights, long seed, long step, TensorGroup<F32Buffer> samples, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      Objects.requireNonNull(weights, "weights");
      TensorGroupImpl<?> mu = guard.input("weights.mean", weights.mean());
      TensorGroupImpl<?> sigma = guard.input("weights.sigma", weights.sigma());
      TensorGroupImpl<?> w = guard.output("samples", samples);
      long handle = guard.stream(stream);
      int s = Checks.uint32("step", step);
      checkWeights(mu, sigma, null);
      checkFp32("samples", w);
      checkLayout("samples", w, "weights", mu);
      checkSigma(guard, sigma);
      guard.checkOverlap();
      if (hasElements(mu)) {
        bayes.weightSample(mu, sigma, seed, s, w, handle);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public void epsilon(long seed, long step, TensorGroup<F32Buffer> epsilon, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      TensorGroupImpl<?> e = guard.output("epsilon", epsilon);
      long handle = guard.stream(stream);
      int s = Checks.uint32("step", step);
      checkFp32("epsilon", e);
      TensorLayout layout = e.layout();
      for (int t = 0; t < layout.tensors(); t++) {
        if (layout.count(t) > 0) {
          for (int k = 0; k < e.copies(); k++) {
            bayes.gaussian(seed, (layout.number(t) << 8) + k, s, 0, e.sample(t, k), handle);
          }
        }
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public void gradAccumulate(
      TensorGroup<? extends DeviceBuffer> gradSamples, long seed, long step, double scale, TensorGroup<F32Buffer> gradMean,
      TensorGroup<F32Buffer> gradSigma, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      TensorGroupImpl<?> dw = guard.input("gradSamples", gradSamples);
      gradAccumulate(guard, dw, null, seed, Checks.uint32("step", step), scale, gradMean, gradSigma, stream);
    } finally {
      guard.exit();
    }
  }

  @Override
  public void gradAccumulate(
      TensorGroup<? extends DeviceBuffer> gradSamples, TensorGroup<F32Buffer> epsilon, double scale, TensorGroup<F32Buffer> gradMean,
      TensorGroup<F32Buffer> gradSigma, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      TensorGroupImpl<?> dw = guard.input("gradSamples", gradSamples);
      TensorGroupImpl<?> e = storedEpsilon(guard, epsilon, dw);
      gradAccumulate(guard, dw, e, 0, 0, scale, gradMean, gradSigma, stream);
    } finally {
      guard.exit();
    }
  }

  private void gradAccumulate(
      CallGuard guard, TensorGroupImpl<?> dw, TensorGroupImpl<?> epsOrNull, long seed, int step, double scale, TensorGroup<F32Buffer> gradMean,
      TensorGroup<F32Buffer> gradSigma, Stream stream) {
    TensorGroupImpl<?> gm = guard.output("gradMean", gradMean);
    TensorGroupImpl<?> gs = guard.output("gradSigma", gradSigma);
    long handle = guard.stream(stream);
    float factor = Checks.finite("scale", scale);
    checkFp32("gradMean", gm);
    checkFp32("gradSigma", gs);
    checkLayout("gradMean", gm, "gradSamples", dw);
    checkLayout("gradSigma", gs, "gradSamples", dw);
    checkCopies("gradMean", gm, 1);
    checkCopies("gradSigma", gs, 1);
    guard.checkOverlap();
    if (hasElements(dw)) {
      bayes.gradAccumulate(dw, epsOrNull, seed, step, factor, gm, gs, handle);
    }
  }

  private static TensorGroupImpl<?> storedEpsilon(CallGuard guard, TensorGroup<F32Buffer> epsilon, TensorGroupImpl<?> dw) {
    TensorGroupImpl<?> e = guard.input("epsilon", epsilon);
    checkFp32("epsilon", e);
    checkLayout("epsilon", e, "gradSamples", dw);
    checkCopies("epsilon", e, dw.copies());
    return e;
  }

  // ---- updates

  @Override
  public void step(
      GaussianWeights weights, TensorGroup<? extends DeviceBuffer> gradMean, TensorGroup<? extends DeviceBuffer> gradSigma, UpdateRule rule,
      StepReport report, Stream stream) {
    update(weights, gradMean, gradSigma, rule, false, report, stream);
  }

  @Override
  public void stepGated(
      GaussianWeights weights, TensorGroup<? extends DeviceBuffer> gradMean, TensorGroup<? extends DeviceBuffer> gradSigma, UpdateRule rule,
      StepReport report, Stream stream) {
    Objects.requireNonNull(report, "report");
    update(weights, gradMean, gradSigma, rule, true, report, stream);
  }

  private void update(
      GaussianWeights weights, TensorGroup<? extends DeviceBuffer> gradMean, TensorGroup<? extends DeviceBuffer> gradSigma, UpdateRule rule,
      boolean gated, StepReport report, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      Objects.requireNonNull(weights, "weights");
      TensorGroupImpl<?> mu = guard.output("weights.mean", weights.mean());
      TensorGroupImpl<?> sigma = guard.output("weights.sigma", weights.sigma());
      TensorGroupImpl<?> low = guard.outputOrNull("weights.sigmaLow", weights.sigmaLow());
      TensorGroupImpl<?> gm = guard.input("gradMean", gradMean);
      TensorGroupImpl<?> gs = guard.input("gradSigma", gradSigma);
      BufferImpl words = report == null ? null : guard.output("report", report.words());
      long handle = guard.stream(stream);
      checkWeights(mu, sigma, low);
      checkLayout("gradMean", gm, "weights", mu);
      checkLayout("gradSigma", gs, "weights", mu);
      checkCopies("gradMean", gm, 1);
      checkCopies("gradSigma", gs, 1);
      if (gm.bf16() != gs.bf16()) {
        throw new IllegalArgumentException("gradMean is " + type(gm) + " but gradSigma is " + type(gs) + "; both must be of one type");
      }
      checkRule(rule, low);
      checkSigma(guard, sigma);
      guard.checkOverlap();
      RuleRows rows = mu.rows();
      rows.prepare(rule, mu.layout().tensors());
      if (hasElements(mu)) {
        bayes.update(mu, sigma, low, gm, gs, rows, gated, words, handle);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public void stepFromSamples(
      GaussianWeights weights, TensorGroup<? extends DeviceBuffer> gradSamples, long seed, long step, double scale, UpdateRule rule,
      StepReport report, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      TensorGroupImpl<?> dw = guard.input("gradSamples", gradSamples);
      updateFromSamples(guard, weights, dw, null, seed, Checks.uint32("step", step), scale, rule, 0, null, report, stream);
    } finally {
      guard.exit();
    }
  }

  @Override
  public void stepFromStoredSamples(
      GaussianWeights weights, TensorGroup<? extends DeviceBuffer> gradSamples, TensorGroup<F32Buffer> epsilon, double scale, UpdateRule rule,
      StepReport report, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      TensorGroupImpl<?> dw = guard.input("gradSamples", gradSamples);
      TensorGroupImpl<?> e = storedEpsilon(guard, epsilon, dw);
      updateFromSamples(guard, weights, dw, e, 0, 0, scale, rule, 0, null, report, stream);
    } finally {
      guard.exit();
    }
  }

  @Override
  public void stepFromSamplesAndSample(
      GaussianWeights weights, TensorGroup<? extends DeviceBuffer> gradSamples, long seed, long step, double scale, UpdateRule rule,
      long nextStep, TensorGroup<F32Buffer> next, StepReport report, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      TensorGroupImpl<?> dw = guard.input("gradSamples", gradSamples);
      TensorGroupImpl<?> n = guard.output("next", next);
      checkFp32("next", n);
      checkLayout("next", n, "gradSamples", dw);
      updateFromSamples(
          guard, weights, dw, null, seed, Checks.uint32("step", step), scale, rule, Checks.uint32("nextStep", nextStep), n, report, stream);
    } finally {
      guard.exit();
    }
  }

  private void updateFromSamples(
      CallGuard guard, GaussianWeights weights, TensorGroupImpl<?> dw, TensorGroupImpl<?> epsOrNull, long seed, int step, double scale,
      UpdateRule rule, int nextStep, TensorGroupImpl<?> nextOrNull, StepReport report, Stream stream) {
    Objects.requireNonNull(weights, "weights");
    TensorGroupImpl<?> mu = guard.output("weights.mean", weights.mean());
    TensorGroupImpl<?> sigma = guard.output("weights.sigma", weights.sigma());
    TensorGroupImpl<?> low = guard.outputOrNull("weights.sigmaLow", weights.sigmaLow());
    BufferImpl words = report == null ? null : guard.output("report", report.words());
    long handle = guard.stream(stream);
    float factor = Checks.finite("scale", scale);
    checkWeights(mu, sigma, low);
    checkLayout("gradSamples", dw, "weights", mu);
    checkRule(rule, low);
    checkSigma(guard, sigma);
    guard.checkOverlap();
    RuleRows rows = mu.rows();
    rows.prepare(rule, mu.layout().tensors());
    if (hasElements(mu)) {
      bayes.updateFromSamples(mu, sigma, low, dw, epsOrNull, seed, step, factor, rows, nextStep, nextOrNull, words, handle);
    }
  }

  // ---- batch-1 Bayesian linear layer

  @Override
  public void linearForward(
      GaussianWeights weights, int tensor, LinearShape shape, F32Buffer x, long seed, long step, F32Buffer epsilon, F32Buffer y, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      checkLinear(weights, tensor, shape);
      BufferImpl mu = guard.input("weights.mean", weights.mean().get(tensor));
      BufferImpl sigma = guard.input("weights.sigma", weights.sigma().get(tensor));
      BufferImpl in = guard.input("x", x);
      BufferImpl eps = guard.outputOrNull("epsilon", epsilon);
      BufferImpl out = guard.output("y", y);
      long handle = guard.stream(stream);
      int s = Checks.uint32("step", step);
      checkInput(shape, in);
      checkEpsilon(shape, eps);
      Checks.length("y", out.length(), "samples*out", (long) shape.samples() * shape.out());
      checkSigma(guard, tensor, sigma);
      guard.checkOverlap();
      if (out.length() > 0) { // without inputs y is 0
        bayes.linearForward(mu, sigma, weights.layout().number(tensor), shape, in, seed, s, eps, out, handle);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public void linearStep(
      GaussianWeights weights, int tensor, LinearShape shape, F32Buffer x, F32Buffer delta, F32Buffer y, F32Buffer epsilon, long seed,
      long step, UpdateRule rule, F32Buffer dx, StepReport report, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      checkLinear(weights, tensor, shape);
      TensorGroupImpl<?> means = guard.own("weights.mean", weights.mean());
      BufferImpl mu = guard.output("weights.mean", weights.mean().get(tensor));
      BufferImpl sigma = guard.output("weights.sigma", weights.sigma().get(tensor));
      BufferImpl low = weights.sigmaLow() == null ? null : guard.output("weights.sigmaLow", weights.sigmaLow().get(tensor));
      BufferImpl in = guard.input("x", x);
      BufferImpl d = guard.input("delta", delta);
      BufferImpl active = shape.relu() ? guard.input("y", y) : null;
      BufferImpl eps = epsilon == null ? null : guard.input("epsilon", epsilon);
      BufferImpl gradient = guard.outputOrNull("dx", dx);
      BufferImpl words = report == null ? null : guard.output("report", report.words());
      long handle = guard.stream(stream);
      int s = Checks.uint32("step", step);
      checkInput(shape, in);
      Checks.length("delta", d.length(), "samples*out", (long) shape.samples() * shape.out());
      if (active != null) {
        Checks.length("y", active.length(), "samples*out", (long) shape.samples() * shape.out());
      }
      checkEpsilon(shape, eps);
      if (gradient != null) {
        Checks.length("dx", gradient.length(), "samples*in", (long) shape.samples() * shape.in());
      }
      checkRule(rule, low);
      checkSigma(guard, tensor, sigma);
      guard.checkOverlap();
      RuleRows rows = means.rows();
      rows.prepare(rule, means.layout().tensors());
      if (shape.weights() > 0 || gradient != null && gradient.length() > 0) { // without outputs dx is 0
        bayes.linearStep(
            mu, sigma, low, means.layout().number(tensor), shape, in, d, active, eps, seed, s, rows, rows.stride() * tensor, gradient, words,
            handle);
      }
    } finally {
      guard.exit();
    }
  }

  private static void checkLinear(GaussianWeights weights, int tensor, LinearShape shape) {
    Objects.requireNonNull(weights, "weights");
    Objects.requireNonNull(shape, "shape");
    TensorLayout layout = weights.layout();
    if (tensor < 0 || tensor >= layout.tensors()) {
      throw new IllegalArgumentException("tensor = " + tensor + " must be in 0.." + (layout.tensors() - 1));
    }
    if (layout.count(tensor) != shape.weights()) {
      throw new IllegalArgumentException(
          "weights[" + tensor + "].length " + layout.count(tensor) + " != shape.out*shape.in = " + shape.out() + "*" + shape.in() + " = "
              + shape.weights());
    }
  }

  private static void checkInput(LinearShape shape, BufferImpl x) {
    if (shape.sharedInput()) {
      Checks.length("x", x.length(), "in", shape.in());
    } else {
      Checks.length("x", x.length(), "samples*in", (long) shape.samples() * shape.in());
    }
  }

  private static void checkEpsilon(LinearShape shape, BufferImpl epsOrNull) {
    if (epsOrNull != null) {
      Checks.length("epsilon", epsOrNull.length(), "samples*out*in", Checks.product("samples*out*in", shape.samples(), shape.weights()));
    }
  }

  // ---- read-outs

  @Override
  public void nllMeanLogSoftmax(
      int samples, int batch, int classes, F32Buffer logits, I32Buffer labels, double scale, F32Buffer itemLoss, F32Buffer loss,
      F32Buffer gradLogits, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      long size = size(samples, batch, classes);
      BufferImpl l = guard.input("logits", logits);
      BufferImpl y = guard.input("labels", labels);
      BufferImpl items = guard.output("itemLoss", itemLoss);
      BufferImpl total = guard.output("loss", loss);
      BufferImpl gradient = guard.outputOrNull("gradLogits", gradLogits);
      long handle = guard.stream(stream);
      float factor = Checks.finite("scale", scale);
      Checks.length("logits", l.length(), "samples*batch*classes", size);
      Checks.length("labels", y.length(), "batch", batch);
      Checks.length("itemLoss", items.length(), "batch", batch);
      Checks.length("loss", total.length(), "wanted", 1);
      if (gradient != null) {
        Checks.length("gradLogits", gradient.length(), "samples*batch*classes", size);
      }
      guard.allowInPlace("gradLogits", "logits");
      guard.checkOverlap();
      checkLabels(y, classes);
      if (samples > 0 && classes > 0) { // the loss of an empty batch is 0
        bayes.nllMeanLogSoftmax(
            samples, batch, classes, l, y, (float) (1.0 / samples), (float) (scale / samples), items, total, gradient, handle);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public void uncertainty(
      int samples, int batch, int classes, F32Buffer input, UncertaintyOptions options, F32Buffer predictive, F32Buffer aleatoric,
      F32Buffer epistemic, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      long size = size(samples, batch, classes);
      BufferImpl p = guard.input("input", input);
      Objects.requireNonNull(options, "options");
      BufferImpl u = guard.output("predictive", predictive);
      BufferImpl a = guard.output("aleatoric", aleatoric);
      BufferImpl e = guard.output("epistemic", epistemic);
      long handle = guard.stream(stream);
      Checks.length("input", p.length(), "samples*batch*classes", size);
      Checks.length("predictive", u.length(), "batch", batch);
      Checks.length("aleatoric", a.length(), "batch", batch);
      Checks.length("epistemic", e.length(), "batch", batch);
      guard.checkOverlap();
      if (size > 0) {
        bayes.uncertainty(
            samples, batch, classes, p, options.fromLogits(), options.bits(), options.clampEpistemic(), (float) (1.0 / samples), u, a, e, handle);
      }
    } finally {
      guard.exit();
    }
  }

  private static long size(int samples, int batch, int classes) {
    Checks.dimension("samples", samples);
    Checks.dimension("batch", batch);
    Checks.dimension("classes", classes);
    return Checks.product("samples*batch*classes", Checks.product("samples*batch", samples, batch), classes);
  }

  @Override
  public void diagHessianFromSigma(F32Buffer sigma, double priorSigma, double memoryWindow, F32Buffer h, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BufferImpl s = guard.input("sigma", sigma);
      BufferImpl out = guard.output("h", h);
      long handle = guard.stream(stream);
      double spf = Checks.positive("priorSigma", priorSigma);
      float priorPrecision = (float) (1.0 / (spf * spf));
      if (!Float.isFinite(priorPrecision)) {
        throw new IllegalArgumentException("priorSigma = " + priorSigma + " is too small: 1/priorSigma^2 must be finite in fp32");
      }
      Checks.positive("memoryWindow", memoryWindow);
      float inverseWindow = Checks.positive("1/memoryWindow", 1.0 / memoryWindow);
      checkSame("h", out, "sigma", s);
      checkSigma(guard, "sigma", s);
      guard.checkOverlap();
      if (s.length() > 0) {
        bayes.diagHessian(s, priorPrecision, inverseWindow, out, handle);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public void sum(F32Buffer x, F32Buffer out, Workspace workspace, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BufferImpl in = guard.input("x", x);
      BufferImpl o = guard.output("out", out);
      BufferImpl scratch = guard.output("workspace", workspace);
      long handle = guard.stream(stream);
      Checks.length("out", o.length(), "wanted", 1);
      long needed = bayes.sumWorkspaceBytes(in.length());
      if (scratch.length() < needed) {
        throw new IllegalArgumentException("workspace has " + scratch.length() + " bytes, sumWorkspaceBytes(" + in.length() + ") = " + needed);
      }
      guard.checkOverlap();
      bayes.sum(in, o, scratch, handle); // the empty sum is 0
    } finally {
      guard.exit();
    }
  }

  @Override
  public long sumWorkspaceBytes(long n) {
    if (n < 0) {
      throw new IllegalArgumentException("n = " + n + " must be >= 0");
    }
    return bayes.sumWorkspaceBytes(n);
  }

  @Override
  public double rocAuc(F32Buffer inDistribution, F32Buffer outOfDistribution, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BufferImpl in = guard.input("inDistribution", inDistribution);
      BufferImpl ood = guard.input("outOfDistribution", outOfDistribution);
      long handle = guard.stream(stream);
      long pairs = Checks.product("inDistribution.length*outOfDistribution.length", in.length(), ood.length());
      if (pairs == 0) {
        return Double.NaN;
      }
      long[] counts = guard.counts(2);
      bayes.rocPairs(in, ood, counts, handle);
      return (counts[0] + 0.5 * counts[1]) / pairs;
    } finally {
      guard.exit();
    }
  }

  @Override
  public double rocAucThresholds(F32Buffer inDistribution, F32Buffer outOfDistribution, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BufferImpl in = guard.input("inDistribution", inDistribution);
      BufferImpl ood = guard.input("outOfDistribution", outOfDistribution);
      long handle = guard.stream(stream);
      if (in.length() == 0 || ood.length() == 0) {
        return Double.NaN;
      }
      long[] counts = guard.counts(2 * THRESHOLDS);
      bayes.rocThresholds(in, ood, FRACTIONS, counts, handle);
      double area = 0;
      for (int j = 1; j < THRESHOLDS; j++) {
        double width = (double) (counts[THRESHOLDS + j] - counts[THRESHOLDS + j - 1]) / ood.length();
        area += width * ((double) counts[j] + counts[j - 1]) / (2.0 * in.length());
      }
      return area;
    } finally {
      guard.exit();
    }
  }

  // ---- baselines

  @Override
  public void sgdStep(F32Buffer theta, F32Buffer gradient, double rate, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BufferImpl t = guard.output("theta", theta);
      BufferImpl g = guard.input("gradient", gradient);
      long handle = guard.stream(stream);
      float r = Checks.positive("rate", rate);
      checkSame("gradient", g, "theta", t);
      guard.checkOverlap();
      if (t.length() > 0) {
        bayes.sgdStep(t, g, r, handle);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public void fisherAccumulate(F32Buffer gradient, F32Buffer fisher, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BufferImpl g = guard.input("gradient", gradient);
      BufferImpl f = guard.output("fisher", fisher);
      long handle = guard.stream(stream);
      checkSame("gradient", g, "fisher", f);
      guard.checkOverlap();
      if (f.length() > 0) {
        bayes.fisherAccumulate(g, f, handle);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public void fisherMerge(F32Buffer fisher, long items, double decay, F32Buffer total, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BufferImpl f = guard.output("fisher", fisher);
      BufferImpl t = guard.output("total", total);
      long handle = guard.stream(stream);
      if (items < 1) {
        throw new IllegalArgumentException("items = " + items + " must be >= 1");
      }
      float d = Checks.nonNegative("decay", decay);
      checkSame("total", t, "fisher", f);
      guard.checkOverlap();
      if (f.length() > 0) {
        bayes.fisherMerge(f, (float) (1.0 / items), d, t, handle);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public void ewcPenaltyGradient(F32Buffer theta, F32Buffer anchor, F32Buffer fisher, double lambda, F32Buffer gradient, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BufferImpl t = guard.input("theta", theta);
      BufferImpl a = guard.input("anchor", anchor);
      BufferImpl f = guard.input("fisher", fisher);
      BufferImpl g = guard.output("gradient", gradient);
      long handle = guard.stream(stream);
      float l = Checks.nonNegative("lambda", lambda);
      checkSame("anchor", a, "theta", t);
      checkSame("fisher", f, "theta", t);
      checkSame("gradient", g, "theta", t);
      guard.checkOverlap();
      if (t.length() > 0) {
        bayes.ewcPenaltyGradient(t, a, f, l, g, handle);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public void siPath(F32Buffer gradient, F32Buffer thetaNew, F32Buffer thetaOld, F32Buffer path, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BufferImpl g = guard.input("gradient", gradient);
      BufferImpl n = guard.input("thetaNew", thetaNew);
      BufferImpl o = guard.input("thetaOld", thetaOld);
      BufferImpl p = guard.output("path", path);
      long handle = guard.stream(stream);
      checkSame("gradient", g, "path", p);
      checkSame("thetaNew", n, "path", p);
      checkSame("thetaOld", o, "path", p);
      guard.checkOverlap();
      if (p.length() > 0) {
        bayes.siPath(g, n, o, p, handle);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public void siConsolidate(F32Buffer theta, double xi, F32Buffer path, F32Buffer anchor, F32Buffer omega, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BufferImpl t = guard.input("theta", theta);
      BufferImpl p = guard.output("path", path);
      BufferImpl a = guard.output("anchor", anchor);
      BufferImpl o = guard.output("omega", omega);
      long handle = guard.stream(stream);
      float x = Checks.positive("xi", xi);
      checkSame("path", p, "theta", t);
      checkSame("anchor", a, "theta", t);
      checkSame("omega", o, "theta", t);
      guard.checkOverlap();
      if (t.length() > 0) {
        bayes.siConsolidate(t, x, p, a, o, handle);
      }
    } finally {
      guard.exit();
    }
  }

  @Override
  public void siPenaltyGradient(F32Buffer theta, F32Buffer anchor, F32Buffer omega, double c, F32Buffer gradient, Stream stream) {
    CallGuard guard = CallGuard.enter(backend);
    try {
      BufferImpl t = guard.input("theta", theta);
      BufferImpl a = guard.input("anchor", anchor);
      BufferImpl o = guard.input("omega", omega);
      BufferImpl g = guard.output("gradient", gradient);
      long handle = guard.stream(stream);
      Checks.nonNegative("c", c);
      float twoC = Checks.finite("2*c", 2 * c);
      checkSame("anchor", a, "theta", t);
      checkSame("omega", o, "theta", t);
      checkSame("gradient", g, "theta", t);
      guard.checkOverlap();
      if (t.length() > 0) {
        bayes.siPenaltyGradient(t, a, o, twoC, g, handle);
      }
    } finally {
      guard.exit();
    }
  }

  // ---- checks

  private static boolean hasElements(TensorGroupImpl<?> group) {
    return group.ranges() > 0;
  }

  private static String type(TensorGroupImpl<?> group) {
    return group.bf16() ? "bf16" : "fp32";
  }

  /** Generics say fp32, but a cast may have lied. */
  private static void checkFp32(String name, TensorGroupImpl<?> group) {
    if (group.bf16()) {
      throw new IllegalArgumentException(name + " is bf16; fp32 is needed");
    }
  }

  private static void checkWeights(TensorGroupImpl<?> mu, TensorGroupImpl<?> sigma, TensorGroupImpl<?> lowOrNull) {
    checkFp32("weights.mean", mu);
    checkFp32("weights.sigma", sigma);
    if (lowOrNull != null) {
      checkFp32("weights.sigmaLow", lowOrNull);
    }
  }

  private static void checkCopies(String name, TensorGroupImpl<?> group, int wanted) {
    if (group.copies() != wanted) {
      throw new IllegalArgumentException(name + ".copies " + group.copies() + " != " + wanted);
    }
  }

  private static void checkSame(String name, BufferImpl buffer, String wantedName, BufferImpl wanted) {
    if (buffer.length() != wanted.length()) {
      throw new IllegalArgumentException(name + ".length " + buffer.length() + " != " + wantedName + ".length " + wanted.length());
    }
  }

  /** Same tensors, element counts and numbers; the number of copies may differ. */
  private static void checkLayout(String name, TensorGroupImpl<?> group, String wantedName, TensorGroupImpl<?> wantedGroup) {
    TensorLayout layout = group.layout();
    TensorLayout wanted = wantedGroup.layout();
    if (layout == wanted) {
      return;
    }
    int tensors = layout.tensors();
    if (tensors != wanted.tensors()) {
      throw new IllegalArgumentException(name + ".tensors " + tensors + " != " + wantedName + ".tensors " + wanted.tensors());
    }
    for (int t = 0; t < tensors; t++) {
      String index = tensors == 1 ? "" : "[" + t + "]";
      if (layout.count(t) != wanted.count(t)) {
        throw new IllegalArgumentException(
            name + index + ".length " + layout.count(t) + " != " + wantedName + index + ".length " + wanted.count(t));
      }
      if (layout.number(t) != wanted.number(t)) {
        throw new IllegalArgumentException(
            name + index + " has tensor number " + layout.number(t) + " != " + wantedName + index + " tensor number " + wanted.number(t));
      }
    }
  }

  /** With full checks. The CPU and JAVA kernels refuse such labels in any case, the CUDA kernel gives the item a NaN loss. */
  private void checkLabels(BufferImpl labels, int classes) {
    if (fullChecks) {
      LabelCheck.check(provider, labels, classes);
    }
  }

  private static void checkRule(UpdateRule rule, Object sigmaLow) {
    Objects.requireNonNull(rule, "rule");
    if (sigmaLow != null) {
      UpdateRule simple = rule instanceof UpdateRule.PerTensor many ? many.rules().get(0) : rule;
      if (!(simple instanceof MesuParams)) {
        throw new IllegalArgumentException(
            "rule is " + simple.getClass().getSimpleName() + ", but weights with a low part of sigma need MesuParams");
      }
    }
  }

  private void checkSigma(CallGuard guard, TensorGroupImpl<?> sigma) {
    if (fullChecks) {
      for (int t = 0; t < sigma.layout().tensors(); t++) {
        checkSigma(guard, t, sigma.buffer(t));
      }
    }
  }

  private void checkSigma(CallGuard guard, int tensor, BufferImpl sigma) {
    if (fullChecks) {
      checkSigma(guard, "weights.sigma[" + tensor + "]", sigma);
    }
  }

  /** With full checks: every value must be positive and finite. Waits for the work that is queued on them. */
  private void checkSigma(CallGuard guard, String name, BufferImpl sigma) {
    if (!fullChecks) {
      return;
    }
    float[] values = guard.values();
    for (long start = 0; start < sigma.length(); start += values.length) {
      int n = (int) Math.min(values.length, sigma.length() - start);
      provider.read(sigma.memory(), sigma.byteOffset() + start * Float.BYTES, values, 0, n);
      for (int i = 0; i < n; i++) {
        if (!(values[i] > 0) || values[i] == Float.POSITIVE_INFINITY) {
          throw new IllegalArgumentException(name + " element " + (start + i) + " = " + values[i] + " must be > 0 and finite");
        }
      }
    }
  }
}
