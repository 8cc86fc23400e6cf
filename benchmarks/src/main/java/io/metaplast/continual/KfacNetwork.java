package io.metaplast.continual;

import io.metaplast.Backend;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import java.nio.FloatBuffer;
import java.util.Arrays;
import org.bytedeco.javacpp.FloatPointer;

/**
 * Two hidden linear layers without bias, each with batch norm and ReLU, and a linear output layer with bias, whose bias is the last column
 * of its matrix. Products come from OpenBLAS, which works on the same memory as the kernels of the library.
 */
final class KfacNetwork {
  /** Added to variances. */
  static final double EPSILON = 1e-5;

  /** Layers with weights; the last is the output. */
  static final int LAYERS = 3;

  /** Layers with batch norm. */
  static final int HIDDEN = LAYERS - 1;

  /** Rows whose sum is taken in float before it goes into a double. */
  private static final int BLOCK = 256;

  private final Backend backend;
  private final int[] widths;
  private final int[] offsets = new int[LAYERS + 2 * HIDDEN];
  private final int size;
  private final float[] parameters;
  private final FloatBuffer theta;
  private final F32Buffer thetaBuffer;
  private final FloatBuffer gradient;
  private final F32Buffer gradientBuffer;
  private final FloatPointer[] weightPointers = new FloatPointer[LAYERS];
  private final FloatPointer[] gradientPointers = new FloatPointer[LAYERS];
  private float[][] fixedMean;
  private float[][] fixedVariance;

  /**
   * Draws the initial weights.
   *
   * @param backend in host memory
   */
  KfacNetwork(Backend backend, long seed, int inputs, int hidden, int outputs) {
    this.backend = backend;
    widths = new int[] {inputs, hidden, hidden, outputs};
    int next = 0;
    for (int l = 0; l < LAYERS; l++) {
      offsets[l] = next;
      next += outputs(l) * pitch(l);
    }
    for (int i = LAYERS; i < offsets.length; i++) {
      offsets[i] = next;
      next += hidden;
    }
    size = next;
    parameters = new float[size];
    for (int l = 0; l < LAYERS; l++) {
      double variance = (l < HIDDEN ? 2.0 : 1.0) / inputs(l);
      float[] weights = Randomness.normalWeights(backend, seed, l, outputs(l) * inputs(l), Math.sqrt(variance));
      for (int r = 0; r < outputs(l); r++) {
        System.arraycopy(weights, r * inputs(l), parameters, offsets[l] + r * pitch(l), inputs(l));
      }
    }
    for (int l = 0; l < HIDDEN; l++) {
      Arrays.fill(parameters, gamma(l), gamma(l) + hidden, 1f);
    }
    theta = Blas.floats(size);
    thetaBuffer = backend.wrap(theta);
    gradient = Blas.floats(size);
    gradientBuffer = backend.wrap(gradient);
    for (int l = 0; l < LAYERS; l++) {
      weightPointers[l] = Blas.pointer(theta.slice(offsets[l], outputs(l) * pitch(l)));
      gradientPointers[l] = Blas.pointer(gradient.slice(offsets[l], outputs(l) * pitch(l)));
    }
    publish();
  }

  int inputs(int l) {
    return widths[l];
  }

  int outputs(int l) {
    return widths[l + 1];
  }

  /** Columns of layer {@code l}'s matrix, the bias included. */
  int pitch(int l) {
    return l < HIDDEN ? widths[l] : widths[l] + 1;
  }

  /** Number of parameters. */
  int size() {
    return size;
  }

  /** Where layer {@code l}'s matrix begins among the parameters. */
  int weights(int l) {
    return offsets[l];
  }

  /** Where layer {@code l}'s scales begin. */
  int gamma(int l) {
    return offsets[LAYERS + 2 * l];
  }

  /** Where layer {@code l}'s shifts begin. */
  int beta(int l) {
    return offsets[LAYERS + 2 * l + 1];
  }

  /** All parameters; {@link #publish} after a change. */
  float[] parameters() {
    return parameters;
  }

  /** Lets products and kernels see the parameters. */
  void publish() {
    theta.put(0, parameters);
  }

  /** Copies the gradient of all parameters. */
  void gradient(float[] target) {
    gradient.get(0, target);
  }

  /** Parameters as the kernels see them. */
  F32Buffer theta() {
    return thetaBuffer;
  }

  /** Matrix of layer {@code l}, bias included, in a buffer with the layout of the parameters. */
  F32Matrix matrix(F32Buffer arena, int l) {
    return F32Matrix.of(arena.slice(offsets[l], (long) outputs(l) * pitch(l)), outputs(l), pitch(l));
  }

  /** Gradients as the kernels see them. */
  F32Buffer gradientBuffer() {
    return gradientBuffer;
  }

  /** From now on batch norm uses these statistics instead of those of the batch; null goes back to the batch. */
  void fixStatistics(float[][] mean, float[][] variance) {
    fixedMean = mean;
    fixedVariance = variance;
  }

  /** Fixed means by layer, or null. */
  float[][] fixedMean() {
    return fixedMean;
  }

  /** Fixed variances by layer, or null. */
  float[][] fixedVariance() {
    return fixedVariance;
  }

  /** Buffers for batches of {@code batch} items. */
  Pass pass(int batch) {
    return new Pass(batch);
  }

  /** Memory that OpenBLAS, kernels and Java see. */
  private final class Shared {
    private final FloatBuffer floats;
    private final FloatPointer pointer;
    private final F32Matrix matrix;

    Shared(int rows, int cols, int pitch) {
      floats = Blas.floats(rows * pitch);
      pointer = Blas.pointer(floats);
      matrix = new F32Matrix(backend.wrap(floats), rows, cols, pitch);
    }
  }

  /** A batch on its way through the network. */
  final class Pass {
    private final int batch;
    private final int units = widths[1];
    private final Shared input;
    private final Shared[] activity = new Shared[HIDDEN];
    private final Shared logits;
    private final Shared[] delta = new Shared[LAYERS];
    private final Shared work;
    private final float[] values;
    private final float[][] active = new float[HIDDEN][];
    private final float[][] normalised = new float[HIDDEN][];
    private final float[][] outputGradient = new float[HIDDEN][];
    private final float[][] mean = new float[HIDDEN][units];
    private final float[][] variance = new float[HIDDEN][units];
    private final float[][] inverse = new float[HIDDEN][units];
    private final float[] partial = new float[units];
    private final float[] otherPartial = new float[units];
    private final float[] scale = new float[units];
    private final double[] total = new double[units];
    private final double[] otherTotal = new double[units];

    private Pass(int batch) {
      this.batch = batch;
      input = new Shared(batch, inputs(0), inputs(0));
      logits = new Shared(batch, outputs(HIDDEN), outputs(HIDDEN));
      work = new Shared(batch, units, units);
      values = new float[batch * units];
      for (int l = 0; l < HIDDEN; l++) {
        int pitch = pitch(l + 1);
        activity[l] = new Shared(batch, units, pitch);
        active[l] = new float[batch * pitch];
        for (int r = 0; r < batch && pitch > units; r++) {
          active[l][r * pitch + units] = 1; // the input of the bias
        }
        normalised[l] = new float[batch * units];
        outputGradient[l] = new float[batch * units];
      }
      for (int l = 0; l < LAYERS; l++) {
        delta[l] = new Shared(batch, outputs(l), outputs(l));
      }
    }

    int batch() {
      return batch;
    }

    /** Where the images go, [batch][inputs]. */
    FloatBuffer input() {
      return input.floats;
    }

    /** Input of layer {@code l} without the bias's ones. */
    F32Matrix layerInput(int l) {
      return l == 0 ? input.matrix : activity[l - 1].matrix;
    }

    FloatBuffer logits() {
      return logits.floats;
    }

    F32Buffer logitsBuffer() {
      return logits.matrix.data();
    }

    /** Gradient at the output of layer {@code l}'s matrix; that of the last layer is to be written before {@link #backward}. */
    F32Matrix delta(int l) {
      return delta[l].matrix;
    }

    /** Gradient at the output of hidden layer {@code l}'s batch norm, [batch][units]. */
    float[] outputGradient(int l) {
      return outputGradient[l];
    }

    /** Output of hidden layer {@code l} before scale and shift. */
    float[] normalised(int l) {
      return normalised[l];
    }

    /** Mean of hidden layer {@code l} in this batch. */
    float[] mean(int l) {
      return mean[l];
    }

    /** Variance of hidden layer {@code l} in this batch. */
    float[] variance(int l) {
      return variance[l];
    }

    void forward() {
      for (int l = 0; l < HIDDEN; l++) {
        Shared from = l == 0 ? input : activity[l - 1];
        Blas.productNT(batch, units, inputs(l), from.pointer, pitch(l), weightPointers[l], pitch(l), work.pointer, units);
        work.floats.get(0, values);
        statistics(l);
        activate(l, pitch(l + 1));
        activity[l].floats.put(0, active[l]);
      }
      int last = HIDDEN;
      Blas.productNT(
          batch, outputs(last), pitch(last), activity[last - 1].pointer, pitch(last), weightPointers[last], pitch(last), logits.pointer, outputs(last));
    }

    private void statistics(int l) {
      if (fixedMean != null) {
        System.arraycopy(fixedMean[l], 0, mean[l], 0, units);
        System.arraycopy(fixedVariance[l], 0, variance[l], 0, units);
      } else {
        Arrays.fill(total, 0);
        for (int from = 0; from < batch; from += BLOCK) {
          Arrays.fill(partial, 0);
          sum(values, from * units, Math.min(batch, from + BLOCK) * units, partial);
          add(partial, total);
        }
        for (int c = 0; c < units; c++) {
          mean[l][c] = (float) (total[c] / batch);
        }
        Arrays.fill(total, 0);
        for (int from = 0; from < batch; from += BLOCK) {
          Arrays.fill(partial, 0);
          sumSquares(values, from * units, Math.min(batch, from + BLOCK) * units, mean[l], partial);
          add(partial, total);
        }
        for (int c = 0; c < units; c++) {
          variance[l][c] = (float) (total[c] / batch);
        }
      }
      for (int c = 0; c < units; c++) {
        inverse[l][c] = (float) (1 / Math.sqrt(variance[l][c] + EPSILON));
      }
    }

    private void activate(int l, int pitch) {
      float[] norm = normalised[l];
      float[] out = active[l];
      float[] m = mean[l];
      float[] s = inverse[l];
      float[] shift = partial;
      System.arraycopy(parameters, gamma(l), scale, 0, units);
      System.arraycopy(parameters, beta(l), shift, 0, units);
      for (int r = 0; r < batch; r++) {
        row(r * units, r * pitch, m, s, scale, shift, norm, out);
      }
    }

    // Loops over a row are methods of their own: C2 turns them into vector code.
    private void row(int from, int to, float[] m, float[] s, float[] scale, float[] shift, float[] norm, float[] out) {
      for (int c = 0; c < m.length; c++) {
        float x = (values[from + c] - m[c]) * s[c];
        norm[from + c] = x;
        out[to + c] = Math.max(scale[c] * x + shift[c], 0f);
      }
    }

    /**
     * Gradients of all layers from that of the logits.
     *
     * @param parametersToo whether to write the gradient of the parameters
     */
    void backward(boolean parametersToo) {
      for (int l = LAYERS - 1; l >= 0; l--) {
        if (l < HIDDEN) {
          throughNorm(l, parametersToo);
          delta[l].floats.put(0, values);
        }
        if (parametersToo) {
          Shared from = l == 0 ? input : activity[l - 1];
          Blas.productTN(outputs(l), pitch(l), batch, delta[l].pointer, outputs(l), from.pointer, pitch(l), gradientPointers[l], pitch(l));
        }
        if (l > 0) {
          Blas.productNN(batch, units, outputs(l), delta[l].pointer, outputs(l), weightPointers[l], pitch(l), work.pointer, units);
          work.floats.get(0, outputGradient[l - 1]);
        }
      }
    }

    /** From the gradient at the output of hidden layer {@code l} to that at its product, in {@link #values}. */
    private void throughNorm(int l, boolean parametersToo) {
      float[] d = outputGradient[l];
      float[] norm = normalised[l];
      int pitch = pitch(l + 1);
      Arrays.fill(total, 0);
      Arrays.fill(otherTotal, 0);
      for (int from = 0; from < batch; from += BLOCK) {
        Arrays.fill(partial, 0);
        Arrays.fill(otherPartial, 0);
        for (int r = from; r < Math.min(batch, from + BLOCK); r++) {
          throughReluRow(r * units, r * pitch, active[l], d, norm, partial, otherPartial);
        }
        add(partial, total);
        add(otherPartial, otherTotal);
      }
      for (int c = 0; c < units; c++) {
        if (parametersToo) {
          gradient.put(beta(l) + c, (float) total[c]);
          gradient.put(gamma(l) + c, (float) otherTotal[c]);
        }
        // Fixed statistics do not move with the batch.
        partial[c] = fixedMean == null ? (float) (total[c] / batch) : 0f;
        otherPartial[c] = fixedMean == null ? (float) (otherTotal[c] / batch) : 0f;
        scale[c] = inverse[l][c] * parameters[gamma(l) + c];
      }
      for (int r = 0; r < batch; r++) {
        throughNormRow(r * units, d, norm, partial, otherPartial, scale);
      }
    }

    private static void throughReluRow(int from, int to, float[] out, float[] d, float[] norm, float[] sum, float[] weighted) {
      for (int c = 0; c < sum.length; c++) {
        // 1 where the output is positive, without a branch.
        float g = d[from + c] * Math.min(out[to + c] * Float.MAX_VALUE, 1f);
        d[from + c] = g;
        sum[c] += g;
        weighted[c] += g * norm[from + c];
      }
    }

    private void throughNormRow(int from, float[] d, float[] norm, float[] meanShift, float[] meanScale, float[] s) {
      for (int c = 0; c < s.length; c++) {
        values[from + c] = s[c] * (d[from + c] - meanShift[c] - norm[from + c] * meanScale[c]);
      }
    }

    private void add(float[] from, double[] to) {
      for (int c = 0; c < units; c++) {
        to[c] += from[c];
      }
    }
  }

  private static void sum(float[] x, int from, int to, float[] sums) {
    for (int i = from; i < to; i += sums.length) {
      for (int c = 0; c < sums.length; c++) {
        sums[c] += x[i + c];
      }
    }
  }

  private static void sumSquares(float[] x, int from, int to, float[] mean, float[] sums) {
    for (int i = from; i < to; i += sums.length) {
      for (int c = 0; c < sums.length; c++) {
        float d = x[i + c] - mean[c];
        sums[c] += d * d;
      }
    }
  }
}
