package io.metaplast.continual;

import com.github.freva.asciitable.AsciiTable;
import com.github.freva.asciitable.Column;
import com.github.freva.asciitable.HorizontalAlign;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.lines.SeriesLines;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** The runs of a campaign side by side. Accuracies are means over all tasks after the last, in percent; differences are paired by seed. */
final class KfacComparison {
  private static final double LEAST_GAIN = 0.2;
  private static final double LEAST_GAIN_WITH_OFFSET = 8;
  private static final double MOST_MOVE = 0.3;

  private final List<KfacCampaign.Run> runs;
  private final int seeds;

  /**
   * Figures of one setting.
   *
   * @param setting memory, optimiser and offset
   * @param methods what was found, by method
   * @param gain extended less plain, paired, or null
   */
  record Line(String setting, Map<String, Spread> methods, Spread gain) {}

  /**
   * Mean and range over seeds.
   *
   * @param seeds how many
   * @param mean mean
   * @param least smallest
   * @param most largest
   */
  record Spread(int seeds, double mean, double least, double most) {
    static Spread of(double[] values) {
      return values.length == 0
          ? null
          : new Spread(
              values.length, Arrays.stream(values).average().orElseThrow(), Arrays.stream(values).min().orElseThrow(),
              Arrays.stream(values).max().orElseThrow());
    }

    String text(String form) {
      return String.format(Locale.ROOT, form, mean) + (seeds == 1 ? " (1 seed)" : String.format(Locale.ROOT, " (" + form + " to " + form + ")", least, most));
    }
  }

  /**
   * What has to hold.
   *
   * @param what in words
   * @param found the figures
   * @param verdict met, not met or open
   */
  record Gate(String what, String found, String verdict) {}

  /**
   * Compares.
   *
   * @param seeds how many of each there are to be
   */
  KfacComparison(List<KfacCampaign.Run> runs, int seeds) {
    this.runs = List.copyOf(runs);
    this.seeds = seeds;
  }

  private OptionalDouble percent(KfacSettings.Memory memory, KfacSettings.Optimizer optimizer, double offset, KfacMethod method, long seed) {
    return runs.stream()
        .filter(r -> r.row().equals(new KfacCampaign.Row(memory, optimizer, offset, method, seed)))
        .mapToDouble(r -> 100 * r.mean())
        .findFirst();
  }

  private long[] seedsSeen() {
    return runs.stream().mapToLong(r -> r.row().seed()).distinct().sorted().toArray();
  }

  private double[] values(KfacSettings.Memory memory, KfacSettings.Optimizer optimizer, double offset, KfacMethod method) {
    return Arrays.stream(seedsSeen())
        .mapToObj(s -> percent(memory, optimizer, offset, method, s))
        .filter(OptionalDouble::isPresent)
        .mapToDouble(OptionalDouble::getAsDouble)
        .toArray();
  }

  /** First less second, for the seeds that have both. */
  private double[] differences(
      KfacSettings.Memory memory, KfacSettings.Optimizer optimizer, double offset1, KfacMethod method1, double offset2, KfacMethod method2) {
    List<Double> found = new ArrayList<>();
    for (long seed : seedsSeen()) {
      OptionalDouble a = percent(memory, optimizer, offset1, method1, seed);
      OptionalDouble b = percent(memory, optimizer, offset2, method2, seed);
      if (a.isPresent() && b.isPresent()) {
        found.add(a.getAsDouble() - b.getAsDouble());
      }
    }
    return found.stream().mapToDouble(Double::doubleValue).toArray();
  }

  /** One line per memory, optimiser and offset. */
  List<Line> lines() {
    List<Line> lines = new ArrayList<>();
    for (KfacSettings.Memory memory : KfacSettings.Memory.values()) {
      for (KfacSettings.Optimizer optimizer : KfacSettings.Optimizer.values()) {
        for (double offset : runs.stream().mapToDouble(r -> r.row().offset()).distinct().sorted().toArray()) {
          Map<String, Spread> methods = new LinkedHashMap<>();
          for (KfacMethod method : KfacMethod.values()) {
            Spread spread = Spread.of(values(memory, optimizer, offset, method));
            if (spread != null) {
              methods.put(method.label(), spread);
            }
          }
          if (!methods.isEmpty()) {
            Spread gain = Spread.of(differences(memory, optimizer, offset, KfacMethod.EXTENDED, offset, KfacMethod.PLAIN));
            String kept = memory == KfacSettings.Memory.PAIR ? "one pair" : "list";
            lines.add(new Line(kept + ", " + optimizer.name().toLowerCase(Locale.ROOT) + ", offset " + offset, methods, gain));
          }
        }
      }
    }
    return lines;
  }

  /** What has to hold for one pair and Adam. */
  List<Gate> gates() {
    KfacSettings.Memory pair = KfacSettings.Memory.PAIR;
    KfacSettings.Optimizer adam = KfacSettings.Optimizer.ADAM;
    double[] gain = differences(pair, adam, 0, KfacMethod.EXTENDED, 0, KfacMethod.PLAIN);
    double[] gainWithOffset = differences(pair, adam, 1, KfacMethod.EXTENDED, 1, KfacMethod.PLAIN);
    double[] move = differences(pair, adam, 1, KfacMethod.EXTENDED, 0, KfacMethod.EXTENDED);
    double[] plain = differences(pair, adam, 0, KfacMethod.PLAIN, 0, KfacMethod.EWC);
    double[] ewc = differences(pair, adam, 0, KfacMethod.EWC, 0, KfacMethod.NONE);
    return List.of(
        gate("offset 0: extended - plain: mean >= 0.2 and > 0 for every seed", gain, s -> s.mean() >= LEAST_GAIN && s.least() > 0),
        gate("offset 1: extended - plain: mean >= 8", gainWithOffset, s -> s.mean() >= LEAST_GAIN_WITH_OFFSET),
        gate("extended, offset 1 - offset 0: mean within 0.3", move, s -> Math.abs(s.mean()) < MOST_MOVE),
        gate("offset 0: plain - EWC: mean > 0", plain, s -> s.mean() > 0),
        gate("offset 0: EWC - none: mean > 0", ewc, s -> s.mean() > 0));
  }

  private Gate gate(String what, double[] differences, java.util.function.Predicate<Spread> condition) {
    Spread spread = Spread.of(differences);
    if (spread == null) {
      return new Gate(what, "no runs yet", "open");
    }
    String verdict = spread.seeds() < seeds ? "open: " + spread.seeds() + " of " + seeds + " seeds" : condition.test(spread) ? "met" : "not met";
    return new Gate(what, spread.text("%+.2f"), verdict);
  }

  /** Both as text. */
  String text() {
    List<Line> lines = lines();
    List<com.github.freva.asciitable.ColumnData<Line>> columns = new ArrayList<>();
    columns.add(new Column().header("kept, optimiser, offset").dataAlign(HorizontalAlign.LEFT).with(Line::setting));
    for (KfacMethod method : KfacMethod.values()) {
      columns.add(new Column().header(method.label() + ", %").with(l -> cell(l.methods().get(method.label()), "%.2f")));
    }
    columns.add(new Column().header("extended - plain, paired").with(l -> cell(l.gain(), "%+.2f")));
    return AsciiTable.getTable(lines, columns)
        + "\nMean accuracy over all tasks after the last, mean over seeds (range).\n"
        + AsciiTable.getTable(
            gates(),
            List.of(
                new Column().header("gate (one pair, Adam)").dataAlign(HorizontalAlign.LEFT).with(Gate::what),
                new Column().header("found").with(Gate::found),
                new Column().header("verdict").with(Gate::verdict)))
        + "\n";
  }

  private static String cell(Spread spread, String form) {
    return spread == null ? "" : spread.text(form);
  }

  private static String start(KfacCampaign.Run run) {
    KfacCampaign.Row row = run.row();
    return String.format(
        Locale.ROOT, "%s,%s,%s,%s,%d", row.memory().name().toLowerCase(Locale.ROOT), row.optimizer().name().toLowerCase(Locale.ROOT), row.offset(),
        row.method().label(), row.seed());
  }

  /** One line per run. */
  String runsTable() {
    StringBuilder csv = new StringBuilder("memory,optimizer,offset,method,seed,tasks,mean,newest_mean,first,last,train_s,curvature_s,test_s,ms_per_step\n");
    for (KfacCampaign.Run run : runs) {
      KfacResult.Summary s = KfacResult.Method.of(run.row().method(), run.tasks()).summary();
      csv.append(start(run))
          .append(
              String.format(
                  Locale.ROOT, ",%d,%.6f,%.6f,%.6f,%.6f,%.1f,%.1f,%.1f,%.3f%n", s.tasks(), s.mean(), s.newestMean(), s.first(), s.last(), s.trainSeconds(),
                  s.curvatureSeconds(), s.testSeconds(), s.millisPerStep()));
    }
    return csv.toString();
  }

  /** One line per test. */
  String accuracyTable() {
    StringBuilder csv = new StringBuilder("memory,optimizer,offset,method,seed,after_task,task,accuracy\n");
    for (KfacCampaign.Run run : runs) {
      for (KfacTask task : run.tasks()) {
        for (TaskResult.Tested tested : task.tested()) {
          csv.append(start(run)).append(String.format(Locale.ROOT, ",%d,%d,%.4f%n", task.task(), tested.task(), tested.accuracy()));
        }
      }
    }
    return csv.toString();
  }

  /** Accuracy at the end against the offset of the pixels. */
  XYChart offsetChart(String kind) {
    XYChart chart = LearnCharts.chart("All tasks after the last (permuted " + kind + ", Adam)", "offset of the pixels", "mean accuracy, %");
    for (KfacSettings.Memory memory : KfacSettings.Memory.values()) {
      for (KfacMethod method : KfacMethod.values()) {
        double[] x =
            runs.stream()
                .map(KfacCampaign.Run::row)
                .filter(r -> r.memory() == memory && r.optimizer() == KfacSettings.Optimizer.ADAM && r.method() == method)
                .mapToDouble(KfacCampaign.Row::offset)
                .distinct()
                .sorted()
                .toArray();
        if (x.length > 0) {
          double[] y = Arrays.stream(x).map(o -> Spread.of(values(memory, KfacSettings.Optimizer.ADAM, o, method)).mean()).toArray();
          boolean pair = memory == KfacSettings.Memory.PAIR;
          XYSeries series = chart.addSeries(method.label() + (pair ? ", one pair" : ", list"), x, y);
          series.setMarker(SeriesMarkers.CIRCLE);
          series.setLineStyle(pair ? SeriesLines.SOLID : SeriesLines.DOT_DOT);
          LearnCharts.color(series, method.ordinal());
        }
      }
    }
    return chart;
  }

  /** Mean accuracy over the tasks so far while learning, mean over seeds. */
  XYChart accuracyChart(String kind, double offset) {
    XYChart chart =
        LearnCharts.chart("Accuracy while learning (permuted " + kind + ", one pair, offset " + offset + ")", "tasks learned", "mean of tasks so far, %");
    for (KfacMethod method : KfacMethod.values()) {
      List<KfacCampaign.Run> chosen =
          runs.stream()
              .filter(r -> r.row().memory() == KfacSettings.Memory.PAIR && r.row().offset() == offset && r.row().method() == method)
              .toList();
      if (!chosen.isEmpty()) {
        int count = chosen.get(0).tasks().size();
        double[] x = new double[count];
        double[] y = new double[count];
        for (int t = 0; t < count; t++) {
          int task = t;
          x[t] = t + 1;
          y[t] = chosen.stream().mapToDouble(r -> 100 * r.tasks().get(task).mean()).average().orElseThrow();
        }
        XYSeries series = chart.addSeries(method.label(), x, y);
        series.setMarker(SeriesMarkers.CIRCLE);
        LearnCharts.color(series, method.ordinal());
      }
    }
    return chart;
  }
}
