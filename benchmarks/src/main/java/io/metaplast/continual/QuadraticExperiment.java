package io.metaplast.continual;

import com.github.freva.asciitable.AsciiTable;
import com.github.freva.asciitable.Column;
import io.metaplast.Backend;
import io.metaplast.BackendOptions;
import io.metaplast.Metaplast;
import io.metaplast.bench.Machine;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** The quadratic binary task in two and in many dimensions: what the magnitude of a hidden weight means. */
public final class QuadraticExperiment {
  private static final int PLANE_STEPS = 500;
  private static final int BINS = 15;

  private QuadraticExperiment() {}

  /**
   * What to run.
   *
   * @param seed of the random task
   * @param dimensions of the random task
   * @param steps of the random task
   * @param rate of the random task
   */
  public record Settings(long seed, int dimensions, int steps, double rate) {
    /** The published size. */
    public static Settings published(long seed) {
      return new Settings(seed, 500, 1000, 0.01);
    }
  }

  /**
   * Hidden weights of similar magnitude.
   *
   * @param low magnitude over the largest, from
   * @param high to
   * @param weights how many weights
   * @param lossIncrease mean increase of the loss when one of them is flipped, or null without weights
   */
  public record Bin(double low, double high, int weights, Double lossIncrease) {}

  /**
   * What was found.
   *
   * @param settings what was run
   * @param machine where
   * @param plane W of the two-dimensional task before every step and at the end, by step
   * @param bins of the random task at the end, by magnitude
   * @param growing weights with |W*| &gt; 1
   * @param growthOfGrowing mean growth of their |W| per step over the second half of the run
   * @param growthOfOthers the same of the others
   */
  public record Result(
      Settings settings, Machine machine, List<double[]> plane, List<Bin> bins, int growing, double growthOfGrowing, double growthOfOthers) {}

  /** Runs both tasks; {@code folder} null stores nothing. */
  public static Result run(Settings settings, BackendOptions options, Path folder, LearnListener listener) throws IOException {
    QuadraticTask plane = QuadraticTask.plane();
    List<double[]> path = new ArrayList<>();
    path.add(plane.hidden());
    for (int t = 0; t < PLANE_STEPS; t++) {
      plane.step();
      path.add(plane.hidden());
    }
    QuadraticTask task;
    try (Backend backend = Metaplast.open(options)) {
      task = QuadraticTask.random(backend, settings.seed(), settings.dimensions(), settings.rate());
    }
    int half = settings.steps() / 2;
    for (int t = 0; t < half; t++) {
      task.step();
    }
    double[] middle = task.hidden();
    for (int t = half; t < settings.steps(); t++) {
      task.step();
    }
    Result result = result(settings, path, task, middle, settings.steps() - half);
    if (folder != null) {
      try (RunFolder files = new RunFolder(folder, settings)) {
        files.writeJson("summary.json", result, Map.of(Result.class, WithoutPath.class));
        files.writeText("plane.csv", planeTable(path));
        files.writeText("bins.csv", binTable(result.bins()));
        files.writeText("weights.csv", weightTable(task));
        String problem = files.draw(Map.of("plane.png", () -> planeChart(path), "bins.png", () -> binChart(result.bins())));
        if (problem != null) {
          listener.notice(problem);
        }
      }
    }
    return result;
  }

  /** The table holds the path. */
  @com.fasterxml.jackson.annotation.JsonIgnoreProperties("plane")
  private abstract static class WithoutPath {}

  private static Result result(Settings settings, List<double[]> path, QuadraticTask task, double[] middle, int steps) {
    double[] hidden = task.hidden();
    double[] target = task.target();
    double[] costs = task.flipCosts();
    double largest = 0;
    for (double w : hidden) {
      largest = Math.max(largest, Math.abs(w));
    }
    int[] counts = new int[BINS];
    double[] sums = new double[BINS];
    int growing = 0;
    double[] growth = new double[2];
    for (int i = 0; i < hidden.length; i++) {
      int bin = (int) Math.min(BINS - 1, Math.floor(BINS * Math.abs(hidden[i]) / largest));
      counts[bin]++;
      sums[bin] += costs[i];
      boolean beyond = Math.abs(target[i]) > 1;
      growing += beyond ? 1 : 0;
      growth[beyond ? 1 : 0] += (Math.abs(hidden[i]) - Math.abs(middle[i])) / steps;
    }
    List<Bin> bins = new ArrayList<>();
    for (int b = 0; b < BINS; b++) {
      bins.add(new Bin((double) b / BINS, (b + 1.0) / BINS, counts[b], counts[b] == 0 ? null : sums[b] / counts[b]));
    }
    return new Result(settings, Machine.here(), path, bins, growing, growth[1] / growing, growth[0] / (hidden.length - growing));
  }

  /** The bins as a text table, and the growth of the weights. */
  public static String table(Result result) {
    double[] end = result.plane().get(result.plane().size() - 1);
    return String.format(
            Locale.ROOT, "two dimensions, W* = (1.5, 0.5): W = (%.5f, %.5f) after %d steps%n", end[0], end[1], result.plane().size() - 1)
        + String.format(
            Locale.ROOT, "%d dimensions, %d steps: |W| grows by %.4f a step where |W*| > 1 (%d weights), by %.4f elsewhere%n",
            result.settings().dimensions(), result.settings().steps(), result.growthOfGrowing(), result.growing(), result.growthOfOthers())
        + AsciiTable.getTable(
            result.bins(),
            List.of(
                new Column().header("|W| / largest").with(b -> String.format(Locale.ROOT, "%.3f to %.3f", b.low(), b.high())),
                new Column().header("weights").with(b -> "" + b.weights()),
                new Column().header("loss increase when flipped")
                    .with(b -> b.lossIncrease() == null ? "-" : String.format(Locale.ROOT, "%.2f", b.lossIncrease()))));
  }

  private static String planeTable(List<double[]> path) {
    StringBuilder csv = new StringBuilder("step,w1,w2\n");
    for (int t = 0; t < path.size(); t++) {
      csv.append(String.format(Locale.ROOT, "%d,%.9g,%.9g%n", t, path.get(t)[0], path.get(t)[1]));
    }
    return csv.toString();
  }

  private static String binTable(List<Bin> bins) {
    StringBuilder csv = new StringBuilder("low,high,weights,mean_loss_increase\n");
    for (Bin bin : bins) {
      String increase = bin.lossIncrease() == null ? "" : String.format(Locale.ROOT, "%.9g", bin.lossIncrease());
      csv.append(String.format(Locale.ROOT, "%.6f,%.6f,%d,%s%n", bin.low(), bin.high(), bin.weights(), increase));
    }
    return csv.toString();
  }

  private static String weightTable(QuadraticTask task) {
    double[] target = task.target();
    double[] hidden = task.hidden();
    double[] costs = task.flipCosts();
    StringBuilder csv = new StringBuilder("target,hidden,loss_increase\n");
    for (int i = 0; i < target.length; i++) {
      csv.append(String.format(Locale.ROOT, "%.9g,%.9g,%.9g%n", target[i], hidden[i], costs[i]));
    }
    return csv.toString();
  }

  private static XYChart planeChart(List<double[]> path) {
    XYChart chart = LearnCharts.chart("Quadratic task in two dimensions, W* = (1.5, 0.5)", "step", "hidden weight");
    for (int axis = 0; axis < 2; axis++) {
      int a = axis;
      double[] x = new double[path.size()];
      for (int t = 0; t < x.length; t++) {
        x[t] = t;
      }
      XYSeries series = chart.addSeries("W" + (axis + 1), x, path.stream().mapToDouble(w -> w[a]).toArray());
      series.setMarker(SeriesMarkers.NONE);
      LearnCharts.color(series, axis);
    }
    return chart;
  }

  private static XYChart binChart(List<Bin> bins) {
    XYChart chart = LearnCharts.chart("Loss increase when a sign is flipped", "|W| / largest |W|", "mean loss increase");
    List<Bin> filled = bins.stream().filter(b -> b.lossIncrease() != null).toList();
    XYSeries series =
        chart.addSeries(
            "mean of a bin", filled.stream().mapToDouble(b -> (b.low() + b.high()) / 2).toArray(),
            filled.stream().mapToDouble(Bin::lossIncrease).toArray());
    series.setMarker(SeriesMarkers.CIRCLE);
    LearnCharts.color(series, 0);
    return chart;
  }
}
