package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.metaplast.Data.Profile;
import io.metaplast.TestBackends;
import io.metaplast.TestBackends.Target;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Subnormals are computed, never flushed, and a native call leaves the floating-point mode of its thread as it was. */
class SubnormalsTest {
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void subnormalProductsAreExact(Target target) {
    float[] theta = new float[100];
    float[] gradient = new float[100];
    for (int i = 0; i < 100; i++) {
      theta[i] = Float.intBitsToFloat(3 * i + 1);
      gradient[i] = Float.intBitsToFloat(2 * (i + 1));
    }
    Mode mode =
        new Mode(
            "subnormals",
            r -> r.backend().bayes().sgdStep(r.inOut("theta", theta), r.in("gradient", gradient), 0.5, r.stream()),
            r -> {});
    try (Run r = Run.of(mode, new Case(0, 100, 1, Profile.TAME, false), target.backend())) {
      int[] after = r.afterBits("theta");
      for (int i = 0; i < 100; i++) {
        assertThat(after[i]).isEqualTo(2 * i); // (3i+1) - (i+1) units of 2^-149
      }
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void theCallersModeIsKept(Target target) {
    for (int threads = 1; threads <= 4; threads++) {
      try (io.metaplast.F32Buffer x = TestBackends.withThreads(target, threads).allocate(100_000)) {
        x.backend().bayes().gaussian(1, 2, 3, 4, x, x.backend().defaultStream());
      }
      float[] smallest = {Float.MIN_NORMAL};
      assertThat(smallest[0] * 0.5f).isEqualTo(0x1p-127f).isNotZero();
    }
  }
}
