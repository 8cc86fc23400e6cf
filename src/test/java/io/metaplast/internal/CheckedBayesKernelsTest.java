package io.metaplast.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.metaplast.BackendKind;
import io.metaplast.BackendOptions;
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
import io.metaplast.bayes.StepReport;
import io.metaplast.bayes.UncertaintyOptions;
import io.metaplast.bayes.UpdateRule;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Bad arguments never reach a kernel, their messages tell what was wrong, and everything that a call took is given back. */
class CheckedBayesKernelsTest {
  private static final TensorLayout LAYOUT = TensorLayout.of(12, 20);
  private static final UpdateRule RULE = MesuParams.builder().build();

  private BackendImpl backend;
  private RecordingProvider provider;
  private BayesKernels bayes;
  private Stream stream;
  private GaussianWeights weights;
  private TensorGroup<F32Buffer> g1;
  private TensorGroup<F32Buffer> g2;
  private TensorGroup<F32Buffer> samples;

  @BeforeEach
  void open() {
    open(BackendOptions.of(BackendKind.JAVA).withFullChecks(false));
  }

  private void open(BackendOptions options) {
    backend = RecordingProvider.backend(options);
    provider = RecordingProvider.of(backend);
    bayes = backend.bayes();
    stream = backend.defaultStream();
    weights = GaussianWeights.allocate(backend, LAYOUT);
    weights.sigma().arena().fill(0.1f);
    g1 = backend.allocateGroup(LAYOUT, 1);
    g2 = backend.allocateGroup(LAYOUT, 1);
    samples = backend.allocateGroup(LAYOUT, 3);
  }

  private void refused(Class<? extends Throwable> type, ThrowingCallable call, String... words) {
    assertThatThrownBy(call).isInstanceOf(type).hasMessageContainingAll(words);
    assertThat(provider.calls).isEmpty();
    // Nothing is held any more: what is closed now is freed at once.
    int freed = provider.freed;
    F32Buffer probe = backend.allocate(1);
    probe.close();
    assertThat(provider.freed).isEqualTo(freed + 1);
  }

  private void illegal(ThrowingCallable call, String... words) {
    refused(IllegalArgumentException.class, call, words);
  }

  @Test
  void goodCallsReachTheKernel() {
    bayes.sample(weights, 1, 2, samples, stream);
    bayes.gradAccumulate(samples, 1, 2, 1, g1, g2, stream);
    bayes.step(weights, g1, g2, RULE, null, stream);
    bayes.stepGated(weights, g1, g1, RULE, StepReport.allocate(backend), stream);
    bayes.stepFromSamplesAndSample(weights, samples, 1, 2, 1, RULE, 3, backend.allocateGroup(LAYOUT, 2), null, stream);
    assertThat(provider.calls).containsExactly("weightSample", "gradAccumulate", "update", "update", "updateFromSamples");
  }

  @Test
  void nullsAreNamed() {
    refused(NullPointerException.class, () -> bayes.step(null, g1, g2, RULE, null, stream), "weights");
    refused(NullPointerException.class, () -> bayes.step(weights, null, g2, RULE, null, stream), "gradMean");
    refused(NullPointerException.class, () -> bayes.step(weights, g1, null, RULE, null, stream), "gradSigma");
    refused(NullPointerException.class, () -> bayes.step(weights, g1, g2, null, null, stream), "rule");
    refused(NullPointerException.class, () -> bayes.step(weights, g1, g2, RULE, null, null), "stream");
    refused(NullPointerException.class, () -> bayes.stepGated(weights, g1, g2, RULE, null, stream), "report");
    F32Buffer x = backend.allocate(4);
    refused(NullPointerException.class, () -> bayes.sgdStep(null, x, 1, stream), "theta");
    refused(NullPointerException.class, () -> bayes.sgdStep(x, null, 1, stream), "gradient");
  }

  @Test
  void lengthsAndLayoutsMustAgree() {
    F32Buffer x = backend.allocate(4);
    illegal(() -> bayes.sgdStep(x, backend.allocate(5), 1, stream), "gradient.length 5 != theta.length 4");
    TensorGroup<F32Buffer> other = backend.allocateGroup(TensorLayout.of(12, 21), 1);
    illegal(() -> bayes.step(weights, other, g2, RULE, null, stream), "gradMean[1].length 21 != weights[1].length 20");
    illegal(() -> bayes.step(weights, samples, g2, RULE, null, stream), "gradMean.copies 3 != 1");
    TensorGroup<F32Buffer> renumbered = backend.allocateGroup(LAYOUT.withTensorNumbers(4, 5), 1);
    illegal(() -> bayes.step(weights, g1, renumbered, RULE, null, stream), "gradSigma[0] has tensor number 4 != weights[0] tensor number 0");
    TensorGroup<F32Buffer> fewer = backend.allocateGroup(TensorLayout.of(12), 1);
    illegal(() -> bayes.step(weights, fewer, g2, RULE, null, stream), "gradMean.tensors 1 != weights.tensors 2");
    TensorGroup<Bf16Buffer> half = backend.allocateBf16Group(LAYOUT, 1);
    illegal(() -> bayes.step(weights, half, g2, RULE, null, stream), "gradMean is bf16 but gradSigma is fp32");
    illegal(() -> bayes.gradAccumulate(samples, backend.allocateGroup(LAYOUT, 2), 1, g1, g2, stream), "epsilon.copies 2 != 3");
    illegal(
        () -> bayes.step(weights, g1, g2, UpdateRule.perTensor(List.of(RULE, RULE, RULE)), null, stream), "rule has 3 rows != tensors 2");
  }

  @Test
  void scalarsMustBeInRange() {
    I32Buffer words = backend.allocateI32(8);
    illegal(() -> bayes.philox(1, 1L << 32, 0, 0, words, stream), "randomStream = 4294967296", "4294967295");
    illegal(() -> bayes.philox(1, 0, -1, 0, words, stream), "step = -1");
    illegal(() -> bayes.philox(1, 0, 0, -7, words, stream), "first = 18446744073709551609", "2^64");
    F32Buffer x = backend.allocate(4);
    F32Buffer y = backend.allocate(4);
    for (double bad : new double[] {Double.NaN, Double.POSITIVE_INFINITY, 0, -1, 1e39, 1e-50}) {
      illegal(() -> bayes.sgdStep(x, y, bad, stream), "rate = " + bad);
      illegal(() -> bayes.diagHessianFromSigma(x, bad, 1, y, stream), "priorSigma = " + bad);
      illegal(() -> bayes.diagHessianFromSigma(x, 1, bad, y, stream), "memoryWindow");
    }
    illegal(() -> bayes.gradAccumulate(samples, 1, 2, Double.NaN, g1, g2, stream), "scale = NaN");
    illegal(() -> bayes.fisherMerge(x, 0, 1, y, stream), "items = 0");
    assertThat(provider.calls).isEmpty();
    bayes.philox(1, 0, 0, -8, words, stream);
    assertThat(provider.calls).containsExactly("philox");
  }

  @Test
  void ruleConstantsMustBeFiniteInFp32() {
    illegal(() -> MesuParams.builder().priorSigma(1e-50).build(), "priorSigma = 1.0E-50");
    illegal(() -> MesuParams.builder().priorSigma(1e30).build(), "priorSigma = 1.0E30 is too large");
    illegal(() -> MesuParams.builder().memoryWindow(1e-30).priorSigma(1e-10).build(), "memoryWindow = 1.0E-30", "too small");
    assertThat(MesuParams.builder().memoryWindow(1e-30).priorSigma(1e-10).noForgetting(true).build().noForgetting()).isTrue();
  }

  @Test
  void outputsMayOverlapNothing() {
    F32Buffer all = backend.allocate(100);
    illegal(() -> bayes.sgdStep(all.slice(0, 10), all.slice(9, 10), 1, stream), "theta", "gradient", "bytes 36..40 of theta");
    illegal(() -> bayes.sgdStep(all.slice(0, 10), all.slice(0, 10), 1, stream), "overlap");
    bayes.sgdStep(all.slice(0, 10), all.slice(10, 10), 1, stream);
    assertThat(provider.calls).containsExactly("sgdStep");
    provider.calls.clear();
    illegal(() -> bayes.step(weights, g1, weights.sigma(), RULE, null, stream), "weights.sigma[0]", "gradSigma[0]");
    // Interleaved, but apart: every other slice of one buffer.
    TensorGroup<F32Buffer> even = backend.group(TensorLayout.of(10, 10), 1, List.of(all.slice(0, 10), all.slice(20, 10)));
    TensorGroup<F32Buffer> odd = backend.group(TensorLayout.of(10, 10), 1, List.of(all.slice(30, 10), all.slice(10, 10)));
    TensorGroup<F32Buffer> rest = backend.group(TensorLayout.of(10, 10), 1, List.of(all.slice(40, 10), all.slice(50, 10)));
    bayes.gradAccumulate(even, 1, 1, 1, odd, rest, stream);
    assertThat(provider.calls).containsExactly("gradAccumulate");
    provider.calls.clear();
    TensorGroup<F32Buffer> touching = backend.group(TensorLayout.of(10, 10), 1, List.of(all.slice(60, 10), all.slice(29, 10)));
    illegal(() -> bayes.gradAccumulate(even, 1, 1, 1, touching, rest, stream), "gradSamples[1]", "gradMean[1]", "bytes 36..40 of gradSamples[1]");
    TensorGroup<F32Buffer> twice = backend.group(TensorLayout.of(10, 10), 1, List.of(all.slice(60, 10), all.slice(65, 10)));
    illegal(() -> bayes.gradAccumulate(even, 1, 1, 1, twice, rest, stream), "gradMean[0] and gradMean[1] overlap by 20 bytes");
    // An input may share bytes with itself.
    bayes.gradAccumulate(twice, 1, 1, 1, even, odd, stream);
    assertThat(provider.calls).containsExactly("gradAccumulate");
  }

  @Test
  void logitsMayBeReplacedByTheirGradientExactly() {
    F32Buffer memory = backend.allocate(100);
    F32Buffer logits = memory.slice(0, 12);
    I32Buffer labels = backend.allocateI32(2);
    F32Buffer items = backend.allocate(2);
    F32Buffer loss = backend.allocate(1);
    illegal(
        () -> bayes.nllMeanLogSoftmax(2, 2, 3, logits, labels, 1, items, loss, memory.slice(1, 12), stream), "logits", "gradLogits", "same range");
    bayes.nllMeanLogSoftmax(2, 2, 3, logits, labels, 1, items, loss, logits, stream);
    bayes.nllMeanLogSoftmax(2, 2, 3, logits, labels, 1, items, loss, null, stream);
    assertThat(provider.calls).containsExactly("nllMeanLogSoftmax", "nllMeanLogSoftmax");
    provider.calls.clear();
    illegal(() -> bayes.nllMeanLogSoftmax(-1, 2, 3, logits, labels, 1, items, loss, null, stream), "samples = -1");
    illegal(
        () -> bayes.nllMeanLogSoftmax(Integer.MAX_VALUE, Integer.MAX_VALUE, 3, logits, labels, 1, items, loss, null, stream),
        "samples*batch*classes", "exceeds");
    illegal(() -> bayes.nllMeanLogSoftmax(2, 2, 4, logits, labels, 1, items, loss, null, stream), "logits.length 12 != samples*batch*classes 16");
  }

  @Test
  void closedThingsAreRefused() {
    F32Buffer x = backend.allocate(4);
    F32Buffer y = backend.allocate(4);
    F32Buffer slice = y.slice(0, 4);
    y.close();
    y.close();
    refused(IllegalStateException.class, () -> bayes.sgdStep(x, y, 1, stream), "gradient is closed");
    refused(IllegalStateException.class, () -> bayes.sgdStep(slice, x, 1, stream), "theta is closed");
    Stream own = backend.newStream();
    own.close();
    own.close();
    assertThat(provider.calls).containsExactly("destroyStream");
    provider.calls.clear();
    refused(IllegalStateException.class, () -> bayes.sgdStep(x, backend.allocate(4), 1, own), "stream is closed");
    refused(IllegalStateException.class, own::synchronize, "stream is closed");
    g1.close();
    refused(IllegalStateException.class, () -> bayes.step(weights, g1, g2, RULE, null, stream), "gradMean is closed");
    F32Buffer z = backend.allocate(4);
    backend.close();
    backend.close();
    assertThat(provider.closed).isTrue();
    assertThatThrownBy(() -> bayes.sgdStep(x, z, 1, stream)).isInstanceOf(IllegalStateException.class).hasMessage("backend is closed");
    assertThatThrownBy(() -> x.upload(new float[4])).isInstanceOf(IllegalStateException.class).hasMessage("backend is closed");
    assertThatThrownBy(() -> backend.allocate(1)).isInstanceOf(IllegalStateException.class).hasMessage("backend is closed");
    assertThatThrownBy(stream::synchronize).isInstanceOf(IllegalStateException.class).hasMessage("backend is closed");
    assertThat(provider.calls).isEmpty();
  }

  @Test
  void handlesOfAnotherBackendAreRefused() {
    BackendImpl other = RecordingProvider.backend(backend.options());
    F32Buffer x = backend.allocate(4);
    F32Buffer foreign = other.allocate(4);
    illegal(() -> bayes.sgdStep(x, foreign, 1, stream), "gradient belongs to backend " + other, "this call to " + backend);
    illegal(() -> bayes.sgdStep(x, backend.allocate(4), 1, other.defaultStream()), "stream belongs to backend " + other);
    illegal(() -> bayes.step(GaussianWeights.allocate(other, LAYOUT), g1, g2, RULE, null, stream), "weights.mean belongs to backend " + other);
    illegal(() -> backend.group(TensorLayout.of(4), 1, List.of(foreign)), "buffers[0] belongs to " + other);
  }

  @Test
  void closeDuringACallWaitsForItsEnd() {
    F32Buffer x = backend.allocate(4);
    F32Buffer y = backend.allocate(4);
    int freed = provider.freed;
    provider.duringKernel =
        () -> {
          x.close();
          backend.close();
          assertThat(provider.freed).isEqualTo(freed);
          assertThat(provider.closed).isFalse();
        };
    bayes.sgdStep(x, y, 1, stream);
    assertThat(provider.calls).containsExactly("sgdStep");
    assertThat(provider.freed).isEqualTo(freed + 1);
    assertThat(provider.closed).isTrue();
  }

  @Test
  void emptyOperandsReachNoKernel() {
    F32Buffer none = backend.allocate(0);
    bayes.sgdStep(none, none, 1, stream);
    bayes.philox(1, 2, 3, -1, backend.allocateI32(0), stream);
    GaussianWeights empty = GaussianWeights.allocate(backend, TensorLayout.of(0, 0));
    TensorGroup<F32Buffer> nothing = backend.allocateGroup(TensorLayout.of(0, 0), 1);
    bayes.step(empty, nothing, nothing, RULE, null, stream);
    bayes.sample(empty, 1, 2, nothing, stream);
    bayes.epsilon(1, 2, nothing, stream);
    assertThat(bayes.rocAuc(none, none, stream)).isNaN();
    assertThat(provider.calls).isEmpty();
    // reductions over nothing have a result: 0
    bayes.nllMeanLogSoftmax(2, 0, 3, none, backend.allocateI32(0), 1, none, backend.allocate(1), none, stream);
    bayes.linearForward(empty, 0, new LinearShape(0, 3, 2, false, true), none, 1, 2, null, backend.allocate(6), stream);
    assertThat(provider.calls).containsExactly("nllMeanLogSoftmax", "linearForward");
  }

  @Test
  void linearLayerShapes() {
    GaussianWeights w = GaussianWeights.allocate(backend, TensorLayout.of(6, 12));
    LinearShape shape = new LinearShape(4, 3, 2, false, true);
    F32Buffer x = backend.allocate(8);
    F32Buffer y = backend.allocate(6);
    F32Buffer delta = backend.allocate(6);
    bayes.linearForward(w, 1, shape, x, 1, 2, null, y, stream);
    bayes.linearStep(w, 1, shape, x, delta, y, null, 1, 2, RULE, null, null, stream);
    assertThat(provider.calls).containsExactly("linearForward", "linearStep");
    provider.calls.clear();
    illegal(() -> bayes.linearForward(w, 2, shape, x, 1, 2, null, y, stream), "tensor = 2 must be in 0..1");
    illegal(() -> bayes.linearForward(w, 0, shape, x, 1, 2, null, y, stream), "weights[0].length 6 != shape.out*shape.in = 3*4 = 12");
    illegal(() -> bayes.linearForward(w, 1, shape, y, 1, 2, null, y, stream), "x.length 6 != samples*in 8");
    illegal(() -> bayes.linearForward(w, 1, shape, x, 1, 2, y, y, stream), "epsilon.length 6 != samples*out*in 24");
    illegal(() -> bayes.linearForward(w, 1, shape, x, 1, 2, null, w.mean().get(1).slice(2, 6), stream), "weights.mean", "y", "bytes 8..32 of weights.mean");
    illegal(() -> bayes.linearStep(w, 1, shape, x, delta, y, null, 1, 2, RULE, x, null, stream), "x and dx overlap");
    refused(NullPointerException.class, () -> bayes.linearStep(w, 1, shape, x, delta, null, null, 1, 2, RULE, null, null, stream), "y");
  }

  @Test
  void workspaceMustBeLargeEnough() {
    Workspace small = backend.workspace(63);
    illegal(() -> bayes.sum(backend.allocate(5), backend.allocate(1), small, stream), "workspace has 63 bytes", "= 64");
    bayes.sum(backend.allocate(5), backend.allocate(1), backend.workspace(64), stream);
    assertThat(provider.calls).containsExactly("sum");
  }

  @Test
  void lowPartOfSigmaNeedsMesu() {
    GaussianWeights compensated = GaussianWeights.allocateCompensated(backend, LAYOUT);
    illegal(() -> bayes.step(compensated, g1, g2, new BgdParams(1), null, stream), "rule is BgdParams", "MesuParams");
  }

  @Test
  void fullChecksLookAtSigmaAndLabels() {
    open(BackendOptions.of(BackendKind.JAVA).withFullChecks(true));
    for (float bad : new float[] {0, -1, Float.NaN, Float.POSITIVE_INFINITY}) {
      weights.sigma().get(1).upload(17, new float[] {bad}, 0, 1);
      illegal(() -> bayes.step(weights, g1, g2, RULE, null, stream), "weights.sigma[1] element 17 = " + bad);
      illegal(() -> bayes.sample(weights, 1, 2, samples, stream), "weights.sigma[1] element 17 = " + bad);
    }
    weights.sigma().get(1).fill(1f);
    bayes.step(weights, g1, g2, RULE, null, stream);
    assertThat(provider.calls).containsExactly("update");
    provider.calls.clear();
    I32Buffer labels = backend.allocateI32(2);
    labels.upload(new int[] {0, 3});
    illegal(
        () -> bayes.nllMeanLogSoftmax(2, 2, 3, backend.allocate(12), labels, 1, backend.allocate(2), backend.allocate(1), null, stream),
        "labels[1] = 3 must be in 0..2");
  }

  @Test
  void uncertaintyNeedsOptions() {
    F32Buffer out = backend.allocate(2);
    refused(
        NullPointerException.class,
        () -> bayes.uncertainty(1, 2, 3, backend.allocate(6), null, out, backend.allocate(2), backend.allocate(2), stream), "options");
    UncertaintyOptions options = new UncertaintyOptions(true, false, true);
    illegal(
        () -> bayes.uncertainty(1, 2, 3, backend.allocate(6), options, out, out, backend.allocate(2), stream), "predictive", "aleatoric", "overlap");
  }
}
