package io.metaplast.binary;

import io.metaplast.Backend;
import io.metaplast.BitMatrix;
import io.metaplast.F32Buffer;
import io.metaplast.TensorGroup;
import io.metaplast.TensorLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * The trained state of a binarized network: per tensor the hidden (real-valued) weights W [rows][cols], Adam's moments m and v, and the signs of W that the
 * network computes with. Tensors without signs are real-valued parameters (scale and shift of batch norm). Hidden weights are never clipped: their
 * magnitude is what consolidates.
 */
public final class HiddenWeights implements AutoCloseable {
  /**
   * Shape of one tensor.
   *
   * @param rows outputs
   * @param cols inputs
   * @param binary whether signs are kept
   */
  public record Shape(int rows, int cols, boolean binary) {
    /** Validates. */
    public Shape {
      if (rows < 0) {
        throw new IllegalArgumentException("rows = " + rows + " must be >= 0");
      }
      if (cols < 0) {
        throw new IllegalArgumentException("cols = " + cols + " must be >= 0");
      }
    }

    /** Binarized weights [out][in]. */
    public static Shape binary(int out, int in) {
      return new Shape(out, in, true);
    }

    /** {@code n} real-valued parameters. */
    public static Shape real(int n) {
      return new Shape(1, n, false);
    }
  }

  private final List<Shape> shapes;
  private final TensorGroup<F32Buffer> hidden;
  private final TensorGroup<F32Buffer> firstMoment;
  private final TensorGroup<F32Buffer> secondMoment;
  private final BitMatrix[] signs;

  private HiddenWeights(
      List<Shape> shapes, TensorGroup<F32Buffer> hidden, TensorGroup<F32Buffer> firstMoment, TensorGroup<F32Buffer> secondMoment, BitMatrix[] signs) {
    this.shapes = shapes;
    this.hidden = hidden;
    this.firstMoment = firstMoment;
    this.secondMoment = secondMoment;
    this.signs = signs;
  }

  /**
   * Zeroed weights and moments. The signs of zeroed weights would be +1, but are zero bits too until a step or
   * {@link BinaryKernels#signPack(io.metaplast.F32Matrix, BitMatrix, io.metaplast.Stream)} sets them: upload W, then pack.
   */
  public static HiddenWeights allocate(Backend backend, Shape... shapes) {
    Objects.requireNonNull(backend, "backend");
    long[] counts = Arrays.stream(shapes).mapToLong(s -> (long) s.rows() * s.cols()).toArray();
    TensorLayout layout = TensorLayout.of(counts);
    BitMatrix[] signs = new BitMatrix[shapes.length];
    for (int t = 0; t < signs.length; t++) {
      signs[t] = shapes[t].binary() ? backend.allocateBits(shapes[t].rows(), shapes[t].cols()) : null;
    }
    return new HiddenWeights(
        List.of(shapes), backend.allocateGroup(layout, 1), backend.allocateGroup(layout, 1), backend.allocateGroup(layout, 1), signs);
  }

  /** The backend whose kernels accept these weights. */
  public Backend backend() {
    return hidden.backend();
  }

  /** Number of tensors. */
  public int tensors() {
    return shapes.size();
  }

  /** Shape of tensor {@code t}. */
  public Shape shape(int t) {
    return shapes.get(t);
  }

  /** Counts and numbers of the tensors; gradients come in a group of this layout. */
  public TensorLayout layout() {
    return hidden.layout();
  }

  /** W. */
  public TensorGroup<F32Buffer> hidden() {
    return hidden;
  }

  /** m. */
  public TensorGroup<F32Buffer> firstMoment() {
    return firstMoment;
  }

  /** v. */
  public TensorGroup<F32Buffer> secondMoment() {
    return secondMoment;
  }

  /** Signs of tensor {@code t}, or null if it keeps none. */
  public BitMatrix signs(int t) {
    return signs[t];
  }

  /** Zeroes both moments, as at the start of a task. */
  public void resetMoments() {
    firstMoment.arena().fill(0);
    secondMoment.arena().fill(0);
  }

  @Override
  public void close() {
    hidden.close();
    firstMoment.close();
    secondMoment.close();
    for (BitMatrix s : signs) {
      if (s != null) {
        s.close();
      }
    }
  }
}
