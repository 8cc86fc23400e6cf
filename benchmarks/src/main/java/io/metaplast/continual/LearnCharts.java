package io.metaplast.continual;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.function.ToDoubleFunction;
import javax.imageio.ImageIO;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Curves of a run. */
public final class LearnCharts {
  private static final int WIDTH = 960;
  private static final int HEIGHT = 540;

  private LearnCharts() {}

  /** Accuracy on the newest task and mean over the last five, against tasks learned. */
  public static XYChart accuracy(LearnResult result) {
    XYChart chart = chart("Accuracy while learning (" + kind(result) + ")", "tasks learned", "accuracy, %");
    for (MethodResult method : result.methods()) {
      add(chart, method.method().label() + ", last five", method.tasks(), t -> 100 * t.lastFive());
      add(chart, method.method().label() + ", newest", method.tasks(), t -> 100 * t.newest());
    }
    return chart;
  }

  /** Accuracy on every task at the end. */
  public static XYChart end(LearnResult result) {
    XYChart chart = chart("Accuracy on every task at the end (" + kind(result) + ")", "task", "accuracy, %");
    for (MethodResult method : result.methods()) {
      List<TaskResult.Tested> tested = method.tasks().get(method.tasks().size() - 1).tested();
      double[] x = tested.stream().mapToDouble(TaskResult.Tested::task).toArray();
      double[] y = tested.stream().mapToDouble(t -> 100 * t.accuracy()).toArray();
      chart.addSeries(method.method().label(), x, y).setMarker(SeriesMarkers.CIRCLE);
    }
    return chart;
  }

  /** AUC of uncertainty, newest task against unknown images. */
  public static XYChart uncertainty(LearnResult result) {
    XYChart chart = chart("Telling unknown images by uncertainty (" + kind(result) + ")", "tasks learned", "AUC");
    for (MethodResult method : result.methods()) {
      if (method.summary().outOfDistribution() != null) {
        add(chart, method.method().label() + ", other data set", method.tasks(), t -> t.outOfDistribution().rank());
      }
      add(chart, method.method().label() + ", held-out permutation", method.tasks(), t -> t.heldOut().rank());
    }
    return chart;
  }

  /** A chart as PNG. */
  public static byte[] png(XYChart chart) throws IOException {
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    ImageIO.write(BitmapEncoder.getBufferedImage(chart), "png", png);
    return png.toByteArray();
  }

  private static String kind(LearnResult result) {
    String first = result.data().split("[ ;]", 2)[0];
    return first.equals("IDX") ? "permuted images" : "permuted " + (first.equals("synthetic") ? "synthetic digits" : first);
  }

  private static XYChart chart(String title, String x, String y) {
    XYChart chart = new XYChartBuilder().width(WIDTH).height(HEIGHT).title(title).xAxisTitle(x).yAxisTitle(y).build();
    chart.getStyler().setLegendPosition(Styler.LegendPosition.OutsideE);
    return chart;
  }

  private static void add(XYChart chart, String name, List<TaskResult> tasks, ToDoubleFunction<TaskResult> value) {
    double[] x = tasks.stream().mapToDouble(TaskResult::task).toArray();
    double[] y = tasks.stream().mapToDouble(value).toArray();
    // A lone point draws no line.
    chart.addSeries(name, x, y).setMarker(x.length < 30 ? SeriesMarkers.CIRCLE : SeriesMarkers.NONE);
  }
}
