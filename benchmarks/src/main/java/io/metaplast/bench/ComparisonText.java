package io.metaplast.bench;

import com.github.freva.asciitable.AsciiTable;
import com.github.freva.asciitable.Column;
import com.github.freva.asciitable.ColumnData;
import com.github.freva.asciitable.HorizontalAlign;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The comparison as text tables. */
final class ComparisonText {
  static final String NOT_QUOTABLE = "NOT QUOTABLE: the machine was busy, or its memory speed drifted, while this was measured";

  private ComparisonText() {}

  /** One table with its heading and what stands below it. */
  static String of(Comparison.Section section) {
    List<ColumnData<Comparison.Line>> columns = new ArrayList<>();
    columns.add(new Column().header("contender").dataAlign(HorizontalAlign.LEFT).maxWidth(60).with(Comparison.Line::name));
    columns.add(new Column().header("median").with(line -> Texts.time(line.nanos().median())));
    columns.add(new Column().header("min").with(line -> Texts.time(line.nanos().min())));
    columns.add(new Column().header("spread").with(line -> Texts.percent(100 * line.nanos().spread())));
    columns.add(new Column().header(section.unit() + "s").with(line -> items(section, line)));
    if (showsBytes(section)) {
      columns.add(new Column().header("GB/s").with(line -> Texts.number(line.gigabytesPerSecond())));
    }
    if (showsRoof(section)) {
      columns.add(new Column().header("of roof").with(line -> line.percentOfRoof() == null ? "" : Texts.percent(line.percentOfRoof())));
    }
    columns.add(new Column().header("ratio").with(line -> line.ratio() == null ? "" : String.format(Locale.ROOT, "%.2f x", line.ratio())));
    columns.add(new Column().header("checked").with(Comparison.Line::checked));
    StringBuilder text = new StringBuilder();
    text.append(section.title()).append(System.lineSeparator());
    text.append(AsciiTable.getTable(AsciiTable.BASIC_ASCII_NO_DATA_SEPARATORS, section.lines(), columns)).append(System.lineSeparator());
    text.append(footer(section)).append(System.lineSeparator());
    if (!section.quotable()) {
      text.append(NOT_QUOTABLE).append(System.lineSeparator());
    }
    if (section.phases() != null) {
      text.append("  ").append(phasesHeading(section.phases())).append(System.lineSeparator());
      for (TrainingPhases.Phase phase : section.phases().phases()) {
        text.append(String.format(Locale.ROOT, "  %-40s %9s   %s%n", phase.name(), Texts.time(1e3 * phase.micros()), phase.floor()));
      }
    }
    section.facts().forEach((name, value) -> text.append("  ").append(name).append(": ").append(value).append(System.lineSeparator()));
    return text.toString();
  }

  /** What the figures rest on, in one sentence. */
  static String footer(Comparison.Section section) {
    String text =
        String.format(
            Locale.ROOT, "%d interleaved rounds, %s%s; ratio to: %s; other processes used %.2f cores, %d rounds repeated",
            section.rounds(), threads(section), section.cpuTime() ? " (processor time of the thread)" : "", section.ratioTo(),
                section.others(), section.dropped());
    return showsRoof(section) ? text + String.format(Locale.ROOT, "; roof drift %.1f %%", 100 * section.roofDrift()) : text;
  }

  static String phasesHeading(TrainingPhases phases) {
    return "by phase on " + phases.lane() + ", " + phases.how() + "; floor in cycles at " + Texts.number(phases.gigahertz())
        + " GHz, the clock measured:";
  }

  static String items(Comparison.Section section, Comparison.Line line) {
    return line.role() == Comparison.Role.ROOF ? "" : section.unit()
        .equals("training step") ? Texts.rate(1e9 / line.nanos().median()) : Texts.rate(line.itemsPerSecond());
  }

  /** The bytes of a training step mean little: its weights stay in the cache. Those of factors and inverses are far from binding. */
  static boolean showsBytes(Comparison.Section section) {
    return !section.unit().equals("training step") && !section.unit().equals(KfacSections.UNIT);
  }

  static boolean showsRoof(Comparison.Section section) {
    return section.lines().stream().anyMatch(line -> line.percentOfRoof() != null);
  }

  private static String threads(Comparison.Section section) {
    int threads = section.lines().stream().mapToInt(Comparison.Line::threads).max().orElse(0);
    return threads == 1 ? "one thread" : threads + " threads";
  }
}
