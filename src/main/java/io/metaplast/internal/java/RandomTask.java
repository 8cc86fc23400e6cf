package io.metaplast.internal.java;

import io.metaplast.internal.BufferImpl;
import io.metaplast.internal.spi.BayesProvider;

/** philox, uniform, gaussian and, for tests, the elementary functions. */
final class RandomTask extends ParallelTask {
  /** What to write. */
  enum Kind {
    WORDS,
    UNIFORM,
    GAUSSIAN,
    ELEMENTARY
  }

  private static final int IN = 0;
  private static final int OUT = 1;
  private static final int OUT2 = 2;

  private Kind kind;
  private long seed;
  private int stream;
  private int step;
  private long first;
  private int function;
  private BufferImpl in;
  private BufferImpl out;
  private BufferImpl out2;

  void run(WorkerPool pool, Scratch scratch, Kind kind, long seed, int stream, int step, long first, BufferImpl out) {
    this.kind = kind;
    this.seed = seed;
    this.stream = stream;
    this.step = step;
    this.first = first;
    this.out = out;
    start(pool, scratch);
  }

  void run(WorkerPool pool, Scratch scratch, int function, BufferImpl x, BufferImpl y, BufferImpl y2OrNull) {
    this.kind = Kind.ELEMENTARY;
    this.function = function;
    this.in = x;
    this.out = y;
    this.out2 = y2OrNull;
    start(pool, scratch);
  }

  private void start(WorkerPool pool, Scratch scratch) {
    try {
      pool.run(this, Scratch.chunks(out.length()), GaussianSource.NANOS * Scratch.CHUNK, scratch);
    } finally {
      clear();
    }
  }

  @Override
  void clear() {
    in = null;
    out = null;
    out2 = null;
  }

  @Override
  void run(long from, long to, Scratch scratch) {
    if (kind != Kind.WORDS) {
      scratch.operand[OUT].set(out);
    }
    if (in != null) {
      scratch.operand[IN].set(in);
    }
    if (out2 != null) {
      scratch.operand[OUT2].set(out2);
    }
    for (long unit = from; unit < to; unit++) {
      long at = unit * Scratch.CHUNK;
      int n = (int) Math.min(Scratch.CHUNK, out.length() - at);
      float[] values = scratch.chunk[OUT];
      switch (kind) {
        case WORDS -> {
          int target = (int) (out.byteOffset() / Integer.BYTES + at);
          scratch.gaussian.words(seed, stream, step, first + at, n, ((JavaMemory) out.memory()).ints(), target);
        }
        case UNIFORM -> scratch.gaussian.uniforms(seed, stream, step, first + at, n, values);
        case GAUSSIAN -> scratch.gaussian.normals(seed, stream, step, first + at, n, values);
        case ELEMENTARY -> {
          scratch.operand[IN].load(at, values, 0, n);
          elementary(values, n, at, scratch);
        }
      }
      if (kind != Kind.WORDS) {
        scratch.operand[OUT].store(at, values, 0, n);
      }
    }
  }

  /** The logarithm, sine and cosine of the array passes that the Gaussian runs through, the others one by one. */
  private void elementary(float[] values, int n, long at, Scratch scratch) {
    switch (function) {
      case BayesProvider.FN_LN -> scratch.gaussian.ln(values, n);
      case BayesProvider.FN_SINCOS2PI -> {
        scratch.gaussian.sinCos(values, scratch.chunk[OUT2], n);
        scratch.operand[OUT2].store(at, scratch.chunk[OUT2], 0, n);
      }
      case BayesProvider.FN_EXP -> {
        for (int i = 0; i < n; i++) {
          values[i] = Elementary.exp(values[i]);
        }
      }
      case BayesProvider.FN_TANH -> {
        for (int i = 0; i < n; i++) {
          values[i] = Elementary.tanh(values[i]);
        }
      }
      default -> throw new IllegalArgumentException("function = " + function + " must be in 0.." + BayesProvider.FN_TANH);
    }
  }
}
