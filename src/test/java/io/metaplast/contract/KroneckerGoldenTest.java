package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.JsonNode;
import io.metaplast.Coverage;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.Golden;
import io.metaplast.Golden.Vector;
import io.metaplast.TestBackends;
import io.metaplast.TestBackends.Target;
import io.metaplast.binary.Conv2dShape;
import io.metaplast.kfac.BatchNormMerge;
import io.metaplast.kfac.BatchNormMergeGradients;
import io.metaplast.kfac.DampingMode;
import io.metaplast.kfac.FactorMerge;
import io.metaplast.kfac.Im2colShape;
import io.metaplast.kfac.InverseOptions;
import io.metaplast.kfac.InverseReport;
import io.metaplast.kfac.KfacKernels;
import io.metaplast.kfac.KlClip;
import io.metaplast.kfac.KroneckerPair;
import io.metaplast.kfac.MovingFactor;
import io.metaplast.kfac.PairDamping;
import io.metaplast.kfac.PenaltyTask;
import io.metaplast.kfac.PenaltyTerm;
import io.metaplast.kfac.PenaltyValue;
import io.metaplast.kfac.Sharing;
import io.metaplast.oracle.KroneckerOracle;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The golden vectors of the Kronecker family on every backend and tier, at their own fp32 tolerances, and the oracle at their double ones. */
public class KroneckerGoldenTest {
  @Test
  void everyVectorIsRead() {
    assertThat(Golden.kfac()).hasSize(34);
  }

  @TestFactory
  Stream<DynamicTest> vectors() {
    return TestBackends.all()
        .flatMap(
            target ->
                Golden.kfac().stream()
                    .map(
                        v ->
                            dynamicTest(
                                target + " " + v.id(),
                                () -> {
                                  try (Operands o = new Operands(target.backend())) {
                                    check(v, o);
                                  }
                                  Coverage.checked("Kronecker golden vectors", target.name(), 1);
                                })));
  }

  private static int rows(JsonNode matrix) {
    return matrix.size();
  }

  private static int cols(JsonNode matrix) {
    return matrix.size() == 0 ? 0 : matrix.get(0).size();
  }

  private static F32Matrix matrix(Operands o, JsonNode m) {
    return o.in(Golden.singles(m), rows(m), cols(m));
  }

  private static double tolerance(Vector v) {
    return Double.parseDouble(v.node().get("rtol32").asText());
  }

  private static void close(Vector v, String field, float[] got) {
    close(v, field, KroneckerOracle.widen(got), tolerance(v));
  }

  private static void close(Vector v, String field, double[] got, double tolerance) {
    double[] want = Golden.numbers(v.out(field));
    assertThat(got).hasSameSizeAs(want);
    double largest = 0;
    for (double w : want) {
      largest = Math.max(largest, Math.abs(w));
    }
    for (int i = 0; i < want.length; i++) {
      assertThat(got[i]).as("%s %s[%d]", v.id(), field, i).isCloseTo(want[i], within(tolerance * largest));
    }
  }

  private static void check(Vector v, Operands o) {
    KfacKernels k = o.backend().kfac();
    switch (v.id()) {
      case "stat.A.bias", "stat.G", "stat.A.ema.identity" -> {
        JsonNode f0 = v.in("F0");
        F32Matrix f = o.inOut(Golden.singles(f0), rows(f0), cols(f0));
        boolean bias = v.in("bias").asInt() == 1;
        F32Matrix x = matrix(o, v.in("X"));
        k.kroneckerFactorUpdate(
            x, bias, v.number("alpha"), v.number("beta"), f, o.workspace(k.kroneckerFactorWorkspaceBytes(x.rows(), x.cols(), bias)), o.stream());
        close(v, "F", o.read(f));
      }
      case "stat.A.ema.debiased" -> {
        MovingFactor factor = new MovingFactor(o.out(2, 2));
        for (String batch : new String[] {"batch1", "batch2"}) {
          k.kroneckerFactorUpdate(
              matrix(o, v.in(batch)), false, v.number("scale"), v.number("beta"), factor, o.workspace(k.kroneckerFactorWorkspaceBytes(2, 2, false)), o.stream());
        }
        close(v, "raw", o.read(factor.raw()));
        close(v, "weight", new double[] {factor.weight()}, 1e-13);
        F32Matrix value = o.out(2, 2);
        k.kroneckerFactorValue(factor, value, o.stream());
        close(v, "value", o.read(value));
      }
      case "eig.A", "rankdef.eig" -> {
        F32Matrix m = matrix(o, v.in("M"));
        F32Buffer l = o.out(m.rows());
        F32Matrix q = o.out(m.rows(), m.rows());
        k.symmetricEigen(m, l, q, o.stream());
        close(v, "l", o.read(l));
        if (v.has("out", "Q")) {
          close(v, "Q", o.read(q));
        }
      }
      case "damp.pi", "damp.normalisedPair" -> {
        KroneckerPair pair = new KroneckerPair(matrix(o, v.in("G")), matrix(o, v.in("A")));
        PairDamping d = k.damping(DampingMode.PI, v.number("damping"), List.of(pair), o.stream()).get(0);
        if (v.has("out", "pi")) {
          close(v, "pi", new double[] {d.pi()}, tolerance(v));
          close(v, "dA", new double[] {d.a()}, tolerance(v));
          close(v, "dG", new double[] {d.g()}, tolerance(v));
        } else {
          // The norms spread evenly, as kfac-jax forms the pair: other factors, the same product.
          close(v, "Apair", KroneckerOracle.scaled(1 / d.pi(), KroneckerOracle.damped(Golden.numbers(v.in("A")), 3, d.a())), tolerance(v));
          close(v, "Gpair", KroneckerOracle.scaled(d.pi(), KroneckerOracle.damped(Golden.numbers(v.in("G")), 2, d.g())), tolerance(v));
        }
      }
      case "inv.A.pi", "inv.2x2", "inv.3x3", "rankdef.inverse" -> {
        F32Matrix m = matrix(o, v.in("M"));
        F32Matrix out = o.out(m.rows(), m.rows());
        k.dampedSpdInverse(m, v.number("d"), out, o.workspace(k.spdInverseWorkspaceBytes(m.rows())), o.stream());
        close(v, "Minv", o.read(out));
        if (v.id().equals("rankdef.inverse")) {
          F32Matrix woodbury = o.out(3, 3);
          k.woodburyInverse(o.in(new float[] {1, 2, 3, 4, 5, 6}, 2, 3), .5, v.number("d"), woodbury, o.stream());
          close(v, "Minv", o.read(woodbury));
        }
      }
      case "status.rankdef", "status.indefinite", "status.nan", "status.inf1x1" -> {
        F32Matrix m = o.in(statusInput(v.in("M")), rows(v.in("M")), cols(v.in("M")));
        F32Matrix out = o.out(m.rows(), m.rows());
        float[] before = o.read(out);
        InverseReport report = new InverseReport();
        k.batchedDampedSpdInverse(
            List.of(m), new double[] {v.number("d")}, List.of(out), InverseOptions.NONE, report, o.workspace(k.spdInverseWorkspaceBytes(m.rows())), o.stream());
        assertThat(report.status(0)).isEqualTo(v.out("status").asInt());
        assertThat(o.read(out)).isEqualTo(before);
      }
      case "chol.A.pi" -> {
        F32Matrix l = o.out(3, 3);
        k.dampedCholesky(matrix(o, v.in("M")), v.number("d"), l, o.workspace(k.choleskyWorkspaceBytes(3)), o.stream());
        close(v, "L", o.read(l));
      }
      case "tri.inverse" -> {
        F32Matrix out = o.out(3, 3);
        k.triangularInverse(matrix(o, v.in("L")), out, o.stream());
        close(v, "Linv", o.read(out));
      }
      case "prec.pi" -> {
        F32Matrix g = o.out(2, 2);
        F32Matrix a = o.out(3, 3);
        k.dampedSpdInverse(matrix(o, v.in("G")), v.number("dG"), g, o.workspace(k.spdInverseWorkspaceBytes(2)), o.stream());
        k.dampedSpdInverse(matrix(o, v.in("A")), v.number("dA"), a, o.workspace(k.spdInverseWorkspaceBytes(3)), o.stream());
        F32Matrix out = o.out(2, 3);
        List<F32Matrix> gradients = List.of(matrix(o, v.in("dW")));
        k.kroneckerPrecondition(
            List.of(new KroneckerPair(g, a)), gradients, List.of(out), o.workspace(k.kroneckerPreconditionWorkspaceBytes(gradients)), o.stream());
        close(v, "V", o.read(out));
      }
      case "prec.exact" -> {
        F32Matrix out = o.out(2, 3);
        F32Buffer lg = o.out(2);
        F32Matrix qg = o.out(2, 2);
        F32Buffer la = o.out(3);
        F32Matrix qa = o.out(3, 3);
        k.symmetricEigen(matrix(o, v.in("G")), lg, qg, o.stream());
        k.symmetricEigen(matrix(o, v.in("A")), la, qa, o.stream());
        k.kroneckerPreconditionEigen(lg, qg, la, qa, matrix(o, v.in("dW")), v.number("damping"), out, o.stream());
        close(v, "V", o.read(out));
      }
      case "ekfac.S" -> {
        F32Matrix s = o.out(2, 3);
        F32Matrix qg = o.out(2, 2);
        F32Matrix qa = o.out(3, 3);
        k.symmetricEigen(matrix(o, v.in("G")), o.out(2), qg, o.stream());
        k.symmetricEigen(matrix(o, v.in("A")), o.out(3), qa, o.stream());
        k.ekfacSecondMoment(matrix(o, v.in("D")), qg, matrix(o, v.in("X")), true, qa, s, o.stream());
        close(v, "S", o.read(s));
      }
      case "klclip" -> {
        KlClip clip =
            k.klClipCoefficient(List.of(matrix(o, v.in("V").get(0))), List.of(matrix(o, v.in("dW").get(0))), v.number("lr"), v.number("kappa"), o.stream());
        close(v, "sum", new double[] {clip.sum()}, tolerance(v));
        close(v, "nu", new double[] {clip.nu()}, tolerance(v));
      }
      case "penalty.single" -> {
        F32Matrix w = matrix(o, v.in("dW").get(0));
        F32Matrix gradient = o.inOut(new float[w.rows() * w.cols()], w.rows(), w.cols());
        KroneckerPair pair = new KroneckerPair(matrix(o, v.in("G").get(0)), matrix(o, v.in("A").get(0)));
        PenaltyTask task =
            new PenaltyTask(
                Golden.number(v.in("lambda").get(0)), List.of(o.in(new float[w.rows() * w.cols()], w.rows(), w.cols())), List.of(List.of(new PenaltyTerm(pair, 1))));
        PenaltyValue value =
            k.kroneckerQuadraticPenalty(
                List.of(task), List.of(w), List.of(gradient), o.workspace(k.kroneckerPenaltyWorkspaceBytes(List.of(task), List.of(w))), o.stream());
        close(v, "value", new double[] {value.value()}, tolerance(v));
        close(v, "grad", o.read(gradient));
      }
      case "logdet.pi" -> {
        KroneckerPair pair = new KroneckerPair(matrix(o, v.in("G")), matrix(o, v.in("A")));
        double got = k.kroneckerLogDet(pair, new PairDamping(1, v.number("dG"), v.number("dA"), false), o.stream());
        close(v, "logdet", new double[] {got}, tolerance(v));
      }
      case "merge.traceMin" -> {
        KroneckerPair out = new KroneckerPair(o.out(2, 2), o.out(3, 3));
        double pi =
            k.mergeKroneckerFactors(
                    new KroneckerPair(matrix(o, v.in("G1")), matrix(o, v.in("A1"))), new KroneckerPair(matrix(o, v.in("G2")), matrix(o, v.in("A2"))),
                    FactorMerge.traceMinimising(1), out, o.stream())
                .pi();
        close(v, "pi", new double[] {pi}, tolerance(v));
        close(v, "A", o.read(out.a()));
        close(v, "G", o.read(out.g()));
      }
      case "between.A", "between.G" -> {
        F32Matrix x = matrix(o, v.in("X"));
        if (v.has("out", "within")) {
          close(v, "within", moment(k, o, x, 0));
          close(v, "centred", moment(k, o, x, 1));
        }
        float[] between = moment(k, o, x, 3);
        close(v, "between", between);
        close("between.A".equals(v.id()) ? KroneckerOracle.between(Golden.numbers(v.in("X")), 4, 2) : KroneckerOracle.widen(between), Golden.numbers(v.out("between")), 1e-5);
        if (v.has("out", "l")) {
          close(v, "l", KroneckerOracle.eigen(KroneckerOracle.widen(between), 2)[0], 1e-5);
        }
      }
      case "between.psdForm" -> {
        F32Matrix x = matrix(o, v.in("X"));
        F32Matrix d = matrix(o, v.in("D"));
        close(v, "CX", moment(k, o, x, 1));
        close(v, "MX", moment(k, o, x, 2));
        close(v, "CD", moment(k, o, d, 1));
        close(v, "MD", moment(k, o, d, 2));
      }
      case "collapse.centred" -> collapse(v, o, k);
      case "bn.merge" -> {
        F32Matrix merged = o.out(2, 2);
        F32Buffer bias = o.out(2);
        k.mergeBatchNorm(layer(v, o), merged, bias, o.stream());
        close(v, "What", o.read(merged));
        close(v, "bhat", o.read(bias));
      }
      case "bn.mergeBackward" -> {
        BatchNormMergeGradients g = new BatchNormMergeGradients(o.out(2, 2), o.out(2), o.out(2), o.out(2), o.out(2), o.out(2));
        k.mergeBatchNormBackward(layer(v, o), matrix(o, v.in("gWhat")), o.in(Golden.singles(v.in("gbhat"))), g, o.stream());
        close(v, "dW", o.read(g.weight()));
        close(v, "db", o.read(g.bias()));
        close(v, "dgamma", o.read(g.gamma()));
        close(v, "dbeta", o.read(g.beta()));
        close(v, "dmu", o.read(g.mean()));
        close(v, "dvar", o.read(g.variance()));
      }
      case "newtonSchulz" -> {
        double[] got = k.newtonSchulzInverse(matrix(o, v.in("M")), 1e-6, 20, o.out(2, 2), o.stream());
        double[] want = Golden.numbers(v.out("residual"));
        for (int i = 0; i < 5; i++) {
          assertThat(got[i]).as("step %d", i).isCloseTo(want[i], within(1e-5 * want[0]));
        }
        assertThat(got[5]).isLessThan(1e-6);
      }
      case "conv.expand", "conv.reduce" -> {
        boolean expand = v.id().equals("conv.expand");
        JsonNode x = v.in("x_NCHW");
        JsonNode dy = v.in("dy_NCHW");
        Conv2dShape conv = Conv2dShape.of(x.size(), x.get(0).size(), x.get(0).get(0).size(), x.get(0).get(0).get(0).size(), 1, 2, 1, 0);
        Im2colShape in = new Im2colShape(conv, expand ? Sharing.EXPAND : Sharing.REDUCE_MEAN);
        Im2colShape out =
            Im2colShape.gradients(
                dy.size(), dy.get(0).size(), dy.get(0).get(0).size(), dy.get(0).get(0).get(0).size(), expand ? Sharing.EXPAND : Sharing.REDUCE_SUM);
        F32Matrix a = o.out(in.cols() + 1, in.cols() + 1);
        F32Matrix g = o.out(out.cols(), out.cols());
        k.im2colFactorUpdate(o.in(Golden.singles(x)), in, true, 1.0 / in.rows(), 0, a, o.workspace(k.im2colFactorWorkspaceBytes(in, true)), o.stream());
        k.im2colFactorUpdate(o.in(Golden.singles(dy)), out, false, 1.0 / out.rows(), 0, g, o.workspace(k.im2colFactorWorkspaceBytes(out, false)), o.stream());
        close(v, "A", o.read(a));
        close(v, "G", o.read(g));
      }
      default -> throw new AssertionError("no check for " + v.id());
    }
  }

  private static float[] statusInput(JsonNode m) {
    float[] values = new float[rows(m) * cols(m)];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) Double.parseDouble(m.get(i / cols(m)).get(i % cols(m)).asText());
    }
    return values;
  }

  private static void close(double[] got, double[] want, double tolerance) {
    assertThat(got).hasSameSizeAs(want);
    for (int i = 0; i < want.length; i++) {
      assertThat(got[i]).isCloseTo(want[i], within(tolerance));
    }
  }

  /** X'X/N, C, M or B. */
  private static float[] moment(KfacKernels k, Operands o, F32Matrix x, int kind) {
    F32Matrix f = o.out(x.cols(), x.cols());
    io.metaplast.Workspace w = o.workspace(k.kroneckerFactorWorkspaceBytes(x.rows(), x.cols(), false));
    switch (kind) {
      case 0 -> k.kroneckerFactorUpdate(x, false, 1.0 / x.rows(), 0, f, w, o.stream());
      case 1 -> k.kroneckerFactorCentered(x, 1, 0, f, w, o.stream());
      case 2 -> k.kroneckerFactorMean(x, 1, 0, f, w, o.stream());
      default -> k.kroneckerFactorBetween(x, 1, 0, f, w, o.stream());
    }
    return o.read(f);
  }

  /** Columns of D sum to 0, as batch norm behind the layer makes them: the two terms collapse into N/(N-1) Gw dW Cov. */
  private static void collapse(Vector v, Operands o, KfacKernels k) {
    F32Matrix x = matrix(o, v.in("X"));
    F32Matrix d = matrix(o, v.in("D"));
    int rows = x.rows();
    float[] within = moment(k, o, d, 0);
    close(v, "within", within);
    close(v, "between", moment(k, o, d, 3));
    F32Matrix w = matrix(o, v.in("dW"));
    F32Matrix gradient = o.inOut(new float[4], 2, 2);
    KroneckerPair pair = new KroneckerPair(o.in(within, 2, 2), o.in(moment(k, o, x, 1), 2, 2));
    // The summed loss weighs the pair by N^2/(N-1).
    PenaltyTask task =
        new PenaltyTask(1, List.of(o.in(new float[4], 2, 2)), List.of(List.of(new PenaltyTerm(pair, (double) rows * rows / (rows - 1)))));
    PenaltyValue value =
        k.kroneckerQuadraticPenalty(
            List.of(task), List.of(w), List.of(gradient), o.workspace(k.kroneckerPenaltyWorkspaceBytes(List.of(task), List.of(w))), o.stream());
    close(v, "grad", o.read(gradient));
    assertThat(value.value()).isCloseTo(v.out("value").asDouble(), within(1e-5 * v.out("value").asDouble()));
  }

  private static BatchNormMerge layer(Vector v, Operands o) {
    return new BatchNormMerge(
        matrix(o, v.in("W")), o.in(Golden.singles(v.in("b"))), o.in(Golden.singles(v.in("gamma"))), o.in(Golden.singles(v.in("beta"))),
        o.in(Golden.singles(v.in("mu"))), o.in(Golden.singles(v.in("var"))), v.number("eps"));
  }
}
