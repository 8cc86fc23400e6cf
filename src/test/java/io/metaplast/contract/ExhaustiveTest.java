package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.metaplast.Bits;
import io.metaplast.Coverage;
import io.metaplast.F32Buffer;
import io.metaplast.Golden;
import io.metaplast.TestBackends.Target;
import io.metaplast.internal.spi.BayesProvider;
import io.metaplast.oracle.RandomOracle;
import java.util.HashMap;
import java.util.Map;
import java.util.function.IntToLongFunction;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The elementary functions over all 2^23 uniforms and over the ranges of the golden hashes, on every backend and tier: the bits by hash, the error in double
 * precision. A build with contracted multiply-adds, flushed subnormals or a wrong coefficient changes a hash.
 */
class ExhaustiveTest {
  private static final int UNIFORMS = 1 << 23;
  private static final int CHUNK = 1 << 20;
  private static final Map<String, Long> HASHES = new HashMap<>();

  @BeforeAll
  static void readHashes() {
    Golden.bayes().stream()
        .filter(v -> v.op().equals("exhaustiveHash"))
        .forEach(v -> HASHES.put(v.in("function").asText(), Golden.word64(v.out("hash"))));
    assertThat(HASHES).containsOnlyKeys("ln32", "radius", "sin2pi24", "cos2pi24", "exp32", "tanh32", "metaFactor");
  }

  private static float[] uniforms(int from) {
    float[] u = new float[CHUNK];
    for (int i = 0; i < CHUNK; i++) {
      u[i] = (2 * (from + i) + 1) * 0x1p-24f;
    }
    return u;
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void logarithmOfEveryUniform(Target target) {
    long ln = Bits.fnvStart();
    long radius = Bits.fnvStart();
    double worstLn = 0;
    double worstRadius = 0;
    for (int from = 0; from < UNIFORMS; from += CHUNK) {
      float[] u = uniforms(from);
      float[] y = Elementary.apply(target.backend(), BayesProvider.FN_LN, u)[0];
      for (int i = 0; i < CHUNK; i++) {
        float r = (float) Math.sqrt(-2f * y[i]);
        ln = Bits.fnv(ln, Bits.of(y[i]));
        radius = Bits.fnv(radius, Bits.of(r));
        if (target.isJava()) { // the others have the same hash
          double exact = Math.log(u[i]);
          worstLn = Math.max(worstLn, Math.abs(y[i] - exact) / Bits.ulp(exact));
          double exactRadius = Math.sqrt(-2 * exact);
          worstRadius = Math.max(worstRadius, Math.abs(r - exactRadius) / Bits.ulp(exactRadius));
        }
      }
    }
    check("ln32", ln, target, UNIFORMS);
    check("radius", radius, target, UNIFORMS);
    assertThat(worstLn).as("error of ln32 in ulp").isLessThan(0.85);
    assertThat(worstRadius).as("error of the radius in ulp").isLessThan(0.99);
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void sineAndCosineOfEveryUniform(Target target) {
    long sin = Bits.fnvStart();
    long cos = Bits.fnvStart();
    double worst = 0;
    for (int from = 0; from < UNIFORMS; from += CHUNK) {
      float[] u = uniforms(from);
      float[][] y = Elementary.apply(target.backend(), BayesProvider.FN_SINCOS2PI, u);
      for (int i = 0; i < CHUNK; i++) {
        sin = Bits.fnv(sin, Bits.of(y[0][i]));
        cos = Bits.fnv(cos, Bits.of(y[1][i]));
        if (target.isJava()) { // the others have the same hash
          double[] exact = RandomOracle.sinCos(2 * (from + i) + 1);
          worst = Math.max(worst, Math.abs(y[0][i] - exact[0]) / Bits.ulp(exact[0]));
          worst = Math.max(worst, Math.abs(y[1][i] - exact[1]) / Bits.ulp(exact[1]));
        }
      }
    }
    check("sin2pi24", sin, target, UNIFORMS);
    check("cos2pi24", cos, target, UNIFORMS);
    assertThat(worst).as("error of sine and cosine in ulp").isLessThan(1.58);
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void exponential(Target target) {
    long n = hashed(target, "exp32", BayesProvider.FN_EXP, 0x3089705f, 0x42ae0000, 7, i -> i | 0x80000000, y -> y);
    assertThat(n).isGreaterThan(40_000_000);
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void hyperbolicTangent(Target target) {
    long n = hashed(target, "tanh32", BayesProvider.FN_TANH, 0x358637bd, 0x41a00000, 3, i -> i, y -> y);
    assertThat(n).isGreaterThan(60_000_000);
  }

  /** The metaplasticity factor 4e/(1+e)^2 with e = exp32(-2x), composed here from the exponential. */
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void metaplasticFactor(Target target) {
    long n =
        hashed(
            target, "metaFactor", BayesProvider.FN_EXP, 0x358637bd, 0x422d999a, 3, i -> Float.floatToRawIntBits(-2f * Float.intBitsToFloat((int) i)),
            e -> {
              float a = 1f + e;
              return (4f * e) / (a * a);
            });
    assertThat(n).isGreaterThan(60_000_000);
  }

  /** What is made of the result of a function. */
  private interface After {
    float apply(float y);
  }

  /** Hashes the function over bit patterns first, first + stride, ... last, each turned into an argument by {@code argument}. */
  private static long hashed(Target target, String name, int function, int first, int last, int stride, IntToLongFunction argument, After after) {
    long h = Bits.fnvStart();
    long count = 0;
    float[] x = new float[CHUNK];
    float[] y = new float[CHUNK];
    try (F32Buffer in = target.backend().allocate(CHUNK);
        F32Buffer out = target.backend().allocate(CHUNK)) {
      for (long bits = first; bits <= last; ) {
        int n = 0;
        for (; n < CHUNK && bits <= last; bits += stride) {
          x[n++] = Float.intBitsToFloat((int) argument.applyAsLong((int) bits));
        }
        in.upload(0, x, 0, n);
        Elementary.apply(target.backend(), function, in.slice(0, n), out.slice(0, n), null);
        out.download(0, y, 0, n);
        for (int i = 0; i < n; i++) {
          h = Bits.fnv(h, Bits.of(after.apply(y[i])));
        }
        count += n;
      }
    }
    check(name, h, target, count);
    return count;
  }

  private static void check(String function, long hash, Target target, long count) {
    assertThat(Long.toHexString(hash)).as("hash of %s on %s", function, target).isEqualTo(Long.toHexString(HASHES.get(function)));
    Coverage.checked("exhaustive " + function, target.name(), count);
  }
}
