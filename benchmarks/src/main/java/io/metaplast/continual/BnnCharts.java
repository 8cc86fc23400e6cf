package io.metaplast.continual;

import java.awt.BasicStroke;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.lines.SeriesLines;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Curves of a binarized network's run. */
public final class BnnCharts {
  private static final int MARKED_TESTS = 30;

  private BnnCharts() {}

  /** Mean accuracy over the tasks so far, and accuracy on the first, against training steps. */
  public static XYChart accuracy(BnnResult result) {
    boolean stream = result.settings().experiment() == BnnSettings.Experiment.STREAM;
    XYChart chart = LearnCharts.chart("Accuracy while learning (" + kind(result) + ")", "training steps", "accuracy, %");
    for (int m = 0; m < result.methods().size(); m++) {
      BnnResult.Method method = result.methods().get(m);
      add(chart, method, m, stream ? "" : ", mean of tasks so far", SeriesLines.SOLID, e -> 100 * e.mean());
      if (!stream) {
        add(chart, method, m, ", first task", SeriesLines.DOT_DOT, e -> 100 * e.tested().get(0).accuracy());
      }
    }
    return chart;
  }

  /** Accuracy on every task at the end. */
  public static XYChart end(BnnResult result) {
    XYChart chart = LearnCharts.chart("Accuracy at the end (" + kind(result) + ")", "task", "accuracy, %");
    for (int m = 0; m < result.methods().size(); m++) {
      BnnResult.Method method = result.methods().get(m);
      LearnCharts.end(chart, method.method().label(), method.summary().end(), m);
    }
    return chart;
  }

  private static String kind(BnnResult result) {
    String images = LearnCharts.kind(result.data());
    return result.settings().experiment() == BnnSettings.Experiment.STREAM ? images + " in parts" : "permuted " + images;
  }

  private static void add(
      XYChart chart, BnnResult.Method method, int index, String what, BasicStroke line, ToDoubleFunction<BnnTask.Epoch> value) {
    List<BnnTask.Epoch> epochs = method.tasks().stream().flatMap(t -> t.epochs().stream()).toList();
    double[] x = epochs.stream().mapToDouble(BnnTask.Epoch::steps).toArray();
    double[] y = epochs.stream().mapToDouble(value).toArray();
    XYSeries series = chart.addSeries(method.method().label() + what, x, y);
    series.setMarker(x.length < MARKED_TESTS ? SeriesMarkers.CIRCLE : SeriesMarkers.NONE);
    series.setLineStyle(line);
    LearnCharts.color(series, index);
  }
}
