package io.metaplast.fault;

import static org.assertj.core.api.Assertions.assertThat;

import io.metaplast.Backend;
import io.metaplast.BackendKind;
import io.metaplast.BackendOptions;
import io.metaplast.BackendUnavailableException;
import io.metaplast.Bf16Buffer;
import io.metaplast.BitMatrix;
import io.metaplast.Coverage;
import io.metaplast.DeviceBuffer;
import io.metaplast.DeviceOutOfMemoryException;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.I32Buffer;
import io.metaplast.I32Matrix;
import io.metaplast.IsaTier;
import io.metaplast.Metaplast;
import io.metaplast.Stream;
import io.metaplast.TensorGroup;
import io.metaplast.TensorLayout;
import io.metaplast.TestBackends;
import io.metaplast.TestBackends;
import io.metaplast.TestBackends.Target;
import io.metaplast.internal.PublishedOnly;
import io.metaplast.Workspace;
import io.metaplast.bayes.BayesKernels;
import io.metaplast.bayes.BgdParams;
import io.metaplast.bayes.GaussianWeights;
import io.metaplast.bayes.LinearShape;
import io.metaplast.bayes.MesuParams;
import io.metaplast.bayes.MesuRatioParams;
import io.metaplast.bayes.StepReport;
import io.metaplast.bayes.UpdateRule;
import io.metaplast.binary.BatchNormOutput;
import io.metaplast.binary.BinaryKernels;
import io.metaplast.binary.HiddenWeights;
import io.metaplast.binary.RunningStatistics;
import io.metaplast.binary.Thresholds;
import io.metaplast.fault.KernelCalls.Arg;
import io.metaplast.fault.KernelCalls.Call;
import io.metaplast.fault.KernelCalls.Placement;
import io.metaplast.kfac.BatchNormMerge;
import io.metaplast.kfac.BatchNormMergeGradients;
import io.metaplast.kfac.KfacKernels;
import io.metaplast.kfac.KroneckerPair;
import io.metaplast.kfac.MovingFactor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.ReadOnlyBufferException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Bad arguments: the exception of the contract, a message that names the argument and the values, and nothing written. */
class BadInputTest {
  /** A piece of code that must throw. */
  private interface Bad {
    void run() throws Throwable;
  }

  private static void refused(String what, Class<? extends Throwable> type, Bad bad, String... inMessage) {
    Throwable thrown = null;
    try {
      bad.run();
    } catch (Throwable t) {
      thrown = t;
    }
    assertThat(thrown).as("%s", what).isNotNull();
    assertThat((Object) thrown.getClass()).as("%s: %s", what, thrown).isEqualTo(type);
    for (String part : inMessage) {
      assertThat(thrown.getMessage()).as("%s", what).contains(part);
    }
  }

  /** Makes the call with bad values; whatever {@code watched} holds must not change. */
  private static void refused(
      Target target, Call call, String how, Object[] values, Object[] watched, Class<? extends Throwable> type, String... inMessage) {
    List<Object> before = KernelCalls.content(watched);
    refused(target + " " + call + " with " + how, type, () -> call.invoke(target.backend(), values), inMessage);
    assertThat(KernelCalls.content(watched)).as("%s %s with %s: operands", target, call, how).isEqualTo(before);
    Coverage.checked("bad input", target.name(), 1);
  }

  private static void closeAll(Object[] values) {
    for (Object value : values) {
      KernelCalls.close(value);
    }
  }

  @Test
  void everyKernelIsCovered() {
    for (Class<?> family : new Class<?>[] {BayesKernels.class, BinaryKernels.class, KfacKernels.class}) {
      assertThat(KernelCalls.all().stream().filter(c -> c.family() == family).map(Call::method).distinct())
          .containsExactlyInAnyOrderElementsOf(
              java.util.Arrays.stream(family.getMethods()).map(m -> m.getName()).filter(m -> !m.endsWith("WorkspaceBytes")).distinct().toList());
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void soundCallsWork(Target target) throws Throwable {
    for (Call call : KernelCalls.all(target)) {
      Object[] values = call.values(target.backend());
      call.invoke(target.backend(), values);
      for (int i = 0; i < values.length; i++) {
        if (call.args().get(i).nullable()) {
          call.invoke(target.backend(), KernelCalls.with(values, i, v -> null));
        }
      }
      closeAll(values);
    }
  }

  /** No kernel, and no look at the values of an operand, before a concurrent close would wait for the call. */
  @Test
  void whatACallUsesIsPublishedFirst() throws Throwable {
    try (Backend checked = PublishedOnly.backend(TestBackends.java().options().withFullChecks(true))) {
      for (Call call : KernelCalls.all(TestBackends.java())) {
        Object[] values = call.values(checked);
        call.invoke(checked, values);
        for (int i = 0; i < values.length; i++) {
          if (call.args().get(i).nullable()) {
            call.invoke(checked, KernelCalls.with(values, i, v -> null));
          }
        }
        closeAll(values);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void soundKroneckerCallsPassFullChecks(Target target) throws Throwable {
    try (Backend checked = Metaplast.open(target.options().withFullChecks(true))) {
      for (Call call : KernelCalls.all(target)) {
        if (call.family() == KfacKernels.class) {
          Object[] values = call.values(checked);
          call.invoke(checked, values);
          closeAll(values);
        }
      }
    }
  }

  /** Every call with a symmetric operand that is written in no other way. */
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void asymmetryIsRefusedWithFullChecks(Target target) {
    int checkedOperands = 0;
    try (Backend checked = Metaplast.open(target.options().withFullChecks(true))) {
      Target full = new Target(target.name(), target.options(), checked);
      for (Call call : KernelCalls.all(target)) {
        Object[] values = call.values(checked);
        for (int i = 0; i < values.length; i++) {
          String name = call.args().get(i).name();
          F32Matrix m = null;
          if (values[i] instanceof KroneckerPair p && !name.equals("out")) {
            m = p.a();
          } else if (values[i] instanceof List<?> list && list.get(0) instanceof KroneckerPair p && !call.method().equals("damping")) {
            m = p.g();
          } else if (values[i] instanceof F32Matrix f && name.equals("m")) {
            m = f;
          }
          if (m != null) {
            float[] old = new float[1];
            long place = (long) m.ld() + 2; // (1, 2)
            m.data().download(place, old, 0, 1);
            m.data().upload(place, new float[] {old[0] + 4}, 0, 1);
            refused(
                full, call, name + " asymmetric", values, values, IllegalArgumentException.class, name, "is not symmetric", "batch index 0", "(2, 1)",
                "difference -4.0");
            m.data().upload(place, old, 0, 1);
            checkedOperands++;
          }
        }
        closeAll(values);
      }
    }
    assertThat(checkedOperands).isEqualTo(target.options().kind() == BackendKind.CUDA ? 0 : 12);
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void nullIsRefused(Target target) {
    for (Call call : KernelCalls.all(target)) {
      Object[] values = call.values(target.backend());
      for (int i = 0; i < values.length; i++) {
        Arg arg = call.args().get(i);
        boolean primitive = values[i] instanceof Number || values[i] instanceof Boolean;
        if (!arg.nullable() && !primitive) {
          boolean paired = arg.name().equals("gamma") || arg.name().equals("beta"); // null together only
          Class<? extends Throwable> type = paired ? IllegalArgumentException.class : NullPointerException.class;
          refused(target, call, arg.name() + " null", KernelCalls.with(values, i, v -> null), values, type, arg.name());
        }
      }
      closeAll(values);
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void closedIsRefused(Target target) {
    for (Call call : KernelCalls.all(target)) {
      Object[] values = call.values(target.backend());
      for (int i = 0; i < values.length; i++) {
        Arg arg = call.args().get(i);
        if (KernelCalls.closeable(values[i])) {
          Object closed = arg.make().apply(target.backend(), 0);
          KernelCalls.close(closed);
          KernelCalls.close(closed); // closing twice does nothing
          refused(
              target, call, arg.name() + " closed", KernelCalls.with(values, i, v -> closed), values, IllegalStateException.class, arg.name(), "closed");
        }
      }
      closeAll(values);
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void handlesOfAnotherBackendAreRefused(Target target) {
    try (Backend other = Metaplast.open(target.options())) {
      for (Call call : KernelCalls.all(target)) {
        Object[] values = call.values(target.backend());
        for (int i = 0; i < values.length; i++) {
          Arg arg = call.args().get(i);
          if (KernelCalls.closeable(values[i])) {
            Object foreign = arg.make().apply(other, 0);
            Object[] bad = KernelCalls.with(values, i, v -> foreign);
            refused(
                target, call, arg.name() + " of another backend", bad, bad, IllegalArgumentException.class, arg.name(), other.toString(),
                target.backend().toString());
            KernelCalls.close(foreign);
          }
        }
        closeAll(values);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void wrongLengthIsRefused(Target target) {
    for (Call call : KernelCalls.all(target)) {
      Object[] values = call.values(target.backend());
      for (int i = 0; i < values.length; i++) {
        Arg arg = call.args().get(i);
        for (int change : new int[] {-1, 1, 64}) {
          if (arg.sized()) {
            Object wrong = arg.make().apply(target.backend(), change);
            Object[] bad = KernelCalls.with(values, i, v -> wrong);
            refused(target, call, arg.name() + " longer by " + change, bad, bad, IllegalArgumentException.class, lengths(values[i], wrong));
            KernelCalls.close(wrong);
          }
        }
      }
      closeAll(values);
    }
  }

  /** Both sizes, as a message must show them. */
  private static String[] lengths(Object right, Object wrong) {
    if (right instanceof BitMatrix r) {
      BitMatrix w = (BitMatrix) wrong;
      return changed(r.rows(), w.rows(), w.cols());
    }
    if (right instanceof F32Matrix r) {
      F32Matrix w = (F32Matrix) wrong;
      return changed(r.rows(), w.rows(), w.cols());
    }
    if (right instanceof I32Matrix r) {
      I32Matrix w = (I32Matrix) wrong;
      return changed(r.rows(), w.rows(), w.cols());
    }
    if (right instanceof DeviceBuffer) {
      return new String[] {"" + ((DeviceBuffer) wrong).length()};
    }
    if (right instanceof Thresholds) {
      return new String[] {"" + ((Thresholds) wrong).channels()};
    }
    if (right instanceof RunningStatistics) {
      return new String[] {"" + ((RunningStatistics) wrong).mean().length()};
    }
    if (right instanceof List || right instanceof KroneckerPair || right instanceof BatchNormMerge) {
      return new String[0]; // the name is in the message
    }
    if (right instanceof MovingFactor) {
      return new String[] {"factor.raw", "" + ((MovingFactor) wrong).raw().cols()};
    }
    if (right instanceof BatchNormMergeGradients) {
      return new String[] {"out.gamma", "" + ((BatchNormMergeGradients) wrong).gamma().length()};
    }
    if (right instanceof BatchNormOutput) {
      return new String[] {"" + ((BatchNormOutput) wrong).values().length()};
    }
    if (right instanceof HiddenWeights) {
      return new String[] {"weights[0]"};
    }
    TensorLayout r = right instanceof GaussianWeights w ? w.layout() : ((TensorGroup<?>) right).layout();
    TensorLayout w = wrong instanceof GaussianWeights x ? x.layout() : ((TensorGroup<?>) wrong).layout();
    return new String[] {"" + r.count(0), "" + w.count(0)};
  }

  /** The dimension that differs. */
  private static String[] changed(int rows, int wrongRows, int wrongCols) {
    return new String[] {"" + (rows == wrongRows ? wrongCols : wrongRows)};
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void overlapIsRefused(Target target) {
    int pairs = 0;
    for (Call call : KernelCalls.all(target)) {
      Object[] values = call.values(target.backend());
      for (int i = 0; i < values.length; i++) {
        for (int j = i + 1; j < values.length; j++) {
          for (Placement a : call.args().get(i).placements()) {
            for (Placement b : call.args().get(j).placements()) {
              if (a.output() || b.output()) {
                for (int shift : new int[] {a.length() - 1, 0, 1 - b.length()}) {
                  boolean inPlace =
                      a.name().equals("logits") && b.name().equals("gradLogits") || a.name().equals("gradOutput") && b.name().equals("gradInput")
                          || KfacCalls.mayBeInPlace(call, a, b);
                  if (shift == 0 && inPlace) {
                    continue; // the pairs that may be in place
                  }
                  overlap(target, call, values, i, a, j, b, shift);
                  pairs++;
                }
              }
            }
          }
        }
      }
      closeAll(values);
    }
    assertThat(pairs).isGreaterThan(100);
  }

  /** Places b at element {@code shift} of a. */
  private static void overlap(Target target, Call call, Object[] values, int i, Placement a, int j, Placement b, int shift) {
    Backend backend = target.backend();
    int before = Math.max(0, -shift);
    try (F32Buffer base = backend.allocate(before + Math.max(a.length(), shift + b.length()))) {
      base.fill(0.5f);
      Object first = a.at().apply(backend, base.slice(before, a.length()));
      Object second = b.at().apply(backend, base.slice(before + shift, b.length()));
      Object[] bad = KernelCalls.with(KernelCalls.with(values, i, v -> first), j, v -> second);
      refused(
          target, call, a.name() + " and " + b.name() + " overlapping at " + shift, bad, bad, IllegalArgumentException.class, a.name(), b.name(), "overlap");
      KernelCalls.close(first);
      KernelCalls.close(second);
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void meanAndSigmaMustNotOverlap(Target target) {
    Backend backend = target.backend();
    Call step = KernelCalls.all(target).stream().filter(c -> c.method().equals("step")).findFirst().orElseThrow();
    Object[] values = step.values(backend);
    TensorLayout layout = KernelCalls.LAYOUT;
    try (F32Buffer base = backend.allocate(200)) {
      base.fill(0.5f);
      TensorGroup<F32Buffer> mean = backend.group(layout, 1, List.of(base.slice(0, 37), base.slice(37, 0), base.slice(40, 12)));
      TensorGroup<F32Buffer> sigma = backend.group(layout, 1, List.of(base.slice(100, 37), base.slice(100, 0), base.slice(51, 12)));
      Object[] bad = KernelCalls.with(values, 0, v -> GaussianWeights.of(mean, sigma, null));
      refused(target, step, "mean[2] and sigma[2] overlapping", bad, bad, IllegalArgumentException.class, "weights.mean[2]", "weights.sigma[2]");
      TensorGroup<F32Buffer> twice = backend.group(layout, 1, List.of(base.slice(0, 37), base.slice(37, 0), base.slice(30, 12)));
      Object[] self = KernelCalls.with(values, 0, v -> GaussianWeights.of(twice, (TensorGroup<F32Buffer>) backend.allocateGroup(layout, 1), null));
      refused(target, step, "mean[0] and mean[2] overlapping", self, self, IllegalArgumentException.class, "weights.mean[0]", "weights.mean[2]");
    }
    closeAll(values);
  }

  /** Touching operands, and inputs that overlap each other, are sound. */
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void neighboursAndSharedInputsAreAllowed(Target target) {
    Backend backend = target.backend();
    try (F32Buffer base = backend.allocate(90)) {
      base.fill(0.25f);
      backend.bayes().siPath(base.slice(0, 30), base.slice(10, 30), base.slice(0, 30), base.slice(40, 30), backend.defaultStream());
      backend.bayes().sgdStep(base.slice(45, 45), base.slice(0, 45), 1, backend.defaultStream());
      assertThat(base.toArray()).startsWith(0.25f).endsWith(0f);
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void scalarsOutOfRangeAreRefused(Target target) {
    double[] notPositive = {0, -1, Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 1e300, 1e-300};
    double[] notFinite = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 1e300};
    double[] negative = {-1, -1e-300, Double.NaN, Double.POSITIVE_INFINITY, 1e300};
    for (Call call : KernelCalls.all(target)) {
      Object[] values = call.values(target.backend());
      for (int i = 0; i < values.length; i++) {
        String name = call.args().get(i).name();
        List<Object> bad = new ArrayList<>();
        switch (values[i] instanceof Number ? name : "") {
          case "t" -> bad.addAll(List.of(0L, -1L, Long.MIN_VALUE));
          case "samplesCount" -> bad.addAll(List.of(0, -1, 257, Integer.MAX_VALUE));
          case "step", "nextStep", "randomStream" -> bad.addAll(List.of(-1L, 1L << 32, Long.MIN_VALUE));
          case "scale", "alpha", "learningRate" -> java.util.Arrays.stream(notFinite).forEach(bad::add);
          case "rate", "xi", "priorSigma", "memoryWindow", "eps", "temperature", "kappa", "tolerance" -> java.util.Arrays.stream(notPositive).forEach(bad::add);
          case "beta" -> bad.addAll(List.of(-0.1, 1.5, Double.NaN));
          case "root", "maxIterations" -> bad.addAll(List.of(0, -1, Integer.MIN_VALUE));
          case "decay", "lambda", "c", "damping" -> java.util.Arrays.stream(negative).forEach(bad::add);
          case "items" -> bad.addAll(List.of(0L, -5L));
          case "tensor" -> bad.addAll(List.of(-1, 3, Integer.MAX_VALUE));
          case "samples", "batch", "classes" -> {
            if (values[i] instanceof Integer) {
              bad.addAll(List.of(-1, Integer.MIN_VALUE));
            } else {
              bad.addAll(List.of(0L, -1L, Long.MIN_VALUE));
            }
          }
          default -> {
            // covered by the other tests
          }
        }
        for (Object value : bad) {
          refused(target, call, name + " = " + value, KernelCalls.with(values, i, v -> value), values, IllegalArgumentException.class, name, "" + value);
        }
      }
      closeAll(values);
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void elementNumbersMustNotPass2To64(Target target) {
    Backend backend = target.backend();
    try (F32Buffer out = backend.allocate(5);
        I32Buffer words = backend.allocateI32(5)) {
      for (long first : new long[] {-1, -4}) {
        String text = Long.toUnsignedString(first);
        refused("uniform", IllegalArgumentException.class, () -> backend.bayes().uniform(1, 1, 1, first, out, backend.defaultStream()), "first", text);
        refused("gaussian", IllegalArgumentException.class, () -> backend.bayes().gaussian(1, 1, 1, first, out, backend.defaultStream()), "first", text);
        refused("philox", IllegalArgumentException.class, () -> backend.bayes().philox(1, 1, 1, first, words, backend.defaultStream()), "first", text);
      }
      assertThat(out.toArray()).containsOnly(0f);
      assertThat(words.toArray()).containsOnly(0);
      backend.bayes().gaussian(1, 1, 1, -5, out, backend.defaultStream()); // ends exactly at 2^64
      assertThat(out.toArray()).doesNotContain(0f);
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void groupsMustFit(Target target) {
    Backend backend = target.backend();
    TensorLayout layout = TensorLayout.of(8, 3);
    MesuParams rule = MesuParams.builder().build();
    try (GaussianWeights w = GaussianWeights.allocate(backend, layout);
        GaussianWeights low = GaussianWeights.allocateCompensated(backend, layout);
        TensorGroup<F32Buffer> g = backend.allocateGroup(layout, 1);
        TensorGroup<F32Buffer> two = backend.allocateGroup(layout, 2);
        TensorGroup<F32Buffer> three = backend.allocateGroup(TensorLayout.of(8, 3, 1), 1);
        TensorGroup<F32Buffer> renumbered = backend.allocateGroup(layout.withTensorNumbers(0, 7), 1);
        TensorGroup<Bf16Buffer> bf16 = backend.allocateBf16Group(layout, 1)) {
      Stream s = backend.defaultStream();
      BayesKernels k = backend.bayes();
      refused("copies", IllegalArgumentException.class, () -> k.step(w, two, g, rule, null, s), "gradMean", "2");
      refused("copies", IllegalArgumentException.class, () -> k.step(w, g, two, rule, null, s), "gradSigma", "2");
      refused("tensors", IllegalArgumentException.class, () -> k.step(w, g, three, rule, null, s), "gradSigma", "3", "2");
      refused("tensor number", IllegalArgumentException.class, () -> k.step(w, g, renumbered, rule, null, s), "gradSigma", "7", "1");
      refused("mixed types", IllegalArgumentException.class, () -> k.step(w, g, bf16, rule, null, s), "gradMean", "gradSigma");
      refused("epsilon copies", IllegalArgumentException.class, () -> k.gradAccumulate(two, g, 1, g, g, s), "epsilon", "1", "2");
      refused("compensated BGD", IllegalArgumentException.class, () -> k.step(low, g, g, new BgdParams(1), null, s), "BgdParams", "MesuParams");
      refused(
          "rules", IllegalArgumentException.class, () -> k.step(w, g, g, UpdateRule.perTensor(List.of(rule, rule, rule)), null, s), "3", "2");
      refused("sigma of another layout", IllegalArgumentException.class, () -> GaussianWeights.of(g, three, null), "sigma");
      refused("two copies", IllegalArgumentException.class, () -> GaussianWeights.of(two, two, null), "copies", "2");
      refused("mean null", NullPointerException.class, () -> GaussianWeights.of(null, g, null), "mean");
      refused("buffers", IllegalArgumentException.class, () -> backend.group(layout, 1, List.of(g.get(0))), "buffers", "1", "2");
      refused("buffer length", IllegalArgumentException.class, () -> backend.group(layout, 1, List.of(g.get(0), g.get(0))), "buffers[1]", "8", "3");
      for (int copies : new int[] {0, -1, 257}) {
        refused("copies", IllegalArgumentException.class, () -> backend.allocateGroup(layout, copies), "copies", "" + copies);
        refused("copies", IllegalArgumentException.class, () -> backend.group(layout, copies, List.of(g.get(0), g.get(1))), "copies", "" + copies);
      }
      refused("arena", IllegalStateException.class, () -> backend.group(layout, 1, List.of(g.get(0), g.get(1))).arena(), "arena");
      assertThat(w.mean().arena().toArray()).containsOnly(0f);
      assertThat(g.arena().toArray()).containsOnly(0f);
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void sigmaMustBePositiveWithFullChecks(Target target) {
    try (Backend checked = Metaplast.open(target.options().withFullChecks(true))) {
      Target full = new Target(target.name(), target.options(), checked);
      for (Call call : KernelCalls.all(target)) {
        Object[] values = call.values(checked);
        for (float bad : new float[] {0f, -0f, -1f, Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
          for (Object value : values) {
            F32Buffer sigma = value instanceof GaussianWeights w ? w.sigma().get(0) : null;
            if (call.method().equals("diagHessianFromSigma") && value == values[0]) {
              sigma = (F32Buffer) value;
            }
            if (sigma != null) {
              sigma.upload(29, new float[] {bad}, 0, 1);
              refused(full, call, "sigma[29] = " + bad, values, values, IllegalArgumentException.class, "sigma", "29", "" + bad);
              sigma.upload(29, new float[] {0.5f}, 0, 1);
            }
          }
        }
        closeAll(values);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void labelsMustBeClasses(Target target) {
    // The CUDA kernel looks at labels only with full checks: a look at values waits for the device.
    try (Backend backend = Metaplast.open(target.options().withFullChecks(target.options().kind() == BackendKind.CUDA));
        F32Buffer logits = backend.allocate(30);
        I32Buffer labels = backend.allocateI32(3);
        F32Buffer items = backend.allocate(3);
        F32Buffer loss = backend.allocate(1)) {
      for (int label : new int[] {-1, 5, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
        labels.upload(new int[] {0, 4, label});
        refused(
            "label " + label, IllegalArgumentException.class,
            () -> backend.bayes().nllMeanLogSoftmax(2, 3, 5, logits, labels, 1, items, loss, logits, backend.defaultStream()), "labels[2]", "" + label);
        assertThat(logits.toArray()).containsOnly(0f);
        assertThat(items.toArray()).containsOnly(0f);
        assertThat(loss.toArray()).containsOnly(0f);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void buffersCheckRangesAndSizes(Target target) {
    Backend b = target.backend();
    refused("allocate", IllegalArgumentException.class, () -> b.allocate(-1), "length", "-1");
    refused("allocate", IllegalArgumentException.class, () -> b.allocateI32(Long.MIN_VALUE), "length");
    refused("allocate", IllegalArgumentException.class, () -> b.allocate(Long.MAX_VALUE), "length", "" + Long.MAX_VALUE);
    refused("allocate", IllegalArgumentException.class, () -> b.allocateBf16(1L << 62), "length");
    refused("workspace", IllegalArgumentException.class, () -> b.workspace(-1), "bytes", "-1");
    refused("group", IllegalArgumentException.class, () -> b.allocateGroup(TensorLayout.of(1L << 61), 8), "" + (1L << 61));
    try (F32Buffer x = b.allocate(10);
        I32Buffer i = b.allocateI32(10);
        Bf16Buffer h = b.allocateBf16(10);
        F32Buffer nine = b.allocate(9)) {
      x.fill(3f);
      long[][] bad = {{-1, 2}, {0, 11}, {10, 1}, {5, -1}, {Long.MAX_VALUE, 1}, {1, Long.MAX_VALUE}, {Long.MAX_VALUE, Long.MAX_VALUE}, {Long.MIN_VALUE, 1}};
      for (long[] range : bad) {
        String[] parts = {"" + range[0], "" + range[1], "10"};
        refused("slice", IndexOutOfBoundsException.class, () -> x.slice(range[0], range[1]), parts);
        refused("slice", IndexOutOfBoundsException.class, () -> i.slice(range[0], range[1]), parts);
        refused("slice", IndexOutOfBoundsException.class, () -> h.slice(range[0], range[1]), parts);
      }
      float[] array = new float[4];
      int[] ints = new int[4];
      short[] shorts = new short[4];
      refused("upload", IndexOutOfBoundsException.class, () -> x.upload(7, array, 0, 4), "7", "4", "10");
      refused("upload", IndexOutOfBoundsException.class, () -> x.upload(Long.MAX_VALUE, array, 0, 4), "4", "10");
      refused("upload", IndexOutOfBoundsException.class, () -> x.upload(0, array, 2, 3), "source", "2", "3", "4");
      refused("upload", IndexOutOfBoundsException.class, () -> x.upload(0, array, -1, 3), "source", "-1");
      refused("upload", IndexOutOfBoundsException.class, () -> x.upload(0, array, Integer.MAX_VALUE, Integer.MAX_VALUE), "source");
      refused("upload", IndexOutOfBoundsException.class, () -> i.upload(8, ints, 0, 3), "8", "3", "10");
      refused("upload", IndexOutOfBoundsException.class, () -> h.uploadBits(8, shorts, 0, 3), "8", "3", "10");
      refused("download", IndexOutOfBoundsException.class, () -> x.download(7, array, 0, 4), "7", "4", "10");
      refused("download", IndexOutOfBoundsException.class, () -> x.download(0, array, 1, 4), "target", "1", "4");
      refused("download", IndexOutOfBoundsException.class, () -> i.download(-1, ints, 0, 4), "-1", "4", "10");
      refused("download", IndexOutOfBoundsException.class, () -> h.download(9, array, 0, 2), "9", "2", "10");
      refused("copyFrom", IllegalArgumentException.class, () -> x.copyFrom(nine), "9", "10");
      refused("copyFrom", NullPointerException.class, () -> x.copyFrom(null), "source");
      refused("upload", NullPointerException.class, () -> x.upload(null));
      assertThat(x.toArray()).containsOnly(3f);
      F32Buffer view = x.slice(2, 3);
      view.close(); // a slice owns nothing
      assertThat(x.isClosed()).isFalse();
      assertThat(view.slice(3, 0).length()).isZero();
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void closedBuffersRefuseEverything(Target target) {
    Backend b = target.backend();
    F32Buffer x = b.allocate(4);
    F32Buffer view = x.slice(1, 2);
    I32Buffer i = b.allocateI32(4);
    Bf16Buffer h = b.allocateBf16(4);
    x.close();
    x.close();
    i.close();
    h.close();
    assertThat(view.isClosed()).isTrue();
    Class<IllegalStateException> closed = IllegalStateException.class;
    for (F32Buffer f : new F32Buffer[] {x, view}) {
      refused("fill", closed, () -> f.fill(1), "closed");
      refused("toArray", closed, f::toArray, "closed");
      refused("upload", closed, () -> f.upload(new float[1]), "closed");
      refused("address", closed, f::address, "closed");
    }
    refused("upload", closed, () -> i.upload(new int[1]), "closed");
    refused("toArray", closed, h::toArray, "closed");
    try (F32Buffer open = b.allocate(4)) {
      refused("copyFrom", closed, () -> open.copyFrom(x), "closed");
      refused("copyFrom", closed, () -> x.copyFrom(open), "closed");
    }
    Stream stream = b.newStream();
    stream.close();
    stream.close();
    refused("synchronize", closed, stream::synchronize, "closed");
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void closedBackendRefusesEverything(Target target) {
    Backend b = Metaplast.open(target.options());
    F32Buffer x = b.allocate(4);
    Stream stream = b.newStream();
    b.close();
    b.close();
    Class<IllegalStateException> closed = IllegalStateException.class;
    refused("allocate", closed, () -> b.allocate(1), "backend", "closed");
    refused("newStream", closed, b::newStream, "backend", "closed");
    refused("kernel", closed, () -> b.bayes().uniform(1, 1, 1, 0, x, stream), "backend", "closed");
    refused("upload", closed, () -> x.upload(new float[4]), "closed");
    refused("fill", closed, () -> x.fill(1), "closed");
    x.close();
    stream.close();
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void wrappedMemoryIsChecked(Target target) {
    Backend b = target.backend();
    FloatBuffer direct = ByteBuffer.allocateDirect(64).order(ByteOrder.nativeOrder()).asFloatBuffer();
    FloatBuffer foreign =
        ByteBuffer.allocateDirect(64).order(ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
    refused("null", NullPointerException.class, () -> b.wrap((FloatBuffer) null), "direct");
    refused("heap buffer", IllegalArgumentException.class, () -> b.wrap(FloatBuffer.allocate(4)), "direct", "heap");
    refused("read-only", ReadOnlyBufferException.class, () -> b.wrap(direct.asReadOnlyBuffer()));
    refused("byte order", IllegalArgumentException.class, () -> b.wrap(foreign), foreign.order().toString(), ByteOrder.nativeOrder().toString());
    refused("address 0", IllegalArgumentException.class, () -> b.wrapAddress(0, 1, this), "address");
    refused("misaligned", IllegalArgumentException.class, () -> b.wrapAddress(0x10002, 1, this), "10002", "4");
    refused("negative length", IllegalArgumentException.class, () -> b.wrapAddress(0x10000, -1, this), "length", "-1");
    refused("too long", IllegalArgumentException.class, () -> b.wrapAddress(0x10000, Long.MAX_VALUE, this), "length");
    if (target.options().kind() == BackendKind.CUDA) {
      refused("host memory", IllegalArgumentException.class, () -> b.wrap(direct), "CUDA");
    } else {
      refused("stream handle", IllegalArgumentException.class, () -> b.wrapStream(0x1234), "1234");
      direct.position(3).limit(9);
      F32Buffer view = b.wrap(direct);
      assertThat(view.length()).isEqualTo(6);
      view.fill(7f);
      view.close();
      assertThat(direct.get(2)).isZero();
      assertThat(direct.get(3)).isEqualTo(7f);
      assertThat(direct.get(8)).isEqualTo(7f);
      direct.clear();
      assertThat(direct.get(9)).isZero();
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void exhaustedMemoryIsReportedAndTheNextCallWorks(Target target) {
    Backend b = target.backend();
    long before = b.allocatedBytes();
    long length = target.isJava() ? Math.min(Integer.MAX_VALUE - 64L, Runtime.getRuntime().maxMemory() / 4 + 1) : 1L << 44;
    refused("allocate", DeviceOutOfMemoryException.class, () -> b.allocate(length), "" + 4 * length);
    assertThat(b.allocatedBytes()).isEqualTo(before);
    try (F32Buffer x = b.allocate(1000)) {
      x.fill(1f);
      assertThat(x.toArray()).containsOnly(1f);
      assertThat(b.allocatedBytes()).isGreaterThanOrEqualTo(before + 4000);
    }
    assertThat(b.allocatedBytes()).isEqualTo(before);
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void emptyOperandsWriteNothing(Target target) {
    Backend b = target.backend();
    Stream s = b.defaultStream();
    TensorLayout none = TensorLayout.of();
    TensorLayout empty = TensorLayout.of(0, 0);
    for (TensorLayout layout : new TensorLayout[] {none, empty}) {
      try (GaussianWeights w = GaussianWeights.allocate(b, layout);
          TensorGroup<F32Buffer> g = b.allocateGroup(layout, 1);
          TensorGroup<F32Buffer> g2 = b.allocateGroup(layout, 1);
          TensorGroup<F32Buffer> dw = b.allocateGroup(layout, 3);
          StepReport report = StepReport.allocate(b)) {
        MesuParams rule = MesuParams.builder().build();
        b.bayes().sample(w, 1, 1, dw, s);
        b.bayes().epsilon(1, 1, dw, s);
        b.bayes().gradAccumulate(dw, 1, 1, 1, g, g2, s);
        b.bayes().step(w, g, g2, rule, report, s);
        b.bayes().stepGated(w, g, g2, rule, report, s);
        b.bayes().stepFromSamples(w, dw, 1, 1, 1, rule, report, s);
        assertThat(report.read()).isEqualTo(new StepReport.Counts(0, false, 0));
      }
    }
    try (F32Buffer zero = b.allocate(0);
        F32Buffer five = b.allocate(5)) {
      b.bayes().gaussian(1, 1, 1, 0, zero, s);
      b.bayes().sgdStep(zero, five.slice(5, 0), 1, s);
      assertThat(b.bayes().rocAuc(zero, five, s)).isNaN();
      assertThat(b.bayes().rocAuc(five, zero, s)).isNaN();
      assertThat(b.bayes().rocAucThresholds(five, zero, s)).isNaN();
    }
  }

  /** A sum over nothing is +0, also where the output held something else: an empty reduction must not leave stale values. */
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void emptyReductionsGiveZero(Target target) {
    Backend b = target.backend();
    Stream s = b.defaultStream();
    try (F32Buffer zero = b.allocate(0);
        I32Buffer noLabels = b.allocateI32(0);
        Workspace workspace = b.workspace(b.bayes().sumWorkspaceBytes(0));
        F32Buffer out = b.allocate(6);
        GaussianWeights w = GaussianWeights.allocate(b, TensorLayout.of(0))) {
      out.fill(9f);
      b.bayes().sum(zero, out.slice(0, 1), workspace, s);
      assertThat(out.toArray()).containsExactly(0f, 9f, 9f, 9f, 9f, 9f);
      out.fill(9f);
      b.bayes().nllMeanLogSoftmax(2, 0, 10, zero, noLabels, 1, zero, out.slice(0, 1), null, s);
      assertThat(out.toArray()).containsExactly(0f, 9f, 9f, 9f, 9f, 9f);
      out.fill(9f);
      b.bayes().linearForward(w, 0, new LinearShape(0, 3, 2, false, false), zero, 1, 1, null, out, s);
      assertThat(out.toArray()).containsOnly(0f);
      out.fill(9f);
      b.bayes().linearStep(
          w, 0, new LinearShape(3, 0, 2, true, false), out.slice(0, 3), zero, null, null, 1, 1, MesuParams.builder().build(), null, null, s);
      assertThat(out.toArray()).containsOnly(9f);
      try (F32Buffer x = b.allocate(3)) {
        b.bayes().linearStep(w, 0, new LinearShape(3, 0, 2, true, false), x, zero, null, null, 1, 1, MesuParams.builder().build(), out, null, s);
      }
      assertThat(out.toArray()).containsOnly(0f);
    }
  }

  // ---- parameters -------------------------------------------------------------------------------------------------------------------

  @Test
  void ruleParametersAreChecked() {
    double[] notPositive = {0, -1, Double.NaN, Double.POSITIVE_INFINITY, 1e300};
    double[] notFinite = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 1e300};
    double[] negative = {-1, Double.NaN, Double.POSITIVE_INFINITY, 1e300};
    Class<IllegalArgumentException> iae = IllegalArgumentException.class;
    for (double v : notPositive) {
      refused("MESU", iae, () -> MesuParams.builder().memoryWindow(v).build(), "memoryWindow", "" + v);
      refused("MESU", iae, () -> MesuParams.builder().priorSigma(v).build(), "priorSigma", "" + v);
      refused("MESU", iae, () -> MesuParams.builder().rateMean(v).build(), "rateMean", "" + v);
      refused("MESU", iae, () -> MesuParams.builder().rateSigma(v).build(), "rateSigma", "" + v);
      refused("ratio", iae, () -> MesuRatioParams.of(v, 0, 1, 1, 1, 1, 0, 1), "memoryWindow", "" + v);
      refused("ratio", iae, () -> MesuRatioParams.of(1, 0, v, 1, 1, 1, 0, 1), "priorSigma", "" + v);
      refused("ratio", iae, () -> MesuRatioParams.of(1, 0, 1, v, 1, 1, 0, 1), "coefficientMean", "" + v);
      refused("ratio", iae, () -> MesuRatioParams.of(1, 0, 1, 1, v, 1, 0, 1), "coefficientSigma", "" + v);
      refused("ratio", iae, () -> MesuRatioParams.of(1, 0, 1, 1, 1, v, 0, 1), "ratioMax", "" + v);
      refused("BGD", iae, () -> new BgdParams(v), "eta", "" + v);
    }
    for (double v : notFinite) {
      refused("MESU", iae, () -> MesuParams.builder().priorMean(v).build(), "priorMean", "" + v);
      refused("ratio", iae, () -> MesuRatioParams.of(1, v, 1, 1, 1, 1, 0, 1), "priorMean", "" + v);
      refused("ratio", iae, () -> new MesuRatioParams(1, false, 0, 1, 1, 1, 1, 0, 0, 1, v, 1), "meanMin", "" + v);
      refused("ratio", iae, () -> new MesuRatioParams(1, false, 0, 1, 1, 1, 1, 0, 0, 1, 0, v), "meanMax", "" + v);
    }
    for (double v : negative) {
      refused("MESU", iae, () -> MesuParams.builder().clampGrad(v).build(), "clampGrad", "" + v);
      refused("MESU", iae, () -> MesuParams.builder().sigmaFloor(v).build(), "sigmaFloor", "" + v);
      refused("ratio", iae, () -> new MesuRatioParams(1, false, 0, 1, 1, 1, 1, v, 0, 1, 0, 0), "secondOrder", "" + v);
      refused("ratio", iae, () -> MesuRatioParams.of(1, 0, 1, 1, 1, 1, v, 1e30), "sigmaMin", "" + v);
    }
    refused("ratio", iae, () -> MesuRatioParams.of(1, 0, 1, 1, 1, 1, 0.5, 0.25), "sigmaMax", "0.25", "0.5");
    refused("rules", iae, () -> UpdateRule.perTensor(List.of()), "rules");
    refused("rules", iae, () -> UpdateRule.perTensor(List.of(new BgdParams(1), MesuParams.builder().build())), "rules[1]", "MesuParams", "BgdParams");
    refused("rules", NullPointerException.class, () -> UpdateRule.perTensor(null), "rules");
  }

  @Test
  void shapesAreChecked() {
    Class<IllegalArgumentException> iae = IllegalArgumentException.class;
    refused("shape", iae, () -> new LinearShape(-1, 1, 1, true, true), "in", "-1");
    refused("shape", iae, () -> new LinearShape(1, -2, 1, true, true), "out", "-2");
    refused("shape", iae, () -> new LinearShape(1, 1, 0, true, true), "samples", "0", "256");
    refused("shape", iae, () -> new LinearShape(1, 1, 257, true, true), "samples", "257", "256");
    refused("layout", iae, () -> TensorLayout.of(3, -1), "counts[1]", "-1");
    refused("layout", iae, () -> TensorLayout.of(Long.MAX_VALUE, 1), "counts[1]");
    refused("layout", iae, () -> TensorLayout.of(3, 4).withTensorNumbers(1), "1", "2");
    refused("layout", iae, () -> TensorLayout.of(3, 4).withTensorNumbers(1, 1 << 24), "tensorNumbers[1]", "" + (1 << 24));
    refused("layout", iae, () -> TensorLayout.of(3, 4).withTensorNumbers(1, -1), "tensorNumbers[1]", "-1");
    refused("layout", iae, () -> TensorLayout.of(3, 4).withTensorNumbers(6, 6), "6");
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void overflowingShapesAreRefused(Target target) {
    Backend b = target.backend();
    try (F32Buffer x = b.allocate(4);
        I32Buffer y = b.allocateI32(4)) {
      int big = Integer.MAX_VALUE;
      // 2^31 * 2^31 * 4 wraps to a small number in 64 bits if it is not checked
      refused(
          "nll", IllegalArgumentException.class, () -> b.bayes().nllMeanLogSoftmax(4, big, big, x, y, 1, x, x, null, b.defaultStream()), "" + big);
      refused("nll", IllegalArgumentException.class, () -> b.bayes().nllMeanLogSoftmax(1 << 30, 1 << 30, 16, x, y, 1, x, x, null, b.defaultStream()), "16");
      refused(
          "weights", IllegalArgumentException.class,
          () -> {
            try (GaussianWeights w = GaussianWeights.allocate(b, TensorLayout.of(4))) {
              b.bayes().linearForward(w, 0, new LinearShape(1 << 16, 1 << 16, 1, false, false), x, 1, 1, null, x, b.defaultStream());
            }
          },
          "" + (1L << 32));
    }
  }

  // ---- options ----------------------------------------------------------------------------------------------------------------------

  @Test
  void optionsAreChecked() {
    Class<IllegalArgumentException> iae = IllegalArgumentException.class;
    BackendOptions options = TestBackends.java().options();
    refused("threads", iae, () -> options.withThreads(0), "threads", "0", "1024");
    refused("threads", iae, () -> options.withThreads(1025), "threads", "1025");
    refused("device", iae, () -> options.withDevice(-1), "device", "-1");
    refused("options", NullPointerException.class, () -> Metaplast.open(null), "options");
    property("metaplast.backend", "gpu", "auto, java, cpu, cuda");
    property("metaplast.maxIsa", "sse9", "scalar, avx2, avx512");
    property("metaplast.requireIsa", "avx1024", "scalar, avx2, avx512");
    property("metaplast.threads", "many", "1..1024");
    property("metaplast.threads", "0", "1..1024");
    property("metaplast.device", "-2", "0..");
    property("metaplast.checks", "some", "basic, full");
  }

  private static void property(String name, String value, String valid) {
    String old = System.setProperty(name, value);
    try {
      refused(name, IllegalArgumentException.class, Metaplast::open, name, value, valid);
    } finally {
      if (old == null) {
        System.clearProperty(name);
      } else {
        System.setProperty(name, old);
      }
    }
  }

  @Test
  void tierThatIsNotInForceIsRefused() {
    BackendOptions options = TestBackends.java().options().withKind(BackendKind.CPU).withMaxIsa(IsaTier.SCALAR);
    refused("requireIsa", BackendUnavailableException.class, () -> Metaplast.open(options.withRequireIsa(IsaTier.AVX2)));
    refused("requireIsa", BackendUnavailableException.class, () -> Metaplast.open(options.withRequireIsa(IsaTier.AVX512)));
  }
}
