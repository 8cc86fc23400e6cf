package io.metaplast.continual;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.metaplast.Backend;
import io.metaplast.BackendKind;
import io.metaplast.BackendOptions;
import io.metaplast.F32Buffer;
import io.metaplast.Metaplast;
import io.metaplast.Stream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What the learner computes against a network in double precision, of which only losses are known. */
class KfacLearnerTest {
  private static final int HIDDEN = 6;
  private static final int BATCH = 32;
  private static final int IMAGES = 96;
  private static final int CURVATURE_BATCHES = 2;
  private static final double OFFSET = 0.5;
  private static final double DECAY = 0.05;

  private static Backend backend;
  private static LearnData data;

  @BeforeAll
  static void open() throws IOException {
    backend = Metaplast.open(BackendOptions.of(BackendKind.JAVA).withThreads(1));
    Blas.load();
    data = LearnData.synthetic(IMAGES, 100, null);
  }

  @AfterAll
  static void close() {
    backend.close();
  }

  private static KfacSettings settings(KfacSettings.Memory memory) {
    return new KfacSettings(
        Metaplast.NUMERICS_VERSION, data.train().sha256(), data.test().sha256(), 3, memory, KfacSettings.Optimizer.ADAM, OFFSET, HIDDEN, 2, BATCH, IMAGES,
        100, CURVATURE_BATCHES, 0.01, DECAY);
  }

  private static int[] order(int task) {
    int inputs = data.train().imageSize();
    return task == 0 ? Randomness.identity(inputs) : Randomness.permutation(backend, 3, task, inputs);
  }

  private static void learn(KfacLearner learner, int task) {
    learner.stage(order(task));
    learner.learn(steps -> {});
    learner.endTask();
  }

  /** The images images[from], ... of a task, with their labels. */
  private static KfacReference reference(KfacNetwork network, int task, int[] images, int from) {
    int inputs = network.inputs(0);
    float[] pixels = new float[BATCH * inputs];
    int[] labels = new int[BATCH];
    for (int i = 0; i < BATCH; i++) {
      data.train().copyUnit(images[from + i], order(task), pixels, i * inputs);
      labels[i] = data.train().label(images[from + i]);
    }
    double[] shifted = new double[pixels.length];
    for (int i = 0; i < pixels.length; i++) {
      shifted[i] = (float) (pixels[i] + (float) OFFSET);
    }
    KfacReference reference = new KfacReference(inputs, HIDDEN, ImageSet.CLASSES, shifted, labels);
    reference.fixedMean = network.fixedMean();
    reference.fixedVariance = network.fixedVariance();
    return reference;
  }

  private static double[] doubles(float[] x) {
    double[] y = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      y[i] = x[i];
    }
    return y;
  }

  /** Some elements of every tensor against central differences. */
  private static void assertGradient(KfacNetwork network, float[] gradient, ToDoubleFunction<double[]> loss) {
    double[] theta = doubles(network.parameters());
    int tensors = KfacNetwork.LAYERS + 2 * KfacNetwork.HIDDEN;
    int[] starts = {
      network.weights(0), network.weights(1), network.weights(2), network.gamma(0), network.beta(0), network.gamma(1), network.beta(1), network.size()
    };
    for (int t = 0; t < tensors; t++) {
      double largest = 0;
      for (int i = starts[t]; i < starts[t + 1]; i++) {
        largest = Math.max(largest, Math.abs(gradient[i]));
      }
      assertThat(largest).as("tensor %d", t).isPositive();
      int stride = Math.max(1, (starts[t + 1] - starts[t]) / 40);
      for (int i = starts[t]; i < starts[t + 1]; i += stride) {
        double at = theta[i];
        double step = 1e-5;
        theta[i] = at + step;
        double up = loss.applyAsDouble(theta);
        theta[i] = at - step;
        double down = loss.applyAsDouble(theta);
        theta[i] = at;
        assertThat((double) gradient[i]).as("tensor %d, element %d", t, i - starts[t]).isCloseTo((up - down) / (2 * step), within(2e-5 * largest));
      }
    }
  }

  private static double decay(KfacNetwork network, double[] theta, double[] anchor) {
    double sum = 0;
    for (int l = 0; l < KfacNetwork.LAYERS; l++) {
      for (int r = 0; r < network.outputs(l); r++) {
        for (int c = 0; c < network.inputs(l); c++) {
          int i = network.weights(l) + r * network.pitch(l) + c;
          sum += (theta[i] - anchor[i]) * (theta[i] - anchor[i]);
        }
      }
    }
    return DECAY / 2 * sum;
  }

  /** Q of the pairs and anchors in a state, and of the curvature that is one number a parameter. */
  private static double penalty(KfacNetwork network, KfacMethod method, Map<String, float[]> state, double[] theta) {
    double sum = 0;
    float[] stiffness = state.get("stiffness");
    float[] pull = state.get("pull");
    for (int i = 0; i < theta.length; i++) {
      sum += 0.5 * stiffness[i] * theta[i] * theta[i] - pull[i] * theta[i];
    }
    for (int t = 0; state.containsKey("g " + t + " 0"); t++) {
      for (int l = 0; l < KfacNetwork.LAYERS; l++) {
        double[] w = weights(network, method, theta, l);
        float[] anchor = state.get("anchor " + t + " " + l);
        int rows = network.outputs(l);
        int cols = w.length / rows;
        double[] d = new double[w.length];
        for (int i = 0; i < d.length; i++) {
          d[i] = w[i] - anchor[i];
        }
        boolean extended = method == KfacMethod.EXTENDED && l < KfacNetwork.HIDDEN;
        double factor = extended ? (double) BATCH / (BATCH - 1) : 1;
        sum += factor / 2 * form(d, rows, cols, state.get("g " + t + " " + l), state.get("a " + t + " " + l));
      }
    }
    return sum;
  }

  /** Matrix of a layer; of a merged network with batch norm in it and its bias. */
  private static double[] weights(KfacNetwork network, KfacMethod method, double[] theta, int l) {
    int rows = network.outputs(l);
    int pitch = network.pitch(l);
    boolean merged = method == KfacMethod.MERGED && l < KfacNetwork.HIDDEN;
    int cols = merged ? pitch + 1 : pitch;
    double[] w = new double[rows * cols];
    for (int r = 0; r < rows; r++) {
      double scale = merged ? theta[network.gamma(l) + r] / Math.sqrt(network.fixedVariance()[l][r] + 1e-5) : 1;
      for (int c = 0; c < pitch; c++) {
        w[r * cols + c] = scale * theta[network.weights(l) + r * pitch + c];
      }
      if (merged) {
        w[r * cols + pitch] = theta[network.beta(l) + r] - scale * network.fixedMean()[l][r];
      }
    }
    return w;
  }

  /** The inner product of D and G D A. */
  private static double form(double[] d, int rows, int cols, float[] g, float[] a) {
    double[] da = new double[d.length];
    for (int r = 0; r < rows; r++) {
      for (int k = 0; k < cols; k++) {
        for (int c = 0; c < cols && d[r * cols + k] != 0; c++) {
          da[r * cols + c] += d[r * cols + k] * a[k * cols + c];
        }
      }
    }
    double sum = 0;
    for (int r = 0; r < rows; r++) {
      for (int k = 0; k < rows; k++) {
        for (int c = 0; c < cols; c++) {
          sum += g[r * rows + k] * d[r * cols + c] * da[k * cols + c];
        }
      }
    }
    return sum;
  }

  @Test
  void gradientOfTheLossIsTheDifferenceOfLosses() {
    try (KfacLearner learner = new KfacLearner(backend, KfacMethod.NONE, settings(KfacSettings.Memory.PAIR), data.train())) {
      learner.stage(order(0));
      int[] images = Randomness.identity(IMAGES);
      float[] gradient = learner.stepGradient(images).clone();
      KfacReference reference = reference(learner.network(), 0, images, 0);
      double[] origin = new double[learner.network().size()];
      assertGradient(
          learner.network(), gradient, theta -> reference.loss(theta) / BATCH + decay(learner.network(), theta, origin));
    }
  }

  @ParameterizedTest
  @CsvSource({"EWC, PAIR", "EWC, LIST", "PLAIN, PAIR", "PLAIN, LIST", "EXTENDED, PAIR", "EXTENDED, LIST", "MERGED, PAIR", "MERGED, LIST"})
  void inTheThirdTaskTheGradientIsThatOfLossPenaltyAndDecay(KfacMethod method, KfacSettings.Memory memory) {
    try (KfacLearner learner = new KfacLearner(backend, method, settings(memory), data.train())) {
      learn(learner, 0);
      learn(learner, 1);
      Map<String, float[]> state = learner.state();
      learner.stage(order(2));
      KfacNetwork network = learner.network();
      for (int i = 0; i < network.size(); i++) {
        network.parameters()[i] += (float) (0.05 * Math.sin(i));
      }
      network.publish();
      int[] images = Randomness.identity(IMAGES);
      float[] gradient = learner.stepGradient(images).clone();
      KfacReference reference = reference(network, 2, images, 0);
      double[] anchor = doubles(state.get("anchor"));
      assertGradient(
          network, gradient, theta -> reference.loss(theta) / BATCH + penalty(network, method, state, theta) + decay(network, theta, anchor));
    }
  }

  /** Labels that the learner draws for a batch of its first task's curvature. */
  private static void drawLabels(KfacReference reference, double[] theta, int batch) {
    float[] uniform;
    try (F32Buffer random = backend.allocate(BATCH); Stream stream = backend.newStream()) {
      Randomness.labelUniforms(backend, 3, 0, batch, random, stream);
      stream.synchronize();
      uniform = random.toArray();
    }
    reference.loss(theta);
    int classes = ImageSet.CLASSES;
    for (int n = 0; n < BATCH; n++) {
      double sum = 0;
      for (int c = 0; c < classes; c++) {
        sum += Math.exp(reference.logits[n * classes + c]);
      }
      double below = 0;
      int label = 0;
      while (label < classes - 1) {
        below += Math.exp(reference.logits[n * classes + label]) / sum;
        if (uniform[n] < below) {
          break;
        }
        label++;
      }
      reference.labels[n] = label;
    }
  }

  private static void assertClose(String what, float[] found, double[] expected) {
    double largest = 0;
    for (double x : expected) {
      largest = Math.max(largest, Math.abs(x));
    }
    assertThat(found).as(what).hasSameSizeAs(expected);
    assertThat(largest).as(what).isPositive();
    for (int i = 0; i < found.length; i++) {
      assertThat((double) found[i]).as("%s %d", what, i).isCloseTo(expected[i], within(2e-5 * largest));
    }
  }

  /** sum += factor * x'x of rows of x, less the mean if centred, with a coordinate of ones if bias. */
  private static void addMoment(double[] x, int cols, boolean centred, boolean bias, double factor, double[] sum) {
    int rows = x.length / cols;
    int width = cols + (bias ? 1 : 0);
    double[] mean = new double[width];
    for (int r = 0; r < rows && centred; r++) {
      for (int c = 0; c < cols; c++) {
        mean[c] += x[r * cols + c] / rows;
      }
    }
    for (int r = 0; r < rows; r++) {
      for (int i = 0; i < width; i++) {
        double a = (i < cols ? x[r * cols + i] : 1) - mean[i];
        for (int j = 0; j < width; j++) {
          sum[i * width + j] += factor * a * ((j < cols ? x[r * cols + j] : 1) - mean[j]);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(value = KfacMethod.class, names = "NONE", mode = EnumSource.Mode.EXCLUDE)
  void curvatureOfTheFirstTaskIsThatOfItsFormula(KfacMethod method) {
    try (KfacLearner learner = new KfacLearner(backend, method, settings(KfacSettings.Memory.PAIR), data.train())) {
      learn(learner, 0);
      KfacNetwork network = learner.network();
      double[] theta = doubles(network.parameters());
      int[] images = Randomness.curvatureOrder(backend, 3, 0, IMAGES);
      double[] squares = new double[network.size()];
      List<double[]> g = new ArrayList<>();
      List<double[]> a = new ArrayList<>();
      for (int l = 0; l < KfacNetwork.LAYERS; l++) {
        boolean bias = l == KfacNetwork.HIDDEN || method == KfacMethod.MERGED;
        int width = network.inputs(l) + (bias ? 1 : 0);
        g.add(new double[network.outputs(l) * network.outputs(l)]);
        a.add(new double[width * width]);
      }
      for (int b = 0; b < CURVATURE_BATCHES; b++) {
        KfacReference reference = reference(network, 0, images, b * BATCH);
        drawLabels(reference, theta, b);
        double share = 1.0 / (CURVATURE_BATCHES * BATCH);
        for (int l = 0; l < KfacNetwork.LAYERS; l++) {
          int units = network.outputs(l);
          int inputs = network.inputs(l);
          boolean hidden = l < KfacNetwork.HIDDEN;
          double[] d = reference.gradient(theta, hidden && method == KfacMethod.MERGED ? 3 + l : l, BATCH * units);
          double[] x = l == 0 ? reference.pixels : reference.active[l - 1];
          addMoment(d, units, false, false, share, g.get(l));
          addMoment(x, inputs, hidden && method == KfacMethod.EXTENDED, !hidden || method == KfacMethod.MERGED, share, a.get(l));
          for (int n = 0; n < BATCH && method == KfacMethod.EWC; n++) {
            for (int r = 0; r < units; r++) {
              for (int c = 0; c < network.pitch(l); c++) {
                double one = d[n * units + r] * (c < inputs ? x[n * inputs + c] : 1);
                squares[network.weights(l) + r * network.pitch(l) + c] += share * one * one;
              }
            }
          }
          if (hidden && method != KfacMethod.MERGED) {
            double[] out = reference.gradient(theta, 3 + l, BATCH * units);
            for (int i = 0; i < out.length; i++) {
              double scale = out[i] * reference.normalised[l][i];
              squares[network.gamma(l) + i % units] += share * scale * scale;
              squares[network.beta(l) + i % units] += share * out[i] * out[i];
            }
          }
        }
      }
      Map<String, float[]> state = learner.state();
      if (method != KfacMethod.MERGED) {
        assertClose("squares", state.get("stiffness"), squares);
      } else {
        assertThat(state.get("stiffness")).containsOnly(0f);
      }
      for (int l = 0; l < KfacNetwork.LAYERS && method.kronecker(); l++) {
        assertClose("G of layer " + l, state.get("g 0 " + l), g.get(l));
        assertClose("A of layer " + l, state.get("a 0 " + l), a.get(l));
      }
    }
  }

  private static double trace(float[] m) {
    int n = (int) Math.round(Math.sqrt(m.length));
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += m[i * n + i];
    }
    return sum;
  }

  /** Up to the end of the second task both memories do the same, so that the list shows what was merged. */
  @ParameterizedTest
  @EnumSource(value = KfacMethod.class, names = {"PLAIN", "EXTENDED", "MERGED"})
  void onePairIsTheMergedListAnchoredAtTheLastOptimum(KfacMethod method) {
    try (KfacLearner pair = new KfacLearner(backend, method, settings(KfacSettings.Memory.PAIR), data.train());
        KfacLearner list = new KfacLearner(backend, method, settings(KfacSettings.Memory.LIST), data.train())) {
      for (int task = 0; task < 2; task++) {
        learn(pair, task);
        learn(list, task);
      }
      Map<String, float[]> merged = pair.state();
      Map<String, float[]> both = list.state();
      assertThat(merged.get("parameters")).isEqualTo(both.get("parameters"));
      assertThat(merged).doesNotContainKey("g 1 0");
      for (int l = 0; l < KfacNetwork.LAYERS; l++) {
        assertThat(merged.get("anchor 0 " + l)).isEqualTo(both.get("anchor 1 " + l)).isNotEqualTo(both.get("anchor 0 " + l));
        float[] g1 = both.get("g 0 " + l);
        float[] g2 = both.get("g 1 " + l);
        float[] a1 = both.get("a 0 " + l);
        float[] a2 = both.get("a 1 " + l);
        double pi = Math.sqrt(trace(g1) * trace(a2) / (trace(g2) * trace(a1)));
        double[] g = new double[g1.length];
        double[] a = new double[a1.length];
        for (int i = 0; i < g.length; i++) {
          g[i] = g1[i] + pi * g2[i];
        }
        for (int i = 0; i < a.length; i++) {
          a[i] = a1[i] + a2[i] / pi;
        }
        assertClose("G", merged.get("g 0 " + l), g);
        assertClose("A", merged.get("a 0 " + l), a);
      }
    }
  }

  @Test
  void ewcWithOnePairSumsImportanceAndPullsToTheLastOptimum() {
    try (KfacLearner pair = new KfacLearner(backend, KfacMethod.EWC, settings(KfacSettings.Memory.PAIR), data.train());
        KfacLearner list = new KfacLearner(backend, KfacMethod.EWC, settings(KfacSettings.Memory.LIST), data.train())) {
      learn(pair, 0);
      learn(list, 0);
      float[] first = list.state().get("stiffness");
      float[] optimum = list.state().get("anchor");
      learn(pair, 1);
      learn(list, 1);
      Map<String, float[]> a = pair.state();
      Map<String, float[]> b = list.state();
      assertThat(a.get("stiffness")).isEqualTo(b.get("stiffness"));
      float[] theta = a.get("parameters");
      double[] pull = new double[theta.length];
      double[] pullOfList = new double[theta.length];
      for (int i = 0; i < theta.length; i++) {
        pull[i] = (double) a.get("stiffness")[i] * theta[i];
        pullOfList[i] = (double) first[i] * optimum[i] + ((double) b.get("stiffness")[i] - first[i]) * theta[i];
      }
      assertClose("pull", a.get("pull"), pull);
      assertClose("pull of the list", b.get("pull"), pullOfList);
    }
  }
}
