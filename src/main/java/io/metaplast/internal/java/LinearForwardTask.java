package io.metaplast.internal.java;

import io.metaplast.bayes.LinearShape;
import io.metaplast.internal.BufferImpl;

/** linearForward: a unit is a tile of rows with all samples; mu and sigma are read once. */
final class LinearForwardTask extends ParallelTask {
  // operands
  private static final int MU = 0;
  private static final int SIGMA = 1;
  private static final int X = 2;
  private static final int Y = 3;
  private static final int EPSILON = 4;
  // chunks, besides MU, SIGMA and X
  private static final int Z = 3;
  private static final int W = 4;

  private BufferImpl mu;
  private BufferImpl sigma;
  private BufferImpl x;
  private BufferImpl y;
  private BufferImpl epsilon; // or null
  private LinearShape shape;
  private int randomStream;
  private long seed;
  private int step;

  void run(
      WorkerPool pool, Scratch scratch, BufferImpl mu, BufferImpl sigma, int tensorNumber, LinearShape shape, BufferImpl x, long seed,
      int step, BufferImpl epsilonOrNull, BufferImpl y) {
    this.mu = mu;
    this.sigma = sigma;
    this.x = x;
    this.y = y;
    this.epsilon = epsilonOrNull;
    this.shape = shape;
    this.randomStream = tensorNumber << 8;
    this.seed = seed;
    this.step = step;
    int rows = LinearTile.rows(shape.in());
    long units = (shape.out() + rows - 1L) / rows;
    try {
      pool.run(this, units, GaussianSource.NANOS * shape.samples() * rows * shape.in(), scratch);
    } finally {
      clear();
    }
  }

  @Override
  void clear() {
    mu = null;
    sigma = null;
    x = null;
    y = null;
    epsilon = null;
    shape = null;
  }

  @Override
  void run(long from, long to, Scratch scratch) {
    scratch.operand[MU].set(mu);
    scratch.operand[SIGMA].set(sigma);
    scratch.operand[X].set(x);
    scratch.operand[Y].set(y);
    if (epsilon != null) {
      scratch.operand[EPSILON].set(epsilon);
    }
    int rows = LinearTile.rows(shape.in());
    for (long unit = from; unit < to; unit++) {
      int o = (int) (unit * rows);
      if (shape.in() <= Scratch.CHUNK) {
        rows(o, Math.min(rows, shape.out() - o), scratch);
      } else {
        longRow(o, scratch);
      }
    }
  }

  private void rows(int o, int rows, Scratch scratch) {
    int in = shape.in();
    int n = rows * in;
    float[][] c = scratch.chunk;
    scratch.operand[MU].load((long) o * in, c[MU], 0, n);
    scratch.operand[SIGMA].load((long) o * in, c[SIGMA], 0, n);
    for (int k = 0; k < shape.samples(); k++) {
      if (k == 0 || !shape.sharedInput()) {
        for (int r = 0; r < rows; r++) {
          scratch.operand[X].load((long) k * in, c[X], r * in, in);
        }
      }
      products(k, (long) o * in, n, scratch);
      for (int r = 0; r < rows; r++) {
        put(k, o + r, scratch.sums.chunk(c[W], r * in, in), scratch);
      }
    }
  }

  private void longRow(int o, Scratch scratch) {
    int in = shape.in();
    int pieces = (int) Scratch.chunks(in);
    float[][] c = scratch.chunk;
    float[] sums = scratch.sums.chunkSums(Math.multiplyExact(pieces, shape.samples()));
    for (int p = 0; p < pieces; p++) {
      int at = p * Scratch.CHUNK;
      int n = Math.min(Scratch.CHUNK, in - at);
      long first = (long) o * in + at;
      scratch.operand[MU].load(first, c[MU], 0, n);
      scratch.operand[SIGMA].load(first, c[SIGMA], 0, n);
      for (int k = 0; k < shape.samples(); k++) {
        if (k == 0 || !shape.sharedInput()) {
          scratch.operand[X].load((long) k * in + at, c[X], 0, n);
        }
        products(k, first, n, scratch);
        sums[k * pieces + p] = scratch.sums.chunk(c[W], 0, n);
      }
    }
    for (int k = 0; k < shape.samples(); k++) {
      put(k, o, scratch.sums.ofChunkSums(sums, k * pieces, pieces), scratch);
    }
  }

  /** Chunk W = weights of sample k times inputs. */
  private void products(int k, long first, int n, Scratch scratch) {
    float[][] c = scratch.chunk;
    scratch.gaussian.normals(seed, randomStream + k, step, first, n, c[Z]);
    if (epsilon != null) {
      scratch.operand[EPSILON].store(k * shape.weights() + first, c[Z], 0, n);
    }
    LinearTile.weights(c[MU], c[SIGMA], c[Z], c[W], n);
    LinearTile.product(c[W], c[X], c[W], n);
  }

  private void put(int k, int o, float sum, Scratch scratch) {
    float value = !shape.relu() || sum > 0f ? sum : 0f;
    scratch.operand[Y].put((long) k * shape.out() + o, value);
  }
}
