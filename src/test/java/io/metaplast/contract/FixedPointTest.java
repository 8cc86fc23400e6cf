package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.metaplast.Backend;
import io.metaplast.Coverage;
import io.metaplast.F32Buffer;
import io.metaplast.TensorGroup;
import io.metaplast.TensorLayout;
import io.metaplast.TestBackends.Target;
import io.metaplast.bayes.GaussianWeights;
import io.metaplast.bayes.MesuParams;
import io.metaplast.bayes.MesuRatioParams;
import io.metaplast.bayes.StepReport;
import io.metaplast.bayes.UpdateRule;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What the theory says about the update, on the kernels themselves. With the curvature H of the loss, Price's identity gives gSigma = sigma H; then
 * 1/sigma^2 = N H + 1/prior^2 at the fixed point, mu goes to the precision-weighted mean of optimum and prior, and the step of mu is the diagonal Newton step
 * divided by N.
 */
class FixedPointTest {
  private static final double N = 100;
  private static final double PRIOR = 0.8;
  private static final double PRIOR_MEAN = 0.1;
  private static final double[] H = {0.02, 0.1, 0.5, 2, 10, 0};

  /** Weights of H.length elements, and the gradients of a quadratic loss H/2 (w - wStar)^2. */
  private static final class Problem implements AutoCloseable {
    final Backend backend;
    final GaussianWeights w;
    final TensorGroup<F32Buffer> gradMean;
    final TensorGroup<F32Buffer> gradSigma;

    Problem(Target target, double mu, double sigma) {
      backend = target.backend();
      TensorLayout layout = TensorLayout.of(H.length);
      w = GaussianWeights.allocate(backend, layout);
      gradMean = backend.allocateGroup(layout, 1);
      gradSigma = backend.allocateGroup(layout, 1);
      w.mean().get(0).fill((float) mu);
      w.sigma().get(0).fill((float) sigma);
    }

    void step(UpdateRule rule, double wStar) {
      float[] mu = mu();
      float[] sigma = sigma();
      float[] gm = new float[H.length];
      float[] gs = new float[H.length];
      for (int i = 0; i < H.length; i++) {
        gm[i] = (float) (H[i] * (mu[i] - wStar));
        gs[i] = (float) (H[i] * sigma[i]);
      }
      gradMean.get(0).upload(gm);
      gradSigma.get(0).upload(gs);
      backend.bayes().step(w, gradMean, gradSigma, rule, null, backend.defaultStream());
    }

    float[] mu() {
      return w.mean().get(0).toArray();
    }

    float[] sigma() {
      return w.sigma().get(0).toArray();
    }

    @Override
    public void close() {
      w.close();
      gradMean.close();
      gradSigma.close();
    }
  }

  private static double precision(int i) {
    return N * H[i] + 1 / (PRIOR * PRIOR);
  }

  private static double meanFixedPoint(int i, double wStar) {
    return (N * H[i] * wStar + PRIOR_MEAN / (PRIOR * PRIOR)) / precision(i);
  }

  private static void converges(Target target, UpdateRule rule, double sigma0, int steps) {
    double wStar = 0.7;
    try (Problem p = new Problem(target, 0, sigma0)) {
      for (int t = 0; t < steps; t++) {
        p.step(rule, wStar);
      }
      float[] sigma = p.sigma();
      float[] mu = p.mu();
      for (int i = 0; i < H.length; i++) {
        // fp32 stops moving when a step is below half an ulp: 2^-24 sigma = (distance)/N, so the distance left is N 2^-24 relative; four times that
        double relative = 4 * N * 0x1p-24;
        assertThat(1 / ((double) sigma[i] * sigma[i])).as("1/sigma^2 at H = %s", H[i]).isCloseTo(precision(i), Percentage.withPercentage(200 * relative));
        double expected = meanFixedPoint(i, wStar);
        assertThat(Math.abs(mu[i] - expected)).as("mu at H = %s", H[i]).isLessThanOrEqualTo(4 * N * 0x1p-24 * Math.abs(expected));
        Coverage.checked("fixed points", target.name(), 2);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void precisionAtTheFixedPointIsCurvaturePlusPrior(Target target) {
    for (double rate : new double[] {0.5, 1, 1.5}) {
      MesuParams rule = MesuParams.builder().memoryWindow(N).priorMean(PRIOR_MEAN).priorSigma(PRIOR).rateSigma(rate).build();
      converges(target, rule, 0.3, 4000);
      converges(target, rule, 0.02, 4000);
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void ratioRuleHasTheSameFixedPoint(Target target) {
    converges(target, MesuRatioParams.of(N, PRIOR_MEAN, PRIOR, 2, 0.5, 0.5, 1e-6, 10), 0.9 * PRIOR, 4000);
    converges(target, MesuRatioParams.of(N, PRIOR_MEAN, PRIOR, 2, 0.9, 0.5, 1e-6, 10), 0.05, 4000);
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void stepOfTheMeanIsTheDiagonalNewtonStepOverN(Target target) {
    // priorMean = mu: no pull, the step comes from the gradient alone
    MesuParams rule = MesuParams.builder().memoryWindow(N).priorMean(0).priorSigma(PRIOR).build();
    double wStar = -0.3;
    for (double h : H) {
      double precision = N * h + 1 / (PRIOR * PRIOR);
      float sigma = (float) (1 / Math.sqrt(precision));
      try (Problem p = new Problem(target, 0, sigma)) {
        p.step(rule, wStar);
        for (int i = 0; i < H.length; i++) {
          if (H[i] == h) {
            double gradient = h * (0 - wStar);
            double step = p.mu()[i];
            assertThat(Math.abs(step + gradient / precision)).isLessThanOrEqualTo(1e-6 * Math.abs(gradient / precision));
            if (N * h > 100) {
              double newton = -gradient / h;
              assertThat(step).as("Newton step over N at H = %s", h).isCloseTo(newton / N, Percentage.withPercentage(2));
            }
            assertThat(p.sigma()[i]).as("sigma stays").isCloseTo(sigma, Percentage.withPercentage(1e-4));
            Coverage.checked("fixed points", target.name(), 2);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void precisionRelaxesWithTheTimeConstantOfTheWindow(Target target) {
    // d rho/dt = H - (rho - 1/prior^2)/N, time constant N / rateSigma
    double rate = 0.5;
    MesuParams rule = MesuParams.builder().memoryWindow(N).priorMean(0).priorSigma(PRIOR).rateSigma(rate).build();
    double start = 0.1;
    int steps = 150;
    try (Problem p = new Problem(target, 0, start)) {
      for (int t = 0; t < steps; t++) {
        p.step(rule, 0);
      }
      float[] sigma = p.sigma();
      for (int i = 0; i < H.length - 2; i++) {
        double rho = precision(i) + (1 / (start * start) - precision(i)) * Math.exp(-steps * rate / N);
        assertThat(1.0 / sigma[i] / sigma[i]).as("H = %s", H[i]).isCloseTo(rho, Percentage.withPercentage(2));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void withoutForgettingPrecisionAddsUp(Target target) {
    MesuParams rule = MesuParams.builder().noForgetting(true).priorSigma(PRIOR).build();
    double start = 0.03;
    int steps = 3000;
    try (Problem p = new Problem(target, 0.2, start)) {
      for (int t = 0; t < steps; t++) {
        p.step(rule, 0.2);
      }
      float[] sigma = p.sigma();
      for (int i = 0; i < H.length; i++) {
        double rho = 1 / (start * start) + steps * H[i];
        assertThat(1.0 / sigma[i] / sigma[i]).as("H = %s", H[i]).isCloseTo(rho, Percentage.withPercentage(1));
      }
      assertThat(p.mu()).as("mu at its optimum, prior mean elsewhere").containsOnly(0.2f);
    }
  }

  /** s' > 0 iff s gS < 2/rate + (1 - s^2/prior^2)/N. */
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void sigmaStaysPositiveExactlyBelowTheBound(Target target) {
    Backend backend = target.backend();
    TensorLayout layout = TensorLayout.of(2);
    for (double rate : new double[] {0.5, 1, 2}) {
      for (double sigma : new double[] {0.01, 0.3, 0.8}) {
        double limit = (2 / rate + (1 - sigma * sigma / (PRIOR * PRIOR)) / N) / sigma;
        for (double floor : new double[] {0, 1e-6}) {
          MesuParams rule = MesuParams.builder().memoryWindow(N).priorSigma(PRIOR).rateSigma(rate).sigmaFloor(floor).build();
          try (GaussianWeights w = GaussianWeights.allocate(backend, layout);
              TensorGroup<F32Buffer> gm = backend.allocateGroup(layout, 1);
              TensorGroup<F32Buffer> gs = backend.allocateGroup(layout, 1);
              StepReport report = StepReport.allocate(backend)) {
            w.sigma().get(0).fill((float) sigma);
            gs.get(0).upload(new float[] {(float) (limit * (1 - 1e-5)), (float) (limit * (1 + 1e-5))});
            backend.bayes().step(w, gm, gs, rule, report, backend.defaultStream());
            float[] after = w.sigma().get(0).toArray();
            assertThat(after[0]).isPositive();
            if (floor == 0) {
              assertThat(after[1]).isNegative();
              assertThat(report.read().sigmaNotPositive()).isEqualTo(1);
            } else {
              assertThat(after[1]).isEqualTo(1e-6f);
              assertThat(report.read().sigmaNotPositive()).isZero();
            }
            Coverage.checked("fixed points", target.name(), 1);
          }
        }
      }
    }
  }

  /** clampGrad c < 2/rate keeps sigma positive while sigma <= prior, whatever the gradient. */
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void clampKeepsSigmaPositive(Target target) {
    Backend backend = target.backend();
    int n = 1000;
    TensorLayout layout = TensorLayout.of(n);
    MesuParams rule = MesuParams.builder().memoryWindow(N).priorSigma(1).rateSigma(2.1).clampGrad(0.95).sigmaFloor(0).build();
    java.util.SplittableRandom random = io.metaplast.Seeds.random("clamp", 0);
    float[] sigma = new float[n];
    float[] g = new float[n];
    for (int i = 0; i < n; i++) {
      sigma[i] = (float) Math.exp(-12 * random.nextDouble());
      g[i] = (float) (random.nextGaussian() * Math.exp(40 * random.nextGaussian()));
      g[i] = Float.isFinite(g[i]) ? g[i] : Float.MAX_VALUE;
    }
    try (GaussianWeights w = GaussianWeights.allocate(backend, layout);
        TensorGroup<F32Buffer> gs = backend.allocateGroup(layout, 1)) {
      w.sigma().get(0).upload(sigma);
      gs.get(0).upload(g);
      backend.bayes().step(w, gs, gs, rule, null, backend.defaultStream());
      for (float s : w.sigma().get(0).toArray()) {
        assertThat(s).isPositive().isFinite();
      }
      for (float m : w.mean().get(0).toArray()) {
        assertThat(m).isFinite();
      }
    }
  }
}
