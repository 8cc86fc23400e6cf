package io.metaplast.internal.java;

import io.metaplast.internal.BufferImpl;
import io.metaplast.internal.spi.ElementKind;
import java.nio.FloatBuffer;

/**
 * One fp32 or bf16 operand of a running kernel: where its elements lie, and chunk-wise access to them. Objects are reused, so that calls
 * allocate nothing. Indices count elements from the operand's first one; they fit an int because arrays and buffers of the Java backend do.
 */
final class Operand {
  private float[] array;
  private FloatBuffer direct;
  private short[] halves;
  private int base;

  void set(BufferImpl buffer) {
    JavaMemory memory = (JavaMemory) buffer.memory();
    int elementBytes = buffer.elementBytes();
    base = (int) (buffer.byteOffset() / elementBytes);
    if (elementBytes == ElementKind.BF16.bytes()) {
      halves = memory.halves();
    } else if (memory.isNative()) {
      direct = memory.direct();
    } else {
      memory.expect(ElementKind.F32);
      array = memory.floatsOrNull();
    }
  }

  /** The elements of an array. */
  void set(float[] values) {
    array = values;
    base = 0;
  }

  void clear() {
    array = null;
    direct = null;
    halves = null;
  }

  /** The heap array if elements can be used in place, else null. */
  float[] array() {
    return array;
  }

  /** Index of element 0 in {@link #array()}. */
  int base() {
    return base;
  }

  /** Whether both are arrays in which an element has the same index. */
  boolean sameIndex(Operand other) {
    return array != null && other.array != null && base == other.base;
  }

  float get(long at) {
    int i = base + (int) at;
    return array != null ? array[i] : direct != null ? direct.get(i) : Float.intBitsToFloat(halves[i] << 16);
  }

  void put(long at, float value) {
    int i = base + (int) at;
    if (array != null) {
      array[i] = value;
    } else {
      direct.put(i, value);
    }
  }

  /** target[to..to+n) = elements from {@code at}. */
  void load(long at, float[] target, int to, int n) {
    int from = base + (int) at;
    if (array != null) {
      System.arraycopy(array, from, target, to, n);
    } else if (direct != null) {
      direct.get(from, target, to, n);
    } else {
      widen(halves, from, target, to, n);
    }
  }

  /** Elements from {@code at} = source[from..from+n), which bf16 must hold exactly if this operand is bf16. */
  void store(long at, float[] source, int from, int n) {
    int to = base + (int) at;
    if (array != null) {
      System.arraycopy(source, from, array, to, n);
    } else if (direct != null) {
      direct.put(to, source, from, n);
    } else {
      for (int i = 0; i < n; i++) {
        halves[to + i] = (short) (Float.floatToRawIntBits(source[from + i]) >>> 16);
      }
    }
  }

  private static void widen(short[] halves, int from, float[] target, int to, int n) {
    for (int i = 0; i < n; i++) {
      target[to + i] = Float.intBitsToFloat(halves[from + i] << 16);
    }
  }
}
