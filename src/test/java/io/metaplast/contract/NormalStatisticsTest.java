package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.metaplast.Backend;
import io.metaplast.Bits;
import io.metaplast.Coverage;
import io.metaplast.F32Buffer;
import io.metaplast.Seeds;
import io.metaplast.TestBackends;
import io.metaplast.TestBackends.Target;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** 2^24 normals: moments, distribution, correlation along a stream and between neighbouring streams and steps. Limits are five standard errors. */
class NormalStatisticsTest {
  private static final int N = 1 << 24;
  private static final long SEED = 20250807;
  private static float[] normals;

  @BeforeAll
  static void draw() {
    normals = draw(TestBackends.java().backend(), 0, 0, N);
  }

  @AfterAll
  static void release() {
    normals = null;
  }

  private static float[] draw(Backend backend, long stream, long step, int n) {
    try (F32Buffer z = backend.allocate(n)) {
      backend.bayes().gaussian(SEED, stream, step, 0, z, backend.defaultStream());
      return z.toArray();
    }
  }

  @Test
  void moments() {
    double sum = 0;
    double squares = 0;
    float largest = 0;
    for (float z : normals) {
      sum += z;
      squares += (double) z * z;
      largest = Math.max(largest, Math.abs(z));
    }
    double mean = sum / N;
    assertThat(Math.abs(mean)).isLessThanOrEqualTo(1.22e-3);
    assertThat(Math.abs(squares / N - mean * mean - 1)).isLessThanOrEqualTo(1.73e-3);
    assertThat(largest).isBetween(5f, 5.77f);
  }

  @Test
  void kolmogorovSmirnov() {
    float[] sorted = normals.clone();
    Arrays.parallelSort(sorted);
    double d = 0;
    for (int i = 0; i < N; i += 16) { // the distribution function moves by at most 16/N = 1e-6 in between
      double p = cumulative(sorted[i]);
      d = Math.max(d, Math.max(Math.abs(p - (double) i / N), Math.abs(p - (i + 1.0) / N)));
    }
    assertThat(d).isLessThanOrEqualTo(6.6e-4);
  }

  /** Distribution function of the standard normal to better than 1e-7 (Abramowitz and Stegun 26.2.17). */
  private static double cumulative(double z) {
    double x = Math.abs(z);
    double t = 1 / (1 + 0.2316419 * x);
    double tail =
        Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI) * t
            * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
    return z < 0 ? tail : 1 - tail;
  }

  @Test
  void lags() {
    for (int lag = 1; lag <= 16; lag++) {
      double sum = 0;
      for (int i = lag; i < N; i++) {
        sum += (double) normals[i] * normals[i - lag];
      }
      assertThat(Math.abs(sum / N)).as("correlation at lag %d", lag).isLessThanOrEqualTo(1.22e-3);
    }
  }

  /** 1,024 pairs of neighbouring streams and steps, 2^12 normals each. */
  @Test
  void neighbours() {
    int n = 1 << 12;
    Backend java = TestBackends.java().backend();
    for (int pair = 0; pair < 1024; pair++) {
      int stream = pair % 32;
      int step = pair / 32;
      float[] a = draw(java, stream, step, n);
      float[] b = pair % 2 == 0 ? draw(java, stream + 1, step, n) : draw(java, stream, step + 1, n);
      double sum = 0;
      for (int i = 0; i < n; i++) {
        sum += (double) a[i] * b[i];
      }
      assertThat(Math.abs(sum / n)).as("correlation of (%d, %d) with its neighbour", stream, step).isLessThanOrEqualTo(5 / Math.sqrt(n));
    }
  }

  /** The statistics above are those of every backend: the bits are the same. */
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void sameNormalsEverywhere(Target target) {
    float[] other = draw(target.backend(), 0, 0, N);
    for (int i = 0; i < N; i++) {
      Check.equal("z", i, Bits.of(other[i]), Bits.of(normals[i]));
    }
    Coverage.checked("gaussian", target.name(), N);
  }

  /** Element 5,000,000,000 drawn alone equals the draw of its surroundings; so does an element whose number has bit 63 set. */
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void elementsAreAddressedNotStreamed(Target target) {
    Backend backend = target.backend();
    for (long element : new long[] {5_000_000_000L, (1L << 34) - 1, 1L << 34, -3L, Long.MIN_VALUE}) {
      try (F32Buffer around = backend.allocate(64);
          F32Buffer alone = backend.allocate(1)) {
        long first = element - 61;
        backend.bayes().gaussian(Seeds.base(), 7, 9, first, around, backend.defaultStream());
        backend.bayes().gaussian(Seeds.base(), 7, 9, element, alone, backend.defaultStream());
        Check.equal("element " + Long.toUnsignedString(element), 0, Bits.of(alone.toArray()[0]), Bits.of(around.toArray()[61]));
        double exact = io.metaplast.oracle.RandomOracle.normal(Seeds.base(), 7, 9, element);
        Check.near("element " + Long.toUnsignedString(element), 0, alone.toArray()[0], exact, io.metaplast.oracle.RandomOracle.normalBound(exact));
      }
    }
  }
}
