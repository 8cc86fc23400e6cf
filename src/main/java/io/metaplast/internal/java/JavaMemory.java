package io.metaplast.internal.java;

import io.metaplast.internal.spi.ElementKind;
import io.metaplast.internal.spi.Memory;
import java.nio.FloatBuffer;

/**
 * Memory of the Java backend: an array of the element type, or a view of foreign native floats. Arrays, because the JIT compiler
 * vectorises loops over them and does not vectorise loops over direct buffers.
 */
final class JavaMemory extends Memory {
  /** Longest array that virtual machines agree to make. */
  static final int MAX_ELEMENTS = Integer.MAX_VALUE - 8;

  private final JavaProvider java;
  private final ElementKind kind;
  private final long address;
  private Object storage; // float[], int[], short[], long[] or FloatBuffer; null once freed
  private Object owner; // keeps foreign memory reachable

  /** Own memory: a zeroed array. */
  JavaMemory(JavaProvider java, ElementKind kind, int elements) {
    super(java, (long) elements * kind.bytes());
    this.java = java;
    this.kind = kind;
    this.address = 0;
    storage =
        switch (kind) {
          case F32 -> new float[elements];
          case I32 -> new int[elements];
          case BF16 -> new short[elements];
          case BITS -> new long[elements];
          case BYTES -> new int[(int) ((elements + 3L) / Integer.BYTES)];
        };
  }

  /** Foreign native floats; address 0 if it is not known. */
  JavaMemory(JavaProvider java, FloatBuffer direct, long address, Object owner) {
    super(java, (long) direct.limit() * Float.BYTES);
    this.java = java;
    this.kind = ElementKind.F32;
    this.address = address;
    this.storage = direct;
    this.owner = owner;
  }

  boolean isNative() {
    return storage instanceof FloatBuffer;
  }

  /** The array of fp32 heap memory, else null. */
  float[] floatsOrNull() {
    return storage instanceof float[] floats ? floats : null;
  }

  FloatBuffer direct() {
    return (FloatBuffer) storage;
  }

  int[] ints() {
    expect(ElementKind.I32);
    return (int[]) storage;
  }

  short[] halves() {
    expect(ElementKind.BF16);
    return (short[]) storage;
  }

  long[] words() {
    expect(ElementKind.BITS);
    return (long[]) storage;
  }

  /** The words of a workspace. */
  int[] scratch() {
    expect(ElementKind.BYTES);
    return (int[]) storage;
  }

  /** Refuses memory of another kind. */
  void expect(ElementKind wanted) {
    if (kind != wanted) {
      throw new IllegalArgumentException("this memory holds " + kind + ", not " + wanted);
    }
  }

  @Override
  public long address() {
    return address;
  }

  @Override
  protected void free() {
    if (!isNative()) {
      java.freed(bytes());
    }
    storage = null;
    owner = null;
  }
}
