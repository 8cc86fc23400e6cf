package io.metaplast.bench;

import io.metaplast.BackendKind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Pattern;

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
  /** A roof that drifts more makes the figures unfit to quote. */
  static final double DRIFT_LIMIT = 0.05;

  private final Plan plan;
  private final List<Lane> lanes;
  private final Consumer<String> progress;
  private final boolean pytorch;
  private Pattern only;

  Comparison(Plan plan, List<Lane> lanes, Consumer<String> progress) {
    this.plan = plan;
    this.lanes = lanes;
    this.progress = progress;
    this.pytorch = plan.peers() && EagerPyTorch.available();
  }

  Plan plan() {
    return plan;
  }

  List<Lane> lanes() {
    return lanes;
  }

  boolean pytorch() {
    return pytorch;
  }

  Consumer<String> progress() {
    return progress;
  }

  /** Leaves out the sections whose title does not contain a match. */
  void only(Pattern pattern) {
    only = pattern;
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

  /** Measures one section. */
  interface SectionRun {
    /** Under this title. */
    Section run(String title);
  }

  /** The same lanes with so many rounds and without a progress bar: for one of many small fields of a section. */
  Comparison quiet(int rounds) {
    Plan few = new Plan(rounds, 2 * rounds, plan.threads(), plan.large(), plan.full(), plan.peers(), plan.cpuTime());
    return new Comparison(few, lanes, title -> { });
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
    new BinarySections(this).addTo(sections);
    new KfacSections(this).addTo(sections);
    if (only != null) {
      sections.keySet().removeIf(title -> !only.matcher(title).find());
    }
    return sections;
  }

  private Section mesu(String id, String title, long n, int threads) {
    try (Field field = new Field(this, id, title, "parameter", n, threads)) {
      field.addLanes(Workloads.mesuStep(n));
      field.addRoofs(n);
      return field.run("java");
    }
  }

  private Section plain(String id, String title, Workload.Factory factory, int threads) {
    try (Field field = new Field(this, id, title, "parameter", plan.large(), threads)) {
      field.addLanes(factory);
      if (threads > 1) {
        field.addRoofs(plan.large());
      }
      return field.run("java");
    }
  }

  private Section eager(String title, int threads) {
    try (Field field = new Field(this, "mesu-eager", title, "parameter", MIDDLE, threads)) {
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
    try (Field field = new Field(this, id, title, "normal", n, threads)) {
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
    try (Field field = new Field(this, "fused", title, "parameter", n, threads)) {
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
    try (Field field = new Field(this, id, title, "training step", IN_CACHE, threads)) {
      field.addLanes(Workloads.trainingStep(false));
      for (Lane lane : lanes) {
        if (plan.full() || lane.equals(Lane.bestHost(lanes))) {
          field.addOwnPeer(lane, lane.label() + ", epsilon stored", Workloads.trainingStep(true));
        }
      }
      field.phases(TrainingPhases.measure(Lane.bestHost(lanes), threads, plan.rounds()));
      return field.run("java");
    }
  }
}
