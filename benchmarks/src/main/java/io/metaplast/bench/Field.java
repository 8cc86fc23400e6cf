package io.metaplast.bench;

import io.metaplast.Backend;
import io.metaplast.BackendKind;
import io.metaplast.bench.Comparison.Line;
import io.metaplast.bench.Comparison.Role;
import io.metaplast.bench.Comparison.Section;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** The contenders of one section and everything they hold. */
final class Field implements AutoCloseable {
  private final String id;
  private final String title;
  private final String unit;
  private final long n;
  private final int threads;
  private final List<AutoCloseable> owned = new ArrayList<>();
  private final List<Contest.Contender> contenders = new ArrayList<>();
  private final Map<String, Entry> entries = new LinkedHashMap<>();
  private final Map<String, Backend> backends = new LinkedHashMap<>();
  private final Map<String, String> facts = new LinkedHashMap<>();
  private final Comparison.Plan plan;
  private final List<Lane> lanes;
  private final boolean pytorch;
  private final Consumer<String> progress;
  private TrainingPhases phases;
  private double ceiling;

  private record Entry(Role role, double items, double bytes, String checked) {}

  Field(Comparison comparison, String id, String title, String unit, long n, int threads) {
    this.plan = comparison.plan();
    this.lanes = comparison.lanes();
    this.pytorch = comparison.pytorch();
    this.progress = comparison.progress();
    this.id = id;
    this.title = title;
    this.unit = unit;
    this.n = n;
    this.threads = threads;
  }

  <T extends AutoCloseable> T own(T resource) {
    owned.add(resource);
    return resource;
  }

  void phases(TrainingPhases measured) {
    phases = measured;
  }

  /** Arithmetic binds, not memory: the roof is so many items a nanosecond. */
  void ceiling(double itemsPerNano) {
    ceiling = itemsPerNano;
  }

  void fact(String name, String value) {
    facts.put(name, value);
  }

  Backend backend(Lane lane) {
    return backends.computeIfAbsent(lane.label(), label -> own(lane.open(threads)));
  }

  void addLanes(Workload.Factory factory) {
    addLanes(factory, lanes);
  }

  void addLanes(Workload.Factory factory, List<Lane> some) {
    Outputs expected = expected(factory);
    for (Lane lane : some) {
      addOurs(lane.label(), lane, factory, expected, Role.OURS);
    }
  }

  /** Lanes whose results are checked against published bounds. */
  void addBoundedLanes(Workload.Factory factory, List<Lane> some) {
    for (Lane lane : some) {
      addOurs(lane.label(), lane, factory, null, Role.OURS);
    }
  }

  void addOwnPeer(Lane lane, String name, Workload.Factory factory) {
    addOurs(name, lane, factory, expected(factory), Role.PEER);
  }

  private Outputs expected(Workload.Factory factory) {
    try (Backend java = Lane.JAVA.open(1); Workload workload = factory.make(java)) {
      workload.run();
      return workload.outputs();
    }
  }

  private boolean cpuTime() {
    return plan.cpuTime() && threads == 1;
  }

  private void addOurs(String name, Lane lane, Workload.Factory factory, Outputs expected, Role role) {
    if (cpuTime() && lane.kind() == BackendKind.CUDA) {
      // the calling thread only waits for the device
      return;
    }
    Workload workload = own(factory.make(backend(lane)));
    workload.run();
    Outputs outputs = workload.outputs();
    String difference = workload.bounded() ? outputs.broken() : outputs.firstDifference(expected);
    if (difference != null) {
      throw new IllegalStateException(title + ": " + name + " is wrong, so it is not timed: " + difference);
    }
    add(name, workload::run, new Entry(role, workload.items(), workload.bytes(), workload.bounded() ? "within bound" : "all bits"));
  }

  void addPeer(String name, String work) {
    PyTorchPeer peer = own(PyTorchPeer.open(work, Math.toIntExact(n), threads));
    add(name, peer::run, new Entry(Role.PEER, n, peer.bytes(), peer.checked()));
  }

  /** Other software, prepared and checked by the caller. */
  void addPeer(String name, Contest.Body body, double items, String checked) {
    add(name, body, new Entry(Role.PEER, items, 0, checked));
  }

  void addRoofs(long elements) {
    Backend host = backend(Lane.bestHost(lanes));
    for (Roof.Candidate roof : Roof.candidates(host, elements, threads)) {
      addRoof(own(roof), elements);
    }
    if (pytorch) {
      EagerPyTorch.threads(threads);
      addRoof(own(new EagerPyTorch.AddStream(Math.toIntExact(elements))), elements);
    }
  }

  private void addRoof(Roof.Candidate roof, long elements) {
    add(roof.name(), roof, new Entry(Role.ROOF, elements, (double) Roof.BYTES * elements, ""));
  }

  private void add(String name, Contest.Body body, Entry entry) {
    contenders.add(new Contest.Contender(name, body));
    entries.put(name, entry);
  }

  /** With ratios to the fastest of several contenders. */
  Section runAgainstBest(List<String> references) {
    return run(null, references);
  }

  Section run(String reference) {
    return run(reference, List.of());
  }

  private Section run(String fixed, List<String> candidates) {
    Contest contest = new Contest(plan.rounds(), cpuTime() ? 0 : plan.repeats(), threads, cpuTime());
    Contest.Outcome outcome = contest.run(contenders, () -> progress.accept(title));
    double roof = 0;
    double drift = 0;
    for (Contest.Result result : outcome.results()) {
      Entry entry = entries.get(result.name());
      double rate = entry.bytes() / result.nanos().median();
      if (entry.role() == Role.ROOF && rate > roof) {
        roof = rate;
        drift = Stats.drift(result.rounds());
      }
    }
    String reference =
        candidates.stream().min(Comparator.comparingDouble(name -> outcome.of(name).nanos().median())).orElse(fixed);
    double referenceTime = entries.containsKey(reference) ? outcome.of(reference).nanos().median() : 0;
    List<Line> lines = new ArrayList<>();
    for (Contest.Result result : outcome.results()) {
      Entry entry = entries.get(result.name());
      double time = result.nanos().median();
      boolean device = result.name().equals("cuda") || result.name().startsWith(CudaLapackPeer.LABEL);
      lines.add(
          new Line(
              result.name(),
              entry.role(),
              device ? 0 : threads,
              result.nanos(),
              entry.items(),
              entry.bytes(),
              entry.items() / time * 1e9,
              entry.bytes() / time,
              percent(entry, time, roof, device),
              referenceTime == 0 || entry.role() == Role.ROOF ? null : referenceTime / time,
              entry.checked()));
    }
    boolean quotable = outcome.gated() && drift <= Comparison.DRIFT_LIMIT;
    return new Section(
        id, title, unit, reference, lines, plan.rounds(), outcome.dropped(), outcome.others(), drift, cpuTime(), quotable, phases, facts);
  }

  private Double percent(Entry entry, double time, double roof, boolean device) {
    if (device) {
      return null;
    }
    if (ceiling > 0) {
      return 100 * entry.items() / time / ceiling;
    }
    return roof == 0 ? null : 100 * entry.bytes() / time / roof;
  }

  @Override
  public void close() {
    for (int i = owned.size() - 1; i >= 0; i--) {
      try {
        owned.get(i).close();
      } catch (Exception e) {
        throw new IllegalStateException("cannot release a contender of '" + title + "', " + n + " elements", e);
      }
    }
  }
}
