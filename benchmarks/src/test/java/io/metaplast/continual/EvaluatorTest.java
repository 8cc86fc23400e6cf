package io.metaplast.continual;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.metaplast.Backend;
import io.metaplast.BackendKind;
import io.metaplast.BackendOptions;
import io.metaplast.Metaplast;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EvaluatorTest {
  private static final int IMAGES = 300;
  private static final int OTHERS = 90;

  /** Fixed random weights. */
  private record Fixed(int samples, float[] first, float[] second) implements Learner {
    static Fixed random(int samples, Network network, Random random) {
      float[] first = new float[samples * network.weights(0)];
      float[] second = new float[samples * network.weights(1)];
      for (int i = 0; i < first.length; i++) {
        first[i] = (float) (0.1 * random.nextGaussian());
      }
      for (int i = 0; i < second.length; i++) {
        second[i] = (float) random.nextGaussian();
      }
      return new Fixed(samples, first, second);
    }

    @Override
    public long learn(int task, int[] order, Progress progress) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void draw(int finished, float[] one, float[] two) {
      System.arraycopy(first, 0, one, 0, one.length);
      System.arraycopy(second, 0, two, 0, two.length);
    }

    @Override
    public TaskResult.Sigma sigma() {
      return null;
    }

    @Override
    public Map<String, float[]> state() {
      return Map.of();
    }

    @Override
    public void restore(Map<String, float[]> state) {}

    @Override
    public Map<String, Double> profile() {
      return null;
    }

    @Override
    public void close() {}

    /** Softmax per sample of one image, in double. */
    double[][] probabilities(Network network, ImageSet set, int image, int[] order) {
      float[] x = new float[network.inputs()];
      set.copy(image, order, x, 0);
      double[][] p = new double[samples][network.outputs()];
      for (int k = 0; k < samples; k++) {
        double[] hidden = new double[network.hidden()];
        for (int h = 0; h < hidden.length; h++) {
          for (int i = 0; i < x.length; i++) {
            hidden[h] += (double) first[(k * hidden.length + h) * x.length + i] * x[i];
          }
          hidden[h] = Math.max(0, hidden[h]);
        }
        double sum = 0;
        for (int c = 0; c < network.outputs(); c++) {
          double logit = 0;
          for (int h = 0; h < hidden.length; h++) {
            logit += second[(k * network.outputs() + c) * hidden.length + h] * hidden[h];
          }
          p[k][c] = Math.exp(logit);
          sum += p[k][c];
        }
        for (int c = 0; c < network.outputs(); c++) {
          p[k][c] /= sum;
        }
      }
      return p;
    }
  }

  private static double entropy(double[] p) {
    double sum = 0;
    for (double v : p) {
      sum -= v > 0 ? v * Math.log(v) : 0;
    }
    return sum;
  }

  /** Epistemic uncertainty, or predictive entropy of a single sample. */
  private static double uncertainty(double[][] p) {
    double[] mean = new double[p[0].length];
    double aleatoric = 0;
    for (double[] sample : p) {
      for (int c = 0; c < mean.length; c++) {
        mean[c] += sample[c] / p.length;
      }
      aleatoric += entropy(sample) / p.length;
    }
    return p.length == 1 ? entropy(mean) : entropy(mean) - aleatoric;
  }

  private static double rank(double[] in, double[] out) {
    double wins = 0;
    for (double a : in) {
      for (double b : out) {
        wins += a < b ? 1 : a == b ? 0.5 : 0;
      }
    }
    return wins / in.length / out.length;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 4})
  void accuracyAndAucAreThoseOfPermutedImagesInDouble(int samples) throws DataException {
    Random random = new Random(samples);
    ImageSet test = SyntheticDigits.generate(IMAGES, 3);
    ImageSet other = new ImageSet("noise", IdxFiles.pattern(OTHERS * test.imageSize()), null, test.imageSize());
    Network network = new Network(test.imageSize(), 20, ImageSet.CLASSES);
    Fixed learner = Fixed.random(samples, network, random);
    try (Backend backend = Metaplast.open(BackendOptions.of(BackendKind.JAVA));
        Evaluator evaluator = new Evaluator(backend, network, samples, test, IMAGES, other, 1)) {
      evaluator.weights(learner, 1);
      int[] order = Randomness.permutation(backend, 1, 0, network.inputs());
      int[] heldOut = Randomness.heldOutPermutation(backend, 1, network.inputs());
      int right = 0;
      double[] in = new double[IMAGES];
      double[] permuted = new double[IMAGES];
      double[] out = new double[OTHERS];
      for (int i = 0; i < IMAGES; i++) {
        double[][] p = learner.probabilities(network, test, i, order);
        int best = 0;
        double bestScore = Double.NEGATIVE_INFINITY;
        for (int c = 0; c < ImageSet.CLASSES; c++) {
          double score = 0;
          for (double[] sample : p) {
            score += Math.log(sample[c]);
          }
          if (score > bestScore) {
            bestScore = score;
            best = c;
          }
        }
        right += best == test.label(i) ? 1 : 0;
        in[i] = uncertainty(p);
        permuted[i] = uncertainty(learner.probabilities(network, test, i, heldOut));
      }
      for (int i = 0; i < OTHERS; i++) {
        out[i] = uncertainty(learner.probabilities(network, other, i, Randomness.identity(network.inputs())));
      }
      // Rounding may turn a near tie: one image of 300, a few pairs of 27,000.
      assertThat(evaluator.accuracy(order)).isCloseTo((double) right / IMAGES, within(1.0 / IMAGES + 1e-9));
      assertThat(evaluator.againstOther(order).rank()).isCloseTo(rank(in, out), within(1e-3));
      assertThat(evaluator.againstPermuted(order, heldOut).rank()).isCloseTo(rank(in, permuted), within(1e-3));
      assertThat(rank(in, out)).isBetween(0.01, 0.99);
      assertThat(evaluator.againstPermuted(order, order).rank()).isEqualTo(0.5);
    }
  }
}
