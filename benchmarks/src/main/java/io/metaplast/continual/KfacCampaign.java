package io.metaplast.continual;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.metaplast.BackendOptions;
import io.metaplast.bench.Machine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import org.knowm.xchart.XYChart;

/**
 * All settings that are compared, over several seeds, the ones that decide first. Every run has a folder of its own, so that several
 * processes can share the work: each takes the next run that is neither finished nor taken.
 */
final class KfacCampaign {
  private static final int MILLIS_BETWEEN_TRIES = 200;

  private final LearnData data;
  private final KfacSettings base;
  private final int seeds;
  private final int tasks;
  private final BackendOptions backend;
  private final Path folder;

  /** One run. */
  record Row(KfacSettings.Memory memory, KfacSettings.Optimizer optimizer, double offset, KfacMethod method, long seed) {
    /** Name of its folder. */
    String label() {
      return String.format(Locale.ROOT, "%s-%s-offset%s-%s-seed%d", memory, optimizer, offset, method.label(), seed).toLowerCase(Locale.ROOT);
    }
  }

  /**
   * A finished run.
   *
   * @param row what was run
   * @param tasks what was measured after every task
   * @param environment backend and libraries
   */
  record Run(Row row, List<KfacTask> tasks, Map<String, String> environment) {
    /** Copies. */
    Run {
      tasks = List.copyOf(tasks);
    }

    /** Mean accuracy over all tasks after the last. */
    double mean() {
      return tasks.get(tasks.size() - 1).mean();
    }
  }

  /** What all runs have in common. */
  record Common(
      int numericsVersion, String train, String test, String data, long firstSeed, int tasks, int hidden, int epochs, int batch, int images, int testImages,
      int curvatureBatches, double weightDecay) {}

  /** What the campaign found. */
  record Summary(
      Common settings, Machine machine, Map<String, String> environment, int finishedRuns, int plannedRuns, List<KfacComparison.Line> lines,
      List<KfacComparison.Gate> gates) {}

  /**
   * Prepares.
   *
   * @param base settings; memory, optimiser, offset and seed are set for each run
   * @param seeds number of seeds, from that of {@code base} on
   */
  KfacCampaign(LearnData data, KfacSettings base, int seeds, int tasks, BackendOptions backend, Path folder) {
    if (seeds < 1) {
      throw new IllegalArgumentException("seeds = " + seeds + " must be >= 1");
    }
    this.data = data;
    this.base = base;
    this.seeds = seeds;
    this.tasks = tasks;
    this.backend = backend;
    this.folder = folder;
  }

  /** All runs, in the order in which they are worth having. */
  List<Row> rows() {
    List<Row> rows = new ArrayList<>();
    KfacSettings.Optimizer adam = KfacSettings.Optimizer.ADAM;
    for (KfacSettings.Memory memory : KfacSettings.Memory.values()) {
      for (long seed = base.seed(); seed < base.seed() + seeds; seed++) {
        for (double offset : new double[] {0, 1}) {
          rows.add(new Row(memory, adam, offset, KfacMethod.EXTENDED, seed));
          rows.add(new Row(memory, adam, offset, KfacMethod.PLAIN, seed));
          rows.add(new Row(memory, adam, offset, KfacMethod.EWC, seed));
          if (memory == KfacSettings.Memory.PAIR) {
            rows.add(new Row(memory, adam, offset, KfacMethod.NONE, seed));
          }
        }
      }
    }
    for (long seed = base.seed(); seed < base.seed() + seeds; seed++) {
      for (double offset : new double[] {0.5, 2}) {
        rows.add(new Row(KfacSettings.Memory.PAIR, adam, offset, KfacMethod.EXTENDED, seed));
        rows.add(new Row(KfacSettings.Memory.PAIR, adam, offset, KfacMethod.PLAIN, seed));
      }
      rows.add(new Row(KfacSettings.Memory.PAIR, adam, 0, KfacMethod.MERGED, seed));
      rows.add(new Row(KfacSettings.Memory.PAIR, adam, 1, KfacMethod.MERGED, seed));
      rows.add(new Row(KfacSettings.Memory.LIST, KfacSettings.Optimizer.SGD, 0, KfacMethod.EXTENDED, seed));
      rows.add(new Row(KfacSettings.Memory.LIST, KfacSettings.Optimizer.SGD, 0, KfacMethod.PLAIN, seed));
    }
    return rows;
  }

  private Path runs() {
    return folder.resolve("runs");
  }

  private Path file(Row row) {
    return runs().resolve(row.label() + ".json");
  }

  /** Runs what is neither finished nor taken, then writes the tables; gives them as text. */
  String run(LearnListener listener) throws IOException {
    open().close();
    Files.createDirectories(runs());
    List<Row> rows = rows();
    for (int i = 0; i < rows.size(); i++) {
      Row row = rows.get(i);
      if (Files.exists(file(row))) {
        continue;
      }
      listener.notice("run " + (i + 1) + " of " + rows.size() + ": " + row.label());
      Path runFolder = runs().resolve(row.label());
      KfacSettings settings = base.withSeed(row.seed()).with(row.memory(), row.optimizer(), row.offset());
      KfacResult result;
      try {
        result =
            KfacExperiment.run(data, settings, new KfacExperiment.Options(tasks, List.of(row.method()), backend, runFolder), listener);
      } catch (RunFolder.BusyException e) {
        listener.notice("another process is at it");
        continue;
      }
      Run finished = new Run(row, result.methods().get(0).tasks(), result.environment());
      AtomicFiles.write(file(row), json().writeValueAsBytes(finished));
      // The tasks are in that file; the weights are not needed any more.
      Files.deleteIfExists(Checkpoint.file(runFolder, row.method().label()));
    }
    return collect();
  }

  private static ObjectMapper json() {
    return new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
  }

  /** The folder, held; waits for other processes. */
  private RunFolder open() throws IOException {
    while (true) {
      try {
        return new RunFolder(folder, common());
      } catch (RunFolder.BusyException e) {
        try {
          Thread.sleep(MILLIS_BETWEEN_TRIES);
        } catch (InterruptedException interrupt) {
          Thread.currentThread().interrupt();
          throw e;
        }
      }
    }
  }

  private Common common() {
    return new Common(
        base.numericsVersion(), base.train(), base.test(), data.description(), base.seed(), tasks, base.hidden(), base.epochs(), base.batch(),
        base.images(), base.testImages(), base.curvatureBatches(), base.weightDecay());
  }

  /** Writes the tables of the finished runs and gives them as text. */
  String collect() throws IOException {
    List<Run> finished = new ArrayList<>();
    Map<String, String> environment = new LinkedHashMap<>();
    for (Row row : rows()) {
      if (Files.exists(file(row))) {
        Run run = json().readValue(file(row).toFile(), Run.class);
        finished.add(run);
        environment.putAll(run.environment());
      }
    }
    KfacComparison comparison = new KfacComparison(finished, seeds);
    String text = KfacExperiment.describe(data, base) + " unless a line says otherwise; " + data.description() + "; " + finished.size() + " of "
        + rows().size() + " runs are finished\n" + comparison.text();
    try (RunFolder files = open()) {
      files.writeJson(
          "summary.json", new Summary(common(), Machine.here(), environment, finished.size(), rows().size(), comparison.lines(), comparison.gates()), Map.of());
      files.writeText("runs.csv", comparison.runsTable());
      files.writeText("accuracy.csv", comparison.accuracyTable());
      files.writeText("summary.txt", text);
      Map<String, Supplier<XYChart>> charts = new LinkedHashMap<>();
      if (!finished.isEmpty()) {
        String kind = LearnCharts.kind(data.description());
        charts.put("offset.png", () -> comparison.offsetChart(kind));
        charts.put("accuracy-offset-0.png", () -> comparison.accuracyChart(kind, 0));
        charts.put("accuracy-offset-1.png", () -> comparison.accuracyChart(kind, 1));
      }
      String problem = files.draw(charts);
      return problem == null ? text : text + problem + "\n";
    }
  }
}
