package io.metaplast.bench;

import io.metaplast.BackendInfo;
import io.metaplast.continual.BnnCharts;
import io.metaplast.continual.BnnResult;
import io.metaplast.continual.EndOfRun;
import io.metaplast.continual.KfacCharts;
import io.metaplast.continual.KfacResult;
import io.metaplast.continual.LearnCharts;
import io.metaplast.continual.LearnResult;
import io.metaplast.continual.MethodResult;
import java.awt.Color;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.knowm.xchart.internal.chartpart.IChart;

/** The report: one HTML file with everything in it, pictures included, so that it can be mailed. */
final class Report {
  private static final String STYLE =
      """
      :root { --ink: #242c38; --soft: #5b6675; --line: #dfe4ea; --panel: #f6f8fa; --accent: #1f5a94; --good: #2c7a3f; --bad: #b3261e; }
      * { box-sizing: border-box; }
      body { font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; color: var(--ink); margin: 0; background: #eceff3; }
      main { max-width: 1080px; margin: 0 auto; background: #fff; padding: 0 48px 48px; }
      header { margin: 0 -48px; padding: 40px 48px 28px; background: linear-gradient(120deg, #16324f, #1f5a94); color: #fff; }
      header h1 { margin: 0; font-size: 30px; letter-spacing: .2px; }
      header p { margin: 6px 0 0; color: #c9dbec; }
      .tiles { display: flex; flex-wrap: wrap; gap: 14px; margin: 24px 0 8px; }
      .tile { flex: 1 1 180px; border: 1px solid var(--line); border-radius: 8px; padding: 12px 16px; }
      .tile b { display: block; font-size: 24px; line-height: 1.25; }
      .tile span { color: var(--soft); font-size: 13px; }
      h2 { font-size: 21px; margin: 40px 0 8px; padding-bottom: 6px; border-bottom: 2px solid var(--accent); }
      h3 { font-size: 16px; margin: 26px 0 6px; }
      p { margin: 6px 0 10px; }
      p.small, .small { color: var(--soft); font-size: 13px; }
      table { border-collapse: collapse; width: 100%; font-size: 13.5px; font-variant-numeric: tabular-nums; margin: 8px 0; }
      th { text-align: right; font-weight: 600; color: var(--soft); border-bottom: 1px solid var(--ink); padding: 4px 8px; }
      td { text-align: right; border-bottom: 1px solid var(--line); padding: 4px 8px; white-space: nowrap; }
      th:first-child, td:first-child { text-align: left; }
      td.bar { width: 26%; text-align: left; }
      .bar i { display: inline-block; height: 12px; border-radius: 2px; vertical-align: middle; }
      tr.roof td { color: var(--soft); font-style: italic; }
      .ok { color: var(--good); } .bad { color: var(--bad); font-weight: 600; }
      .facts { columns: 2; column-gap: 32px; font-size: 13px; margin: 6px 0; padding: 0; list-style: none; }
      .facts li { break-inside: avoid; padding: 1px 0; } .facts b { font-weight: 600; color: var(--soft); }
      dl { display: grid; grid-template-columns: max-content 1fr; gap: 3px 18px; font-size: 14px; margin: 8px 0; }
      dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
      .backend { border: 1px solid var(--line); border-radius: 8px; padding: 8px 16px; margin: 10px 0; }
      .backend summary { cursor: pointer; font-weight: 600; }
      .dot { display: inline-block; width: 10px; height: 10px; border-radius: 50%; margin-right: 8px; }
      .note { background: var(--panel); border-left: 4px solid var(--accent); padding: 10px 16px; margin: 14px 0; font-size: 14px; }
      .warn { border-left-color: var(--bad); }
      img { width: 100%; height: auto; margin: 10px 0; }
      @media print { body { background: #fff; } main { max-width: none; } }
      """;

  private final StringBuilder html = new StringBuilder();

  private Report() {}

  /**
   * Writes the report.
   *
   * @return its path
   */
  static Path write(
      Path folder, Machine machine, List<BackendInfo> backends, List<Lane> lanes, List<Verification.Row> verification,
          List<Comparison.Section> sections,
      LearnResult learned, BnnResult binarized, KfacResult kronecker)
      throws IOException {
    String html = new Report().build(machine, backends, lanes, verification, sections, learned, binarized, kronecker);
    Files.createDirectories(folder);
    Path file = folder.resolve("index.html");
    Files.writeString(file, html, StandardCharsets.UTF_8);
    return file;
  }

  String build(
      Machine machine, List<BackendInfo> backends, List<Lane> lanes, List<Verification.Row> verification, List<Comparison.Section> sections,
      LearnResult learned, BnnResult binarized, KfacResult kronecker)
      throws IOException {
    html.append("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Metaplast report</title><style>").append(STYLE)
        .append("</style></head><body><main>");
    header(machine);
    tiles(lanes, verification, sections, learned);
    machine(machine, backends);
    verification(lanes, verification);
    comparison(sections);
    learning(learned);
    binarized(binarized);
    kronecker(kronecker);
    html.append("</main></body></html>\n");
    return html.toString();
  }

  private void header(Machine machine) {
    String date = DateTimeFormatter.ofPattern("d MMMM yyyy, HH:mm 'UTC'", Locale.ROOT).withZone(ZoneOffset.UTC).format(Instant.now());
    html.append("<header><h1>Metaplast on this machine</h1><p>").append(escape(machine.cpu())).append(" &middot; version ")
        .append(escape(machine.library()))
        .append(" &middot; ").append(date).append("</p></header>");
  }

  private void tiles(List<Lane> lanes, List<Verification.Row> verification, List<Comparison.Section> sections, LearnResult learned) {
    html.append("<div class=\"tiles\">");
    int failures = Verification.failures(verification);
    tile(
        failures == 0 ? Verification.checks(verification) + " right" : failures + " failed",
        "comparisons of " + verification.size() + " kernels, bit for bit or within bounds");
    tile(String.join(", ", lanes.stream().map(Lane::label).toList()), "backends and tiers present");
    for (Comparison.Section section : sections) {
      Comparison.Line best = section.lines().stream().filter(line -> line.role() == Comparison.Role.OURS)
          .min((a, b) -> Double.compare(a.nanos().median(), b.nanos().median())).orElseThrow();
      if (section.id().equals("mesu-memory") && best.percentOfRoof() != null) {
        tile(Texts.percent(best.percentOfRoof()), "of the memory roof, MESU step (" + best.name() + ")");
      } else if (section.id().equals("training-1")) {
        tile(Texts.time(best.nanos().median()), "a training step 784-50-10, K = 10, one thread");
      }
    }
    html.append("</div>");
  }

  private void tile(String value, String caption) {
    html.append("<div class=\"tile\"><b>").append(escape(value)).append("</b><span>").append(escape(caption)).append("</span></div>");
  }

  private void machine(Machine machine, List<BackendInfo> backends) {
    html.append("<h2>Machine</h2><dl>");
    entry("processor", machine.cpu() + ", " + machine.cores() + " logical");
    entry("memory", (machine.memoryBytes() >> 30) + " GiB");
    entry("system", machine.os());
    entry("Java", machine.java());
    entry("JVM options", String.join(" ", machine.javaOptions()));
    entry("commit", machine.commit());
    entry("numerics version", "" + machine.numericsVersion());
    entry("native build", machine.build());
    html.append("</dl>");
    for (BackendInfo info : backends) {
      String name = InfoCommand.name(info.kind());
      html.append("<details class=\"backend\"><summary><span class=\"dot\" style=\"background:")
          .append(info.available() ? "#2c7a3f" : "#b9c0c9").append("\"></span>").append(name).append(" &mdash; ");
      if (info.available()) {
        html.append(escape(info.device())).append(info.isa().isEmpty() ? "" : ", " + escape(info.isa()))
            .append(info.threads() > 0 ? ", " + info.threads() + " threads" : "");
      } else {
        html.append(escape(info.reason()));
      }
      html.append("</summary><dl>");
      info.details().forEach(this::entry);
      html.append("</dl></details>");
    }
  }

  private void entry(String name, String value) {
    html.append("<dt>").append(escape(name)).append("</dt><dd>").append(escape(value.isEmpty() ? "-" : value)).append("</dd>");
  }

  private void verification(List<Lane> lanes, List<Verification.Row> rows) {
    html.append("<h2>Verification</h2><p>Every kernel runs on every backend and tier, on one and on three threads, ")
        .append("over sizes from 0 to 300,007 with awkward values among them. The Java backend is compared with hashes stored in the ")
        .append("source tree, all others with the Java backend. Not one bit may differ. Where bits belong to a backend (inverses, real products), results are ")
        .append("compared with sums in double and the published bound, and bit for bit between one and three threads.</p>");
    html.append("<table><tr><th>kernel</th>");
    lanes.forEach(lane -> html.append("<th>").append(lane.label()).append("</th>"));
    html.append("</tr>");
    for (Verification.Row row : rows) {
      html.append("<tr><td>").append(escape(row.kernel())).append("</td>");
      for (Lane lane : lanes) {
        Verification.Cell cell = row.cells().get(lane.label());
        html.append("<td class=\"").append(cell.failures() == 0 ? "ok" : "bad").append("\" title=\"").append(escape(cell.firstFailure()))
            .append("\">").append(Verification.text(cell)).append("</td>");
      }
      html.append("</tr>");
    }
    html.append("</table>");
  }

  private void comparison(List<Comparison.Section> sections) throws IOException {
    html.append("<h2>Speed</h2><div class=\"note\">Everything in one table ran in one process, in turns, and was verified first. ")
        .append("<b>Roof</b>: the update of a weight must read four numbers and write two, 24 bytes, so memory speed limits it. ")
        .append("The roof lines move exactly that traffic with next to no arithmetic (a Java loop and OpenBLAS additions, best of them), ")
        .append("in the same rounds; &ldquo;of roof&rdquo; is our rate over theirs. In cache the roof is the cache's speed, ")
        .append("and kernels that draw random numbers are limited by arithmetic instead. Ratios compare medians.</div>");
    picture(Charts.relativeToJava(sections), "Speed relative to the Java backend");
    List<Comparison.Section> kronecker = sections.stream().filter(section -> section.unit().equals(KfacSections.UNIT)).toList();
    if (!kronecker.isEmpty()) {
      picture(Charts.operations(kronecker), "Kronecker family, operations a second");
    }
    for (Comparison.Section section : sections) {
      section(section);
    }
  }

  private void section(Comparison.Section section) {
    boolean bytes = ComparisonText.showsBytes(section);
    boolean roof = ComparisonText.showsRoof(section);
    html.append("<h3>").append(escape(section.title())).append("</h3>");
    if (!section.quotable()) {
      html.append("<div class=\"note warn\">").append(escape(ComparisonText.NOT_QUOTABLE)).append(".</div>");
    }
    html.append("<table><tr><th>contender</th><th>median</th><th>min</th><th>spread</th><th>").append(escape(section.unit()))
        .append("s</th>")
        .append(bytes ? "<th>GB/s</th>" : "").append(roof ? "<th>of roof</th>" : "").append("<th>ratio</th><th>speed</th></tr>");
    double fastest = section.lines().stream().mapToDouble(line -> 1 / line.nanos().median()).max().orElse(1);
    for (Comparison.Line line : section.lines()) {
      html.append(line.role() == Comparison.Role.ROOF ? "<tr class=\"roof\">" : "<tr>");
      cell(line.name());
      cell(Texts.time(line.nanos().median()));
      cell(Texts.time(line.nanos().min()));
      cell(Texts.percent(100 * line.nanos().spread()));
      cell(ComparisonText.items(section, line));
      if (bytes) {
        cell(Texts.number(line.gigabytesPerSecond()));
      }
      if (roof) {
        cell(line.percentOfRoof() == null ? "" : Texts.percent(line.percentOfRoof()));
      }
      cell(line.ratio() == null ? "" : String.format(Locale.ROOT, "%.2f", line.ratio()));
      bar(1 / line.nanos().median() / fastest, color(line));
      html.append("</tr>");
    }
    html.append("</table><p class=\"small\">").append(escape(ComparisonText.footer(section))).append("</p>");
    if (section.phases() != null) {
      phases(section.phases());
    }
    if (!section.facts().isEmpty()) {
      html.append("<ul class=\"facts\">");
      section.facts().forEach((name, value) -> html.append("<li><b>").append(escape(name)).append("</b> ").append(escape(value))
          .append("</li>"));
      html.append("</ul>");
    }
  }

  private void phases(TrainingPhases phases) {
    html.append("<p class=\"small\">").append(escape(ComparisonText.phasesHeading(phases)))
        .append("</p><table><tr><th>phase</th><th>time</th><th>floor</th><th></th></tr>");
    double longest = phases.phases().stream().mapToDouble(TrainingPhases.Phase::micros).max().orElse(1);
    for (TrainingPhases.Phase phase : phases.phases()) {
      html.append("<tr>");
      cell(phase.name());
      cell(Texts.time(1e3 * phase.micros()));
      cell(phase.floor());
      bar(phase.micros() / longest, "#1f5a94");
      html.append("</tr>");
    }
    html.append("</table>");
  }

  private void bar(double fraction, String color) {
    html.append(String.format(Locale.ROOT, "<td class=\"bar\"><i style=\"width:%.1f%%;background:%s\"></i></td>", 100 * fraction, color));
  }

  private void learning(LearnResult learned) throws IOException {
    html.append("<h2>Learning</h2><p>").append(escape(learned.experiment())).append(". Data: ").append(escape(learned.data()))
        .append(". A short stream that shows that learning works here; it says nothing about which method is best ")
        .append("(for that: <code>./benchmarks/run learn mesu</code>).</p>");
    html.append("<table><tr><th>method</th><th>tasks</th><th>newest task</th><th>last five</th><th>all tasks</th>")
        .append("<th>AUC, held-out permutation</th><th>us / step</th></tr>");
    for (MethodResult method : learned.methods()) {
      MethodResult.Summary summary = method.summary();
      html.append("<tr>");
      cell(method.method().label());
      cell("" + summary.tasks());
      cell(percent(summary.newestMean()));
      cell(percent(summary.lastFive()));
      cell(percent(summary.allMean()));
      cell(String.format(Locale.ROOT, "%.3f", summary.heldOut().rank()));
      cell(Texts.number(summary.microsecondsPerStep()));
      html.append("</tr>");
    }
    html.append("</table>");
    picture(Charts.restyled(LearnCharts.accuracy(learned)), "Accuracy while learning");
    picture(Charts.restyled(LearnCharts.end(learned)), "Accuracy on every task at the end");
  }

  private void binarized(BnnResult learned) throws IOException {
    html.append("<h3>Binarized network</h3><p>").append(escape(learned.experiment())).append(". Data: ").append(escape(learned.data()))
        .append(". Signs everywhere but at the input; the hidden weights behind them resist being unlearned the more, the larger they are, ")
        .append("but so short a run does not let them grow: differences between methods mean nothing here ")
        .append("(for the published sizes: <code>./benchmarks/run learn bnn</code>).</p>");
    Map<String, EndOfRun> methods = new LinkedHashMap<>();
    learned.methods().forEach(method -> methods.put(method.method().label(), method.summary()));
    ends(methods);
    picture(Charts.restyled(BnnCharts.accuracy(learned)), "Accuracy of the binarized network while learning");
  }

  private void kronecker(KfacResult learned) throws IOException {
    html.append("<h3>Kronecker-factored curvature and batch norm</h3><p>").append(escape(learned.experiment())).append(". Data: ")
        .append(escape(learned.data()))
        .append(". Weights are held by the curvature of earlier tasks. The run is too short for the differences between methods to mean anything ")
        .append("(for the recorded sizes: <code>./benchmarks/run learn kfac</code>).</p>");
    Map<String, EndOfRun> methods = new LinkedHashMap<>();
    learned.methods().forEach(method -> methods.put(method.method().label(), method.summary()));
    ends(methods);
    picture(Charts.restyled(KfacCharts.end(learned)), "Accuracy on every task at the end, Kronecker-factored curvature");
  }

  private void ends(Map<String, EndOfRun> methods) {
    html.append("<table><tr><th>method</th><th>tasks</th><th>mean at the end</th><th>first task</th><th>right after learning</th>")
        .append("<th>ms / step</th></tr>");
    methods.forEach(
        (label, summary) -> {
          html.append("<tr>");
          cell(label);
          cell("" + summary.tasks());
          cell(percent(summary.mean()));
          cell(percent(summary.first()));
          cell(percent(summary.newestMean()));
          cell(String.format(Locale.ROOT, "%.2f", summary.millisPerStep()));
          html.append("</tr>");
        });
    html.append("</table>");
  }

  private void cell(String text) {
    html.append("<td>").append(escape(text)).append("</td>");
  }

  private void picture(IChart chart, String description) throws IOException {
    html.append("<img alt=\"").append(escape(description)).append("\" src=\"data:image/png;base64,")
        .append(Base64.getEncoder().encodeToString(Charts.png(chart))).append("\">");
  }

  private static String percent(double fraction) {
    return String.format(Locale.ROOT, "%.1f %%", 100 * fraction);
  }

  private static String color(Comparison.Line line) {
    if (line.role() == Comparison.Role.ROOF) {
      return "#e3e7ec";
    }
    Color color = Charts.LANE_COLORS.get(line.name());
    return color == null ? "#a88fbf" : String.format(Locale.ROOT, "#%06x", color.getRGB() & 0xffffff);
  }

  static String escape(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;");
  }
}
