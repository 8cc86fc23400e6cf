package io.metaplast.continual;

import com.github.freva.asciitable.AsciiTable;
import com.github.freva.asciitable.Column;
import com.github.freva.asciitable.HorizontalAlign;
import io.metaplast.Backend;
import io.metaplast.BackendOptions;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.Metaplast;
import io.metaplast.Stream;
import io.metaplast.Workspace;
import io.metaplast.bench.Machine;
import io.metaplast.kfac.KfacKernels;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.markers.SeriesMarkers;

/**
 * How far Kronecker approximations are from the exact generalised Gauss-Newton block of a linear layer, 8 to 5, with batch norm behind it:
 * relative Frobenius distance for a batch of 64 examples whose inputs have some mean and variance 1. All labels are taken into account with
 * their probabilities, so nothing is sampled but inputs and weights. The block and the factors are in double; the extended form also comes
 * from the library's factors in float.
 */
public final class CurvatureStudy {
  static final int EXAMPLES = 64;
  static final int INPUTS = 8;
  static final int UNITS = 5;
  static final int CLASSES = 3;
  private static final int BLOCK = UNITS * INPUTS;
  private static final double EPSILON = 1e-5;
  private static final double[] MEANS = {0, 0.5, 1, 2};
  private static final double SAME = 1e-9;
  private static final double LEAST_RATIO_AT_1 = 3;
  private static final double LEAST_RATIO_AT_2 = 10;
  private static final double FLOAT_AGREES = 1e-4;

  private CurvatureStudy() {}

  /** What lies behind the layer. */
  public enum Net {
    /** Batch norm, tanh, a linear layer to 3 classes. */
    DIRECT("batch norm directly behind"),
    /** ReLU, a linear layer, then the same. */
    RELU_BETWEEN("ReLU and a linear layer, then batch norm");

    private final String text;

    Net(String text) {
      this.text = text;
    }
  }

  /**
   * Settings.
   *
   * @param firstSeed of inputs and weights
   * @param seeds how many
   */
  public record Settings(long firstSeed, int seeds) {
    /** Validates. */
    public Settings {
      if (seeds < 1) {
        throw new IllegalArgumentException("seeds = " + seeds + " must be >= 1");
      }
    }
  }

  /**
   * Relative errors of one draw.
   *
   * @param plain Gw (x) Aw
   * @param centred N/(N-1) Gw (x) Ca
   * @param extended N/(N-1) Cg (x) Ca + N Mg (x) Ma
   * @param pairs the same from within and between pairs, Gw (x) Aw + (N-1) Gb (x) Ab
   * @param extendedFloat extended, from the library's factors
   */
  public record Errors(double plain, double centred, double extended, double pairs, double extendedFloat) {}

  /**
   * One draw.
   *
   * @param net network
   * @param mean of the inputs
   * @param seed of the draw
   * @param errors relative errors
   */
  public record Draw(Net net, double mean, long seed, Errors errors) {}

  /**
   * What has to hold.
   *
   * @param what in words
   * @param found the figure
   * @param met whether it holds
   */
  public record Gate(String what, double found, boolean met) {}

  /**
   * All that was found.
   *
   * @param settings what was run
   * @param backend of the factors in float
   * @param machine where
   * @param gates what has to hold
   * @param lines means over seeds
   */
  public record Result(Settings settings, String backend, Machine machine, List<Gate> gates, List<Line> lines) {}

  /**
   * Means over seeds.
   *
   * @param net network
   * @param mean of the inputs
   * @param errors mean errors
   */
  public record Line(Net net, double mean, Errors errors) {}

  /** Runs all draws; {@code folder} null stores nothing. */
  public static Result run(Settings settings, BackendOptions options, Path folder, LearnListener listener) throws IOException {
    List<Draw> draws = new ArrayList<>();
    String description;
    try (Backend backend = Metaplast.open(options)) {
      description = PermutedImages.describe(backend);
      for (long seed = settings.firstSeed(); seed < settings.firstSeed() + settings.seeds(); seed++) {
        for (Net net : Net.values()) {
          for (double mean : MEANS) {
            draws.add(new Draw(net, mean, seed, errors(backend, net, mean, seed)));
          }
        }
      }
    }
    Result result = new Result(settings, description, Machine.here(), gates(draws), lines(draws));
    if (folder != null) {
      try (RunFolder files = new RunFolder(folder, settings)) {
        files.writeJson("summary.json", result, Map.of());
        files.writeText("draws.csv", table(draws));
        files.writeText("summary.txt", text(result));
        String problem = files.draw(Map.of("error.png", () -> chart(result)));
        if (problem != null) {
          listener.notice(problem);
        }
      }
    }
    return result;
  }

  private static List<Line> lines(List<Draw> draws) {
    List<Line> lines = new ArrayList<>();
    for (Net net : Net.values()) {
      for (double mean : MEANS) {
        List<Errors> errors = draws.stream().filter(d -> d.net() == net && d.mean() == mean).map(Draw::errors).toList();
        lines.add(
            new Line(
                net, mean,
                new Errors(
                    average(errors, Errors::plain), average(errors, Errors::centred), average(errors, Errors::extended), average(errors, Errors::pairs),
                    average(errors, Errors::extendedFloat))));
      }
    }
    return lines;
  }

  private static double average(List<Errors> errors, ToDoubleFunction<Errors> value) {
    return errors.stream().mapToDouble(value).average().orElseThrow();
  }

  private static List<Gate> gates(List<Draw> draws) {
    double moved = 0;
    double apart = 0;
    double rounded = 0;
    for (Draw draw : draws) {
      double first =
          draws.stream().filter(d -> d.net() == draw.net() && d.seed() == draw.seed()).findFirst().orElseThrow().errors().extended();
      if (draw.net() == Net.DIRECT) {
        moved = Math.max(moved, Math.abs(draw.errors().extended() - first));
      }
      apart = Math.max(apart, Math.abs(draw.errors().extended() - draw.errors().pairs()));
      rounded = Math.max(rounded, Math.abs(draw.errors().extended() - draw.errors().extendedFloat()));
    }
    double at1 = ratio(draws, 1);
    double at2 = ratio(draws, 2);
    return List.of(
        new Gate("batch norm directly behind: extended at any mean of the inputs is that at 0, within 1e-9", moved, moved <= SAME),
        new Gate("batch norm directly behind: mean plain / extended at mean 1, above 3", at1, at1 > LEAST_RATIO_AT_1),
        new Gate("batch norm directly behind: mean plain / extended at mean 2, above 10", at2, at2 > LEAST_RATIO_AT_2),
        new Gate("extended from centred and mean factors is that from within and between pairs, within 1e-9", apart, apart <= SAME),
        new Gate("extended from the library's factors in float, within 1e-4", rounded, rounded <= FLOAT_AGREES));
  }

  private static double ratio(List<Draw> draws, double mean) {
    return draws.stream()
        .filter(d -> d.net() == Net.DIRECT && d.mean() == mean)
        .mapToDouble(d -> d.errors().plain() / d.errors().extended())
        .average()
        .orElseThrow();
  }

  /** The table and the gates as text. */
  public static String text(Result result) {
    return AsciiTable.getTable(
            result.lines(),
            List.of(
                new Column().header("behind the layer").dataAlign(HorizontalAlign.LEFT).with(l -> l.net().text),
                new Column().header("mean of inputs").with(l -> "" + l.mean()),
                new Column().header("plain").with(l -> number(l.errors().plain())),
                new Column().header("centred").with(l -> number(l.errors().centred())),
                new Column().header("extended").with(l -> number(l.errors().extended())),
                new Column().header("extended, library in float").with(l -> number(l.errors().extendedFloat()))))
        + "\nRelative Frobenius distance to the exact block, mean over " + result.settings().seeds() + " seeds.\n"
        + AsciiTable.getTable(
            result.gates(),
            List.of(
                new Column().header("gate").dataAlign(HorizontalAlign.LEFT).with(Gate::what),
                new Column().header("found").with(g -> String.format(Locale.ROOT, "%.3g", g.found())),
                new Column().header("verdict").with(g -> g.met() ? "met" : "not met")))
        + "\n";
  }

  private static String number(double x) {
    return String.format(Locale.ROOT, "%.2f", x);
  }

  private static String table(List<Draw> draws) {
    StringBuilder csv = new StringBuilder("network,mean,seed,plain,centred,extended,extended_pairs,extended_float\n");
    for (Draw d : draws) {
      Errors e = d.errors();
      csv.append(
          String.format(
              Locale.ROOT, "%s,%s,%d,%.12g,%.12g,%.12g,%.12g,%.12g%n", d.net().name().toLowerCase(Locale.ROOT), d.mean(), d.seed(), e.plain(),
              e.centred(), e.extended(), e.pairs(), e.extendedFloat()));
    }
    return csv.toString();
  }

  private static XYChart chart(Result result) {
    XYChart chart = LearnCharts.chart("Distance to the exact curvature, batch norm directly behind", "mean of the inputs", "relative error");
    add(chart, result, "plain", 0, Errors::plain);
    add(chart, result, "extended", 1, Errors::extended);
    return chart;
  }

  private static void add(XYChart chart, Result result, String name, int index, ToDoubleFunction<Errors> value) {
    double[] y = result.lines().stream().filter(l -> l.net() == Net.DIRECT).mapToDouble(l -> value.applyAsDouble(l.errors())).toArray();
    XYSeries series = chart.addSeries(name, MEANS, y);
    series.setMarker(SeriesMarkers.CIRCLE);
    LearnCharts.color(series, index);
  }

  /** Errors of one draw; the same seed gives the same weights and the same inputs but for their mean. */
  static Errors errors(Backend backend, Net net, double mean, long seed) {
    double[] x = normal(backend, seed, 0, EXAMPLES * INPUTS, 1);
    for (int i = 0; i < x.length; i++) {
      x[i] += mean;
    }
    double[][] weights = {
      normal(backend, seed, 1, UNITS * INPUTS, Math.sqrt(1.0 / INPUTS)),
      normal(backend, seed, 2, UNITS * UNITS, Math.sqrt(1.0 / UNITS)),
      normal(backend, seed, 3, CLASSES * UNITS, Math.sqrt(1.0 / UNITS))
    };
    Tail tail = new Tail(net, weights);
    List<double[]> gradients = tail.gradients(times(x, weights[0], EXAMPLES, INPUTS, UNITS));
    double[] exact = exact(gradients, x);
    double n = EXAMPLES;
    double[] within = new double[UNITS * UNITS];
    double[] mg = new double[UNITS * UNITS];
    double[] between = new double[UNITS * UNITS];
    for (double[] d : gradients) {
      double[] w = moment(d, UNITS, false);
      double[] m = meanProduct(d, UNITS);
      for (int i = 0; i < w.length; i++) {
        within[i] += w[i];
        mg[i] += m[i];
        between[i] += (n * m[i] - w[i]) / (n - 1);
      }
    }
    double[] aw = moment(x, INPUTS, false);
    double[] ca = moment(x, INPUTS, true);
    double[] ma = meanProduct(x, INPUTS);
    double[] cg = combine(within, 1, mg, -1);
    double[] ab = combine(ma, n / (n - 1), aw, -1 / (n - 1));
    double[] centred = product(within, ca, n / (n - 1));
    double[] extended = combine(product(cg, ca, n / (n - 1)), 1, product(mg, ma, n), 1);
    double[] pairs = combine(product(within, aw, 1), 1, product(between, ab, n - 1), 1);
    return new Errors(
        distance(product(within, aw, 1), exact), distance(centred, exact), distance(extended, exact), distance(pairs, exact),
        distance(library(backend, gradients, x), exact));
  }

  private static double[] normal(Backend backend, long seed, int purpose, int n, double deviation) {
    float[] values = Randomness.normalWeights(backend, seed, purpose, n, 1);
    double[] x = new double[n];
    for (int i = 0; i < n; i++) {
      x[i] = deviation * values[i];
    }
    return x;
  }

  /** The extended form from the library's factors. */
  private static double[] library(Backend backend, List<double[]> gradients, double[] x) {
    KfacKernels kfac = backend.kfac();
    double n = EXAMPLES;
    try (F32Buffer d = backend.allocate((long) EXAMPLES * UNITS);
        F32Buffer inputs = backend.allocate((long) EXAMPLES * INPUTS);
        F32Buffer cg = backend.allocate((long) UNITS * UNITS);
        F32Buffer mg = backend.allocate((long) UNITS * UNITS);
        F32Buffer ca = backend.allocate((long) INPUTS * INPUTS);
        F32Buffer ma = backend.allocate((long) INPUTS * INPUTS);
        Workspace workspace = backend.workspace(kfac.kroneckerFactorWorkspaceBytes(EXAMPLES, INPUTS, false));
        Stream stream = backend.newStream()) {
      F32Matrix rows = F32Matrix.of(d, EXAMPLES, UNITS);
      double beta = 0;
      for (double[] gradient : gradients) {
        d.upload(floats(gradient));
        kfac.kroneckerFactorCentered(rows, 1, beta, F32Matrix.of(cg, UNITS, UNITS), workspace, stream);
        kfac.kroneckerFactorMean(rows, 1, beta, F32Matrix.of(mg, UNITS, UNITS), workspace, stream);
        beta = 1;
      }
      inputs.upload(floats(x));
      F32Matrix examples = F32Matrix.of(inputs, EXAMPLES, INPUTS);
      kfac.kroneckerFactorCentered(examples, 1, 0, F32Matrix.of(ca, INPUTS, INPUTS), workspace, stream);
      kfac.kroneckerFactorMean(examples, 1, 0, F32Matrix.of(ma, INPUTS, INPUTS), workspace, stream);
      stream.synchronize();
      return combine(product(doubles(cg), doubles(ca), n / (n - 1)), 1, product(doubles(mg), doubles(ma), n), 1);
    }
  }

  private static float[] floats(double[] x) {
    float[] y = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      y[i] = (float) x[i];
    }
    return y;
  }

  private static double[] doubles(F32Buffer x) {
    float[] values = x.toArray();
    double[] y = new double[values.length];
    Arrays.setAll(y, i -> values[i]);
    return y;
  }

  /** The block of the mean loss: the gradients of the weights that each column of each example's loss curvature gives, squared. */
  private static double[] exact(List<double[]> gradients, double[] x) {
    double[] block = new double[BLOCK * BLOCK];
    for (double[] d : gradients) {
      double[] g = new double[BLOCK];
      for (int n = 0; n < EXAMPLES; n++) {
        for (int r = 0; r < UNITS; r++) {
          for (int c = 0; c < INPUTS; c++) {
            g[r * INPUTS + c] += d[n * UNITS + r] * x[n * INPUTS + c];
          }
        }
      }
      for (int i = 0; i < BLOCK; i++) {
        for (int j = 0; j < BLOCK; j++) {
          block[i * BLOCK + j] += g[i] * g[j] / EXAMPLES;
        }
      }
    }
    return block;
  }

  /** (1/N) X'X, of the rows less their mean if centred. */
  private static double[] moment(double[] x, int cols, boolean centred) {
    int rows = x.length / cols;
    double[] mean = centred ? mean(x, cols) : new double[cols];
    double[] m = new double[cols * cols];
    for (int n = 0; n < rows; n++) {
      for (int i = 0; i < cols; i++) {
        for (int j = 0; j < cols; j++) {
          m[i * cols + j] += (x[n * cols + i] - mean[i]) * (x[n * cols + j] - mean[j]) / rows;
        }
      }
    }
    return m;
  }

  private static double[] meanProduct(double[] x, int cols) {
    double[] mean = mean(x, cols);
    double[] m = new double[cols * cols];
    for (int i = 0; i < cols; i++) {
      for (int j = 0; j < cols; j++) {
        m[i * cols + j] = mean[i] * mean[j];
      }
    }
    return m;
  }

  private static double[] mean(double[] x, int cols) {
    double[] mean = new double[cols];
    for (int i = 0; i < x.length; i++) {
      mean[i % cols] += x[i] * cols / x.length;
    }
    return mean;
  }

  private static double[] combine(double[] x, double a, double[] y, double b) {
    double[] sum = new double[x.length];
    Arrays.setAll(sum, i -> a * x[i] + b * y[i]);
    return sum;
  }

  /** scale G (x) A. */
  private static double[] product(double[] g, double[] a, double scale) {
    double[] block = new double[BLOCK * BLOCK];
    for (int i = 0; i < BLOCK; i++) {
      for (int j = 0; j < BLOCK; j++) {
        block[i * BLOCK + j] = scale * g[i / INPUTS * UNITS + j / INPUTS] * a[i % INPUTS * INPUTS + j % INPUTS];
      }
    }
    return block;
  }

  private static double distance(double[] x, double[] exact) {
    double difference = 0;
    double size = 0;
    for (int i = 0; i < exact.length; i++) {
      difference += (x[i] - exact[i]) * (x[i] - exact[i]);
      size += exact[i] * exact[i];
    }
    return Math.sqrt(difference / size);
  }

  /** x[rows][in] * w[out][in]'. */
  private static double[] times(double[] x, double[] w, int rows, int in, int out) {
    double[] y = new double[rows * out];
    for (int n = 0; n < rows; n++) {
      for (int o = 0; o < out; o++) {
        for (int i = 0; i < in; i++) {
          y[n * out + o] += x[n * in + i] * w[o * in + i];
        }
      }
    }
    return y;
  }

  /** d[rows][out] * w[out][in]. */
  private static double[] backTimes(double[] d, double[] w, int rows, int in, int out) {
    double[] x = new double[rows * in];
    for (int n = 0; n < rows; n++) {
      for (int o = 0; o < out; o++) {
        for (int i = 0; i < in; i++) {
          x[n * in + i] += d[n * out + o] * w[o * in + i];
        }
      }
    }
    return x;
  }

  /** The network behind the layer. */
  private static final class Tail {
    private final Net net;
    private final double[][] weights;
    private final double[] deviation = new double[UNITS];
    private double[] normal;
    private double[] out;

    Tail(Net net, double[][] weights) {
      this.net = net;
      this.weights = weights;
    }

    /**
     * For every example and every column of a square root of its loss's curvature: the gradient at the layer's output, of all examples,
     * since batch norm ties them. The root has the columns sqrt(p_c) (e_c - p), whose squares add up to diag(p) - p p'.
     */
    List<double[]> gradients(double[] h) {
      double[] in = h;
      if (net == Net.RELU_BETWEEN) {
        in = times(Arrays.stream(h).map(v -> Math.max(v, 0)).toArray(), weights[1], EXAMPLES, UNITS, UNITS);
      }
      normalise(in);
      double[] logits = times(out, weights[2], EXAMPLES, UNITS, CLASSES);
      List<double[]> gradients = new ArrayList<>();
      for (int n = 0; n < EXAMPLES; n++) {
        double[] p = softmax(logits, n * CLASSES);
        for (int c = 0; c < CLASSES; c++) {
          double[] d = new double[EXAMPLES * CLASSES];
          for (int k = 0; k < CLASSES; k++) {
            d[n * CLASSES + k] = Math.sqrt(p[c]) * ((k == c ? 1 : 0) - p[k]);
          }
          gradients.add(back(d, h));
        }
      }
      return gradients;
    }

    private void normalise(double[] x) {
      double[] mean = mean(x, UNITS);
      Arrays.fill(deviation, 0);
      for (int i = 0; i < x.length; i++) {
        double d = x[i] - mean[i % UNITS];
        deviation[i % UNITS] += d * d / EXAMPLES;
      }
      for (int c = 0; c < UNITS; c++) {
        deviation[c] = Math.sqrt(deviation[c] + EPSILON);
      }
      normal = new double[x.length];
      out = new double[x.length];
      for (int i = 0; i < x.length; i++) {
        normal[i] = (x[i] - mean[i % UNITS]) / deviation[i % UNITS];
        out[i] = Math.tanh(normal[i]);
      }
    }

    private double[] back(double[] logitsGradient, double[] h) {
      double[] d = backTimes(logitsGradient, weights[2], EXAMPLES, UNITS, CLASSES);
      double[] sum = new double[UNITS];
      double[] weighted = new double[UNITS];
      for (int i = 0; i < d.length; i++) {
        d[i] *= 1 - out[i] * out[i];
        sum[i % UNITS] += d[i] / EXAMPLES;
        weighted[i % UNITS] += d[i] * normal[i] / EXAMPLES;
      }
      for (int i = 0; i < d.length; i++) {
        d[i] = (d[i] - sum[i % UNITS] - normal[i] * weighted[i % UNITS]) / deviation[i % UNITS];
      }
      if (net == Net.RELU_BETWEEN) {
        d = backTimes(d, weights[1], EXAMPLES, UNITS, UNITS);
        for (int i = 0; i < d.length; i++) {
          d[i] = h[i] > 0 ? d[i] : 0;
        }
      }
      return d;
    }

    private static double[] softmax(double[] logits, int offset) {
      double[] p = new double[CLASSES];
      double sum = 0;
      for (int c = 0; c < CLASSES; c++) {
        p[c] = Math.exp(logits[offset + c]);
        sum += p[c];
      }
      for (int c = 0; c < CLASSES; c++) {
        p[c] /= sum;
      }
      return p;
    }
  }
}
