package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.metaplast.Bits;
import io.metaplast.Golden;
import io.metaplast.Golden.Vector;
import io.metaplast.oracle.BaselineOracle;
import io.metaplast.oracle.RandomOracle;
import io.metaplast.oracle.ReadoutOracle;
import io.metaplast.oracle.RuleOracle;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The oracle itself against the double results of the golden file. */
class GoldenOracleTest {
  static List<Vector> vectors() {
    return Golden.bayes();
  }

  @ParameterizedTest
  @MethodSource("vectors")
  void oracleAgrees(Vector v) {
    switch (v.op()) {
      case "philox4x32" -> {
        int[] words = RandomOracle.philox(words(v.in("counter")), words(v.in("key")), v.in("rounds").asInt());
        assertThat(words).containsExactly(words(v.out("words")));
      }
      case "counterLayout" -> {
        int word = RandomOracle.word(Golden.word64(v.in("seed")), (int) v.in("stream").asLong(), (int) v.in("step").asLong(), v.in("element").asLong());
        assertThat(word).isEqualTo(Golden.bits(v.out("word")));
      }
      case "uniform24" -> {
        int word = Golden.bits(v.in("word"));
        assertThat(RandomOracle.k24(word)).isEqualTo(v.out("k").asInt());
        close(v, "u", RandomOracle.uniform(word));
        assertThat(Bits.of((float) RandomOracle.uniform(word))).isEqualTo(Golden.bits(v.f32("u")));
      }
      case "ln32" -> close(v, "y", Math.log(v.number("x")));
      case "exp32" -> close(v, "y", Math.exp(v.number("x")));
      case "tanh32" -> close(v, "y", Math.tanh(v.number("x")));
      case "sincos2pi24" -> {
        double[] sc = RandomOracle.sinCos(v.in("k").asInt());
        close(v, "sin", sc[0]);
        close(v, "cos", sc[1]);
      }
      case "gaussian" -> close(v, "z", normal(v));
      case "weightSample" -> {
        double z = RandomOracle.epsilon(Golden.word64(v.in("seed")), v.in("tensor").asInt(), v.in("sample").asInt(), v.in("step").asLong(), v.in("element").asLong());
        close(v, "w", v.number("mu") + v.number("sigma") * z);
      }
      case "gradAccumulate" -> {
        double[] dw = Golden.numbers(v.in("dW"));
        double[] eps = Golden.numbers(v.in("eps"));
        double a = 0;
        double b = 0;
        for (int k = 0; k < dw.length; k++) {
          a += dw[k];
          b += dw[k] * eps[k];
        }
        close(v, "gMu", a * v.number("scale"));
        close(v, "gSigma", b * v.number("scale"));
      }
      case "mesuStep" -> {
        RuleOracle.Step s = mesu(v, v.number("mu"), v.number("sigma"), v.number("gMu"), v.number("gSigma"));
        close(v, "mu", s.mu());
        close(v, "sigma", s.sigma());
      }
      case "mesuFixedPoint" -> fixedPoint(v);
      case "mesuMeanFixedPoint" -> meanFixedPoint(v);
      case "mesuStepCompensated" -> {
        double sigma = v.number("sigma");
        for (int t = 0; t < v.in("steps").asInt(); t++) {
          sigma = RuleOracle.mesu(0, sigma, 0, 0, 1, 1, 0, v.number("sigmaPrior"), v.number("N"), 0).sigma();
        }
        close(v, "sigma", sigma);
      }
      case "mesuStepRatio" -> {
        RuleOracle.Step s =
            RuleOracle.ratio(
                v.number("mu"), v.number("sigma"), v.number("gMu"), v.number("gSigma"), v.number("cMu"), v.number("cSigma"), v.number("muPrior"),
                v.number("sigmaPrior"), v.number("N"), v.number("ratioMax"), v.number("secondOrder"), v.number("sigmaLo"), v.number("sigmaHi"));
        close(v, "mu", s.mu());
        close(v, "sigma", s.sigma());
      }
      case "bgdStep" -> {
        RuleOracle.Step s = RuleOracle.bgd(v.number("mu"), v.number("sigma"), v.number("eMean"), v.number("eEps"), v.number("eta"));
        close(v, "mu", s.mu());
        close(v, "sigma", s.sigma());
        close(v, "flipped", RuleOracle.bgdFlipped(v.number("sigma"), v.number("eEps")));
      }
      case "diagHessianFromSigma" -> close(v, "H", ReadoutOracle.diagHessian(v.number("sigma"), v.number("sigmaPrior"), v.number("N")));
      case "nllMeanLogSoftmax" -> {
        double[] logits = Golden.numbers(v.in("logits"));
        int samples = v.in("logits").size();
        int classes = logits.length / samples;
        int label = v.in("label").asInt();
        close(v, "loss", ReadoutOracle.nll(logits, samples, 1, classes, 0, label));
        for (int k = 0; k < samples; k++) {
          double[] g = ReadoutOracle.nllGradient(logits, samples, 1, classes, k, 0, label, v.number("scale"));
          for (int c = 0; c < classes; c++) {
            close(v, "dLogits", v.out("dLogits").get(k).get(c), g[c]);
          }
        }
      }
      case "uncertainty" -> {
        double[][] p = new double[v.in("p").size()][];
        for (int k = 0; k < p.length; k++) {
          p[k] = Golden.numbers(v.in("p").get(k));
        }
        double[] u = ReadoutOracle.uncertainty(p, v.in("base").asText().equals("bits"));
        close(v, "predictive", u[0]);
        close(v, "aleatoric", u[1]);
        // the difference of two numbers of the size of u[0]
        assertThat(Math.abs(u[2] - Golden.number(v.out("epistemic")))).isLessThanOrEqualTo(v.tolerance() * u[0]);
      }
      case "rocAuc" -> {
        close(v, "rank", ReadoutOracle.rocAuc(Golden.singles(v.in("inDist")), Golden.singles(v.in("ood"))));
        close(v, "threshold1000", ReadoutOracle.rocAucThresholds(Golden.singles(v.in("inDist")), Golden.singles(v.in("ood"))));
      }
      case "ewcOnline" -> {
        double fisher = BaselineOracle.fisherMerge(v.number("newFisher"), 1, v.number("decay"), v.number("fisher"));
        close(v, "fisher", fisher);
        close(v, "grad", BaselineOracle.ewcPenaltyGradient(v.number("thetaMinusAnchor"), 0, fisher, v.number("lam"), v.number("g")));
      }
      case "si" -> close(v, "omega", BaselineOracle.siConsolidate(v.number("delta"), v.number("xi"), v.number("w"), v.number("omega")));
      // results of these exist as fp32 bits, words or hashes only; GoldenTest compares them
      case "exhaustiveHash", "gaussianBulkHash", "mesuGate", "reduceR16", "bayesLinearStepBatch1" -> assertThat(GoldenTest.OPS).contains(v.op());
      default -> throw new AssertionError("no oracle for " + v.op());
    }
  }

  private static double normal(Vector v) {
    if (v.has("in", "counter")) {
      return RandomOracle.normal(RandomOracle.philox(words(v.in("counter")), words(v.in("key")), 10), v.in("word").asInt());
    }
    return RandomOracle.normal(Golden.word64(v.in("seed")), v.in("stream").asInt(), v.in("step").asInt(), v.in("element").asLong());
  }

  private static RuleOracle.Step mesu(Vector v, double mu, double sigma, double gm, double gs) {
    return RuleOracle.mesu(
        mu, sigma, gm, gs, v.number("lrMu"), v.number("lrSigma"), v.number("muPrior"), v.number("sigmaPrior"), v.number("N"), v.number("clampGrad"));
  }

  private static void fixedPoint(Vector v) {
    double n = v.number("N");
    double h = v.number("H");
    double prior = v.number("sigmaPrior");
    double sigma = v.number("sigma0");
    int steps = v.in("steps").asInt();
    double start = sigma;
    for (int t = 0; t < steps; t++) {
      sigma = RuleOracle.mesu(0, sigma, 0, sigma * h, 1, 1, 0, prior, n, 0).sigma();
    }
    close(v, "sigma", sigma);
    close(v, "limit", 1 / Math.sqrt(n * h + 1 / (prior * prior)));
    // d rho/dt = H - (rho - 1/prior^2)/N with rho = 1/sigma^2
    double limit = n * h + 1 / (prior * prior);
    double rho = limit + (1 / (start * start) - limit) * Math.exp(-steps / n);
    close(v, "continuousSigma", 1 / Math.sqrt(rho));
  }

  private static void meanFixedPoint(Vector v) {
    double n = v.number("N");
    double h = v.number("H");
    double prior = v.number("sigmaPrior");
    double wStar = v.number("wStar");
    double sigma = 1 / Math.sqrt(n * h + 1 / (prior * prior));
    double mu = v.number("mu0");
    for (int t = 0; t < v.in("steps").asInt(); t++) {
      mu = RuleOracle.mesu(mu, sigma, h * (mu - wStar), 0, 1, 1, v.number("muPrior"), prior, n, 0).mu();
    }
    close(v, "mu", mu);
    close(v, "limit", (n * h * wStar + v.number("muPrior") / (prior * prior)) / (n * h + 1 / (prior * prior)));
  }

  static int[] words(JsonNode node) {
    int[] words = new int[node.size()];
    for (int i = 0; i < words.length; i++) {
      words[i] = Golden.bits(node.get(i));
    }
    return words;
  }

  private static void close(Vector v, String field, double actual) {
    close(v, field, v.out(field), actual);
  }

  private static void close(Vector v, String field, JsonNode expected, double actual) {
    double e = Golden.number(expected);
    if (!(Math.abs(actual - e) <= v.tolerance() * Math.abs(e) + 1e-300)) {
      throw new AssertionError(v.id() + " " + field + ": oracle " + actual + ", golden " + e);
    }
  }
}
