package io.metaplast.bench;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import javax.imageio.ImageIO;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.internal.chartpart.IChart;
import org.knowm.xchart.style.AxesChartStyler;
import org.knowm.xchart.style.Styler;

/** Charts of the report, in one style. */
final class Charts {
  /** One colour a lane, the same in every chart and table. */
  static final Map<String, Color> LANE_COLORS = laneColors();

  private static final Color INK = new Color(0x24, 0x2c, 0x38);
  private static final Color FAINT = new Color(0xd9, 0xde, 0xe5);
  private static final int SHARPNESS = 2;

  private Charts() {}

  private static Map<String, Color> laneColors() {
    Map<String, Color> colors = new LinkedHashMap<>();
    colors.put("java", new Color(0xc7, 0x7c, 0x2b));
    colors.put("scalar", new Color(0x9a, 0xa5, 0xb1));
    colors.put("avx2", new Color(0x4c, 0x93, 0xc6));
    colors.put("avx512", new Color(0x1f, 0x5a, 0x94));
    colors.put("cuda", new Color(0x4f, 0x9d, 0x4f));
    return colors;
  }

  /** Speed of every lane relative to Java, grouped by section. */
  static CategoryChart relativeToJava(List<Comparison.Section> sections) {
    CategoryChart chart =
        new CategoryChartBuilder().width(980).height(380).title("Speed relative to the Java backend").yAxisTitle("times Java, same threads")
            .build();
    style(chart.getStyler());
    chart.getStyler().setAvailableSpaceFill(0.7);
    chart.getStyler().setLabelsVisible(true);
    chart.getStyler().setLabelsFont(font(10, Font.PLAIN));
    chart.getStyler().setLabelsPosition(0.98);
    chart.getStyler().setDecimalPattern("0.0");
    List<Comparison.Section> usable = sections.stream().filter(section -> time(section, "java") != null).toList();
    List<String> names = usable.stream().map(section -> shortTitle(section)).toList();
    TreeSet<String> present = new TreeSet<>();
    usable.forEach(section -> section.lines().forEach(line -> present.add(line.name())));
    LANE_COLORS.forEach(
        (lane, color) -> {
          if (present.contains(lane)) {
            List<Double> values = new ArrayList<>();
            for (Comparison.Section section : usable) {
              Double mine = time(section, lane);
              values.add(mine == null ? null : time(section, "java") / mine);
            }
            chart.addSeries(lane, names, values).setFillColor(color);
          }
        });
    return chart;
  }

  /** Operations of the Kronecker family a second on every lane, grouped by section. */
  static CategoryChart operations(List<Comparison.Section> sections) {
    CategoryChart chart =
        new CategoryChartBuilder().width(980).height(380).title("Kronecker family").yAxisTitle("GFLOP/s").build();
    style(chart.getStyler());
    chart.getStyler().setAvailableSpaceFill(0.7);
    List<String> names = sections.stream().map(Comparison.Section::id).toList();
    LANE_COLORS.forEach(
        (lane, color) -> {
          if (sections.stream().anyMatch(section -> time(section, lane) != null)) {
            List<Double> values = new ArrayList<>();
            for (Comparison.Section section : sections) {
              values.add(
                  section.lines().stream().filter(line -> line.name().equals(lane)).map(line -> line.itemsPerSecond() * 1e-9).findFirst().orElse(null));
            }
            chart.addSeries(lane, names, values).setFillColor(color);
          }
        });
    return chart;
  }

  /** Gives a chart made elsewhere the style of the report. */
  static XYChart restyled(XYChart chart) {
    style(chart.getStyler());
    chart.getStyler().setLegendPosition(Styler.LegendPosition.OutsideE);
    return chart;
  }

  /** A chart as PNG, drawn at twice its size so that it stays sharp. */
  static byte[] png(IChart chart) throws IOException {
    BufferedImage image = new BufferedImage(chart.getWidth() * SHARPNESS, chart.getHeight() * SHARPNESS, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = image.createGraphics();
    graphics.scale(SHARPNESS, SHARPNESS);
    chart.paint(graphics, chart.getWidth(), chart.getHeight());
    graphics.dispose();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    ImageIO.write(image, "png", bytes);
    return bytes.toByteArray();
  }

  static String shortTitle(Comparison.Section section) {
    return switch (section.id()) {
      case "mesu-l2" -> "step, cache";
      case "mesu-memory" -> "step, memory";
      case "mesu-eager" -> "ratio step, 1 M";
      case "sample-l2" -> "sample, cache";
      case "sample-memory" -> "sample, memory";
      case "fused" -> "step + sample";
      case "mesu-bf16" -> "step, bf16";
      case "bgd" -> "BGD step";
      case "accumulate-l2" -> "accumulate";
      default -> section.id().replace("training-", "training, ") + (section.id().startsWith("training") ? " thr." : "");
    };
  }

  private static Double time(Comparison.Section section, String line) {
    return section.lines().stream().filter(l -> l.name().equals(line)).map(l -> l.nanos().median()).findFirst().orElse(null);
  }

  private static void style(AxesChartStyler styler) {
    styler.setBaseFont(font(12, Font.PLAIN));
    styler.setChartTitleFont(font(15, Font.BOLD));
    styler.setAxisTitleFont(font(12, Font.PLAIN));
    styler.setAxisTickLabelsFont(font(11, Font.PLAIN));
    styler.setLegendFont(font(11, Font.PLAIN));
    styler.setChartBackgroundColor(Color.WHITE);
    styler.setPlotBackgroundColor(Color.WHITE);
    styler.setLegendBackgroundColor(Color.WHITE);
    styler.setLegendBorderColor(Color.WHITE);
    styler.setPlotBorderVisible(false);
    styler.setPlotGridVerticalLinesVisible(false);
    styler.setPlotGridLinesColor(FAINT);
    styler.setPlotGridLinesStroke(new BasicStroke(1f));
    styler.setChartFontColor(INK);
    styler.setXAxisTickLabelsColor(INK);
    styler.setYAxisTickLabelsColor(INK);
    styler.setLegendPosition(Styler.LegendPosition.OutsideE);
    styler.setChartPadding(12);
  }

  private static Font font(int size, int weight) {
    return new Font(Font.SANS_SERIF, weight, size);
  }
}
