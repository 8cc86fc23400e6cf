package io.metaplast.internal.java;

import java.util.Arrays;

/** Working memory of one thread: operands of the task it runs and chunk-sized arrays that stay in the first cache levels. */
final class Scratch {
  /** Elements of a chunk: the unit of work of element-wise kernels, and the chunk of the R16 sum. */
  static final int CHUNK = 4096;

  private static final int OPERANDS = 8;
  private static final int ARRAYS = 10;

  /** Operands of the running task; what each holds is the task's choice. */
  final Operand[] operand = new Operand[OPERANDS];

  /** Chunks of floats; what each holds is the task's choice. */
  final float[][] chunk = new float[ARRAYS][CHUNK];

  final Rule rule = new Rule();
  final GaussianSource gaussian = new GaussianSource();
  final R16 sums = new R16();
  private Tiles tiles;
  private double[] doubles;
  private float[][] rows = new float[0][];
  private SpdFloats spdFloats;
  private SpdDoubles spdDoubles;
  private SpdFloats.Sums floatsSums;
  private SpdDoubles.Sums doublesSums;
  private SpdProbe spdProbe;

  Scratch() {
    for (int i = 0; i < OPERANDS; i++) {
      operand[i] = new Operand();
    }
  }

  /** Tiles of the binarized products; they are large, so only threads that run such products have them. */
  Tiles tiles() {
    if (tiles == null) {
      tiles = new Tiles();
    }
    return tiles;
  }

  /** A chunk of doubles. */
  double[] doubles() {
    if (doubles == null) {
      doubles = new double[CHUNK];
    }
    return doubles;
  }

  /** n rows of {@link Tiles#LANES} elements. */
  float[][] rows(int n) {
    int have = rows.length;
    if (have < n) {
      float[][] more = Arrays.copyOf(rows, n);
      for (int i = have; i < n; i++) {
        more[i] = new float[Tiles.LANES];
      }
      rows = more;
    }
    return rows;
  }

  /** A matrix that is inverted; it grows with the largest one. */
  SpdFloats spdFloats() {
    if (spdFloats == null) {
      spdFloats = new SpdFloats();
    }
    return spdFloats;
  }

  /** The same in double precision. */
  SpdDoubles spdDoubles() {
    if (spdDoubles == null) {
      spdDoubles = new SpdDoubles();
    }
    return spdDoubles;
  }

  /** What a thread needs to work on a matrix that is inverted. */
  SpdFloats.Sums floatsSums() {
    if (floatsSums == null) {
      floatsSums = new SpdFloats.Sums();
    }
    return floatsSums;
  }

  /** The same in double precision. */
  SpdDoubles.Sums doublesSums() {
    if (doublesSums == null) {
      doublesSums = new SpdDoubles.Sums();
    }
    return doublesSums;
  }

  SpdProbe spdProbe() {
    if (spdProbe == null) {
      spdProbe = new SpdProbe(gaussian);
    }
    return spdProbe;
  }

  /** Forgets the operands. */
  void release() {
    for (Operand o : operand) {
      o.clear();
    }
  }

  /** Chunks that {@code n} elements make. */
  static long chunks(long n) {
    return (n + CHUNK - 1) / CHUNK;
  }
}
