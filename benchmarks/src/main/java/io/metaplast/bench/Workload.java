package io.metaplast.bench;

import io.metaplast.Backend;
import io.metaplast.F32Buffer;
import io.metaplast.Stream;
import io.metaplast.TensorGroup;
import io.metaplast.TensorLayout;
import io.metaplast.bayes.GaussianWeights;
import java.util.ArrayList;
import java.util.List;

/**
 * A kernel call with its operands, ready to be timed: {@link #call()} queues it, {@link #run()} also waits. Operands are the same on every
 * backend, so that the first call can be compared bit for bit with the Java backend before anything is timed.
 */
public abstract class Workload implements AutoCloseable {
  /** Operands repeat with this period: enough to be representative, quick to make. */
  private static final int PERIOD = 1 << 18;

  final Backend backend;
  final Stream stream;
  private final List<AutoCloseable> owned = new ArrayList<>();

  Workload(Backend backend) {
    this.backend = backend;
    this.stream = own(backend.newStream());
  }

  /** Parameters or normals treated by one call. */
  public abstract double items();

  /** Bytes that one call must move to and from memory, by the formulas of the specification. */
  public abstract double bytes();

  /** Queues one call. */
  public abstract void call();

  /** What the calls so far left behind. */
  abstract Outputs outputs();

  /** Whether the results are checked against published bounds alone, so that the Java backend need not run. */
  boolean bounded() {
    return false;
  }

  /** One call, finished. */
  public final void run() {
    call();
    stream.synchronize();
  }

  /** How to make a workload for a backend. */
  public interface Factory {
    /** Makes it; the workload does not own the backend. */
    Workload make(Backend backend);
  }

  /**
   * Runs one call here and on the Java backend and compares all bits, or checks the published bounds; this workload has then made one call.
   *
   * @throws IllegalStateException on the first difference
   */
  public final void verify(Factory factory) {
    run();
    String difference;
    if (bounded()) {
      difference = outputs().broken();
    } else {
      try (Backend java = Lane.JAVA.open(1); Workload expected = factory.make(java)) {
        expected.run();
        difference = outputs().firstDifference(expected.outputs());
      }
    }
    if (difference != null) {
      throw new IllegalStateException("wrong on " + backend.info().kind() + " " + backend.info()
          .isa() + ", so it is not timed: " + difference);
    }
  }

  @Override
  public void close() {
    for (int i = owned.size() - 1; i >= 0; i--) {
      try {
        owned.get(i).close();
      } catch (Exception e) {
        throw new IllegalStateException("cannot release an operand", e);
      }
    }
    owned.clear();
  }

  final <T extends AutoCloseable> T own(T resource) {
    owned.add(resource);
    return resource;
  }

  final F32Buffer buffer(float[] values, long length) {
    F32Buffer buffer = own(backend.allocate(length));
    tile(buffer, values);
    return buffer;
  }

  final TensorGroup<F32Buffer> group(TensorLayout layout, int copies) {
    return own(backend.allocateGroup(layout, copies));
  }

  final TensorGroup<F32Buffer> group(TensorLayout layout, int copies, float[] values) {
    TensorGroup<F32Buffer> group = group(layout, copies);
    for (int t = 0; t < layout.tensors(); t++) {
      tile(group.get(t), values);
    }
    return group;
  }

  /** mu about N(0, 0.1), sigma in 0.02..0.2. */
  final GaussianWeights weights(TensorLayout layout, HostData data) {
    GaussianWeights weights = own(GaussianWeights.allocate(backend, layout));
    float[] mu = means(data);
    float[] sigma = sigmas(data);
    for (int t = 0; t < layout.tensors(); t++) {
      tile(weights.mean().get(t), mu);
      tile(weights.sigma().get(t), sigma);
    }
    return weights;
  }

  static float[] means(HostData data) {
    return data.normal(PERIOD, 0.1);
  }

  static float[] sigmas(HostData data) {
    return data.between(PERIOD, 0.02, 0.2);
  }

  /** Small gradients: a run of many calls must not drive sigma anywhere special. */
  static float[] gradients(HostData data) {
    return data.normal(PERIOD, 1e-3);
  }

  /** Positive gradients with respect to sigma, so that sigma shrinks slowly and never explodes. */
  static float[] sigmaGradients(HostData data) {
    return data.between(PERIOD, 0, 1e-4);
  }

  static void tile(F32Buffer buffer, float[] values) {
    for (long at = 0; at < buffer.length(); at += values.length) {
      buffer.upload(at, values, 0, (int) Math.min(values.length, buffer.length() - at));
    }
  }
}
