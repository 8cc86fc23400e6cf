package io.metaplast.continual;

import java.awt.BasicStroke;
import java.util.function.ToDoubleFunction;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.lines.SeriesLines;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Curves of a run of a network with batch norm. */
public final class KfacCharts {
  private KfacCharts() {}

  /** Mean accuracy over the tasks so far, and accuracy on the newest, against tasks learned. */
  public static XYChart accuracy(KfacResult result) {
    XYChart chart =
        LearnCharts.chart("Accuracy while learning (permuted " + LearnCharts.kind(result.data()) + ")", "tasks learned", "accuracy, %");
    for (KfacResult.Method method : result.methods()) {
      add(chart, method, ", mean of tasks so far", SeriesLines.SOLID, t -> 100 * t.mean());
      add(chart, method, ", newest", SeriesLines.DOT_DOT, t -> 100 * t.newest());
    }
    return chart;
  }

  /** Accuracy on every task at the end. */
  public static XYChart end(KfacResult result) {
    XYChart chart =
        LearnCharts.chart("Accuracy on every task at the end (permuted " + LearnCharts.kind(result.data()) + ")", "task", "accuracy, %");
    for (KfacResult.Method method : result.methods()) {
      LearnCharts.end(chart, method.method().label(), method.summary().end(), method.method().ordinal());
    }
    return chart;
  }

  private static void add(XYChart chart, KfacResult.Method method, String what, BasicStroke line, ToDoubleFunction<KfacTask> value) {
    double[] x = method.tasks().stream().mapToDouble(KfacTask::task).toArray();
    double[] y = method.tasks().stream().mapToDouble(value).toArray();
    XYSeries series = chart.addSeries(method.method().label() + what, x, y);
    series.setMarker(SeriesMarkers.CIRCLE);
    series.setLineStyle(line);
    LearnCharts.color(series, method.method().ordinal());
  }
}
