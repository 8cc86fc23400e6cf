package io.metaplast.internal.java;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;

/** Bits of a chunk of floats, both ways, by two bulk copies: a loop over Float.floatToRawIntBits and its inverse does not vectorise. */
final class FloatBits {
  private final IntBuffer asInts;
  private final FloatBuffer asFloats;

  FloatBits() {
    ByteBuffer bytes = ByteBuffer.allocateDirect(Scratch.CHUNK * Float.BYTES).order(ByteOrder.nativeOrder());
    asInts = bytes.asIntBuffer();
    asFloats = bytes.asFloatBuffer();
  }

  /** bits[0..n) = those of values[at..at+n). */
  void toBits(float[] values, int at, int[] bits, int n) {
    asFloats.put(0, values, at, n);
    asInts.get(0, bits, 0, n);
  }

  /** values[at..at+n) = the floats with these bits. */
  void toFloats(int[] bits, float[] values, int at, int n) {
    asInts.put(0, bits, 0, n);
    asFloats.get(0, values, at, n);
  }
}
