package io.metaplast.internal.java;

import io.metaplast.F32Matrix;
import io.metaplast.internal.BufferImpl;
import io.metaplast.kfac.BatchNormMerge;
import io.metaplast.kfac.BatchNormMergeGradients;

/** Batch norm merged into the weights of the layer below it, and the way back; one channel after the other. */
final class BatchNormMergeTask {
  // operands
  private static final int W = 0;
  private static final int BIAS = 1;
  private static final int GAMMA = 2;
  private static final int BETA = 3;
  private static final int MU = 4;
  private static final int VARIANCE = 5;
  private static final int WEIGHT = 6; // merged, or the gradient that comes in
  private static final int VECTOR = 7;

  private Operand[] o;
  private float eps;
  private boolean bias;

  private void set(Scratch scratch, BatchNormMerge layer) {
    o = scratch.operand;
    o[W].set((BufferImpl) layer.weight().data());
    bias = layer.bias() != null;
    if (bias) {
      o[BIAS].set((BufferImpl) layer.bias());
    }
    o[GAMMA].set((BufferImpl) layer.gamma());
    o[BETA].set((BufferImpl) layer.beta());
    o[MU].set((BufferImpl) layer.mean());
    o[VARIANCE].set((BufferImpl) layer.variance());
    eps = (float) layer.eps();
  }

  /** The first channel whose variance + eps is not positive and finite, or -1. */
  private int bad(int channels) {
    for (int i = 0; i < channels; i++) {
      float v = o[VARIANCE].get(i) + eps;
      if (!(v > 0) || v == Float.POSITIVE_INFINITY) {
        return i;
      }
    }
    return -1;
  }

  private float sigma(int i) {
    return (float) Math.sqrt(o[VARIANCE].get(i) + eps);
  }

  private float bias(int i) {
    return bias ? o[BIAS].get(i) : 0f;
  }

  long merge(Scratch scratch, BatchNormMerge layer, F32Matrix merged, BufferImpl mergedBias) {
    set(scratch, layer);
    try {
      int channels = layer.weight().rows();
      int bad = bad(channels);
      if (bad >= 0) {
        return bad;
      }
      o[WEIGHT].set((BufferImpl) merged.data());
      o[VECTOR].set(mergedBias);
      for (int i = 0; i < channels; i++) {
        float scale = o[GAMMA].get(i) / sigma(i);
        scaleRow(o[W], (long) i * layer.weight().ld(), scale, o[WEIGHT], (long) i * merged.ld(), merged.cols(), scratch.chunk[W]);
        o[VECTOR].put(i, o[BETA].get(i) + scale * (bias(i) - o[MU].get(i)));
      }
      return -1;
    } finally {
      o = null;
      scratch.release();
    }
  }

  private static void scaleRow(Operand x, long from, float scale, Operand out, long to, int cols, float[] line) {
    for (int at = 0; at < cols; at += Scratch.CHUNK) {
      int n = Math.min(Scratch.CHUNK, cols - at);
      x.load(from + at, line, 0, n);
      for (int j = 0; j < n; j++) {
        line[j] = scale * line[j];
      }
      out.store(to + at, line, 0, n);
    }
  }

  long backward(
      Scratch scratch, Scratch second, BatchNormMerge layer, F32Matrix gradWeight, BufferImpl gradBias, BatchNormMergeGradients out) {
    set(scratch, layer);
    try {
      int channels = layer.weight().rows();
      int bad = bad(channels);
      if (bad >= 0) {
        return bad;
      }
      o[WEIGHT].set((BufferImpl) gradWeight.data());
      o[VECTOR].set(gradBias);
      Operand[] results = second.operand;
      results[W].set((BufferImpl) out.weight().data());
      set(results[BIAS], out.bias());
      set(results[GAMMA], out.gamma());
      set(results[BETA], out.beta());
      set(results[MU], out.mean());
      set(results[VARIANCE], out.variance());
      for (int i = 0; i < channels; i++) {
        channel(i, layer, gradWeight, out, results, scratch);
      }
      return -1;
    } finally {
      o = null;
      scratch.release();
      second.release();
    }
  }

  private static void set(Operand operand, Object bufferOrNull) {
    if (bufferOrNull != null) {
      operand.set((BufferImpl) bufferOrNull);
    }
  }

  private void channel(int i, BatchNormMerge layer, F32Matrix gradWeight, BatchNormMergeGradients out, Operand[] results, Scratch scratch) {
    float gamma = o[GAMMA].get(i);
    float sigma = sigma(i);
    float scale = gamma / sigma;
    float gb = o[VECTOR].get(i);
    int cols = gradWeight.cols();
    long g = (long) i * gradWeight.ld();
    double t = inner(g, (long) i * layer.weight().ld(), cols, scratch) + gb * ((double) bias(i) - o[MU].get(i));
    scaleRow(o[WEIGHT], g, scale, results[W], (long) i * out.weight().ld(), cols, scratch.chunk[W]);
    if (out.bias() != null) {
      results[BIAS].put(i, scale * gb);
    }
    results[BETA].put(i, gb);
    results[GAMMA].put(i, (float) (t / sigma));
    if (out.mean() != null) {
      double s = sigma;
      results[MU].put(i, -scale * gb);
      results[VARIANCE].put(i, (float) (-gamma * t / (2 * s * s * s)));
    }
  }

  /** A row of the gradient times one of the weights. */
  private double inner(long g, long w, int cols, Scratch scratch) {
    double sum = 0;
    float[] x = scratch.chunk[WEIGHT];
    float[] y = scratch.chunk[W];
    for (int at = 0; at < cols; at += Scratch.CHUNK) {
      int n = Math.min(Scratch.CHUNK, cols - at);
      o[WEIGHT].load(g + at, x, 0, n);
      o[W].load(w + at, y, 0, n);
      for (int j = 0; j < n; j++) {
        sum += (double) x[j] * y[j];
      }
    }
    return sum;
  }
}
