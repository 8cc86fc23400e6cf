package io.metaplast.fault;

import static io.metaplast.fault.KernelCalls.in;
import static io.metaplast.fault.KernelCalls.ints;
import static io.metaplast.fault.KernelCalls.out;
import static io.metaplast.fault.KernelCalls.report;
import static io.metaplast.fault.KernelCalls.scalar;
import static io.metaplast.fault.KernelCalls.stream;

import io.metaplast.BitMatrix;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.I32Buffer;
import io.metaplast.I32Matrix;
import io.metaplast.TensorGroup;
import io.metaplast.TensorLayout;
import io.metaplast.binary.AdamParams;
import io.metaplast.binary.BatchNormOutput;
import io.metaplast.binary.BatchNormShape;
import io.metaplast.binary.BayesBinnParams;
import io.metaplast.binary.BimuParams;
import io.metaplast.binary.BinaryKernels;
import io.metaplast.binary.Conv2dShape;
import io.metaplast.binary.HiddenWeights;
import io.metaplast.binary.RunningStatistics;
import io.metaplast.binary.Thresholds;
import io.metaplast.fault.KernelCalls.Arg;
import io.metaplast.fault.KernelCalls.Call;
import io.metaplast.fault.KernelCalls.Placement;
import java.util.ArrayList;
import java.util.List;

/** Sound calls of the binary kernels. Where a matrix is given another size, an odd change alters its columns and an even one its rows. */
final class BinaryCalls {
  static final int BATCH = 3;
  static final int IN = 70;
  static final int OUT = 5;
  static final Conv2dShape CONV = Conv2dShape.of(2, 3, 4, 5, 2, 3, 1, 1);
  static final BatchNormShape NORM = BatchNormShape.of(4, 6);

  private BinaryCalls() {}

  private static int rows(int rows, int change) {
    return change % 2 == 0 ? rows + change : rows;
  }

  private static int cols(int cols, int change) {
    return change % 2 == 0 ? cols : cols + change;
  }

  private static Arg matrix(String name, int rows, int cols, boolean output) {
    return new Arg(
        name,
        (b, d) -> {
          int r = rows(rows, d);
          int c = cols(cols, d);
          F32Buffer data = b.allocate((long) r * c);
          data.fill(0.5f);
          return F32Matrix.of(data, r, c);
        },
        false, true, name, List.of(new Placement(name, rows * cols, output, (b, memory) -> F32Matrix.of(memory, rows, cols))));
  }

  private static Arg integers(String name, int rows, int cols) {
    return new Arg(
        name,
        (b, d) -> {
          I32Buffer data = b.allocateI32((long) rows(rows, d) * cols(cols, d));
          return I32Matrix.of(data, rows(rows, d), cols(cols, d));
        },
        false, true, name, List.of());
  }

  private static Arg bits(String name, int rows, int cols) {
    return new Arg(name, (b, d) -> b.allocateBits(rows(rows, d), cols(cols, d)), false, true, name, List.of());
  }

  private static Arg thresholds(int channels) {
    return new Arg(
        "thresholds", (b, d) -> Thresholds.of(b, new int[channels + d], new int[channels + d]), false, true, "thresholds", List.of());
  }

  /** A network of one binarized and one real-valued tensor. */
  private static Arg weights() {
    return new Arg(
        "weights",
        (b, d) -> {
          HiddenWeights w = HiddenWeights.allocate(b, HiddenWeights.Shape.binary(rows(OUT, d), cols(IN, d)), HiddenWeights.Shape.real(7));
          w.hidden().arena().fill(0.25f);
          return w;
        },
        false, true, "weights", List.of());
  }

  private static Arg gradients() {
    int n = OUT * IN;
    return new Arg(
        "gradients",
        (b, d) -> {
          TensorGroup<F32Buffer> g = b.allocateGroup(TensorLayout.of(n + d, 7), 1);
          g.arena().fill(0.5f);
          return g;
        },
        false, true, "gradients", List.of());
  }

  private static Arg running() {
    int c = NORM.channels();
    return new Arg(
        "running", (b, d) -> new RunningStatistics(b.allocate(c + d), b.allocate(c + d), 0.1), true, true, "running",
        List.of(
            new Placement("running.mean", c, true, (b, memory) -> new RunningStatistics(memory, b.allocate(c), 0.1)),
            new Placement("running.variance", c, true, (b, memory) -> new RunningStatistics(b.allocate(c), memory, 0.1))));
  }

  private static Arg output(boolean masked) {
    int n = (int) NORM.elements();
    int cols = NORM.channels();
    return new Arg(
        "output",
        (b, d) ->
            new BatchNormOutput(
                b.allocate(n + d), b.allocateBits(rows(NORM.batch(), d), cols(cols, d)), masked ? b.allocateBits(NORM.batch(), cols) : null),
        false, true, "output", List.of(new Placement("output.values", n, true, (b, memory) -> BatchNormOutput.values(memory))));
  }

  private static Arg convWorkspace() {
    return new Arg("workspace", (b, d) -> b.workspace(b.binary().conv2dWorkspaceBytes(CONV)), false, false, "workspace", List.of());
  }

  private static Call call(String method, Arg... args) {
    List<Arg> all = new ArrayList<>(List.of(args));
    all.add(stream());
    return new Call(BinaryKernels.class, method, all);
  }

  /** A sound call of every kernel, in every form that has other operands. */
  static List<Call> all() {
    int n = BATCH * IN;
    int c = NORM.channels();
    int values = (int) NORM.elements();
    Arg eps = scalar("eps", 1e-5);
    Arg adam = scalar("params", new AdamParams(0.005, 0.9, 0.999, 1e-8, 1e-7, 1.35));
    Arg step = scalar("t", 1L);
    Arg tensor = scalar("tensor", 0);
    Arg norm = scalar("shape", NORM);
    Arg conv = scalar("shape", CONV);
    int y = (int) CONV.outputs();
    List<Call> calls = new ArrayList<>();
    calls.add(call("signPack", matrix("x", BATCH, IN, false), bits("bits", BATCH, IN)));
    calls.add(call("signPack", matrix("x", BATCH, IN, false), bits("bits", BATCH, IN), bits("mask", BATCH, IN)));
    calls.add(call("signPackTransposed", matrix("x", BATCH, IN, false), bits("bits", IN, BATCH)));
    calls.add(call("signUnpack", bits("bits", BATCH, IN), matrix("x", BATCH, IN, true)));
    calls.add(call("signUnpack", bits("bits", BATCH, IN), out("x", n)));
    calls.add(call("transpose", bits("bits", BATCH, IN), bits("out", IN, BATCH)));
    calls.add(call("steBackward", bits("mask", BATCH, IN), matrix("gradOutput", BATCH, IN, false), matrix("gradInput", BATCH, IN, true)));
    calls.add(call("xnorGemm", bits("a", BATCH, IN), bits("b", OUT, IN), integers("y", BATCH, OUT)));
    calls.add(
        call(
            "xnorGemm", bits("a", BATCH, IN), bits("b", OUT, IN), in("scale", OUT).mayBeNull(), in("bias", OUT).mayBeNull(),
            matrix("y", BATCH, OUT, true)));
    calls.add(call("xnorGemm", bits("a", BATCH, IN), bits("b", OUT, IN), thresholds(OUT), bits("y", BATCH, OUT)));
    calls.add(
        call(
            "signPackXnorGemm", matrix("x", BATCH, IN, false), bits("a", BATCH, IN), bits("b", OUT, IN), thresholds(OUT), bits("y", BATCH, OUT)));
    Arg syrkSpace = new Arg("workspace", (b, d) -> b.workspace(b.binary().xnorSyrkWorkspaceBytes(BATCH, IN)), false, false, "workspace", List.of());
    Arg syrkRows = new Arg("x", (b, d) -> b.allocateBits(BATCH, IN + d), false, true, "x", List.of()); // any number of rows is sound
    calls.add(call("xnorSyrk", syrkRows, scalar("accumulate", true), integers("s", IN, IN), syrkSpace));
    calls.add(call("factorMovingAverage", integers("s", IN, IN), scalar("batch", 3L), scalar("decay", 0.9), matrix("factor", IN, IN, true)));
    calls.add(call("signGemmNT", matrix("x", BATCH, IN, false), bits("w", OUT, IN), matrix("y", BATCH, OUT, true)));
    calls.add(call("signGemmNN", matrix("dy", BATCH, OUT, false), bits("w", OUT, IN), matrix("dx", BATCH, IN, true)));
    calls.add(call("signGemmTN", matrix("dy", BATCH, OUT, false), bits("x", BATCH, IN), matrix("dw", OUT, IN, true)));
    calls.add(call("gemmTN", matrix("dy", BATCH, OUT, false), matrix("x", BATCH, IN, false), matrix("dw", OUT, IN, true)));
    for (Arg in : new Arg[] {in("y", values), ints("y", values)}) {
      calls.add(
          call(
              "batchNormForward", norm, in, in("gamma", c), in("beta", c), eps, out("mean", c), out("inv", c), running(), output(true)));
      calls.add(call("batchNormInference", norm, in, in("gamma", c), in("beta", c), eps, in("mean", c), in("variance", c), output(false)));
      calls.add(
          call(
              "batchNormBackward", norm, in, in("gamma", c).mayBeNull(), in("mean", c), in("inv", c), in("gradOutput", values),
              bits("mask", NORM.batch(), c).mayBeNull(), out("gradInput", values), out("gradGamma", c).mayBeNull(), out("gradBeta", c).mayBeNull()));
    }
    calls.add(call("metaAdamStep", weights(), gradients(), scalar("params", List.of(AdamParams.of(0.005))), step));
    calls.add(call("metaAdamStepFromProduct", weights(), tensor, matrix("dy", BATCH, OUT, false), bits("x", BATCH, IN), adam, step));
    calls.add(call("metaAdamStepFromProduct", weights(), tensor, matrix("dy", BATCH, OUT, false), matrix("x", BATCH, IN, false), adam, step));
    calls.add(call("ewcConsolidate", bits("signs", BATCH, IN), in("fisher", n), out("total", n), out("target", n)));
    calls.add(call("ewcPenaltyGradient", bits("signs", BATCH, IN), in("total", n), in("target", n), scalar("lambda", 5000.0), out("gradient", n)));
    calls.add(
        call(
            "relaxedSignSample", in("lambda", n), scalar("temperature", 0.5), scalar("seed", 7L), scalar("randomStream", 1L), scalar("step", 3L),
            out("w", n)));
    Arg bimu = scalar("params", new BimuParams(4.9, 0.0023, 161.3, 3.76, 700));
    calls.add(call("bimuStep", out("lambda", n), in("gradient", n), bimu, scalar("gated", false), report()));
    Arg required = new Arg("report", report().make(), false, false, "report", List.of());
    calls.add(call("bimuStep", out("lambda", n), in("gradient", n), bimu, scalar("gated", true), required));
    calls.add(
        call(
            "bayesBinnStep", out("lambda", n), out("momentum", n), scalar("samplesCount", 2), in("samples", 2 * n), in("gradients", 2 * n),
            scalar("params", new BayesBinnParams(1e-3, 0.9, 1, 100, 0, 1)), step));
    calls.add(call("conv2d", conv, bits("x", CONV.batch(), CONV.inputs()), bits("w", 2, CONV.patch()), ints("y", y), convWorkspace()));
    calls.add(call("conv2dGradInput", conv, in("dy", y), bits("w", 2, CONV.patch()), out("dx", 2 * CONV.inputs()), convWorkspace()));
    calls.add(
        call("conv2dGradWeight", conv, in("dy", y), bits("x", CONV.batch(), CONV.inputs()), out("dw", 2 * CONV.patch()), convWorkspace()));
    return calls;
  }
}
