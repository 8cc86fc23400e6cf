package io.metaplast.continual;

import java.awt.BasicStroke;
import java.awt.Color;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.function.ToDoubleFunction;
import javax.imageio.ImageIO;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.lines.SeriesLines;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Curves of a run. */
public final class LearnCharts {
  private static final int WIDTH = 960;
  private static final int HEIGHT = 540;
  private static final int MARKED_TASKS = 30;

  /** One per method, in their order; told apart by eyes that see red and green alike (Okabe and Ito). */
  private static final Color[] COLORS = {
    new Color(0x0072b2), new Color(0x009e73), new Color(0x555555), new Color(0xd55e00), new Color(0xcc79a7), new Color(0xe69f00),
    new Color(0x56b4e9)
  };

  private LearnCharts() {}

  /** Accuracy on the newest task and mean over the last five, against tasks learned. */
  public static XYChart accuracy(LearnResult result) {
    XYChart chart = chart("Accuracy while learning (permuted " + kind(result.data()) + ")", "tasks learned", "accuracy, %");
    for (MethodResult method : result.methods()) {
      add(chart, method.method(), ", last five", SeriesLines.SOLID, method.tasks(), t -> 100 * t.lastFive());
      add(chart, method.method(), ", newest", SeriesLines.DOT_DOT, method.tasks(), t -> 100 * t.newest());
    }
    return chart;
  }

  /** Accuracy on every task at the end. */
  public static XYChart end(LearnResult result) {
    XYChart chart = chart("Accuracy on every task at the end (permuted " + kind(result.data()) + ")", "task", "accuracy, %");
    for (MethodResult method : result.methods()) {
      end(chart, method.method().label(), method.tasks().get(method.tasks().size() - 1).tested(), method.method().ordinal());
    }
    return chart;
  }

  /** AUC of uncertainty, newest task against unknown images. */
  public static XYChart uncertainty(LearnResult result) {
    XYChart chart = chart("Telling unknown images by uncertainty (permuted " + kind(result.data()) + ")", "tasks learned", "AUC");
    for (MethodResult method : result.methods()) {
      if (method.summary().outOfDistribution() != null) {
        add(chart, method.method(), ", other data set", SeriesLines.SOLID, method.tasks(), t -> t.outOfDistribution().rank());
      }
      add(chart, method.method(), ", held-out permutation", SeriesLines.DOT_DOT, method.tasks(), t -> t.heldOut().rank());
    }
    return chart;
  }

  /** A chart as PNG. */
  public static byte[] png(XYChart chart) throws IOException {
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    ImageIO.write(BitmapEncoder.getBufferedImage(chart), "png", png);
    return png.toByteArray();
  }

  /** The images of a run in a few words, from their description. */
  static String kind(String data) {
    String first = data.split("[ ;]", 2)[0];
    return first.equals("IDX") ? "images" : first.equals("synthetic") ? "synthetic digits" : first;
  }

  /** An empty chart. */
  static XYChart chart(String title, String x, String y) {
    XYChart chart = new XYChartBuilder().width(WIDTH).height(HEIGHT).title(title).xAxisTitle(x).yAxisTitle(y).build();
    chart.getStyler().setLegendPosition(Styler.LegendPosition.OutsideE);
    chart.getStyler().setChartBackgroundColor(Color.WHITE);
    return chart;
  }

  /** Gives a series the color of method {@code index}. */
  /** Adds the accuracy of one method on every task. */
  static void end(XYChart chart, String label, List<TaskResult.Tested> tested, int color) {
    double[] x = tested.stream().mapToDouble(TaskResult.Tested::task).toArray();
    double[] y = tested.stream().mapToDouble(t -> 100 * t.accuracy()).toArray();
    XYSeries series = chart.addSeries(label, x, y);
    series.setMarker(SeriesMarkers.CIRCLE);
    color(series, color);
  }

  static void color(XYSeries series, int index) {
    Color color = COLORS[index % COLORS.length];
    series.setMarkerColor(color);
    series.setLineColor(color);
  }

  private static void add(
      XYChart chart, LearnMethod method, String what, BasicStroke line, List<TaskResult> tasks, ToDoubleFunction<TaskResult> value) {
    double[] x = tasks.stream().mapToDouble(TaskResult::task).toArray();
    double[] y = tasks.stream().mapToDouble(value).toArray();
    XYSeries series = chart.addSeries(method.label() + what, x, y);
    // A lone point draws no line.
    series.setMarker(x.length < MARKED_TASKS ? SeriesMarkers.CIRCLE : SeriesMarkers.NONE);
    color(series, method.ordinal());
    series.setLineStyle(line);
  }
}
