package io.metaplast.bench;

import io.metaplast.Backend;
import io.metaplast.BackendKind;
import io.metaplast.Stream;
import io.metaplast.bench.Comparison.Line;
import io.metaplast.bench.Comparison.Role;
import io.metaplast.bench.Comparison.Section;
import io.metaplast.kfac.DampingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** The sections of the comparison that belong to the Kronecker family. */
final class KfacSections {
  /** What an item is: one operation, a multiplication and an addition counted as two. */
  static final String UNIT = "flop";

  private static final int BATCH = 1024;
  private static final int[] SINGLE = {64, 128, 256, 512, 1024, 2048};
  private static final int LARGE = 4609;

  /** Kept rounds where a round takes a second, and where it takes ten. */
  private static final int FEW = 5;
  private static final int FEWEST = 3;

  /** Two fused multiply-adds a cycle: on 512 bits, on 256. */
  private static final int FLOPS_512 = 64;
  private static final int FLOPS_256 = 32;

  private final Comparison comparison;
  private final List<Lane> lanes;

  KfacSections(Comparison comparison) {
    this.comparison = comparison;
    this.lanes = comparison.lanes().stream().filter(lane -> wanted(comparison, lane)).toList();
  }

  /** All lanes but the scalar tier, unless everything is asked for, and a device without the family. */
  private static boolean wanted(Comparison comparison, Lane lane) {
    return lane.kind() == BackendKind.CUDA ? present(lane) : comparison.plan().full() || !lane.label().equals("scalar");
  }

  /** Whether the backend has this family. */
  static boolean present(Lane lane) {
    try (Backend backend = lane.open(1); Stream stream = backend.newStream(); Workload probe = KfacWorkloads.inverse(1).make(backend)) {
      backend.kfac().damping(DampingMode.SAME, 1, List.of(), stream);
      probe.run();
      return true;
    } catch (UnsupportedOperationException e) {
      return false;
    }
  }

  /** Adds the sections in order. */
  void addTo(Map<String, Comparison.SectionRun> sections) {
    if (!comparison.plan().peers() && !comparison.plan().full()) {
      sections.put(inverseTitle(256), title -> inverse(title, 256));
      sections.put(batchTitle(16), title -> batch(title, 16));
      sections.put(factorTitle(512, 785), title -> factor(title, 512, 785));
      sections.put(preconditionTitle(KfacWorkloads.SMALL), title -> precondition("precondition-100", title, KfacWorkloads.SMALL));
      return;
    }
    for (int n : new int[] {8, 16, 32}) {
      sections.put(batchTitle(n), title -> batch(title, n));
    }
    for (int n : SINGLE) {
      sections.put(inverseTitle(n), title -> inverse(title, n));
    }
    int threads = comparison.plan().threads();
    String several = threads == 1 ? "one thread" : threads + " threads";
    sections.put("damped inverse, n = " + LARGE + ", " + several, title -> large("inverse-" + LARGE, title, KfacWorkloads.inverse(LARGE), LARGE));
    int[] orders = KfacWorkloads.resnet50();
    sections.put(
        "damped inverses of the " + orders.length + " factors of ResNet-50 in one call, " + several,
        title -> large("resnet50", title, KfacWorkloads.inverses(orders), orders));
    sections.put(factorTitle(512, 785), title -> factor(title, 512, 785));
    sections.put(factorTitle(4096, 1153), title -> factor(title, 4096, 1153));
    sections.put(preconditionTitle(KfacWorkloads.DEEP), title -> precondition("precondition-1024", title, KfacWorkloads.DEEP));
    sections.put(preconditionTitle(KfacWorkloads.SMALL), title -> precondition("precondition-100", title, KfacWorkloads.SMALL));
    sections.put("quadratic penalty with gradient, " + network(KfacWorkloads.SMALL) + ", one thread", title -> penalty(title, KfacWorkloads.SMALL));
  }

  private static String inverseTitle(int n) {
    return "damped inverse, n = " + n + ", one thread";
  }

  private static String batchTitle(int n) {
    return "damped inverses of 1,024 matrices in one call, n = " + n + ", one thread";
  }

  private static String factorTitle(int rows, int cols) {
    return "factor X^T X/rows, X " + rows + " x " + cols + ", one thread";
  }

  private static String preconditionTitle(int... widths) {
    return "preconditioning of all layers, " + network(widths) + ", one thread";
  }

  private static String network(int... widths) {
    return String.join("-", java.util.Arrays.stream(widths).mapToObj(Integer::toString).toList());
  }

  private interface PeerMaker {
    LapackPeer open(LapackPeer.Library library);
  }

  /** The peers on the host that are there, by name; OpenBLAS comes first. Beside our device backend stand the libraries of the device, which no ratio refers to. */
  private List<String> addPeers(Field field, String what, int threads, double items, PeerMaker maker, Supplier<CudaLapackPeer> device) {
    List<String> names = new ArrayList<>();
    if (!comparison.plan().peers()) {
      return names;
    }
    for (LapackPeer.Library library : LapackPeer.Library.values()) {
      String missing = library.missing();
      if (missing != null) {
        field.fact(library.label(), missing);
        continue;
      }
      if (comparison.pytorch()) {
        // the OpenMP runtime that libraries share
        EagerPyTorch.threads(threads);
      }
      String name = library.label() + " " + what;
      field.addPeer(name, field.own(maker.open(library)), items, "within bound");
      field.fact(library.label(), library.describe());
      names.add(name);
    }
    boolean callerOnly = comparison.plan().cpuTime() && threads == 1;
    if (!callerOnly && lanes.stream().anyMatch(lane -> lane.kind() == BackendKind.CUDA)) {
      field.fact(CudaLapackPeer.LABEL, addDevicePeer(field, CudaLapackPeer.LABEL + " " + what, items, device));
    }
    return names;
  }

  /** Adds the row, or none where the libraries are missing or fail; returns their versions or why not. */
  private static String addDevicePeer(Field field, String name, double items, Supplier<CudaLapackPeer> device) {
    try {
      field.addPeer(name, field.own(device.get()), items, "within bound");
      return CudaLapackPeer.describe();
    } catch (IllegalStateException e) {
      return e.getMessage();
    }
  }

  private Section inverse(String title, int n) {
    try (Field field = new Field(comparison, "inverse-" + n, title, UNIT, n, 1)) {
      double gigahertz = ceiling(field, 1);
      double items = KfacWorkloads.cubes(n);
      field.addBoundedLanes(KfacWorkloads.inverse(n), lanes);
      List<String> peers = addPeers(field, "spotrf + spotri", 1, items, library -> LapackPeer.inverses(library, 1, n), () -> CudaLapackPeer.inverses(n));
      if (comparison.plan().peers() && (n == 256 || n == 1024)) {
        for (JavaInversePeer.Library library : JavaInversePeer.Library.values()) {
          field.addPeer(library.label(), JavaInversePeer.open(library, n), items, "within bound");
        }
      }
      return finish(field, peers, gigahertz);
    }
  }

  private Section batch(String title, int n) {
    try (Field field = new Field(comparison, "inverse-1024x" + n, title, UNIT, n, 1)) {
      double gigahertz = ceiling(field, 1);
      int[] orders = KfacWorkloads.times(BATCH, n);
      double items = KfacWorkloads.cubes(orders);
      field.addBoundedLanes(KfacWorkloads.inverses(orders), lanes);
      List<String> peers =
          addPeers(
              field, "spotrf + spotri, a call a matrix through JavaCPP", 1, items, library -> LapackPeer.inverses(library, 1, orders), () -> CudaLapackPeer.inverses(orders));
      if (comparison.plan().peers()) {
        field.addPeer("EJML Cholesky, a call a matrix", JavaInversePeer.open(JavaInversePeer.Library.EJML, orders), items, "within bound");
      }
      Section section = finish(field, peers, gigahertz);
      for (Line line : section.lines()) {
        section.facts().put("a matrix, " + line.name(), Texts.time(line.nanos().median() / BATCH));
      }
      return section;
    }
  }

  /** Seconds a round: the fastest lane on the host and the device only, few rounds. */
  private Section large(String id, String title, Workload.Factory factory, int... orders) {
    int threads = comparison.plan().threads();
    Lane best = Lane.bestHost(lanes);
    Section section;
    try (Field field = new Field(comparison.quiet(Math.min(orders.length > 1 ? FEWEST : FEW, comparison.plan().rounds())), id, title, UNIT, orders.length, threads)) {
      double gigahertz = ceiling(field, threads);
      field.addBoundedLanes(factory, lanes.stream().filter(lane -> lane.equals(best) || lane.kind() == BackendKind.CUDA).toList());
      String what = "spotrf + spotri" + (orders.length > 1 ? ", a call a matrix" : "");
      List<String> peers =
          addPeers(field, what, threads, KfacWorkloads.cubes(orders), library -> LapackPeer.inverses(library, threads, orders), () -> CudaLapackPeer.inverses(orders));
      section = finish(field, peers, gigahertz);
    }
    comparison.progress().accept(title);
    return section;
  }

  private Section factor(String title, int rows, int cols) {
    try (Field field = new Field(comparison, "factor-" + rows + "x" + cols, title, UNIT, cols, 1)) {
      double gigahertz = ceiling(field, 1);
      field.addBoundedLanes(KfacWorkloads.factorUpdate(rows, cols, false), lanes);
      List<String> peers =
          addPeers(
              field, "ssyrk, one triangle", 1, (double) rows * cols * cols, library -> LapackPeer.factor(library, 1, rows, cols),
              () -> CudaLapackPeer.factor(rows, cols));
      return finish(field, peers, gigahertz);
    }
  }

  private Section precondition(String id, String title, int... widths) {
    try (Field field = new Field(comparison, id, title, UNIT, widths.length, 1)) {
      double gigahertz = ceiling(field, 1);
      field.addBoundedLanes(KfacWorkloads.precondition(widths), lanes);
      List<String> peers =
          addPeers(
              field, "sgemm, two calls a layer", 1, KfacWorkloads.productOperations(widths), library -> LapackPeer.precondition(library, 1, widths),
              () -> CudaLapackPeer.precondition(widths));
      return finish(field, peers, gigahertz);
    }
  }

  private Section penalty(String title, int... widths) {
    try (Field field = new Field(comparison, "penalty-100", title, UNIT, widths.length, 1)) {
      double gigahertz = ceiling(field, 1);
      field.addBoundedLanes(KfacWorkloads.penalty(widths), lanes);
      List<String> peers =
          addPeers(
              field, "saxpy, two sgemm, sdot, saxpy a layer", 1, KfacWorkloads.productOperations(widths), library -> LapackPeer.penalty(library, 1, widths),
              () -> CudaLapackPeer.penalty(widths));
      return finish(field, peers, gigahertz);
    }
  }

  /** Sets the roof: two fused multiply-adds a cycle on the widest vectors of this machine, at the clock measured now. */
  private double ceiling(Field field, int threads) {
    double gigahertz = Clock.gigahertz();
    field.ceiling(flopsPerCycle() * gigahertz * threads);
    return gigahertz;
  }

  private int flopsPerCycle() {
    return Lane.bestHost(comparison.lanes()).label().equals("avx512") ? FLOPS_512 : FLOPS_256;
  }

  private Section finish(Field field, List<String> peers, double gigahertz) {
    Section section = peers.isEmpty() ? field.run("java") : field.runAgainstBest(peers);
    double java = 0;
    for (Line line : section.lines()) {
      section.facts().put("GFLOP/s, " + line.name(), Texts.number(line.items() / line.nanos().median()));
      if (line.name().equals("java")) {
        java = line.nanos().median();
      }
    }
    for (Line line : section.lines()) {
      boolean ofJava = java > 0 && line.role() == Role.PEER && (line.name().startsWith("EJML") || line.name().startsWith("ojAlgo"));
      if (ofJava) {
        section.facts().put("java backend against " + line.name(), Texts.number(line.nanos().median() / java) + " x");
      }
    }
    section.facts().put(
        "roof", flopsPerCycle() + " operations a cycle and thread (two fused multiply-adds); clock " + Texts.number(gigahertz) + " GHz, measured");
    return section;
  }
}
