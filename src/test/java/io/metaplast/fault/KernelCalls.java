package io.metaplast.fault;

import io.metaplast.Backend;
import io.metaplast.BitMatrix;
import io.metaplast.DeviceBuffer;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.I32Buffer;
import io.metaplast.I32Matrix;
import io.metaplast.Stream;
import io.metaplast.TensorGroup;
import io.metaplast.TensorLayout;
import io.metaplast.TestBackends.Target;
import io.metaplast.Workspace;
import io.metaplast.bayes.BayesKernels;
import io.metaplast.bayes.GaussianWeights;
import io.metaplast.bayes.LinearShape;
import io.metaplast.bayes.MesuParams;
import io.metaplast.bayes.StepReport;
import io.metaplast.bayes.UncertaintyOptions;
import io.metaplast.binary.AdamParams;
import io.metaplast.binary.BatchNormOutput;
import io.metaplast.binary.HiddenWeights;
import io.metaplast.binary.RunningStatistics;
import io.metaplast.binary.Thresholds;
import io.metaplast.kfac.BatchNormMerge;
import io.metaplast.kfac.BatchNormMergeGradients;
import io.metaplast.kfac.KfacKernels;
import io.metaplast.kfac.KroneckerPair;
import io.metaplast.kfac.MovingFactor;
import io.metaplast.kfac.PenaltyTask;
import io.metaplast.kfac.PenaltyTerm;
import java.lang.invoke.MethodType;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;

/** A sound call of every kernel, taken apart into arguments, so that each argument can be made bad in every way that applies to it. */
final class KernelCalls {
  /** Tensors of the multi-tensor calls. */
  static final TensorLayout LAYOUT = TensorLayout.of(37, 0, 12).withTensorNumbers(5, 9, 2);

  /** The layer of the linear kernels is tensor 0. */
  static final LinearShape SHAPE = new LinearShape(37, 1, 3, false, true);

  private static final int N = 45;

  private KernelCalls() {}

  /**
   * An operand in memory.
   *
   * @param name as messages call it
   * @param length elements
   * @param output whether the call writes it
   * @param at builds the argument with this operand in the given memory
   */
  record Placement(String name, int length, boolean output, BiFunction<Backend, F32Buffer, Object> at) {}

  /**
   * An argument.
   *
   * @param name of the parameter
   * @param make a sound value on a backend; the number changes its length (0 = right)
   * @param nullable whether null means something
   * @param sized whether its length must fit the others
   * @param lengthName how messages call what has the wrong length
   * @param placements its operands in memory
   */
  record Arg(
      String name, BiFunction<Backend, Integer, Object> make, boolean nullable, boolean sized, String lengthName, List<Placement> placements) {
    Arg mayBeNull() {
      return new Arg(name, make, true, sized, lengthName, placements);
    }

    Arg anyLength() {
      return new Arg(name, make, nullable, false, lengthName, placements);
    }
  }

  /**
   * A call.
   *
   * @param family BayesKernels, BinaryKernels or KfacKernels
   * @param method of it
   * @param args in order
   */
  record Call(Class<?> family, String method, List<Arg> args) {
    Call(String method, List<Arg> args) {
      this(BayesKernels.class, method, args);
    }

    /** Values for all arguments on {@code backend}. */
    Object[] values(Backend backend) {
      return args.stream().map(a -> a.make().apply(backend, 0)).toArray();
    }

    /** Makes the call; throws what it throws. */
    void invoke(Backend backend, Object[] values) throws Throwable {
      Method found =
          Arrays.stream(family.getMethods())
              .filter(m -> m.getName().equals(method) && takes(m.getParameterTypes(), values))
              .findFirst()
              .orElseThrow(() -> new IllegalArgumentException("no kernel " + method + " that takes " + Arrays.toString(values)));
      try {
        found.invoke(family == BayesKernels.class ? backend.bayes() : family == KfacKernels.class ? backend.kfac() : backend.binary(), values);
      } catch (InvocationTargetException e) {
        throw e.getCause();
      }
    }

    private static boolean takes(Class<?>[] types, Object[] values) {
      boolean fits = types.length == values.length;
      for (int i = 0; fits && i < types.length; i++) {
        fits = values[i] == null ? !types[i].isPrimitive() : MethodType.methodType(types[i]).wrap().returnType().isInstance(values[i]);
      }
      return fits;
    }

    @Override
    public String toString() {
      return family.getSimpleName() + "." + method + "/" + args.size();
    }
  }

  // ---- arguments --------------------------------------------------------------------------------------------------------------------

  static Arg scalar(String name, Object value) {
    return new Arg(name, (b, d) -> value, false, false, name, List.of());
  }

  static Arg stream() {
    return new Arg("stream", (b, d) -> b.newStream(), false, false, "stream", List.of());
  }

  static Arg in(String name, int n) {
    return f32(name, n, false);
  }

  static Arg out(String name, int n) {
    return f32(name, n, true);
  }

  private static Arg f32(String name, int n, boolean output) {
    return new Arg(
        name,
        (b, d) -> {
          F32Buffer buffer = b.allocate(n + d);
          buffer.fill(0.5f);
          return buffer;
        },
        false, true, name, List.of(new Placement(name, n, output, (b, memory) -> memory)));
  }

  static Arg ints(String name, int n) {
    return new Arg(name, (b, d) -> b.allocateI32(n + d), false, true, name, List.of());
  }

  static Arg report() {
    return new Arg("report", (b, d) -> StepReport.allocate(b), true, false, "report", List.of());
  }

  private static TensorLayout layout(int change) {
    return TensorLayout.of(LAYOUT.count(0) + change, LAYOUT.count(1), LAYOUT.count(2)).withTensorNumbers(LAYOUT.number(0), LAYOUT.number(1), LAYOUT.number(2));
  }

  private static TensorGroup<F32Buffer> filledGroup(Backend b, int copies, int change) {
    TensorGroup<F32Buffer> g = b.allocateGroup(layout(change), copies);
    g.arena().fill(0.5f);
    return g;
  }

  private static TensorGroup<F32Buffer> groupAt(Backend b, int copies, F32Buffer first) {
    List<F32Buffer> buffers = new ArrayList<>(List.of(first));
    for (int t = 1; t < LAYOUT.tensors(); t++) {
      buffers.add(b.allocate(copies * LAYOUT.count(t)));
    }
    return b.group(LAYOUT, copies, buffers);
  }

  static Arg group(String name, int copies, boolean output) {
    return new Arg(
        name, (b, d) -> filledGroup(b, copies, d), false, true, name,
        List.of(new Placement(name, copies * (int) LAYOUT.count(0), output, (b, memory) -> groupAt(b, copies, memory))));
  }

  private static Arg weights(boolean output, boolean sized) {
    int n = (int) LAYOUT.count(0);
    return new Arg(
        "weights",
        (b, d) -> GaussianWeights.of(filledGroup(b, 1, d), filledGroup(b, 1, d), null),
        false, sized, "weights",
        List.of(
            new Placement("weights.mean", n, output, (b, memory) -> GaussianWeights.of(groupAt(b, 1, memory), filledGroup(b, 1, 0), null)),
            new Placement("weights.sigma", n, output, (b, memory) -> GaussianWeights.of(filledGroup(b, 1, 0), groupAt(b, 1, memory), null))));
  }

  private static final MesuParams RULE = MesuParams.builder().memoryWindow(10).build();

  /** Those that the target's backend has. */
  static List<Call> all(Target target) {
    return all().stream().filter(c -> c.family() != KfacKernels.class || KfacCalls.runOn(target)).toList();
  }

  /** A sound call of every kernel, in every form that has other operands. */
  static List<Call> all() {
    Arg seed = scalar("seed", 7L);
    Arg step = scalar("step", 3L);
    Arg scale = scalar("scale", 0.5);
    Arg rule = scalar("rule", RULE);
    int samples = 2;
    List<Call> calls = new ArrayList<>();
    for (String name : new String[] {"uniform", "gaussian"}) {
      calls.add(new Call(name, List.of(seed, scalar("randomStream", 1L), step, scalar("first", 2L), out("out", N).anyLength(), stream())));
    }
    calls.add(new Call("philox", List.of(seed, scalar("randomStream", 1L), step, scalar("first", 2L), ints("out", N).anyLength(), stream())));
    calls.add(new Call("sample", List.of(weights(false, true), seed, step, group("samples", samples, true), stream())));
    calls.add(new Call("epsilon", List.of(seed, step, group("epsilon", samples, true).anyLength(), stream())));
    calls.add(
        new Call(
            "gradAccumulate",
            List.of(group("gradSamples", samples, false), seed, step, scale, group("gradMean", 1, true), group("gradSigma", 1, true), stream())));
    calls.add(
        new Call(
            "gradAccumulate",
            List.of(
                group("gradSamples", samples, false), group("epsilon", samples, false), scale, group("gradMean", 1, true), group("gradSigma", 1, true),
                stream())));
    calls.add(new Call("step", List.of(weights(true, true), group("gradMean", 1, false), group("gradSigma", 1, false), rule, report(), stream())));
    Arg required = new Arg("report", report().make(), false, false, "report", List.of());
    calls.add(new Call("stepGated", List.of(weights(true, true), group("gradMean", 1, false), group("gradSigma", 1, false), rule, required, stream())));
    calls.add(
        new Call("stepFromSamples", List.of(weights(true, true), group("gradSamples", samples, false), seed, step, scale, rule, report(), stream())));
    calls.add(
        new Call(
            "stepFromStoredSamples",
            List.of(weights(true, true), group("gradSamples", samples, false), group("epsilon", samples, false), scale, rule, report(), stream())));
    calls.add(
        new Call(
            "stepFromSamplesAndSample",
            List.of(
                weights(true, true), group("gradSamples", samples, false), seed, step, scale, rule, scalar("nextStep", 4L), group("next", 2, true),
                report(), stream())));
    int k = SHAPE.samples();
    int weights = (int) SHAPE.weights();
    Arg tensor = scalar("tensor", 0);
    Arg shape = scalar("shape", SHAPE);
    calls.add(
        new Call(
            "linearForward",
            List.of(
                weights(false, true), tensor, shape, in("x", k * SHAPE.in()), seed, step, out("epsilon", k * weights).mayBeNull(),
                out("y", k * SHAPE.out()), stream())));
    calls.add(
        new Call(
            "linearStep",
            List.of(
                weights(true, true), tensor, shape, in("x", k * SHAPE.in()), in("delta", k * SHAPE.out()), in("y", k * SHAPE.out()),
                in("epsilon", k * weights).mayBeNull(), seed, step, rule, out("dx", k * SHAPE.in()).mayBeNull(), report(), stream())));
    calls.add(
        new Call(
            "nllMeanLogSoftmax",
            List.of(
                scalar("samples", 2), scalar("batch", 3), scalar("classes", 5), in("logits", 30), ints("labels", 3), scale, out("itemLoss", 3),
                out("loss", 1), out("gradLogits", 30).mayBeNull(), stream())));
    calls.add(
        new Call(
            "uncertainty",
            List.of(
                scalar("samples", 2), scalar("batch", 3), scalar("classes", 5), in("input", 30), scalar("options", new UncertaintyOptions(true, false, false)),
                out("predictive", 3), out("aleatoric", 3), out("epistemic", 3), stream())));
    calls.add(
        new Call("diagHessianFromSigma", List.of(in("sigma", N), scalar("priorSigma", 1.0), scalar("memoryWindow", 10.0), out("h", N), stream())));
    Arg workspace = new Arg("workspace", (b, d) -> b.workspace(b.bayes().sumWorkspaceBytes(N)), false, false, "workspace", List.of());
    calls.add(new Call("sum", List.of(in("x", N).anyLength(), out("out", 1), workspace, stream())));
    for (String name : new String[] {"rocAuc", "rocAucThresholds"}) {
      calls.add(new Call(name, List.of(in("inDistribution", N).anyLength(), in("outOfDistribution", N).anyLength(), stream())));
    }
    calls.add(new Call("sgdStep", List.of(out("theta", N), in("gradient", N), scalar("rate", 0.1), stream())));
    calls.add(new Call("fisherAccumulate", List.of(in("gradient", N), out("fisher", N), stream())));
    calls.add(new Call("fisherMerge", List.of(out("fisher", N), scalar("items", 3L), scalar("decay", 0.2), out("total", N), stream())));
    calls.add(
        new Call(
            "ewcPenaltyGradient", List.of(in("theta", N), in("anchor", N), in("fisher", N), scalar("lambda", 2.0), out("gradient", N), stream())));
    calls.add(new Call("siPath", List.of(in("gradient", N), in("thetaNew", N), in("thetaOld", N), out("path", N), stream())));
    calls.add(new Call("siConsolidate", List.of(in("theta", N), scalar("xi", 1.0), out("path", N), out("anchor", N), out("omega", N), stream())));
    calls.add(
        new Call("siPenaltyGradient", List.of(in("theta", N), in("anchor", N), in("omega", N), scalar("c", 0.1), out("gradient", N), stream())));
    calls.addAll(BinaryCalls.all());
    calls.addAll(KfacCalls.all());
    return calls;
  }

  // ---- what arguments hold ----------------------------------------------------------------------------------------------------------

  /** What an argument of the Kronecker family is made of; null for any other. */
  private static Object[] parts(Object value) {
    if (value instanceof List<?> list && !list.isEmpty() && !(list.get(0) instanceof AdamParams)) {
      return list.toArray();
    } else if (value instanceof KroneckerPair p) {
      return new Object[] {p.g(), p.a()};
    } else if (value instanceof MovingFactor f) {
      return new Object[] {f.raw()};
    } else if (value instanceof PenaltyTask t) {
      return new Object[] {t.anchors(), t.terms()};
    } else if (value instanceof PenaltyTerm t) {
      return new Object[] {t.pair()};
    } else if (value instanceof BatchNormMerge m) {
      return new Object[] {m.weight(), m.bias(), m.gamma(), m.beta(), m.mean(), m.variance()};
    } else if (value instanceof BatchNormMergeGradients g) {
      return new Object[] {g.weight(), g.bias(), g.gamma(), g.beta(), g.mean(), g.variance()};
    }
    return null;
  }

  /** Content of everything in {@code values} that is open. */
  static List<Object> content(Object[] values) {
    List<Object> content = new ArrayList<>();
    for (Object value : values) {
      if (parts(value) != null) {
        content.addAll(content(parts(value)));
        if (value instanceof MovingFactor f) {
          content.add(f.weight());
        }
      } else if (value instanceof F32Matrix m) {
        content.addAll(content(new Object[] {m.data()}));
      } else if (value instanceof I32Matrix m) {
        content.addAll(content(new Object[] {m.data()}));
      } else if (value instanceof HiddenWeights w) {
        content.addAll(content(new Object[] {w.hidden(), w.firstMoment(), w.secondMoment()}));
        for (int t = 0; t < w.tensors(); t++) {
          content.addAll(content(new Object[] {w.signs(t)}));
        }
      } else if (value instanceof BatchNormOutput o) {
        content.addAll(content(new Object[] {o.values(), o.signs(), o.mask()}));
      } else if (value instanceof RunningStatistics r) {
        content.addAll(content(new Object[] {r.mean(), r.variance()}));
      } else if (value instanceof GaussianWeights w) {
        content.addAll(content(new Object[] {w.mean(), w.sigma()}));
      } else if (value instanceof TensorGroup<?> g) {
        for (int t = 0; t < g.layout().tensors(); t++) {
          content.addAll(content(new Object[] {g.get(t)}));
        }
      } else if (value instanceof StepReport r) {
        content.addAll(content(new Object[] {r.words()}));
      } else if (value instanceof DeviceBuffer b && !b.isClosed()) {
        if (b instanceof F32Buffer f) {
          content.add(Arrays.hashCode(io.metaplast.Bits.of(f.toArray())));
        } else if (b instanceof I32Buffer i) {
          content.add(Arrays.hashCode(i.toArray()));
        } else if (b instanceof BitMatrix m) {
          content.add(Arrays.hashCode(m.toArray()));
        }
      }
    }
    return content;
  }

  /** Closes an argument, and the memory that it stands on. */
  static void close(Object value) {
    try {
      if (parts(value) != null) {
        for (Object part : parts(value)) {
          close(part);
        }
      } else if (value instanceof F32Matrix m) {
        close(m.data());
      } else if (value instanceof I32Matrix m) {
        close(m.data());
      } else if (value instanceof BatchNormOutput o) {
        close(o.values());
        close(o.signs());
        close(o.mask());
      } else if (value instanceof RunningStatistics r) {
        close(r.mean());
        close(r.variance());
      } else if (value instanceof GaussianWeights w) {
        close(w.mean());
        close(w.sigma());
      } else if (value instanceof TensorGroup<?> g) {
        for (int t = 0; t < g.layout().tensors(); t++) {
          g.get(t).close();
        }
        g.close();
      } else if (value instanceof AutoCloseable c) {
        c.close();
      }
    } catch (Exception e) {
      throw new IllegalStateException("closing " + value + " failed", e);
    }
  }

  /** Whether an argument can be closed. */
  static boolean closeable(Object value) {
    return value instanceof DeviceBuffer || value instanceof TensorGroup || value instanceof GaussianWeights || value instanceof StepReport
        || value instanceof Stream || value instanceof Workspace || value instanceof F32Matrix || value instanceof I32Matrix
        || parts(value) != null || value instanceof HiddenWeights || value instanceof Thresholds || value instanceof BatchNormOutput || value instanceof RunningStatistics;
  }

  /** Applies {@code change} to a copy of {@code values}. */
  static Object[] with(Object[] values, int index, Function<Object, Object> change) {
    Object[] copy = values.clone();
    copy[index] = change.apply(values[index]);
    return copy;
  }
}
