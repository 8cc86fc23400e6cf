package io.metaplast.fault;

import static io.metaplast.fault.KernelCalls.in;
import static io.metaplast.fault.KernelCalls.out;
import static io.metaplast.fault.KernelCalls.scalar;
import static io.metaplast.fault.KernelCalls.stream;

import io.metaplast.Backend;
import io.metaplast.BackendKind;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.TestBackends.Target;
import io.metaplast.fault.KernelCalls.Arg;
import io.metaplast.fault.KernelCalls.Call;
import io.metaplast.fault.KernelCalls.Placement;
import io.metaplast.kfac.BatchNormMerge;
import io.metaplast.kfac.BatchNormMergeGradients;
import io.metaplast.kfac.DampingMode;
import io.metaplast.kfac.FactorMerge;
import io.metaplast.kfac.Im2colShape;
import io.metaplast.kfac.InverseOptions;
import io.metaplast.kfac.InverseReport;
import io.metaplast.kfac.KfacKernels;
import io.metaplast.kfac.KroneckerPair;
import io.metaplast.kfac.MovingFactor;
import io.metaplast.kfac.PairDamping;
import io.metaplast.kfac.PenaltyTask;
import io.metaplast.kfac.PenaltyTerm;
import io.metaplast.kfac.Sharing;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.ToLongFunction;

/** Sound calls of the Kronecker kernels: one layer [5][4], one more beside it where a list is taken, 6 rows. Every element is 0.5, so a factor plus I is positive definite. */
final class KfacCalls {
  static final int ROWS = 6;
  static final int OUT = 5;
  static final int IN = 4;

  /** An image batch with 2 x 3 patches of 2 channels. */
  static final Im2colShape IMAGES = new Im2colShape(io.metaplast.binary.Conv2dShape.of(2, 2, 3, 4, 1, 2, 1, 0), Sharing.EXPAND);

  /** Operands that may be exactly the same range: method, and both names. */
  private static final Set<String> IN_PLACE =
      Set.of(
          "kroneckerFactorValue factor.raw out", "dampedSpdInverse m out", "batchedDampedSpdInverse m[0] out[0]", "dampedCholesky m factor",
          "triangularInverse l out", "kroneckerPrecondition gradients[0] out[0]", "kroneckerMatVec v[0] out[0]", "mergeKroneckerFactors first.g out.g",
          "mergeKroneckerFactors second.g out.g", "mergeKroneckerFactors first.a out.a", "mergeKroneckerFactors second.a out.a",
          "mergeBatchNorm layer.weight mergedWeight", "mergeBatchNormBackward gradWeight out.weight", "kroneckerSumInverseApply v out");

  private KfacCalls() {}

  /** Whether the backend has this family. */
  static boolean runOn(Target target) {
    return target.options().kind() != BackendKind.CUDA;
  }

  static boolean mayBeInPlace(Call call, Placement a, Placement b) {
    return IN_PLACE.contains(call.method() + " " + a.name() + " " + b.name());
  }

  private static F32Buffer filled(Backend b, long n) {
    F32Buffer data = b.allocate(n);
    data.fill(0.5f);
    return data;
  }

  private static F32Matrix matrix(Backend b, int rows, int cols) {
    return F32Matrix.of(filled(b, (long) rows * cols), rows, cols);
  }

  /** Where a matrix is given another size, an odd change alters its columns and an even one its rows. */
  private static Arg matrix(String name, int rows, int cols, boolean output) {
    return new Arg(
        name, (b, d) -> matrix(b, d % 2 == 0 ? rows + d : rows, d % 2 == 0 ? cols : cols + d), false, true, name,
        List.of(new Placement(name, rows * cols, output, (b, memory) -> F32Matrix.of(memory, rows, cols))));
  }

  /** Any number of rows is sound: a change alters its columns. */
  private static Arg rows(String name, int rows, int cols) {
    return new Arg(
        name, (b, d) -> matrix(b, rows, cols + d), false, true, name,
        List.of(new Placement(name, rows * cols, false, (b, memory) -> F32Matrix.of(memory, rows, cols))));
  }

  /** Any number of columns is sound: a change alters its rows. */
  private static Arg columns(String name, int rows, int cols, boolean output) {
    return new Arg(
        name, (b, d) -> matrix(b, rows + d, cols), false, true, name,
        List.of(new Placement(name, rows * cols, output, (b, memory) -> F32Matrix.of(memory, rows, cols))));
  }

  /** The layer, and a layer of another shape. */
  private static Arg layers(String name, boolean output) {
    return list(name, OUT, IN, output);
  }

  private static Arg list(String name, int rows, int cols, boolean output) {
    return new Arg(
        name, (b, d) -> List.of(matrix(b, d % 2 == 0 ? rows + d : rows, d % 2 == 0 ? cols : cols + d), matrix(b, 3, 3)), false, true, name,
        List.of(
            new Placement(
                name + "[0]", rows * cols, output, (b, memory) -> List.of(F32Matrix.of(memory, rows, cols), matrix(b, 3, 3)))));
  }

  private static KroneckerPair pair(Backend b, int out, int in) {
    return new KroneckerPair(matrix(b, out, out), matrix(b, in, in));
  }

  private static Arg pair(String name, boolean output) {
    return new Arg(
        name, (b, d) -> pair(b, OUT, IN + d), false, true, name,
        List.of(
            new Placement(name + ".g", OUT * OUT, output, (b, memory) -> new KroneckerPair(F32Matrix.of(memory, OUT, OUT), matrix(b, IN, IN))),
            new Placement(name + ".a", IN * IN, output, (b, memory) -> new KroneckerPair(matrix(b, OUT, OUT), F32Matrix.of(memory, IN, IN)))));
  }

  private static Arg pairs(String name, boolean sized) {
    return new Arg(
        name, (b, d) -> List.of(pair(b, OUT + d, IN), pair(b, 3, 3)), false, sized, name,
        List.of(
            new Placement(
                name + "[0].g", OUT * OUT, false,
                (b, memory) -> List.of(new KroneckerPair(F32Matrix.of(memory, OUT, OUT), matrix(b, IN, IN)), pair(b, 3, 3))),
            new Placement(
                name + "[0].a", IN * IN, false,
                (b, memory) -> List.of(new KroneckerPair(matrix(b, OUT, OUT), F32Matrix.of(memory, IN, IN)), pair(b, 3, 3)))));
  }

  private static Arg tasks() {
    Function<F32Matrix, Function<KroneckerPair, Function<Backend, List<PenaltyTask>>>> build =
        anchor -> pair -> b -> List.of(
            new PenaltyTask(
                0.5, List.of(anchor, matrix(b, 3, 3)),
                List.of(List.of(new PenaltyTerm(pair, 2)), List.of(new PenaltyTerm(pair(b, 3, 3), 1), new PenaltyTerm(pair(b, 3, 3), 1)))));
    return new Arg(
        "tasks", (b, d) -> build.apply(matrix(b, OUT, IN + d)).apply(pair(b, OUT, IN + d)).apply(b), false, true, "tasks",
        List.of(
            new Placement("tasks[0].anchors[0]", OUT * IN, false, (b, memory) -> build.apply(F32Matrix.of(memory, OUT, IN)).apply(pair(b, OUT, IN)).apply(b)),
            new Placement(
                "tasks[0].terms[0].pair.g", OUT * OUT, false,
                (b, memory) -> build.apply(matrix(b, OUT, IN)).apply(new KroneckerPair(F32Matrix.of(memory, OUT, OUT), matrix(b, IN, IN))).apply(b))));
  }

  private static MovingFactor moving(F32Matrix raw) {
    MovingFactor factor = new MovingFactor(raw);
    factor.weight(2);
    return factor;
  }

  private static Arg moving(boolean output) {
    return new Arg(
        "factor", (b, d) -> moving(matrix(b, IN, IN + d)), false, true, "factor.raw",
        List.of(new Placement("factor.raw", IN * IN, output, (b, memory) -> moving(F32Matrix.of(memory, IN, IN)))));
  }

  private static Arg space(ToLongFunction<Backend> bytes) {
    return new Arg("workspace", (b, d) -> b.workspace(bytes.applyAsLong(b)), false, false, "workspace", List.of());
  }

  private static Arg batchNorm() {
    BiFunction<Backend, F32Matrix, BatchNormMerge> build =
        (b, w) -> new BatchNormMerge(w, filled(b, OUT), filled(b, OUT), filled(b, OUT), filled(b, OUT), filled(b, OUT), 0.25);
    return new Arg(
        "layer", (b, d) -> build.apply(b, matrix(b, OUT, IN + d)), false, true, "layer",
        List.of(
            new Placement("layer.weight", OUT * IN, false, (b, memory) -> build.apply(b, F32Matrix.of(memory, OUT, IN))),
            new Placement(
                "layer.variance", OUT, false,
                (b, memory) ->
                    new BatchNormMerge(matrix(b, OUT, IN), null, filled(b, OUT), filled(b, OUT), filled(b, OUT), memory, 0.25))));
  }

  private static Arg batchNormGradients() {
    return new Arg(
        "out",
        (b, d) -> new BatchNormMergeGradients(matrix(b, OUT, IN), filled(b, OUT), filled(b, OUT + d), filled(b, OUT), filled(b, OUT), filled(b, OUT)),
        false, true, "out.gamma",
        List.of(
            new Placement(
                "out.weight", OUT * IN, true,
                (b, memory) -> new BatchNormMergeGradients(F32Matrix.of(memory, OUT, IN), null, filled(b, OUT), filled(b, OUT), null, null)),
            new Placement(
                "out.beta", OUT, true,
                (b, memory) -> new BatchNormMergeGradients(matrix(b, OUT, IN), null, filled(b, OUT), memory, filled(b, OUT), filled(b, OUT)))));
  }

  private static Call call(String method, Arg... args) {
    List<Arg> all = new ArrayList<>(List.of(args));
    all.add(stream());
    return new Call(KfacKernels.class, method, all);
  }

  /** A sound call of every kernel, in every form that has other operands. */
  static List<Call> all() {
    Arg alpha = scalar("alpha", 0.25);
    Arg beta = scalar("beta", 0.75);
    Arg damping = scalar("damping", 1.0);
    Arg lambda = scalar("lambda", 0.5);
    Arg pairDamping = scalar("damping", new PairDamping(1, 1, 1, false));
    Arg rows = space(b -> b.kfac().kroneckerFactorWorkspaceBytes(ROWS, IN, true));
    Arg inverse = space(b -> b.kfac().spdInverseWorkspaceBytes(IN, 3));
    Arg products = space(b -> b.kfac().kroneckerPreconditionWorkspaceBytes(List.of(matrix(b, OUT, IN), matrix(b, 3, 3))));
    List<Call> calls = new ArrayList<>();
    calls.add(
        call("kroneckerFactorUpdate", rows("x", ROWS, IN), scalar("bias", true), alpha, beta, matrix("factor", IN + 1, IN + 1, true), rows));
    calls.add(call("kroneckerFactorUpdate", rows("x", ROWS, IN), scalar("bias", false), alpha, beta, moving(true), rows));
    calls.add(call("kroneckerFactorValue", moving(false), matrix("out", IN, IN, true)));
    for (String name : new String[] {"kroneckerFactorCentered", "kroneckerFactorMean", "kroneckerFactorBetween"}) {
      calls.add(call(name, rows("x", ROWS, IN), alpha, beta, matrix("factor", IN, IN, true), rows));
    }
    int d = IMAGES.cols() + 1;
    calls.add(
        call(
            "im2colFactorUpdate", in("x", IMAGES.geometry().batch() * IMAGES.geometry().inputs()), scalar("shape", IMAGES), scalar("bias", true), alpha, beta,
            matrix("factor", d, d, true), space(b -> b.kfac().im2colFactorWorkspaceBytes(IMAGES, true))));
    calls.add(call("damping", scalar("mode", DampingMode.PI), lambda, pairs("pairs", false)));
    calls.add(call("dampedSpdInverse", matrix("m", IN, IN, false), damping, matrix("out", IN, IN, true), inverse));
    calls.add(
        call(
            "batchedDampedSpdInverse", list("m", IN, IN, false), scalar("damping", new double[] {1, 1}), list("out", IN, IN, true),
            scalar("options", InverseOptions.STANDARD), scalar("report", new InverseReport()), inverse));
    calls.add(
        call(
            "dampedCholesky", matrix("m", IN, IN, false), damping, matrix("factor", IN, IN, true), space(b -> b.kfac().choleskyWorkspaceBytes(IN))));
    calls.add(call("triangularInverse", matrix("l", IN, IN, false), matrix("out", IN, IN, true)));
    calls.add(call("triangularSolve", matrix("l", IN, IN, false), scalar("transposed", true), columns("b", IN, 3, true)));
    calls.add(call("kroneckerPrecondition", pairs("inverses", true), layers("gradients", false), layers("out", true), products));
    calls.add(call("kroneckerMatVec", pairs("pairs", true), layers("v", false), layers("out", true), products));
    Arg penalty =
        space(
            b -> {
              @SuppressWarnings("unchecked")
              List<PenaltyTask> list = (List<PenaltyTask>) tasks().make().apply(b, 0);
              return b.kfac().kroneckerPenaltyWorkspaceBytes(list, List.of(matrix(b, OUT, IN), matrix(b, 3, 3)));
            });
    calls.add(call("kroneckerQuadraticPenalty", tasks(), layers("weights", false), layers("gradients", true).mayBeNull(), penalty));
    calls.add(
        call("mergeKroneckerFactors", pair("first", false), pair("second", false), scalar("rule", FactorMerge.traceMinimising(1)), pair("out", true)));
    calls.add(
        call("klClipCoefficient", layers("v", false), layers("gradients", false), scalar("learningRate", 0.1), scalar("kappa", 0.001)));
    calls.add(call("mergeBatchNorm", batchNorm(), matrix("mergedWeight", OUT, IN, true), out("mergedBias", OUT)));
    calls.add(call("mergeBatchNormBackward", batchNorm(), matrix("gradWeight", OUT, IN, false), in("gradBias", OUT), batchNormGradients()));
    calls.add(call("symmetricEigen", matrix("m", IN, IN, false), out("values", IN), matrix("vectors", IN, IN, true)));
    Arg vectorsG = matrix("vectorsG", OUT, OUT, false);
    Arg vectorsA = matrix("vectorsA", IN, IN, false);
    calls.add(
        call("inverseRootFromEigen", in("values", IN), matrix("vectors", IN, IN, false), damping, scalar("root", 2), matrix("out", IN, IN, true)));
    calls.add(
        call(
            "kroneckerPreconditionEigen", in("valuesG", OUT), vectorsG, in("valuesA", IN), vectorsA, matrix("gradient", OUT, IN, false), lambda,
            matrix("out", OUT, IN, true)));
    calls.add(
        call(
            "ekfacSecondMoment", matrix("d", ROWS, OUT, false), vectorsG, matrix("x", ROWS, IN - 1, false), scalar("bias", true), vectorsA,
            matrix("s", OUT, IN, true)));
    calls.add(
        call(
            "ekfacPrecondition", vectorsG, vectorsA, matrix("s", OUT, IN, false), matrix("gradient", OUT, IN, false), lambda, matrix("out", OUT, IN, true)));
    calls.add(call("woodburyInverse", rows("x", 3, IN), alpha, damping, matrix("out", IN, IN, true)));
    Arg first = new Arg("first", (b, change) -> unitPair(b, change), false, true, "first", List.of());
    calls.add(call("kroneckerSumInverseApply", first, pair("second", false), matrix("v", OUT, IN, false), matrix("out", OUT, IN, true)));
    calls.add(call("kroneckerLogDet", new Arg("pair", pair("pair", false).make(), false, false, "pair", List.of()), pairDamping));
    calls.add(
        call(
            "matrixNormalSample", matrix("mean", OUT, IN, false), pair("pair", false), pairDamping, matrix("e", OUT, IN, false),
            matrix("out", OUT, IN, true)));
    Arg unit = new Arg("m", (b, change) -> unit(b, IN, IN + change), false, true, "m", List.of());
    calls.add(call("newtonSchulzInverse", unit, scalar("tolerance", 1e-3), scalar("maxIterations", 10), matrix("out", IN, IN, true)));
    return calls;
  }

  private static F32Matrix unit(Backend b, int rows, int cols) {
    F32Matrix m = F32Matrix.of(b.allocate((long) rows * cols), rows, cols);
    for (int i = 0; i < Math.min(rows, cols); i++) {
      m.data().upload((long) i * cols + i, new float[] {1}, 0, 1);
    }
    return m;
  }

  private static KroneckerPair unitPair(Backend b, int change) {
    return new KroneckerPair(unit(b, OUT, OUT), unit(b, IN + change, IN + change));
  }
}
