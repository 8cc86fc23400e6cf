package io.metaplast.internal.java;

import io.metaplast.internal.spi.ElementKind;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;

/** Native memory as Java sees it. Needs the native part of JavaCPP, which only users of wrapped memory must have. */
final class ForeignMemory {
  private ForeignMemory() {}

  /** A pointer to memory that somebody else owns. */
  private static final class Address extends FloatPointer {
    Address(long address, long length) {
      super((Pointer) null);
      this.address = address;
      this.limit = length;
      this.capacity = length;
    }
  }

  /** A buffer over {@code bytes} bytes at {@code address}. */
  static FloatBuffer floats(long address, long bytes) {
    long length = bytes / ElementKind.F32.bytes();
    if (length > JavaMemory.MAX_ELEMENTS / ElementKind.F32.bytes()) {
      throw new IllegalArgumentException(
          length + " floats exceed the limit of the JAVA backend, " + JavaMemory.MAX_ELEMENTS / ElementKind.F32.bytes()
              + " in one direct buffer; split the view or use the CPU backend");
    }
    if (length == 0) {
      return java.nio.ByteBuffer.allocateDirect(0).order(ByteOrder.nativeOrder()).asFloatBuffer();
    }
    try {
      return new Address(address, length).asByteBuffer().order(ByteOrder.nativeOrder()).asFloatBuffer();
    } catch (LinkageError e) {
      throw new UnsupportedOperationException(
          "the JAVA backend reaches raw addresses through the native part of JavaCPP, which did not load (" + e.getMessage()
              + "); put org.bytedeco:javacpp with the classifier of this platform on the class path, or wrap a direct FloatBuffer",
          e);
    }
  }

  /**
   * Address of a direct buffer, 0 where JavaCPP's native part cannot be loaded: then two views of one memory are not recognised as
   * overlapping.
   */
  static long addressOf(FloatBuffer direct) {
    try {
      return direct.limit() == 0 ? 0 : new FloatPointer(direct).address();
    } catch (LinkageError e) {
      return 0;
    }
  }
}
