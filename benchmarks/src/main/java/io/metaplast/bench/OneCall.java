package io.metaplast.bench;

import io.metaplast.Backend;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.Workspace;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;

/** A workload that is one call on operands made for it. */
final class OneCall extends Workload {
  private final double items;
  private final double bytes;
  private final boolean bounded;
  private Prepared prepared;

  /** A call and how its result is collected. */
  record Prepared(Runnable call, Consumer<Outputs> collect) {}

  /**
   * Makes operands owned by a workload.
   *
   * @param <K> the kernels of a family
   */
  interface Preparation<K> {
    Prepared prepare(OneCall workload, K kernels);
  }

  private OneCall(Backend backend, double items, double bytes, boolean bounded) {
    super(backend);
    this.items = items;
    this.bytes = bytes;
    this.bounded = bounded;
  }

  /** Workloads of {@code family}; {@code bounded}: results are checked against published bounds alone. */
  static <K> Workload.Factory of(double items, double bytes, boolean bounded, Function<Backend, K> family, Preparation<K> preparation) {
    return backend -> {
      OneCall workload = new OneCall(backend, items, bytes, bounded);
      workload.prepared = preparation.prepare(workload, family.apply(backend));
      return workload;
    };
  }

  @Override
  public double items() {
    return items;
  }

  @Override
  public double bytes() {
    return bytes;
  }

  @Override
  boolean bounded() {
    return bounded;
  }

  @Override
  public void call() {
    prepared.call.run();
  }

  @Override
  Outputs outputs() {
    Outputs outputs = new Outputs();
    prepared.collect.accept(outputs);
    return outputs;
  }

  F32Matrix zeros(int rows, int cols) {
    return F32Matrix.of(own(backend.allocate((long) rows * cols)), rows, cols);
  }

  F32Matrix matrix(float[] values, int rows, int cols) {
    return F32Matrix.of(buffer(values, (long) rows * cols), rows, cols);
  }

  F32Matrix matrix(SpdMatrix spd) {
    return fill(spd, zeros(spd.n(), spd.n()));
  }

  F32Matrix fill(SpdMatrix spd, F32Matrix matrix) {
    int n = spd.n();
    float[] row = new float[n];
    for (int i = 0; i < n; i++) {
      spd.row(i, row, 0);
      matrix.data().upload((long) i * n, row, 0, n);
    }
    return matrix;
  }

  /** Zero matrices one after the other in one buffer, each on a cache line of its own. */
  List<F32Matrix> rowOfZeros(int... orders) {
    long[] starts = new long[orders.length + 1];
    for (int b = 0; b < orders.length; b++) {
      starts[b + 1] = starts[b] + ((long) orders[b] * orders[b] + 15 & -16);
    }
    F32Buffer all = own(backend.allocate(starts[orders.length]));
    List<F32Matrix> matrices = new ArrayList<>();
    for (int b = 0; b < orders.length; b++) {
      matrices.add(F32Matrix.of(all.slice(starts[b], (long) orders[b] * orders[b]), orders[b], orders[b]));
    }
    return matrices;
  }

  Workspace space(long bytes) {
    return own(backend.workspace(bytes));
  }
}
