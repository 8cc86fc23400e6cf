package io.metaplast.internal.java;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;

/**
 * What the passes of {@link GaussianSource} work on: consecutive Philox blocks, one array per word of a block, then one per value made
 * from that word. Belongs to one thread.
 */
final class Lanes {
  /** A chunk that starts inside a block needs one block more. */
  static final int BLOCKS = Scratch.CHUNK / 4 + 1;

  // address of the first block
  int key0;
  int key1;
  int stream;
  int step;
  long block;

  final int[] w0 = new int[BLOCKS];
  final int[] w1 = new int[BLOCKS];
  final int[] w2 = new int[BLOCKS];
  final int[] w3 = new int[BLOCKS];
  final float[] z0 = new float[BLOCKS];
  final float[] z1 = new float[BLOCKS];
  final float[] z2 = new float[BLOCKS];
  final float[] z3 = new float[BLOCKS];
  final float[] mantissa0 = new float[BLOCKS];
  final float[] mantissa2 = new float[BLOCKS];
  final float[] exponent0 = new float[BLOCKS];
  final float[] exponent2 = new float[BLOCKS];

  private final IntBuffer asInts;
  private final FloatBuffer asFloats;

  Lanes() {
    ByteBuffer bytes = ByteBuffer.allocateDirect(BLOCKS * 4).order(ByteOrder.nativeOrder());
    asInts = bytes.asIntBuffer();
    asFloats = bytes.asFloatBuffer();
  }

  /** values = the floats with these bits: two bulk copies, because a loop of Float.intBitsToFloat does not vectorise. */
  void toFloats(int[] bits, float[] values, int n) {
    asInts.put(0, bits, 0, n);
    asFloats.get(0, values, 0, n);
  }

  /** bits = those of the floats. */
  void toBits(float[] values, int[] bits, int n) {
    asFloats.put(0, values, 0, n);
    asInts.get(0, bits, 0, n);
  }
}
