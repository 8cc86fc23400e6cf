package io.metaplast.continual;

import io.metaplast.Backend;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.Stream;
import io.metaplast.Workspace;
import io.metaplast.kfac.FactorMerge;
import io.metaplast.kfac.KfacKernels;
import io.metaplast.kfac.KroneckerPair;
import io.metaplast.kfac.PenaltyTask;
import io.metaplast.kfac.PenaltyTerm;
import io.metaplast.kfac.PenaltyValue;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The Kronecker pairs of earlier tasks and the quadratic penalty that they make. With a list every task has its pairs and its optimum; else
 * there is one pair a layer, merged over tasks and anchored at the last optimum. Every task counts 1: with T earlier tasks the mean over
 * all tasks, times T + 1, is the loss of the new task plus the sum of theirs.
 */
final class KroneckerMemory implements AutoCloseable {
  private final Backend backend;
  private final KfacKernels kfac;
  private final Stream stream;
  private final int[] rows;
  private final int[] cols;
  private final double[] weights;
  private final boolean list;
  private final Deque<AutoCloseable> resources = new ArrayDeque<>();
  private final List<List<KroneckerPair>> pairs = new ArrayList<>();
  private final List<List<F32Matrix>> anchors = new ArrayList<>();
  private List<PenaltyTask> tasks = List.of();
  private List<KroneckerPair> scratch;
  private Workspace workspace;

  /**
   * For matrices of some shapes.
   *
   * @param weights factor of each layer's term
   * @param list whether every task keeps its own pairs
   */
  KroneckerMemory(Backend backend, Stream stream, int[] rows, int[] cols, double[] weights, boolean list) {
    this.backend = backend;
    this.stream = stream;
    this.rows = rows.clone();
    this.cols = cols.clone();
    this.weights = weights.clone();
    this.list = list;
    kfac = backend.kfac();
  }

  private <T extends AutoCloseable> T own(T resource) {
    resources.push(resource);
    return resource;
  }

  private F32Matrix matrix(int r, int c) {
    return F32Matrix.of(own(backend.allocate((long) r * c)), r, c);
  }

  /** Pairs to put the curvature of a task into; what they hold is undefined. */
  List<KroneckerPair> pairsOfTask() {
    if (list) {
      return allocate();
    }
    if (scratch == null) {
      scratch = allocate();
    }
    return scratch;
  }

  private List<KroneckerPair> allocate() {
    List<KroneckerPair> fresh = new ArrayList<>();
    for (int l = 0; l < rows.length; l++) {
      fresh.add(new KroneckerPair(matrix(rows[l], rows[l]), matrix(cols[l], cols[l])));
    }
    return fresh;
  }

  /**
   * Takes in the curvature of the task that has ended.
   *
   * @param fresh its pairs, from {@link #pairsOfTask}
   * @param optimum the weights it ended with
   */
  void remember(List<KroneckerPair> fresh, List<F32Matrix> optimum) {
    if (list || pairs.isEmpty()) {
      List<KroneckerPair> kept = list ? fresh : allocate();
      if (!list) {
        copy(fresh, kept);
      }
      add(kept);
    } else {
      for (int l = 0; l < rows.length; l++) {
        KroneckerPair merged = pairs.get(0).get(l);
        kfac.mergeKroneckerFactors(merged, fresh.get(l), FactorMerge.traceMinimising(1), merged, stream);
      }
    }
    List<F32Matrix> anchor = anchors.get(anchors.size() - 1);
    for (int l = 0; l < rows.length; l++) {
      anchor.get(l).data().copyFrom(optimum.get(l).data());
    }
  }

  private static void copy(List<KroneckerPair> from, List<KroneckerPair> to) {
    for (int l = 0; l < from.size(); l++) {
      to.get(l).g().data().copyFrom(from.get(l).g().data());
      to.get(l).a().data().copyFrom(from.get(l).a().data());
    }
  }

  private void add(List<KroneckerPair> kept) {
    pairs.add(kept);
    List<F32Matrix> anchor = new ArrayList<>();
    for (int l = 0; l < rows.length; l++) {
      anchor.add(matrix(rows[l], cols[l]));
    }
    anchors.add(anchor);
    List<List<PenaltyTerm>> terms = new ArrayList<>();
    for (int l = 0; l < rows.length; l++) {
      terms.add(List.of(new PenaltyTerm(kept.get(l), weights[l])));
    }
    List<PenaltyTask> all = new ArrayList<>(tasks);
    all.add(new PenaltyTask(1, anchor, terms));
    tasks = List.copyOf(all);
    if (workspace != null) {
      workspace.close();
    }
    workspace = backend.workspace(kfac.kroneckerPenaltyWorkspaceBytes(tasks, anchor));
  }

  /** Whether there is no earlier task. */
  boolean isEmpty() {
    return tasks.isEmpty();
  }

  /** Value of the penalty; its gradient is added to {@code gradients}, which may be null. */
  PenaltyValue penalty(List<F32Matrix> current, List<F32Matrix> gradients) {
    return kfac.kroneckerQuadraticPenalty(tasks, current, gradients, workspace, stream);
  }

  /** Everything that later tasks depend on, by name. */
  Map<String, float[]> state() {
    Map<String, float[]> state = new LinkedHashMap<>();
    for (int t = 0; t < pairs.size(); t++) {
      for (int l = 0; l < rows.length; l++) {
        String place = " " + t + " " + l;
        state.put("g" + place, pairs.get(t).get(l).g().data().toArray());
        state.put("a" + place, pairs.get(t).get(l).a().data().toArray());
        state.put("anchor" + place, anchors.get(t).get(l).data().toArray());
      }
    }
    return state;
  }

  /** Puts back what {@link #state} gave. */
  void restore(Map<String, float[]> state) {
    for (int t = 0; state.containsKey("g " + t + " 0"); t++) {
      add(allocate());
      for (int l = 0; l < rows.length; l++) {
        String place = " " + t + " " + l;
        pairs.get(t).get(l).g().data().upload(state.get("g" + place));
        pairs.get(t).get(l).a().data().upload(state.get("a" + place));
        anchors.get(t).get(l).data().upload(state.get("anchor" + place));
      }
    }
  }

  @Override
  public void close() {
    if (workspace != null) {
      workspace.close();
    }
    Resources.closeAll(resources);
  }
}
