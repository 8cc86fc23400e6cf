package io.metaplast.bench;

import com.github.freva.asciitable.AsciiTable;
import com.github.freva.asciitable.Column;
import com.github.freva.asciitable.HorizontalAlign;
import io.metaplast.Backend;
import io.metaplast.BackendKind;
import io.metaplast.Metaplast;
import io.metaplast.Stream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Runs every kernel on every lane and compares bits: the Java backend on one thread with stored hashes, everything else with the Java
 * backend. Where the contract gives a bound instead of bits, results are compared with sums in double, and bit for bit with the same lane on other threads. One and three
 * threads count as separate checks.
 */
final class Verification {
  /**
   * What one lane did in one row.
   *
   * @param checks comparisons made
   * @param words 32-bit words compared
   * @param failures comparisons that failed
   * @param firstFailure the first of them in words, or ""
   * @param bounded whether results were compared with published bounds instead of bits
   */
  record Cell(int checks, long words, int failures, String firstFailure, boolean bounded) {}

  /**
   * One kernel.
   *
   * @param kernel name of the row
   * @param cells by lane label
   */
  record Row(String kernel, Map<String, Cell> cells) {}

  private static final int[] THREADS = {1, 3};
  private static final long HASH_START = 0xcbf29ce484222325L;

  private final List<Lane> lanes;
  private final Map<String, Long> stored;

  Verification(List<Lane> lanes) {
    this(lanes, readStored());
  }

  Verification(List<Lane> lanes, Map<String, Long> stored) {
    this.lanes = lanes;
    this.stored = stored;
  }

  /** Runs all rows; calls back after each. */
  List<Row> run(Consumer<String> afterRow) {
    List<Row> rows = new ArrayList<>();
    try (OpenLanes open = new OpenLanes(lanes)) {
      for (KernelChecks.KernelCheck check : KernelChecks.ALL) {
        rows.add(row(check, open));
        afterRow.accept(check.kernel());
      }
    }
    return rows;
  }

  /** Hashes of all rows as the Java backend computes them, in the format of the stored file. */
  static Map<String, Long> hashes() {
    Map<String, Long> hashes = new LinkedHashMap<>();
    try (Backend java = Lane.JAVA.open(1)) {
      for (KernelChecks.KernelCheck check : KernelChecks.ALL) {
        long hash = HASH_START;
        for (int n : check.sizes()) {
          hash = outputs(check, java, n).hash(hash);
        }
        hashes.put(check.kernel(), hash);
      }
    }
    return hashes;
  }

  static int failures(List<Row> rows) {
    return rows.stream().flatMap(row -> row.cells().values().stream()).mapToInt(Cell::failures).sum();
  }

  /** Comparisons of results whose bits belong to a backend. */
  static int boundedChecks(List<Row> rows) {
    return rows.stream().flatMap(row -> row.cells().values().stream()).filter(Cell::bounded).mapToInt(Cell::checks).sum();
  }

  static int checks(List<Row> rows) {
    return rows.stream().flatMap(row -> row.cells().values().stream()).mapToInt(Cell::checks).sum();
  }

  /** The table, followed by the failures in words. */
  static String format(List<Row> rows, List<Lane> lanes) {
    List<com.github.freva.asciitable.ColumnData<Row>> columns = new ArrayList<>();
    columns.add(new Column().header("kernel").dataAlign(HorizontalAlign.LEFT).with(Row::kernel));
    for (Lane lane : lanes) {
      columns.add(new Column().header(lane.label()).dataAlign(HorizontalAlign.RIGHT).with(row -> text(row.cells().get(lane.label()))));
    }
    StringBuilder text = new StringBuilder(AsciiTable.getTable(AsciiTable.BASIC_ASCII_NO_DATA_SEPARATORS, rows, columns));
    for (Row row : rows) {
      row.cells()
          .forEach(
              (lane, cell) -> {
                if (cell.failures() > 0) {
                  text.append(System.lineSeparator()).append("FAILED ").append(row.kernel()).append(" on ").append(lane).append(": ")
                      .append(cell.firstFailure());
                }
              });
    }
    return text.toString();
  }

  static String text(Cell cell) {
    if (cell.checks() == 0) {
      return "not there";
    }
    return cell.failures() == 0 ? cell.checks() + (cell.bounded() ? " within bound" : " ok") : cell.failures() + " of " + cell.checks() + " FAILED";
  }

  private Row row(KernelChecks.KernelCheck check, OpenLanes open) {
    Map<String, Tally> tallies = new LinkedHashMap<>();
    lanes.forEach(lane -> tallies.put(lane.label(), new Tally()));
    Backend java = open.backends.get(Lane.JAVA.label()).get(0);
    long hash = HASH_START;
    for (int n : check.sizes()) {
      Outputs expected;
      try {
        expected = outputs(check, java, n);
      } catch (RuntimeException e) {
        tallies.get(Lane.JAVA.label()).fail("n = " + n + ": " + e);
        continue;
      }
      hash = expected.hash(hash);
      Tally own = tallies.get(Lane.JAVA.label());
      own.bounded |= expected.bounded();
      if (expected.broken() != null) {
        own.fail("n = " + n + ": " + expected.broken());
      }
      for (Lane lane : lanes) {
        Outputs first = null;
        for (Backend backend : open.backends.get(lane.label())) {
          if (backend == java) {
            first = expected;
          } else {
            Outputs outputs = compare(check, backend, n, expected, first, tallies.get(lane.label()));
            first = first == null ? outputs : first;
          }
        }
      }
    }
    Long wanted = stored.get(check.kernel());
    Tally tally = tallies.get(Lane.JAVA.label());
    if (wanted == null) {
      tally.fail("no stored hash for this kernel");
    } else if (wanted != hash) {
      tally.fail(String.format("hash %016x instead of the stored %016x", hash, wanted));
    } else {
      tally.checks++;
    }
    Map<String, Cell> cells = new LinkedHashMap<>();
    tallies.forEach((label, t) -> cells.put(label, new Cell(t.checks, t.words, t.failures, t.first, t.bounded)));
    return new Row(check.kernel(), cells);
  }

  /**
   * Compares one run with the Java backend's, and with the run of the same lane on other threads.
   *
   * @param other that run, or null
   * @return the results, or null if there are none
   */
  private static Outputs compare(KernelChecks.KernelCheck check, Backend backend, int n, Outputs expected, Outputs other, Tally tally) {
    String at = "n = " + n + ", " + backend.options().threads() + " threads: ";
    try {
      Outputs outputs = outputs(check, backend, n);
      String difference = outputs.firstDifference(expected);
      if (difference == null && other != null) {
        difference = outputs.firstBitDifference(other);
      }
      tally.bounded |= outputs.bounded();
      if (difference != null) {
        tally.fail(at + difference);
      } else {
        tally.checks++;
        tally.words += outputs.words();
      }
      return outputs;
    } catch (UnsupportedOperationException e) {
      // a device without this family; the host backends have every kernel
      if (backend.info().kind() != BackendKind.CUDA) {
        tally.fail(at + e);
      }
    } catch (RuntimeException e) {
      tally.fail(at + e);
    }
    return null;
  }

  private static Outputs outputs(KernelChecks.KernelCheck check, Backend backend, int n) {
    Outputs outputs = new Outputs();
    try (Stream stream = backend.newStream()) {
      check.body().run(backend, stream, new HostData(0x9e3779b97f4a7c15L * n + check.kernel().hashCode()), n, outputs);
    }
    return outputs;
  }

  private static Map<String, Long> readStored() {
    Map<String, Long> hashes = new LinkedHashMap<>();
    String name = "verification-" + Metaplast.NUMERICS_VERSION + ".txt";
    try (InputStream in = Verification.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("no stored hashes for numerics version " + Metaplast.NUMERICS_VERSION + " (" + name + ")");
      }
      BufferedReader reader = new BufferedReader(new InputStreamReader(in, StandardCharsets.US_ASCII));
      reader.lines().filter(line -> !line.startsWith("#"))
          .forEach(line -> hashes.put(line.substring(17), Long.parseUnsignedLong(line.substring(0, 16), 16)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return hashes;
  }

  private static final class Tally {
    private int checks;
    private long words;
    private int failures;
    private String first = "";
    private boolean bounded;

    private void fail(String message) {
      checks++;
      failures++;
      if (first.isEmpty()) {
        first = message;
      }
    }
  }

  /** Every lane opened with each thread count. */
  private static final class OpenLanes implements AutoCloseable {
    private final Map<String, List<Backend>> backends = new LinkedHashMap<>();

    private OpenLanes(List<Lane> lanes) {
      for (Lane lane : lanes) {
        List<Backend> opened = new ArrayList<>();
        backends.put(lane.label(), opened);
        for (int threads : lane.kind() == BackendKind.CUDA ? new int[] {1} : THREADS) {
          opened.add(lane.open(threads));
        }
      }
    }

    @Override
    public void close() {
      backends.values().forEach(opened -> opened.forEach(Backend::close));
    }
  }
}
