package io.metaplast.bench;

import io.metaplast.BackendKind;
import io.metaplast.bench.BinaryWorkloads.SignProduct;
import io.metaplast.bench.BinaryWorkloads.XnorOutput;
import io.metaplast.bench.Comparison.Line;
import io.metaplast.bench.Comparison.Role;
import io.metaplast.bench.Comparison.Section;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;

/** The sections of the comparison that belong to the binarized family. */
final class BinarySections {
  /** Three vector operations (exclusive or, population count, add) on 512 bits, four a cycle: bits of a product per cycle. */
  static final double BIT_MACS_PER_CYCLE = 512 * 4 / 3.0;

  /** Sixteen lanes, four weights a table lookup, and a lookup and an addition on ports that take two of each a cycle. */
  static final double SIGN_MACS_PER_CYCLE = 2 * 16 * 4;

  private static final int MAC = 2; // operations of a multiply-accumulate, as GEMM libraries count

  /** Layers of binarized networks, batch x outputs x inputs: odd sizes, single items, ten classes, and the papers' networks. */
  static final int[][] LAYERS = {
    {1, 512, 785}, {1, 10, 512}, {1, 4096, 784}, {1, 4096, 4096}, {1, 10, 4096}, {2, 1024, 1024}, {5, 2048, 2048}, {8, 512, 512}, {10, 1000, 785},
    {16, 256, 785}, {20, 12, 144}, {20, 20, 192}, {32, 100, 784}, {32, 1024, 785}, {48, 2048, 512}, {64, 10, 1024}, {64, 2048, 2048}, {64, 512, 4608},
    {100, 10, 512}, {100, 10, 4096}, {100, 512, 784}, {100, 512, 512}, {100, 1024, 784}, {100, 2048, 2048}, {100, 4096, 784}, {100, 4096, 4096},
    {1000, 1024, 1024}, {1024, 128, 1152}, {4096, 256, 1152}, {196, 512, 4608}
  };

  private final Comparison comparison;
  private final List<Lane> lanes;

  BinarySections(Comparison comparison) {
    this.comparison = comparison;
    this.lanes = comparison.lanes();
  }

  /** Adds the sections in order. */
  void addTo(Map<String, Comparison.SectionRun> sections) {
    Comparison.Plan plan = comparison.plan();
    int threads = plan.threads();
    if (plan.peers() || plan.full()) {
      sections.put("bits x bits, 1920 x 1920 x 4608, to int32, one thread", title -> xnor("xnor-1920", title, 1920, 1920, 4608, XnorOutput.INT32, 1));
      sections.put(
          "bits x bits, 1920 x 1920 x 4608, packing of one operand and thresholds included, one thread",
          title -> xnor("xnor-1920-packed", title, 1920, 1920, 4608, XnorOutput.PACK_AND_BITS, 1));
      sections.put("bits x bits, 4096 x 4096 x 4096, to int32, one thread", title -> xnor("xnor-4096", title, 4096, 4096, 4096, XnorOutput.INT32, 1));
      sections.put(
          "bits x bits, 4096 x 4096 x 4096, packing of one operand and thresholds included, one thread",
          title -> xnor("xnor-4096-packed", title, 4096, 4096, 4096, XnorOutput.PACK_AND_BITS, 1));
      if (threads > 1) {
        sections.put(
            "bits x bits, 4096 x 4096 x 4096, to int32, " + threads + " threads",
            title -> xnor("xnor-4096-" + threads, title, 4096, 4096, 4096, XnorOutput.INT32, threads));
      }
      sections.put("30 layer shapes, bits x bits against sgemm, one thread", this::layers);
      sections.put("real x sign, y = x sign(W)^T, 480 x 960 x 1024, one thread", title -> sign("sign-480", title, SignProduct.NT, 480, 960, 1024));
      sections.put("real x sign, y = x sign(W)^T, 100 x 4096 x 4096, one thread", title -> sign("sign-nt", title, SignProduct.NT, 100, 4096, 4096));
      sections.put("real x sign, dx = dy sign(W), 100 x 4096 x 4096, one thread", title -> sign("sign-nn", title, SignProduct.NN, 100, 4096, 4096));
      sections.put(
          "real x sign, dW = dy^T sign(x), 100 x 4096 x 4096, one thread", title -> sign("sign-tn", title, SignProduct.TN, 100, 4096, 4096));
    } else {
      sections.put("bits x bits, 480 x 960 x 4608, to int32, one thread", title -> xnor("xnor-480", title, 480, 960, 4608, XnorOutput.INT32, 1));
      sections.put("real x sign, y = x sign(W)^T, 100 x 1024 x 1024, one thread", title -> sign("sign-nt", title, SignProduct.NT, 100, 1024, 1024));
    }
    sections.put("metaplastic Adam, " + plan.large() / 1_000_000 + " M weights", title -> metaAdam(title, threads));
    int hidden = plan.peers() || plan.full() ? 4096 : 1024;
    sections.put("training step 784-" + hidden + "-" + hidden + "-10, batch 100, " + threads + " threads", title -> training(title, hidden, threads));
  }

  private Section xnor(String id, String title, int m, int n, int k, XnorOutput output, int threads) {
    try (Field field = new Field(comparison, id, title, "multiply-accumulate", (long) m * n, threads)) {
      double gigahertz = Clock.gigahertz();
      field.ceiling(BIT_MACS_PER_CYCLE * gigahertz * threads);
      field.addLanes(BinaryWorkloads.xnor(m, n, k, output), some());
      String reference = "java";
      if (threads == 1 && comparison.plan().peers()) {
        float[] left = signs((long) m * k, 1);
        float[] right = signs((long) n * k, 2);
        for (GemmPeer.Kind kind : GemmPeer.Kind.values()) {
          // u8 x s8 cannot take -1 on the left; 0 and 1 cost the same
          float[] a = kind == GemmPeer.Kind.ONEDNN_INT8 ? absolute(left) : left;
          if (addGemm(field, kind, false, true, m, n, k, a, right) && kind == GemmPeer.Kind.ONEDNN) {
            reference = kind.label();
          }
        }
      }
      Section section = field.run(reference);
      cycles(section, gigahertz * threads, "bit-MAC per cycle", BIT_MACS_PER_CYCLE);
      return section;
    }
  }

  private Section sign(String id, String title, SignProduct product, int batch, int out, int in) {
    try (Field field = new Field(comparison, id, title, "multiply-accumulate", (long) out * in, 1)) {
      double gigahertz = Clock.gigahertz();
      field.addLanes(BinaryWorkloads.sign(product, batch, out, in), some());
      String reference = "java";
      if (comparison.plan().peers()) {
        boolean weights = product != SignProduct.TN;
        float[] left = new HostData(3).normal(batch * (product == SignProduct.NT ? in : out), 1);
        float[] right = signs((long) (weights ? out : batch) * in, 4);
        for (GemmPeer.Kind kind : new GemmPeer.Kind[] {GemmPeer.Kind.OPENBLAS, GemmPeer.Kind.ONEDNN, GemmPeer.Kind.MKL}) {
          boolean there =
              switch (product) {
                case NT -> addGemm(field, kind, false, true, batch, out, in, left, right);
                case NN -> addGemm(field, kind, false, false, batch, in, out, left, right);
                default -> addGemm(field, kind, true, false, out, in, batch, left, right);
              };
          if (there && kind == GemmPeer.Kind.ONEDNN) {
            reference = kind.label();
          }
        }
      }
      Section section = field.run(reference);
      cycles(section, gigahertz, "multiply-accumulates per cycle", SIGN_MACS_PER_CYCLE);
      for (Line line : section.lines()) {
        section.facts().put("GFLOP/s, " + line.name(), Texts.number(MAC * line.items() / line.nanos().median()));
      }
      return section;
    }
  }

  /** All shapes on the best lane, each against the best fp32 product present; one line a shape would drown the report, so the facts hold the table. */
  private Section layers(String title) {
    Lane best = Lane.bestHost(lanes);
    List<Line> lines = new ArrayList<>();
    Map<String, String> facts = new LinkedHashMap<>();
    int dropped = 0;
    double others = 0;
    boolean quotable = true;
    double worst = Double.MAX_VALUE;
    double slowest = 0;
    double largeCost = 0;
    Map<String, Double> costs = new LinkedHashMap<>();
    int rounds = Math.max(5, comparison.plan().rounds() / 3);
    for (int[] shape : LAYERS) {
      String name = shape[0] + " x " + shape[1] + " x " + shape[2];
      try (Field field = new Field(comparison.quiet(rounds), "layers", name, "multiply-accumulate", (long) shape[0] * shape[1], 1)) {
        field.addLanes(BinaryWorkloads.xnor(shape[0], shape[1], shape[2], XnorOutput.INT32), List.of(best));
        float[] left = signs((long) shape[0] * shape[2], 5);
        float[] right = signs((long) shape[1] * shape[2], 6);
        for (GemmPeer.Kind kind : new GemmPeer.Kind[] {GemmPeer.Kind.OPENBLAS, GemmPeer.Kind.ONEDNN}) {
          addGemm(field, kind, false, true, shape[0], shape[1], shape[2], left, right);
        }
        Section one = field.run(best.label());
        Line ours = one.lines().get(0);
        double peer = one.lines().stream().filter(line -> line.role() == Role.PEER).mapToDouble(line -> line.nanos().median()).min().orElse(Double.NaN);
        double time = ours.nanos().median();
        double cost = time / ours.items();
        costs.put(name, cost);
        if (name.equals("100 x 4096 x 4096")) {
          largeCost = cost;
        }
        worst = Math.min(worst, peer / time);
        slowest = Math.max(slowest, cost);
        facts.put(
            name,
            String.format(
                Locale.ROOT, "%s, %.1f x the best sgemm (%s), %s a multiply-accumulate", Texts.time(time), peer / time, Texts.time(peer),
                Texts.number(cost * 1e3) + " ps"));
        dropped += one.dropped();
        others = Math.max(others, one.others());
        quotable &= one.quotable();
        lines.add(
            new Line(
                name, Role.OURS, 1, ours.nanos(), ours.items(), ours.bytes(), ours.itemsPerSecond(), ours.gigabytesPerSecond(), null,
                Double.isNaN(peer) ? null : peer / time, ours.checked()));
      }
    }
    comparison.progress().accept(title);
    facts.put("smallest ratio to the best sgemm", Texts.number(worst));
    facts.put("largest cost over that of 100 x 4096 x 4096", Texts.number(slowest / largeCost));
    return new Section("layers", title, "multiply-accumulate", "the best sgemm, shape by shape", lines, rounds, dropped, others, 0, false, quotable, null, facts);
  }

  private Section metaAdam(String title, int threads) {
    int n = Math.toIntExact(comparison.plan().large()) / 4096 * 4096;
    try (Field field = new Field(comparison, "meta-adam", title, "weight", n, threads)) {
      field.addLanes(BinaryWorkloads.metaAdam(n), some());
      field.addRoofs(n);
      String reference = "java";
      if (comparison.pytorch()) {
        reference = "PyTorch, eager chain";
        field.addPeer(reference, "metaAdamChain");
        field.fact("peer", EagerPyTorch.describe());
      }
      return field.run(reference);
    }
  }

  private Section training(String title, int hidden, int threads) {
    try (Field field = new Field(comparison, "bnn-training", title, "training step", hidden, threads)) {
      Lane best = Lane.bestHost(lanes);
      field.addLanes(BinaryWorkloads.trainingStep(hidden, 100), lanes.stream().filter(lane -> lane.equals(best) || lane.kind() != BackendKind.CPU).toList());
      field.phases(TrainingPhases.binary(best, threads, comparison.plan().rounds(), hidden));
      return field.run("java");
    }
  }

  /** All lanes but the scalar tier, whose products take minutes, unless everything is asked for. */
  private List<Lane> some() {
    return comparison.plan().full() ? lanes : lanes.stream().filter(lane -> !lane.label().equals("scalar")).toList();
  }

  private boolean addGemm(Field field, GemmPeer.Kind kind, boolean ta, boolean tb, int m, int n, int k, float[] left, float[] right) {
    String missing = GemmPeer.missing(kind);
    if (missing != null) {
      field.fact(kind.label(), missing);
      return false;
    }
    if (comparison.pytorch()) {
      EagerPyTorch.threads(1); // sets the threads of the OpenMP runtime that oneDNN shares
    }
    field.addPeer(kind.label(), field.own(GemmPeer.open(kind, ta, tb, m, n, k, left, right, 1)), (double) m * n * k, "64 entries");
    field.fact(kind.label(), GemmPeer.describe(kind));
    return true;
  }

  private static void cycles(Section section, double gigahertz, String unit, double roof) {
    for (Line line : section.lines()) {
      double perCycle = line.items() / line.nanos().median() / gigahertz;
      String text = Texts.number(perCycle) + (line.role() == Role.OURS ? " (" + Texts.percent(100 * perCycle / roof) + " of " + Texts.number(roof) + ")" : "");
      section.facts().put(unit + ", " + line.name(), text);
    }
    section.facts().put("clock", Texts.number(gigahertz) + " GHz, measured");
  }

  private static float[] signs(long n, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] values = new float[Math.toIntExact(n)];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextBoolean() ? 1 : -1;
    }
    return values;
  }

  private static float[] absolute(float[] values) {
    float[] result = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      result[i] = values[i] > 0 ? 1 : 0;
    }
    return result;
  }
}
