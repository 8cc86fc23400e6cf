package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.JsonNode;
import io.metaplast.Bits;
import io.metaplast.Golden;
import io.metaplast.Golden.Vector;
import io.metaplast.binary.Conv2dShape;
import io.metaplast.oracle.BinaryOracle;
import io.metaplast.oracle.BitOracle;
import io.metaplast.oracle.QuadraticTask;
import io.metaplast.oracle.RandomOracle;
import io.metaplast.oracle.ThresholdOracle;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The oracle of the binarized family against the double and exact results of the golden file. */
class BinaryGoldenOracleTest {
  @TestFactory
  Stream<DynamicTest> vectors() {
    return Golden.binary().stream().map(v -> dynamicTest(v.id(), () -> check(v)));
  }

  private static void near(Vector v, String field, double actual) {
    near(v, field, actual, Golden.number(v.out(field)), 0);
  }

  private static void near(Vector v, String field, double actual, double expected, double absolute) {
    assertThat(Math.abs(actual - expected)).as("%s %s: %s, wanted %s", v.id(), field, actual, expected)
        .isLessThanOrEqualTo(v.tolerance() * Math.abs(expected) + absolute);
  }

  private static void check(Vector v) {
    switch (v.op()) {
      case "signBit" -> assertThat(BitOracle.signs(1, 1, new float[] {v.single("x")}).bit(0, 0)).isEqualTo(v.out("bit").asInt() == 1);
      case "packRow" -> assertThat(packed(v).words()).isEqualTo(words(v.out("words")));
      case "packHash" -> assertThat(hash(generated(v, v.in("stream").asInt(), v.in("rows").asInt(), v.in("cols").asInt()).words()))
          .isEqualTo(Golden.word64(v.out("hash")));
      case "xnorDot" -> {
        int stream = v.in("stream").asInt();
        BitOracle a = generated(v, stream, v.in("M").asInt(), v.in("K").asInt());
        BitOracle b = generated(v, stream + 1, v.in("N").asInt(), v.in("K").asInt());
        assertThat(a.dots(b)).isEqualTo(ints(v.out("y")));
      }
      case "signGemmExact" -> {
        int batch = v.in("batch").asInt();
        int in = v.in("in").asInt();
        int out = v.in("out").asInt();
        BitOracle w = generated(v, 1, out, in);
        BitOracle second = generated(v, 4, batch, in);
        float[] x = exactX(v);
        float[] dy = exactDy(v);
        assertThat(x).isEqualTo(Golden.singles(v.out("x")));
        assertThat(dy).isEqualTo(Golden.singles(v.out("dy")));
        for (int b = 0; b < batch; b++) {
          int row = b;
          for (int o = 0; o < out; o++) {
            int col = o;
            assertThat(BinaryOracle.product(in, k -> x[row * in + k], k -> w.sign(col, k))[0]).isEqualTo(v.out("y").get(b).get(o).asDouble());
          }
          for (int i = 0; i < in; i++) {
            int col = i;
            assertThat(BinaryOracle.product(out, k -> dy[row * out + k], k -> w.sign(k, col))[0]).isEqualTo(v.out("dx").get(b).get(i).asDouble());
          }
        }
        for (int o = 0; o < out; o++) {
          int row = o;
          for (int i = 0; i < in; i++) {
            int col = i;
            assertThat(BinaryOracle.product(batch, k -> dy[k * out + row], k -> x[k * in + col])[0]).isEqualTo(v.out("dWreal").get(o).get(i).asDouble());
            assertThat(BinaryOracle.product(batch, k -> dy[k * out + row], k -> second.sign(k, col))[0])
                .isEqualTo(v.out("dWsign").get(o).get(i).asDouble());
          }
        }
      }
      case "xnorSyrk" -> {
        BitOracle columns = generated(v, 1, v.in("batch").asInt(), v.in("in").asInt()).transposed();
        assertThat(columns.dots(columns)).isEqualTo(ints(v.out("S")));
      }
      case "binaryConv" -> {
        Conv2dShape s = shape(v);
        BitOracle x = generated(v, 1, s.channels(), s.height() * s.width());
        BitOracle w = generated(v, 2, s.outChannels(), s.patch());
        int[] y = new int[(int) s.outputs()];
        BinaryOracle.links(s, (n, o, at, c, i, e) -> y[at] += x.sign(i / x.cols(), i % x.cols()) * w.sign(o, e));
        assertThat(y).isEqualTo(ints(v.out("y")));
      }
      case "bnFoldThreshold" -> {
        int k = v.in("K").asInt();
        int limit = v.out("limit").asInt();
        boolean invert = v.out("invert").asInt() == 1;
        for (int p = 0; p <= k; p++) {
          boolean bit = ThresholdOracle.bit(v.single("gamma"), v.single("beta"), v.single("mean"), v.single("var"), v.number("eps"), k - 2 * p);
          assertThat(bit).as("p = %d", p).isEqualTo(p <= limit ^ invert);
        }
      }
      case "batchNormInt", "batchNormFp32" -> batchNorm(v);
      case "steMask" -> assertThat(!(Math.abs(v.single("a")) > 1)).isEqualTo(v.out("mask").asInt() == 1);
      case "metaFactor" -> near(v, "f", BinaryOracle.factor(v.number("meta"), v.number("W")));
      case "metaAdam" -> metaAdam(v);
      case "quadraticTask" -> {
        double[] w = QuadraticTask.twoDimensions().run(v.in("steps").asInt());
        for (int i = 0; i < 2; i++) {
          near(v, "W", w[i], Golden.number(v.out("W").get(i)), 0);
        }
      }
      case "ewcBinary" -> {
        double total = 0;
        double target = 0;
        double penalty = 0;
        int b = v.in("b").asInt();
        for (int t = 0; t < v.in("F").size(); t++) {
          double f = Golden.number(v.in("F").get(t));
          int anchor = v.in("anchor").get(t).asInt();
          total += f;
          target += f * anchor;
          penalty += v.number("lam") / 2 * f * (b - anchor) * (b - anchor);
        }
        near(v, "A", total);
        near(v, "Bsum", target);
        near(v, "grad", v.number("lam") * (total * b - target));
        near(v, "penalty", penalty);
      }
      case "bimuStep" -> near(
          v, "lam",
          BinaryOracle.bimu(
                  v.number("lam"), v.number("g"), v.number("lr"), 1 / v.number("lrMax"), v.number("likelihood"), v.number("kl"), 1 / v.number("N"))
              .value());
      case "bayesBinnStep" -> {
        double inverse = 1 / v.number("temperature");
        double w = BinaryOracle.relaxed(v.number("lam"), v.number("u"), inverse).value();
        near(v, "w", w);
        near(
            v, "lam",
            BinaryOracle.binn(
                    v.number("lam"), 0, new double[] {w}, new double[] {v.number("grad")}, inverse, v.in("nTrain").asDouble(), 0, 1, 0, 1,
                    v.number("lr"))
                .l()
                .value());
      }
      case "signGemmOrder" -> {
        int in = v.in("in").asInt();
        BitOracle w = generated(v, 1, v.in("out").asInt(), in);
        float[] x = normals(v, 20, v.in("batch").asInt() * in);
        for (int b = 0; b < v.in("batch").asInt(); b++) {
          int row = b;
          for (int o = 0; o < w.rows(); o++) {
            int col = o;
            // the file sums fp32 normals; ours are within 4 ulp of them
            double[] s = BinaryOracle.product(in, k -> x[row * in + k], k -> w.sign(col, k));
            near(v, "y", s[0], Golden.number(v.out("y").get(b).get(o)), 8 * Check.U * s[1]);
          }
        }
      }
      default -> throw new AssertionError("no check for " + v.op());
    }
  }

  private static void batchNorm(Vector v) {
    double[] y = v.op().equals("batchNormInt") ? Golden.numbers(v.in("y")) : Check.doubles(Golden.singles(v.in("y")));
    double[] s = BinaryOracle.statistics(y, v.number("eps"));
    near(v, "mean", s[0]);
    near(v, "var", s[1]);
    for (int i = 0; i < y.length; i++) {
      near(v, "out", BinaryOracle.normalise(y[i], s[0], s[2], v.number("gamma"), v.number("beta")), Golden.number(v.out("out").get(i)), 1e-12);
    }
    if (v.has("in", "dy")) {
      near(v, "invStd", s[2]);
      BinaryOracle.ChannelGradients g = BinaryOracle.backward(y, Golden.numbers(v.in("dy")), s[0], s[2], v.number("gamma"));
      near(v, "dGamma", g.dgamma(), Golden.number(v.out("dGamma")), 1e-14);
      near(v, "dBeta", g.dbeta(), Golden.number(v.out("dBeta")), 1e-14);
      for (int i = 0; i < y.length; i++) {
        near(v, "dx", g.dx()[i], Golden.number(v.out("dx").get(i)), 1e-14);
      }
    }
  }

  private static void metaAdam(Vector v) {
    double[] w = Golden.numbers(v.in("W"));
    double[] m = new double[w.length];
    double[] second = new double[w.length];
    for (int t = 1; t <= v.in("g").size(); t++) {
      BinaryOracle.Adam c =
          BinaryOracle.Adam.exact(
              v.number("lr"), v.number("beta1"), v.number("beta2"), v.number("eps"), v.number("weightDecay"), v.number("meta"), t);
      JsonNode expected = v.out("steps").get(t - 1);
      for (int i = 0; i < w.length; i++) {
        BinaryOracle.AdamState s = BinaryOracle.adam(c, w[i], Golden.number(v.in("g").get(t - 1).get(i)), m[i], second[i]);
        w[i] = s.w().value();
        m[i] = s.m().value();
        second[i] = s.v().value();
        near(v, "W", w[i], Golden.number(expected.get("W").get(i)), 1e-15);
        near(v, "m", m[i], Golden.number(expected.get("m").get(i)), 1e-15);
        near(v, "v", second[i], Golden.number(expected.get("v").get(i)), 1e-15);
      }
    }
  }

  // ---- generators of the file -------------------------------------------------------------------------------------------------------

  static BitOracle generated(Vector v, int stream, int rows, int cols) {
    return BitOracle.generated(Golden.word64(v.in("seed")), stream, rows, cols);
  }

  /** One row: values, or a generator. */
  static BitOracle packed(Vector v) {
    if (v.has("in", "x")) {
      float[] x = Golden.singles(v.in("x"));
      return BitOracle.signs(1, x.length, x);
    }
    JsonNode g = v.in("generator");
    return BitOracle.generated(Golden.word64(g.get("seed")), g.get("stream").asInt(), g.get("rows").asInt(), g.get("cols").asInt());
  }

  /** x of signGemmExact: words modulo 256. */
  static float[] exactX(Vector v) {
    float[] x = new float[v.in("batch").asInt() * v.in("in").asInt()];
    for (int i = 0; i < x.length; i++) {
      x[i] = RandomOracle.word(Golden.word64(v.in("seed")), 2, 0, i) & 255;
    }
    return x;
  }

  /** dy of signGemmExact: words modulo 17, less 8. */
  static float[] exactDy(Vector v) {
    float[] dy = new float[v.in("batch").asInt() * v.in("out").asInt()];
    for (int i = 0; i < dy.length; i++) {
      dy[i] = Integer.remainderUnsigned(RandomOracle.word(Golden.word64(v.in("seed")), 3, 0, i), 17) - 8;
    }
    return dy;
  }

  private static float[] normals(Vector v, int stream, int n) {
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      x[i] = (float) RandomOracle.normal(Golden.word64(v.in("seed")), stream, 0, i);
    }
    return x;
  }

  static Conv2dShape shape(Vector v) {
    int kernel = v.in("R").asInt();
    return Conv2dShape.of(
        1, v.in("C").asInt(), v.in("H").asInt(), v.in("W").asInt(), v.in("O").asInt(), kernel, v.in("stride").asInt(), v.in("pad").asInt());
  }

  static int[] ints(JsonNode node) {
    double[] x = Golden.numbers(node);
    int[] y = new int[x.length];
    for (int i = 0; i < y.length; i++) {
      y[i] = (int) x[i];
    }
    return y;
  }

  static long[] words(JsonNode node) {
    long[] w = new long[node.size()];
    for (int i = 0; i < w.length; i++) {
      w[i] = Golden.word64(node.get(i));
    }
    return w;
  }

  /** FNV-1a over the 32-bit halves of words, low first. */
  static long hash(long[] words) {
    long h = Bits.fnvStart();
    for (long w : words) {
      h = Bits.fnv(Bits.fnv(h, (int) w), (int) (w >>> 32));
    }
    return h;
  }
}
