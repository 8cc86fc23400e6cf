package io.metaplast.continual;

import io.metaplast.Backend;
import io.metaplast.BitMatrix;
import io.metaplast.DeviceBuffer;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.I32Matrix;
import io.metaplast.Stream;
import io.metaplast.binary.BatchNormOutput;
import io.metaplast.binary.BatchNormShape;
import io.metaplast.binary.BinaryKernels;
import io.metaplast.binary.HiddenWeights;
import io.metaplast.binary.RunningStatistics;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * A network of binarized linear layers without bias, each followed by batch norm, and all but the last by sign: the input is real, activations
 * between layers are signs, the last batch norm gives the logits. It has either a trained scale and shift per channel and takes its statistics
 * from the batch at hand, or neither scale nor shift but running statistics for tests.
 */
final class BinarizedNetwork implements AutoCloseable {
  private static final double EPSILON = 1e-5;
  private static final double MOMENTUM = 0.1;
  private static final double INITIAL_LIMIT = 0.05;

  /** How batch norm works. */
  enum Norm {
    /** Trained scale and shift, batch statistics everywhere. */
    AFFINE,
    /** No scale and shift; tests use running statistics. */
    RUNNING
  }

  private final Deque<AutoCloseable> resources = new ArrayDeque<>();
  private final Backend backend;
  private final BinaryKernels binary;
  private final Stream stream;
  private final int[] widths;
  private final HiddenWeights weights;
  private final HiddenWeights affine;
  private final RunningStatistics[] running;

  /**
   * Draws the initial weights.
   *
   * @param widths units of input, hidden layers and output
   */
  BinarizedNetwork(Backend backend, Stream stream, long seed, Norm norm, int... widths) {
    this.backend = backend;
    this.binary = backend.binary();
    this.stream = stream;
    this.widths = widths.clone();
    int layers = widths.length - 1;
    HiddenWeights.Shape[] shapes = new HiddenWeights.Shape[layers];
    for (int l = 0; l < layers; l++) {
      shapes[l] = HiddenWeights.Shape.binary(widths[l + 1], widths[l]);
    }
    weights = own(HiddenWeights.allocate(backend, shapes));
    for (int l = 0; l < layers; l++) {
      weights.hidden().get(l).upload(Randomness.initialMeans(backend, seed, l, widths[l] * widths[l + 1], INITIAL_LIMIT));
    }
    packSigns();
    running = new RunningStatistics[layers];
    if (norm == Norm.AFFINE) {
      HiddenWeights.Shape[] vectors = new HiddenWeights.Shape[2 * layers];
      for (int l = 0; l < layers; l++) {
        vectors[2 * l] = HiddenWeights.Shape.real(widths[l + 1]);
        vectors[2 * l + 1] = HiddenWeights.Shape.real(widths[l + 1]);
      }
      affine = own(HiddenWeights.allocate(backend, vectors));
      for (int l = 0; l < layers; l++) {
        gamma(l).fill(1);
      }
    } else {
      affine = null;
      for (int l = 0; l < layers; l++) {
        F32Buffer variance = own(backend.allocate(widths[l + 1]));
        variance.fill(1);
        running[l] = new RunningStatistics(own(backend.allocate(widths[l + 1])), variance, MOMENTUM);
      }
    }
  }

  private <T extends AutoCloseable> T own(T resource) {
    resources.push(resource);
    return resource;
  }

  /** Signs of the hidden weights as they now are. */
  void packSigns() {
    for (int l = 0; l < layers(); l++) {
      binary.signPack(F32Matrix.of(weights.hidden().get(l), widths[l + 1], widths[l]), weights.signs(l), stream);
    }
  }

  int layers() {
    return widths.length - 1;
  }

  /** Units of layer {@code l}'s output. */
  int outputs(int l) {
    return widths[l + 1];
  }

  /** Units of layer {@code l}'s input. */
  int inputs(int l) {
    return widths[l];
  }

  /** One tensor a layer. */
  HiddenWeights weights() {
    return weights;
  }

  /** Scale and shift of layer l as tensors 2l and 2l + 1, or null. */
  HiddenWeights affine() {
    return affine;
  }

  /** Scale of layer {@code l}, or null. */
  F32Buffer gamma(int l) {
    return affine == null ? null : affine.hidden().get(2 * l);
  }

  private F32Buffer beta(int l) {
    return affine == null ? null : affine.hidden().get(2 * l + 1);
  }

  /** Running statistics of layer {@code l}, or null. */
  RunningStatistics running(int l) {
    return running[l];
  }

  /** Mean |W| of layer {@code l}. */
  double meanMagnitude(int l) {
    float[] w = weights.hidden().get(l).toArray();
    double sum = 0;
    for (float x : w) {
      sum += Math.abs(x);
    }
    return sum / w.length;
  }

  /** Buffers for batches of {@code batch} items. */
  Pass pass(int batch) {
    return new Pass(batch);
  }

  @Override
  public void close() {
    Resources.closeAll(resources);
  }

  /** A batch on its way through the network. */
  final class Pass implements AutoCloseable {
    private final Deque<AutoCloseable> buffers = new ArrayDeque<>();
    private final F32Matrix input;
    private final F32Matrix firstProduct;
    private final I32Matrix[] products = new I32Matrix[layers()];
    private final BatchNormShape[] shapes = new BatchNormShape[layers()];
    private final BatchNormOutput[] training = new BatchNormOutput[layers()];
    private final BatchNormOutput[] inference = new BatchNormOutput[layers()];
    private final F32Buffer[] mean = new F32Buffer[layers()];
    private final F32Buffer[] inverse = new F32Buffer[layers()];

    private Pass(int batch) {
      input = F32Matrix.of(own(backend.allocate((long) batch * inputs(0))), batch, inputs(0));
      firstProduct = F32Matrix.of(own(backend.allocate((long) batch * outputs(0))), batch, outputs(0));
      for (int l = 0; l < layers(); l++) {
        int units = outputs(l);
        if (l > 0) {
          products[l] = I32Matrix.of(own(backend.allocateI32((long) batch * units)), batch, units);
        }
        shapes[l] = BatchNormShape.of(batch, units);
        if (l < layers() - 1) {
          BitMatrix signs = own(backend.allocateBits(batch, units));
          training[l] = BatchNormOutput.signs(signs, own(backend.allocateBits(batch, units)));
          inference[l] = BatchNormOutput.signs(signs, null);
        } else {
          training[l] = BatchNormOutput.values(own(backend.allocate((long) batch * units)));
          inference[l] = training[l];
        }
        mean[l] = own(backend.allocate(units));
        inverse[l] = own(backend.allocate(units));
      }
    }

    private <T extends AutoCloseable> T own(T resource) {
      buffers.push(resource);
      return resource;
    }

    /** Statistics of this batch; running statistics, where there are any, move towards them. */
    void forward() {
      for (int l = 0; l < layers(); l++) {
        multiply(l);
        binary.batchNormForward(shapes[l], product(l), gamma(l), beta(l), EPSILON, mean[l], inverse[l], running[l], training[l], stream);
      }
    }

    /** As a test: running statistics where there are any. */
    void infer() {
      if (running[0] == null) {
        forward();
        return;
      }
      for (int l = 0; l < layers(); l++) {
        multiply(l);
        binary.batchNormInference(
            shapes[l], product(l), null, null, EPSILON, running[l].mean(), running[l].variance(), inference[l], stream);
      }
    }

    private void multiply(int l) {
      if (l == 0) {
        binary.signGemmNT(input, weights.signs(0), firstProduct, stream);
      } else {
        binary.xnorGemm(activity(l), weights.signs(l), products[l], stream);
      }
    }

    /** The images. */
    F32Matrix input() {
      return input;
    }

    /** Input of layer {@code l} &gt; 0. */
    BitMatrix activity(int l) {
      return training[l - 1].signs();
    }

    /** Where the gradient passes the sign after layer {@code l}; null for the last layer. */
    BitMatrix mask(int l) {
      return training[l].mask();
    }

    /** Output of layer {@code l} before batch norm. */
    DeviceBuffer product(int l) {
      return l == 0 ? firstProduct.data() : products[l].data();
    }

    BatchNormShape shape(int l) {
      return shapes[l];
    }

    /** Mean of layer {@code l} in this batch. */
    F32Buffer mean(int l) {
      return mean[l];
    }

    /** 1 / standard deviation of layer {@code l} in this batch. */
    F32Buffer inverse(int l) {
      return inverse[l];
    }

    F32Buffer logits() {
      return training[layers() - 1].values();
    }

    @Override
    public void close() {
      Resources.closeAll(buffers);
    }
  }
}
