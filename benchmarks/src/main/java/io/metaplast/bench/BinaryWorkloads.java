package io.metaplast.bench;

import io.metaplast.Backend;
import io.metaplast.BitMatrix;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.I32Buffer;
import io.metaplast.I32Matrix;
import io.metaplast.TensorGroup;
import io.metaplast.Workspace;
import io.metaplast.binary.AdamParams;
import io.metaplast.binary.BatchNormOutput;
import io.metaplast.binary.BatchNormShape;
import io.metaplast.binary.Conv2dShape;
import io.metaplast.binary.HiddenWeights;
import io.metaplast.binary.Thresholds;
import java.util.List;
import java.util.SplittableRandom;

/** Workloads of the binarized family. The items of a product are its multiply-accumulates. */
public final class BinaryWorkloads {
  /** What an XNOR product writes. */
  public enum XnorOutput {
    /** int32 dot products. */
    INT32,
    /** Bits, through a threshold per channel. */
    BITS,
    /** Bits, from fp32 activations that are packed in the same call. */
    PACK_AND_BITS
  }

  /** The products of a real and a sign matrix. */
  public enum SignProduct {
    /** y = x sign(W)^T. */
    NT,
    /** dx = dy sign(W). */
    NN,
    /** dW = dy^T sign(x). */
    TN,
    /** dW = dy^T x, x real. */
    REAL_TN
  }

  /** The settings of the papers' permuted-MNIST runs. */
  static final AdamParams ADAM = AdamParams.of(0.005).withMeta(1.35).withWeightDecay(1e-7);

  private BinaryWorkloads() {}

  /** y [m][n] from a [m][k] and b [n][k]. */
  public static Workload.Factory xnor(int m, int n, int k, XnorOutput output) {
    return backend -> new Xnor(backend, m, n, k, output);
  }

  /** One of the products of a layer with {@code batch} items, {@code out} outputs and {@code in} inputs. */
  public static Workload.Factory sign(SignProduct product, int batch, int out, int in) {
    return backend -> new Sign(backend, product, batch, out, in);
  }

  /** Sign packing of [rows][cols] floats. */
  public static Workload.Factory pack(int rows, int cols) {
    return backend -> new Pack(backend, rows, cols);
  }

  /** Exact Gram matrix of sign rows [batch][in]. */
  public static Workload.Factory syrk(int batch, int in) {
    return backend -> new Syrk(backend, batch, in);
  }

  /** Metaplastic Adam on n weights. */
  public static Workload.Factory metaAdam(int n) {
    return backend -> new MetaAdam(backend, n);
  }

  /** Batch norm of int32 dot products to signs and mask, and its backward pass. */
  public static Workload.Factory batchNorm(int batch, int channels, boolean backward) {
    return backend -> new BatchNorm(backend, batch, channels, backward);
  }

  /** Convolution of signs. */
  public static Workload.Factory conv2d(Conv2dShape shape) {
    return backend -> new Conv(backend, shape);
  }

  /** Whole training step of 784-h-h-10 on a batch. */
  public static Workload.Factory trainingStep(int hidden, int batch) {
    return backend -> new TrainingStep(backend, hidden, batch);
  }

  private static BitMatrix bits(Workload workload, int rows, int cols, long seed) {
    BitMatrix bits = workload.own(workload.backend.allocateBits(rows, cols));
    SplittableRandom random = new SplittableRandom(seed);
    int words = bits.rowWords();
    int whole = cols >> 6;
    long[] row = new long[words];
    for (int r = 0; r < rows; r++) {
      for (int w = 0; w < whole; w++) {
        row[w] = random.nextLong();
      }
      if ((cols & 63) != 0) {
        row[whole] = random.nextLong() & ((1L << (cols & 63)) - 1);
      }
      bits.upload((long) r * words, row, 0, words);
    }
    return bits;
  }

  private static final class Xnor extends Workload {
    private final double items;
    private final double bytes;
    private final XnorOutput output;
    private final F32Matrix activations;
    private final BitMatrix a;
    private final BitMatrix b;
    private final I32Buffer y;
    private final I32Matrix yMatrix;
    private final Thresholds thresholds;
    private final BitMatrix signs;

    Xnor(Backend backend, int m, int n, int k, XnorOutput output) {
      super(backend);
      this.output = output;
      items = (double) m * n * k;
      boolean integers = output == XnorOutput.INT32;
      bytes = ((double) m + n) * k / 8 + (double) m * n * (integers ? 4 : 0.125);
      boolean packs = output == XnorOutput.PACK_AND_BITS;
      activations = packs ? F32Matrix.of(buffer(new HostData(11).normal(1 << 18, 1), (long) m * k), m, k) : null;
      a = packs ? own(backend.allocateBits(m, k)) : bits(this, m, k, 12);
      b = bits(this, n, k, 13);
      y = integers ? own(backend.allocateI32((long) m * n)) : null;
      yMatrix = integers ? I32Matrix.of(y, m, n) : null;
      int[] limit = new int[n];
      int[] invert = new int[n];
      for (int j = 0; j < n; j++) {
        limit[j] = k / 2 + j % 7 - 3;
        invert[j] = j & 1;
      }
      thresholds = integers ? null : own(Thresholds.of(backend, limit, invert));
      signs = integers ? null : own(backend.allocateBits(m, n));
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
    public void call() {
      if (output == XnorOutput.INT32) {
        backend.binary().xnorGemm(a, b, yMatrix, stream);
      } else {
        if (activations != null) {
          backend.binary().signPackXnorGemm(activations, a, b, thresholds, signs, stream);
        } else {
          backend.binary().xnorGemm(a, b, thresholds, signs, stream);
        }
      }
    }

    @Override
    Outputs outputs() {
      Outputs outputs = new Outputs();
      if (y != null) {
        outputs.add("y", y);
      } else {
        outputs.add("signs", signs);
      }
      return outputs;
    }
  }

  private static final class Sign extends Workload {
    private final double items;
    private final double bytes;
    private final SignProduct product;
    private final F32Matrix left;
    private final BitMatrix bits;
    private final F32Matrix right;
    private final F32Matrix result;

    Sign(Backend backend, SignProduct product, int batch, int out, int in) {
      super(backend);
      this.product = product;
      items = (double) batch * out * in;
      HostData data = new HostData(14);
      boolean forward = product == SignProduct.NT;
      int cols = forward ? in : out;
      left = F32Matrix.of(buffer(data.normal(1 << 18, 1), (long) batch * cols), batch, cols);
      boolean weights = forward || product == SignProduct.NN;
      right = product == SignProduct.REAL_TN ? F32Matrix.of(buffer(data.normal(1 << 18, 1), (long) batch * in), batch, in) : null;
      bits = right != null ? null : bits(this, weights ? out : batch, in, 15);
      int resultRows = weights ? batch : out;
      int resultCols = forward ? out : in;
      result = F32Matrix.of(own(backend.allocate((long) resultRows * resultCols)), resultRows, resultCols);
      double second = right != null ? 4.0 * batch * in : (double) (weights ? out : batch) * in / 8;
      bytes = 4.0 * batch * cols + second + 4.0 * resultRows * resultCols;
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
    public void call() {
      switch (product) {
        case NT -> backend.binary().signGemmNT(left, bits, result, stream);
        case NN -> backend.binary().signGemmNN(left, bits, result, stream);
        case TN -> backend.binary().signGemmTN(left, bits, result, stream);
        case REAL_TN -> backend.binary().gemmTN(left, right, result, stream);
      }
    }

    @Override
    Outputs outputs() {
      Outputs outputs = new Outputs();
      outputs.add("y", result.data());
      return outputs;
    }
  }

  private static final class Pack extends Workload {
    private final F32Matrix x;
    private final BitMatrix bits;

    Pack(Backend backend, int rows, int cols) {
      super(backend);
      x = F32Matrix.of(buffer(new HostData(16).normal(1 << 18, 1), (long) rows * cols), rows, cols);
      bits = own(backend.allocateBits(rows, cols));
    }

    @Override
    public double items() {
      return (double) x.rows() * x.cols();
    }

    @Override
    public double bytes() {
      return items() * 4.125;
    }

    @Override
    public void call() {
      backend.binary().signPack(x, bits, stream);
    }

    @Override
    Outputs outputs() {
      Outputs outputs = new Outputs();
      outputs.add("bits", bits);
      return outputs;
    }
  }

  private static final class Syrk extends Workload {
    private final BitMatrix x;
    private final I32Buffer s;
    private final I32Matrix matrix;
    private final Workspace workspace;

    Syrk(Backend backend, int batch, int in) {
      super(backend);
      x = bits(this, batch, in, 17);
      s = own(backend.allocateI32((long) in * in));
      matrix = I32Matrix.of(s, in, in);
      workspace = own(backend.workspace(backend.binary().xnorSyrkWorkspaceBytes(batch, in)));
    }

    @Override
    public double items() {
      return (double) x.rows() * x.cols() * x.cols();
    }

    @Override
    public double bytes() {
      return (double) x.rows() * x.cols() / 8 + 4.0 * x.cols() * x.cols();
    }

    @Override
    public void call() {
      backend.binary().xnorSyrk(x, false, matrix, workspace, stream);
    }

    @Override
    Outputs outputs() {
      Outputs outputs = new Outputs();
      outputs.add("s", s);
      return outputs;
    }
  }

  private static final class MetaAdam extends Workload {
    private static final int COLUMNS = 4096;
    private static final List<AdamParams> PARAMS = List.of(ADAM);

    private final HiddenWeights weights;
    private final TensorGroup<F32Buffer> gradients;
    private final int n;
    private long step;

    MetaAdam(Backend backend, int n) {
      super(backend);
      this.n = n;
      HostData data = new HostData(18);
      int cols = n % COLUMNS == 0 ? COLUMNS : n;
      weights = own(HiddenWeights.allocate(backend, HiddenWeights.Shape.binary(n / cols, cols)));
      tile(weights.hidden().get(0), data.normal(1 << 18, 0.5));
      gradients = group(weights.layout(), 1, gradients(data));
    }

    @Override
    public double items() {
      return n;
    }

    @Override
    public double bytes() {
      return n * 28.125;
    }

    @Override
    public void call() {
      backend.binary().metaAdamStep(weights, gradients, PARAMS, ++step, stream);
    }

    @Override
    Outputs outputs() {
      Outputs outputs = new Outputs();
      outputs.add("W", weights.hidden());
      outputs.add("m", weights.firstMoment());
      outputs.add("v", weights.secondMoment());
      outputs.add("signs", weights.signs(0));
      return outputs;
    }
  }

  private static final class BatchNorm extends Workload {
    private static final double EPS = 1e-5;

    private final BatchNormShape shape;
    private final boolean backward;
    private final I32Buffer y;
    private final F32Buffer gamma;
    private final F32Buffer beta;
    private final F32Buffer mean;
    private final F32Buffer inv;
    private final BitMatrix signs;
    private final BitMatrix mask;
    private final F32Buffer gradOutput;
    private final F32Buffer gradInput;
    private final F32Buffer gradGamma;
    private final F32Buffer gradBeta;

    BatchNorm(Backend backend, int batch, int channels, boolean backward) {
      super(backend);
      this.backward = backward;
      shape = BatchNormShape.of(batch, channels);
      y = own(backend.allocateI32(shape.elements()));
      SplittableRandom random = new SplittableRandom(19);
      int[] values = new int[Math.toIntExact(shape.elements())];
      for (int i = 0; i < values.length; i++) {
        values[i] = 2 * random.nextInt(-100, 100);
      }
      y.upload(values);
      HostData data = new HostData(20);
      gamma = buffer(data.between(channels, 0.5, 1.5), channels);
      beta = buffer(data.normal(channels, 0.1), channels);
      mean = own(backend.allocate(channels));
      inv = own(backend.allocate(channels));
      signs = own(backend.allocateBits(batch, channels));
      mask = own(backend.allocateBits(batch, channels));
      gradOutput = buffer(data.normal(1 << 16, 1), shape.elements());
      gradInput = own(backend.allocate(shape.elements()));
      gradGamma = own(backend.allocate(channels));
      gradBeta = own(backend.allocate(channels));
      if (backward) {
        forward();
      }
    }

    private void forward() {
      backend.binary().batchNormForward(shape, y, gamma, beta, EPS, mean, inv, null, BatchNormOutput.signs(signs, mask), stream);
    }

    @Override
    public double items() {
      return shape.elements();
    }

    @Override
    public double bytes() {
      return shape.elements() * (backward ? 12.125 : 4.25);
    }

    @Override
    public void call() {
      if (backward) {
        backend.binary().batchNormBackward(shape, y, gamma, mean, inv, gradOutput, mask, gradInput, gradGamma, gradBeta, stream);
      } else {
        forward();
      }
    }

    @Override
    Outputs outputs() {
      Outputs outputs = new Outputs();
      outputs.add("signs", signs);
      outputs.add("mask", mask);
      outputs.add("mean", mean);
      outputs.add("inv", inv);
      outputs.add("gradInput", gradInput);
      outputs.add("gradGamma", gradGamma);
      outputs.add("gradBeta", gradBeta);
      return outputs;
    }
  }

  private static final class Conv extends Workload {
    private final Conv2dShape shape;
    private final BitMatrix x;
    private final BitMatrix w;
    private final I32Buffer y;
    private final Workspace workspace;

    Conv(Backend backend, Conv2dShape shape) {
      super(backend);
      this.shape = shape;
      x = bits(this, shape.batch(), shape.inputs(), 21);
      w = bits(this, shape.outChannels(), shape.patch(), 22);
      y = own(backend.allocateI32(shape.outputs()));
      workspace = own(backend.workspace(backend.binary().conv2dWorkspaceBytes(shape)));
    }

    @Override
    public double items() {
      return (double) shape.outputs() * shape.patch();
    }

    @Override
    public double bytes() {
      return x.length() * 8.0 + w.length() * 8.0 + 4.0 * shape.outputs();
    }

    @Override
    public void call() {
      backend.binary().conv2d(shape, x, w, y, workspace, stream);
    }

    @Override
    Outputs outputs() {
      Outputs outputs = new Outputs();
      outputs.add("y", y);
      return outputs;
    }
  }

  private static final class TrainingStep extends Workload {
    private final BinaryTrainingStep step;
    private final int hidden;

    TrainingStep(Backend backend, int hidden, int batch) {
      super(backend);
      this.hidden = hidden;
      step = own(new BinaryTrainingStep(backend, hidden, batch, stream));
    }

    @Override
    public double items() {
      return 1;
    }

    @Override
    public double bytes() {
      return (784.0 * hidden + (double) hidden * hidden + 10.0 * hidden) * 24.125;
    }

    @Override
    public void call() {
      step.run();
    }

    @Override
    Outputs outputs() {
      Outputs outputs = new Outputs();
      step.outputs(outputs);
      return outputs;
    }
  }
}
