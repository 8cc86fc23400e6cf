package io.metaplast.contract;

import static io.metaplast.contract.BinaryGoldenOracleTest.generated;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.JsonNode;
import io.metaplast.BitMatrix;
import io.metaplast.Bits;
import io.metaplast.Coverage;
import io.metaplast.Data.Profile;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.Golden;
import io.metaplast.Golden.Vector;
import io.metaplast.I32Buffer;
import io.metaplast.I32Matrix;
import io.metaplast.TensorGroup;
import io.metaplast.TensorLayout;
import io.metaplast.TestBackends;
import io.metaplast.TestBackends.Target;
import io.metaplast.Workspace;
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
import io.metaplast.oracle.BinaryOracle;
import io.metaplast.oracle.BitOracle;
import io.metaplast.oracle.Bounded;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The golden vectors of the binarized family on every backend and tier: exact integers and bits, fp32 bits where the file has them. */
public class BinaryGoldenTest {
  /** Operations whose vectors run on the backends. quadraticTask is a double iteration: BinaryGoldenOracleTest and QuadraticTaskTest. */
  private static final Set<String> OPS =
      Set.of(
          "signBit", "packRow", "packHash", "xnorDot", "signGemmExact", "xnorSyrk", "binaryConv", "bnFoldThreshold", "batchNormInt", "steMask", "metaFactor",
          "metaAdam", "ewcBinary", "bimuStep", "bayesBinnStep", "signGemmOrder", "batchNormFp32");

  /** Element-wise vectors are repeated this often, so that vector lanes and the tail see them too. */
  private static final int REPEAT = 37;

  @Test
  void everyOperationIsCovered() {
    List<Vector> vectors = Golden.binary();
    assertThat(vectors).hasSize(74);
    for (Vector v : vectors) {
      assertThat(OPS.contains(v.op()) || v.op().equals("quadraticTask")).as(v.id()).isTrue();
    }
  }

  @TestFactory
  Stream<DynamicTest> vectors() {
    List<Vector> vectors = Golden.binary().stream().filter(v -> OPS.contains(v.op())).toList();
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
                                  Coverage.checked("binary golden vectors", target.name(), 1);
                                })));
  }

  private static Run run(Target target, Consumer<Run> call) {
    return Run.of(new Mode("golden", call, r -> {}), new Case(0, 0, 3, Profile.TAME, false), target.backend());
  }

  private static void check(Vector v, Target target) {
    BinaryKernels kernels = target.backend().binary();
    switch (v.op()) {
      case "signBit" -> {
        try (Run r = run(target, x -> kernels.signPack(x.inMatrix("x", 1, REPEAT, filled(v.single("x"))), x.outBits("bits", 1, REPEAT), x.stream()))) {
          assertAll(r.bitsAfter("bits"), v.out("bit").asInt() == 1);
        }
      }
      case "steMask" -> {
        try (Run r =
            run(
                target,
                x -> kernels.signPack(
                    x.inMatrix("x", 1, REPEAT, filled(v.single("a"))), x.outBits("bits", 1, REPEAT), x.outBits("mask", 1, REPEAT), x.stream()))) {
          assertAll(r.bitsAfter("mask"), v.out("mask").asInt() == 1);
        }
      }
      case "packRow" -> {
        BitOracle expected = BinaryGoldenOracleTest.packed(v);
        float[] values = v.has("in", "x") ? Golden.singles(v.in("x")) : uniforms(target, v.in("generator"));
        long[] words = pack(target, expected.rows(), expected.cols(), values);
        assertThat(words).isEqualTo(BinaryGoldenOracleTest.words(v.out("words")));
      }
      case "packHash" -> {
        long[] words = pack(target, v.in("rows").asInt(), v.in("cols").asInt(), uniforms(target, v.node().get("in")));
        assertThat(BinaryGoldenOracleTest.hash(words)).isEqualTo(Golden.word64(v.out("hash")));
      }
      case "xnorDot" -> {
        int stream = v.in("stream").asInt();
        BitOracle a = generated(v, stream, v.in("M").asInt(), v.in("K").asInt());
        BitOracle b = generated(v, stream + 1, v.in("N").asInt(), v.in("K").asInt());
        try (Run r =
            run(
                target,
                x -> {
                  BitMatrix left = x.inBits("a", a);
                  BitMatrix right = x.inBits("b", b);
                  kernels.xnorGemm(left, right, x.outIntMatrix("y", a.rows(), b.rows()), x.stream());
                  kernels.xnorGemm(left, right, null, null, x.outMatrix("f", a.rows(), b.rows()), x.stream());
                })) {
          int[] expected = BinaryGoldenOracleTest.ints(v.out("y"));
          assertThat(r.afterBits("y")).isEqualTo(expected);
          for (int i = 0; i < expected.length; i++) {
            assertThat(r.after("f")[i]).isEqualTo((float) expected[i]);
          }
        }
      }
      case "signGemmExact" -> exact(v, target);
      case "xnorSyrk" -> {
        BitOracle bits = generated(v, 1, v.in("batch").asInt(), v.in("in").asInt());
        try (Run r =
            run(
                target,
                x -> {
                  Workspace workspace = x.keep(x.backend().workspace(kernels.xnorSyrkWorkspaceBytes(bits.rows(), bits.cols())));
                  I32Matrix s = x.outIntMatrix("s", bits.cols(), bits.cols());
                  kernels.xnorSyrk(x.inBits("x", bits), false, s, workspace, x.stream());
                })) {
          assertThat(r.afterBits("s")).isEqualTo(BinaryGoldenOracleTest.ints(v.out("S")));
        }
      }
      case "binaryConv" -> {
        Conv2dShape s = BinaryGoldenOracleTest.shape(v);
        BitOracle image = generated(v, 1, s.channels(), s.height() * s.width());
        BitOracle flat = BitOracle.signs(1, s.inputs(), image.values());
        try (Run r =
            run(
                target,
                x -> kernels.conv2d(
                    s, x.inBits("x", flat), x.inBits("w", generated(v, 2, s.outChannels(), s.patch())), x.outInts("y", (int) s.outputs()),
                    x.keep(x.backend().workspace(kernels.conv2dWorkspaceBytes(s))), x.stream()))) {
          assertThat(r.afterBits("y")).isEqualTo(BinaryGoldenOracleTest.ints(v.out("y")));
        }
      }
      case "bnFoldThreshold" -> {
        int k = v.in("K").asInt();
        try (Thresholds t =
            Thresholds.fold(
                target.backend(), new float[] {v.single("gamma")}, new float[] {v.single("beta")}, new float[] {v.single("mean")},
                new float[] {v.single("var")}, v.number("eps"), k)) {
          assertThat(t.limit().toArray()).containsExactly(v.out("limit").asInt());
          assertThat(t.invert().toArray()).containsExactly(v.out("invert").asInt());
        }
      }
      case "batchNormInt" -> batchNormInt(v, target);
      case "batchNormFp32" -> batchNormFp32(v, target);
      case "metaFactor" -> metaFactor(v, target);
      case "metaAdam" -> metaAdam(v, target);
      case "ewcBinary" -> ewc(v, target);
      case "bimuStep" -> {
        BimuParams p = new BimuParams(v.number("lr"), v.number("lrMax"), v.number("likelihood"), v.number("kl"), v.number("N"));
        try (Run r =
            run(
                target,
                x -> kernels.bimuStep(x.inOut("lam", filled(v.single("lam"))), x.in("g", filled(v.single("g"))), p, false, null, x.stream()))) {
          Bounded bound =
              BinaryOracle.bimu(
                  v.number("lam"), v.number("g"), v.number("lr"), 1 / v.number("lrMax"), v.number("likelihood"), v.number("kl"), 1 / v.number("N"));
          for (int i = 0; i < REPEAT; i++) { // the file has no fp32 bits; inputs and constants were rounded too
            Check.near("lam", i, r.after("lam")[i], Golden.number(v.out("lam")), 2 * bound.error());
          }
        }
      }
      case "bayesBinnStep" -> bayesBinn(v, target);
      case "signGemmOrder" -> order(v, target);
      default -> throw new AssertionError("no check for " + v.op());
    }
  }

  private static void assertAll(BitOracle bits, boolean expected) {
    for (int c = 0; c < bits.cols(); c++) {
      assertThat(bits.bit(0, c)).as("column %d", c).isEqualTo(expected);
    }
  }

  /** The values whose signs the generator of the file takes. */
  private static float[] uniforms(Target target, JsonNode g) {
    int n = g.get("rows").asInt() * g.get("cols").asInt();
    try (F32Buffer u = target.backend().allocate(n)) {
      target.backend().bayes().uniform(Golden.word64(g.get("seed")), g.get("stream").asInt(), 0, 0, u, target.backend().defaultStream());
      float[] x = u.toArray();
      for (int i = 0; i < n; i++) {
        x[i] -= 0.5f;
      }
      return x;
    }
  }

  private static long[] pack(Target target, int rows, int cols, float[] values) {
    try (Run r =
        run(
            target,
            x -> {
              BitMatrix bits = x.outBits("bits", rows, cols);
              x.backend().binary().signPack(x.inMatrix("x", rows, cols, values), bits, x.stream());
            })) {
      return r.bitsAfter("bits").words();
    }
  }

  private static void exact(Vector v, Target target) {
    int batch = v.in("batch").asInt();
    int in = v.in("in").asInt();
    int out = v.in("out").asInt();
    BinaryKernels kernels = target.backend().binary();
    try (Run r =
        run(
            target,
            c -> {
              F32Matrix x = c.inMatrix("x", batch, in, BinaryGoldenOracleTest.exactX(v));
              F32Matrix dy = c.inMatrix("dy", batch, out, BinaryGoldenOracleTest.exactDy(v));
              BitMatrix w = c.inBits("w", generated(v, 1, out, in));
              kernels.signGemmNT(x, w, c.outMatrix("y", batch, out), c.stream());
              kernels.signGemmNN(dy, w, c.outMatrix("dx", batch, in), c.stream());
              kernels.gemmTN(dy, x, c.outMatrix("dWreal", out, in), c.stream());
              kernels.signGemmTN(dy, c.inBits("xs", generated(v, 4, batch, in)), c.outMatrix("dWsign", out, in), c.stream());
            })) {
      for (String field : new String[] {"y", "dx", "dWreal", "dWsign"}) {
        assertThat(r.after(field)).as(field).isEqualTo(Golden.singles(v.out(field)));
      }
    }
  }

  private static void batchNormInt(Vector v, Target target) {
    int[] y = BinaryGoldenOracleTest.ints(v.in("y"));
    BatchNormShape shape = BatchNormShape.of(y.length, REPEAT);
    int[] all = new int[y.length * REPEAT];
    for (int i = 0; i < all.length; i++) {
      all[i] = y[i / REPEAT];
    }
    try (Run r =
        run(
            target,
            x -> {
              I32Buffer in = x.inInts("y", all);
              F32Buffer gamma = x.in("gamma", filled(v.single("gamma")));
              F32Buffer mean = x.out("mean", REPEAT);
              F32Buffer inv = x.out("inv", REPEAT);
              x.backend().binary().batchNormForward(
                  shape, in, gamma, x.in("beta", filled(v.single("beta"))), v.number("eps"), mean, inv, null,
                  BatchNormOutput.values(x.out("out", all.length)), x.stream());
              x.backend().binary().batchNormBackward(
                  shape, in, gamma, mean, inv, x.in("dy", repeated(Golden.singles(v.in("dy")))), null, x.out("dx", all.length), x.out("dGamma", REPEAT),
                  x.out("dBeta", REPEAT), x.stream());
            })) {
      for (int i = 0; i < REPEAT; i++) {
        assertThat(r.after("mean")[i]).isEqualTo((float) Golden.number(v.out("mean")));
        assertThat(r.after("inv")[i]).isEqualTo((float) Golden.number(v.out("invStd")));
      }
      columns(v, "out", r.after("out"));
      columns(v, "dx", r.after("dx"));
      all(v, "dGamma", r.after("dGamma"));
      all(v, "dBeta", r.after("dBeta"));
    }
  }

  private static void batchNormFp32(Vector v, Target target) {
    float[] y = Golden.singles(v.in("y"));
    BatchNormShape shape = BatchNormShape.of(y.length, REPEAT);
    float correction = (float) (y.length / (y.length - 1.0));
    try (Run r =
        run(
            target,
            x -> x.backend().binary().batchNormForward(
                shape, x.in("y", repeated(y)), x.in("gamma", filled(v.single("gamma"))), x.in("beta", filled(v.single("beta"))), v.number("eps"),
                x.out("mean", REPEAT), x.out("inv", REPEAT),
                new RunningStatistics(x.inOut("runningMean", filled(0)), x.inOut("runningVariance", filled(0)), 1),
                BatchNormOutput.values(x.out("out", y.length * REPEAT)), x.stream()))) {
      all(v, "mean", r.after("mean"));
      all(v, "mean", r.after("runningMean"));
      all(v, "invStd", r.after("inv"));
      float unbiased = Golden.single(v.f32("var")) * correction;
      for (float variance : r.after("runningVariance")) {
        assertThat(variance).isEqualTo(unbiased);
      }
      columns(v, "out", r.after("out"));
    }
  }

  /** With beta1 = beta2 = 0 and gradient 1 the step is rate * f: f itself, scaled by a power of two against which W vanishes. */
  private static void metaFactor(Vector v, Target target) {
    float w = v.single("W");
    float rate = 0x1p80f;
    AdamParams p = new AdamParams(rate, 0, 0, 1e-30, 0, v.number("meta"));
    float g = Math.signum(w);
    float f = w == 0 ? 1 : Golden.single(v.f32("f")); // W = 0 is not shrunk; f(0) = 1
    try (Run r = adam(target, new float[][] {filled(g == 0 ? 1 : g)}, filled(w), p)) {
      for (int i = 0; i < REPEAT; i++) {
        Check.equal(v.id(), i, Bits.of(r.after("w.0")[i]), Bits.of(w - rate * f * (g == 0 ? 1 : g)));
      }
      assertThat(Bits.of(f)).isEqualTo(Golden.bits(v.f32("f")));
    }
  }

  /** Steps t = 1, 2, ... with the given gradients, from moments of 0. */
  private static Run adam(Target target, float[][] gradients, float[] w, AdamParams p) {
    int n = w.length;
    return run(
        target,
        x -> {
          HiddenWeights weights =
              x.hidden(new int[] {0}, List.of(HiddenWeights.Shape.binary(1, n)), List.of(w), List.of(new float[n]), List.of(new float[n]));
          for (int t = 0; t < gradients.length; t++) {
            TensorGroup<F32Buffer> g = x.backend().group(TensorLayout.of(n), 1, List.of(x.in("g" + t, gradients[t])));
            x.backend().binary().metaAdamStep(weights, g, List.of(p), t + 1, x.stream());
          }
        });
  }

  private static void metaAdam(Vector v, Target target) {
    AdamParams p =
        new AdamParams(v.number("lr"), v.number("beta1"), v.number("beta2"), v.number("eps"), v.number("weightDecay"), v.number("meta"));
    float[] w = Golden.singles(v.in("W"));
    int n = w.length;
    List<float[]> gradients = new ArrayList<>();
    for (int t = 0; t < v.in("g").size(); t++) {
      gradients.add(tiled(Golden.singles(v.in("g").get(t))));
      try (Run r = adam(target, gradients.toArray(float[][]::new), tiled(w), p)) {
        JsonNode step = v.f32("steps").get(t);
        for (String field : new String[] {"W", "m", "v"}) {
          float[] expected = Golden.singles(step.get(field));
          float[] actual = r.after(field.toLowerCase(java.util.Locale.ROOT) + ".0");
          for (int i = 0; i < actual.length; i++) {
            Check.equal(v.id() + " step " + (t + 1) + " " + field, i, Bits.of(actual[i]), Bits.of(expected[i % n]));
          }
        }
        assertThat(r.bitsAfter("bits.0")).isEqualTo(BitOracle.signs(1, n * REPEAT, r.after("w.0")));
      }
    }
  }

  private static void ewc(Vector v, Target target) {
    int b = v.in("b").asInt();
    try (Run r =
        run(
            target,
            x -> {
              F32Buffer total = x.inOut("total", filled(0));
              F32Buffer anchored = x.inOut("target", filled(0));
              for (int t = 0; t < v.in("F").size(); t++) {
                BitMatrix signs = x.inBits("anchor" + t, signs(v.in("anchor").get(t).asInt()));
                x.backend().binary().ewcConsolidate(signs, x.in("F" + t, filled(Golden.single(v.in("F").get(t)))), total, anchored, x.stream());
              }
              x.backend().binary().ewcPenaltyGradient(
                  x.inBits("b", signs(b)), total, anchored, v.number("lam"), x.inOut("gradient", filled(0)), x.stream());
            })) {
      for (int i = 0; i < REPEAT; i++) {
        Check.near("A", i, r.after("total")[i], Golden.number(v.out("A")), Check.U);
        Check.near("Bsum", i, r.after("target")[i], Golden.number(v.out("Bsum")), Check.U);
        Check.near("grad", i, r.after("gradient")[i], Golden.number(v.out("grad")), 4 * Check.U * 5000);
      }
    }
  }

  private static BitOracle signs(int sign) {
    return BitOracle.signs(1, REPEAT, filled(sign));
  }

  private static void bayesBinn(Vector v, Target target) {
    BayesBinnParams p = new BayesBinnParams(v.number("lr"), 0, v.number("temperature"), v.in("nTrain").asDouble(), 0, 1);
    double w = Golden.number(v.out("w"));
    try (Run r =
        run(
            target,
            x -> x.backend().binary().bayesBinnStep(
                x.inOut("lam", filled(v.single("lam"))), x.inOut("momentum", filled(0)), 1, x.in("w", filled((float) w)),
                x.in("g", filled(v.single("grad"))), p, 1, x.stream()))) {
      double inverse = 1 / v.number("temperature");
      Bounded bound =
          BinaryOracle.binn(
                  v.single("lam"), 0, new double[] {(float) w}, new double[] {v.single("grad")}, (float) inverse, 100, 0, 1, 0, 1, v.single("lr"))
              .l();
      for (int i = 0; i < REPEAT; i++) { // the file has no fp32 bits; its inputs are decimals
        Check.near("lam", i, r.after("lam")[i], bound.value(), bound.error());
        Check.near("lam", i, r.after("lam")[i], Golden.number(v.out("lam")), 3e-6);
      }
    }
  }

  private static void order(Vector v, Target target) {
    int batch = v.in("batch").asInt();
    int in = v.in("in").asInt();
    int out = v.in("out").asInt();
    long seed = Golden.word64(v.in("seed"));
    BinaryKernels kernels = target.backend().binary();
    try (Run r =
        run(
            target,
            c -> {
              F32Buffer x = c.out("x", batch * in);
              F32Buffer dy = c.out("dy", batch * out);
              c.backend().bayes().gaussian(seed, 20, 0, 0, x, c.stream());
              c.backend().bayes().gaussian(seed, 21, 0, 0, dy, c.stream());
              BitMatrix w = c.inBits("w", generated(v, 1, out, in));
              BitMatrix xs = c.inBits("xs", generated(v, 4, batch, in));
              kernels.signGemmNT(F32Matrix.of(x, batch, in), w, c.outMatrix("y", batch, out), c.stream());
              kernels.signGemmNN(F32Matrix.of(dy, batch, out), w, c.outMatrix("dx", batch, in), c.stream());
              kernels.signGemmTN(F32Matrix.of(dy, batch, out), xs, c.outMatrix("dW", out, in), c.stream());
            })) {
      for (String field : new String[] {"y", "dx", "dW"}) {
        if (v.has("f32", field)) {
          Check.sameBits(v.id() + " " + field, r.after(field), Golden.singles(v.f32(field)));
        } else {
          float[] values = r.after(field);
          assertThat(Bits.fnv(Bits.fnvStart(), values, values.length)).as(field).isEqualTo(Golden.word64(v.f32(field + "Hash")));
        }
      }
    }
  }

  private static float[] filled(float value) {
    float[] x = new float[REPEAT];
    Arrays.fill(x, value);
    return x;
  }

  /** [n][REPEAT] of one value per row. */
  private static float[] repeated(float[] rows) {
    float[] x = new float[rows.length * REPEAT];
    for (int i = 0; i < x.length; i++) {
      x[i] = rows[i / REPEAT];
    }
    return x;
  }

  /** The values again and again. */
  private static float[] tiled(float[] values) {
    float[] x = new float[values.length * REPEAT];
    for (int i = 0; i < x.length; i++) {
      x[i] = values[i % values.length];
    }
    return x;
  }

  private static void all(Vector v, String field, float[] actual) {
    int expected = Bits.of(Golden.single(v.f32(field)));
    for (int i = 0; i < actual.length; i++) {
      Check.equal(v.id() + " " + field, i, Bits.of(actual[i]), expected);
    }
  }

  /** Every column of [n][REPEAT] has the bits of the field. */
  private static void columns(Vector v, String field, float[] actual) {
    Check.sameBits(v.id() + " " + field, actual, repeated(Golden.singles(v.f32(field))));
  }
}
