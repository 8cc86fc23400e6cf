package io.metaplast.bench;

import io.metaplast.Backend;
import io.metaplast.BackendKind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * The side-by-side comparison: every section verifies its contenders, then times them in interleaved rounds together with a roof measured
 * in the same rounds.
 */
final class Comparison {
  /**
   * One timed contender.
   *
   * @param name what ran, and where
   * @param role what the line is for
   * @param threads threads it may use
   * @param nanos time of one call
   * @param items parameters or normals of one call
   * @param bytes bytes that one call must move
   * @param itemsPerSecond from the median
   * @param gigabytesPerSecond from the median
   * @param percentOfRoof the roof's rate for these bytes is 100; null where memory is not the limit
   * @param ratio time of the reference line over the time of this line; null without reference
   * @param checked how its result was checked before it was timed
   */
  record Line(
      String name, Role role, int threads, Stats nanos, double items, double bytes, double itemsPerSecond, double gigabytesPerSecond,
      Double percentOfRoof, Double ratio, String checked) {}

  /** What a line is for. */
  enum Role {
    /** One of our backends. */
    OURS,
    /** Other software doing the same work, or our own kernels one by one. */
    PEER,
    /** Memory speed. */
    ROOF
  }

  /**
   * One table.
   *
   * @param id short name
   * @param title what was timed
   * @param unit what an item is
   * @param ratioTo what the ratio column compares with
   * @param lines contenders
   * @param rounds rounds kept
   * @param dropped rounds thrown away because of other load
   * @param others processors that others kept busy
   * @param roofDrift change of the roof from the first half of the run to the second
   * @param cpuTime whether processor time of the thread was counted instead of time on the wall
   * @param quotable false when load or drift say that the figures must not be quoted
   * @param phases where the time of a training step goes, or null
   * @param facts further figures, by name
   */
  record Section(
      String id, String title, String unit, String ratioTo, List<Line> lines, int rounds, int dropped, double others, double roofDrift,
      boolean cpuTime, boolean quotable, TrainingPhases phases, Map<String, String> facts) {}

  /**
   * How much to measure.
   *
   * @param rounds rounds per section
   * @param repeats rounds per section that may be repeated because the machine was busy
   * @param threads threads of the multi-threaded sections
   * @param large parameters of the out-of-cache sections
   * @param full more sections and all tiers everywhere
   * @param peers whether to time PyTorch if it is there
   * @param cpuTime whether one-thread sections count processor time instead of time on the wall
   */
  record Plan(int rounds, int repeats, int threads, long large, boolean full, boolean peers, boolean cpuTime) {}

  /** Parameters of the sections that fit the second-level cache of one core: the paper's network. */
  static final long IN_CACHE = Workloads.NETWORK.totalCount();

  private static final long MIDDLE = 1_000_000;
  private static final double DRIFT_LIMIT = 0.05;

  private final Plan plan;
  private final List<Lane> lanes;
  private final Consumer<String> progress;
  private final boolean pytorch;

  Comparison(Plan plan, List<Lane> lanes, Consumer<String> progress) {
    this.plan = plan;
    this.lanes = lanes;
    this.progress = progress;
    this.pytorch = plan.peers() && EagerPyTorch.available();
  }

  /** Number of progress calls that {@link #run()} makes. */
  long progressSteps() {
    return (long) plan.rounds() * sections().size();
  }

  /** Runs all sections. */
  List<Section> run() {
    List<Section> done = new ArrayList<>();
    sections().forEach((title, section) -> done.add(section.run(title)));
    return done;
  }

  private interface SectionRun {
    Section run(String title);
  }

  private Map<String, SectionRun> sections() {
    Map<String, SectionRun> sections = new LinkedHashMap<>();
    int threads = plan.threads();
    sections.put("MESU step, 39,700 parameters (in cache)", title -> mesu("mesu-l2", title, IN_CACHE, 1));
    if (plan.full() || pytorch) {
      sections.put("ratio-limited MESU step, 1 M parameters, against eager tensor code", title -> eager(title, threads));
    }
    sections.put("MESU step, " + plan.large() / 1_000_000 + " M parameters (memory)", title ->
        mesu("mesu-memory", title, plan.large(), threads));
    sections.put("weight sampling, 39,700 parameters (in cache)", title -> sampling("sample-l2", title, IN_CACHE, 1));
    if (plan.full()) {
      sections.put("weight sampling, " + plan.large() / 1_000_000 + " M parameters (memory)", title ->
          sampling("sample-memory", title, plan.large(), threads));
    }
    sections.put("update from K = 1 gradients with the next sample, " + plan.large() / 1_000_000 + " M parameters", title ->
        fused(title, threads));
    sections.put("training step 784-50-10, batch 1, K = 10, one thread", title -> training("training-1", title, 1));
    if (threads > 1) {
      sections.put("training step 784-50-10, batch 1, K = 10, " + threads + " threads", title ->
          training("training-" + threads, title, threads));
    }
    if (plan.full()) {
      sections.put("MESU step with bf16 gradients, " + plan.large() / 1_000_000 + " M parameters", title ->
          plain("mesu-bf16", title, Workloads.mesuStepBf16(plan.large()), threads));
      sections.put("BGD step, " + plan.large() / 1_000_000 + " M parameters", title ->
          plain("bgd", title, Workloads.bgdStep(plan.large()), threads));
      sections.put("gradient accumulation, K = 10, 39,700 parameters", title ->
          plain("accumulate-l2", title, Workloads.gradAccumulate(IN_CACHE, 10, false), 1));
    }
    return sections;
  }

  private Section mesu(String id, String title, long n, int threads) {
    try (Field field = new Field(id, title, "parameter", n, threads)) {
      field.addLanes(Workloads.mesuStep(n));
      field.addRoofs(n);
      return field.run("java");
    }
  }

  private Section plain(String id, String title, Workload.Factory factory, int threads) {
    try (Field field = new Field(id, title, "parameter", plan.large(), threads)) {
      field.addLanes(factory);
      if (threads > 1) {
        field.addRoofs(plan.large());
      }
      return field.run("java");
    }
  }

  private Section eager(String title, int threads) {
    try (Field field = new Field("mesu-eager", title, "parameter", MIDDLE, threads)) {
      field.addLanes(Workloads.ratioStep(MIDDLE));
      field.addRoofs(MIDDLE);
      if (pytorch) {
        field.addPeer("PyTorch, 34 tensor operations", "ratioChain");
        field.addPeer("PyTorch, published rule, in place", "carefulStep");
        field.fact("peer", EagerPyTorch.describe());
        return field.run("PyTorch, 34 tensor operations");
      }
      field.fact("peer", EagerPyTorch.hint());
      return field.run("java");
    }
  }

  private Section sampling(String id, String title, long n, int threads) {
    try (Field field = new Field(id, title, "normal", n, threads)) {
      field.addLanes(Workloads.sample(n, 1));
      if (pytorch) {
        field.addPeer("PyTorch, normal_ + addcmul", "randnSample");
        field.fact("peer", EagerPyTorch.describe());
      } else if (plan.peers()) {
        field.fact("peer", EagerPyTorch.hint());
      }
      double gigahertz = Clock.gigahertz();
      Section section = field.run(pytorch ? "PyTorch, normal_ + addcmul" : "java");
      for (Line line : section.lines()) {
        if (line.role() == Role.OURS && line.threads() == 1 && !line.name().equals("cuda")) {
          section.facts().put("cycles per normal, " + line.name(), Texts.number(line.nanos().median() * gigahertz / line.items()));
        }
      }
      section.facts().put("clock", Texts.number(gigahertz) + " GHz, measured");
      return section;
    }
  }

  private Section fused(String title, int threads) {
    long n = plan.large();
    try (Field field = new Field("fused", title, "parameter", n, threads)) {
      Lane best = Lane.bestHost(lanes);
      List<Lane> some = plan.full() ? lanes : lanes.stream().filter(lane -> lane.equals(best) || lane.kind() != BackendKind.CPU).toList();
      field.addLanes(Workloads.fused(n), some);
      for (Lane lane : some) {
        if (lane.equals(best) || plan.full()) {
          field.addOwnPeer(lane, lane.label() + " unfused: epsilon, accumulate, step, sample", Workloads.unfused(n));
        }
      }
      field.addRoofs(n);
      return field.run(best.label() + " unfused: epsilon, accumulate, step, sample");
    }
  }

  private Section training(String id, String title, int threads) {
    try (Field field = new Field(id, title, "training step", IN_CACHE, threads)) {
      field.addLanes(Workloads.trainingStep(false));
      for (Lane lane : lanes) {
        if (plan.full() || lane.equals(Lane.bestHost(lanes))) {
          field.addOwnPeer(lane, lane.label() + ", epsilon stored", Workloads.trainingStep(true));
        }
      }
      field.phases = TrainingPhases.measure(Lane.bestHost(lanes), threads, plan.rounds());
      return field.run("java");
    }
  }

  /** The contenders of one section and everything they hold. */
  private final class Field implements AutoCloseable {
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
    private TrainingPhases phases;

    private record Entry(Role role, double items, double bytes, String checked) {}

    Field(String id, String title, String unit, long n, int threads) {
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
      String difference = workload.outputs().firstDifference(expected);
      if (difference != null) {
        throw new IllegalStateException(title + ": " + name + " is wrong, so it is not timed: " + difference);
      }
      add(name, workload::run, new Entry(role, workload.items(), workload.bytes(), "all bits"));
    }

    void addPeer(String name, String work) {
      PyTorchPeer peer = own(PyTorchPeer.open(work, Math.toIntExact(n), threads));
      add(name, peer::run, new Entry(Role.PEER, n, peer.bytes(), peer.checked()));
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

    Section run(String reference) {
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
      double referenceTime = entries.containsKey(reference) ? outcome.of(reference).nanos().median() : 0;
      List<Line> lines = new ArrayList<>();
      for (Contest.Result result : outcome.results()) {
        Entry entry = entries.get(result.name());
        double time = result.nanos().median();
        boolean device = result.name().equals("cuda");
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
                roof == 0 || device ? null : 100 * entry.bytes() / time / roof,
                referenceTime == 0 || entry.role() == Role.ROOF ? null : referenceTime / time,
                entry.checked()));
      }
      boolean quotable = outcome.gated() && drift <= DRIFT_LIMIT;
      return new Section(
          id, title, unit, reference, lines, plan.rounds(), outcome.dropped(), outcome.others(), drift, cpuTime(), quotable, phases, facts);
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
}
