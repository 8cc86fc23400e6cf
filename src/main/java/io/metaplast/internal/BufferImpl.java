package io.metaplast.internal;

import io.metaplast.Backend;
import io.metaplast.Bf16Buffer;
import io.metaplast.DeviceBuffer;
import io.metaplast.F32Buffer;
import io.metaplast.I32Buffer;
import io.metaplast.Workspace;
import io.metaplast.internal.spi.BackendProvider;
import io.metaplast.internal.spi.Memory;
import java.util.Objects;

/** Every buffer of the library: a typed range of a {@link Memory}. */
public abstract class BufferImpl implements DeviceBuffer {
  private final BackendImpl backend;
  private final Memory memory;
  private final long byteOffset;
  private final long length;
  private final Runnable onClose;
  private final long rangeStart;
  private final long rangeEnd;
  private final long rawAddress;

  /** {@code onClose}: run after the close of a buffer that owns its memory; null for slices, which own nothing. */
  BufferImpl(BackendImpl backend, Memory memory, long byteOffset, long length, Runnable onClose) {
    this.backend = backend;
    this.memory = memory;
    this.byteOffset = byteOffset;
    this.length = length;
    this.onClose = onClose;
    this.rangeStart = memory.rangeBase() + byteOffset;
    this.rangeEnd = rangeStart + length * elementBytes();
    this.rawAddress = memory.address() + byteOffset;
  }

  @Override
  public final Backend backend() {
    return backend;
  }

  @Override
  public final long length() {
    return length;
  }

  /** The memory this range lies in. */
  public final Memory memory() {
    return memory;
  }

  /** Where the range starts in its memory. */
  public final long byteOffset() {
    return byteOffset;
  }

  public final long byteLength() {
    return length * elementBytes();
  }

  /** First byte of the range, for overlap checks; see {@link Memory#rangeBase()}. */
  final long rangeStart() {
    return rangeStart;
  }

  /** One past its last byte. */
  final long rangeEnd() {
    return rangeEnd;
  }

  /** Native address of the first element, without a check; 0-based offset for heap memory. For calls that hold the memory. */
  public final long rawAddress() {
    return rawAddress;
  }

  @Override
  public final long address() {
    if (isClosed()) {
      throw new IllegalStateException("buffer is closed");
    }
    if (memory.address() == 0 && memory.bytes() > 0) {
      throw new UnsupportedOperationException(
          "this buffer of the JAVA backend lives in the Java heap and has no address; wrap native memory if you need one");
    }
    return rawAddress();
  }

  @Override
  public final boolean isClosed() {
    return memory.isClosed();
  }

  @Override
  public final void close() {
    if (onClose != null && memory.closeOnce()) {
      onClose.run();
    }
  }

  /** Takes backend and memory for a transfer. */
  final void hold(String name) {
    backend.acquire();
    try {
      memory.acquire(name);
    } catch (IllegalStateException e) {
      backend.release();
      throw e;
    }
  }

  /** Gives both back. */
  final void letGo() {
    memory.release();
    backend.release();
  }

  final BackendProvider provider() {
    return memory.provider();
  }

  final BackendImpl backendImpl() {
    return backend;
  }

  final void checkRange(long offset, long n) {
    checkRange("buffer", offset, n, length);
  }

  static void checkRange(String name, long offset, long n, long size) {
    if (offset < 0 || n < 0 || offset > size - n) {
      throw new IndexOutOfBoundsException(name + ": offset " + offset + " + length " + n + " leaves 0.." + size);
    }
  }

  @Override
  public String toString() {
    return getClass().getSimpleName() + "[" + length + (isClosed() ? ", closed" : "") + " on " + backend + "]";
  }

  /** fp32. */
  static final class F32 extends BufferImpl implements F32Buffer {
    F32(BackendImpl backend, Memory memory, long byteOffset, long length, Runnable onClose) {
      super(backend, memory, byteOffset, length, onClose);
    }

    @Override
    public int elementBytes() {
      return 4;
    }

    @Override
    public F32Buffer slice(long offset, long length) {
      checkRange(offset, length);
      return new F32(backendImpl(), memory(), byteOffset() + 4 * offset, length, null);
    }

    @Override
    public void upload(long offset, float[] source, int sourceOffset, int n) {
      Objects.requireNonNull(source, "source");
      checkRange("source", sourceOffset, n, source.length);
      checkRange(offset, n);
      hold("buffer");
      try {
        provider().write(memory(), byteOffset() + 4 * offset, source, sourceOffset, n);
      } finally {
        letGo();
      }
    }

    @Override
    public void download(long offset, float[] target, int targetOffset, int n) {
      Objects.requireNonNull(target, "target");
      checkRange("target", targetOffset, n, target.length);
      checkRange(offset, n);
      hold("buffer");
      try {
        provider().read(memory(), byteOffset() + 4 * offset, target, targetOffset, n);
      } finally {
        letGo();
      }
    }

    @Override
    public void copyFrom(F32Buffer source) {
      Objects.requireNonNull(source, "source");
      if (!(source instanceof F32 s) || s.backend() != backend()) {
        throw new IllegalArgumentException("source belongs to " + source.backend() + ", this buffer to " + backend());
      }
      if (s.length() != length()) {
        throw new IllegalArgumentException("source.length " + s.length() + " != length " + length());
      }
      if (s.rangeStart() != rangeStart() && s.rangeStart() < rangeEnd() && rangeStart() < s.rangeEnd()) {
        throw new IllegalArgumentException("source overlaps this buffer, " + Math.abs(s.rangeStart() - rangeStart()) + " bytes apart");
      }
      hold("buffer");
      try {
        s.hold("source");
        try {
          provider().copy(memory(), byteOffset(), s.memory(), s.byteOffset(), byteLength());
        } finally {
          s.letGo();
        }
      } finally {
        letGo();
      }
    }

    @Override
    public void fill(float value) {
      hold("buffer");
      try {
        provider().fill(memory(), byteOffset(), length(), Float.floatToRawIntBits(value));
      } finally {
        letGo();
      }
    }
  }

  /** 32-bit integers. */
  static final class I32 extends BufferImpl implements I32Buffer {
    I32(BackendImpl backend, Memory memory, long byteOffset, long length, Runnable onClose) {
      super(backend, memory, byteOffset, length, onClose);
    }

    @Override
    public int elementBytes() {
      return 4;
    }

    @Override
    public I32Buffer slice(long offset, long length) {
      checkRange(offset, length);
      return new I32(backendImpl(), memory(), byteOffset() + 4 * offset, length, null);
    }

    @Override
    public void upload(long offset, int[] source, int sourceOffset, int n) {
      Objects.requireNonNull(source, "source");
      checkRange("source", sourceOffset, n, source.length);
      checkRange(offset, n);
      hold("buffer");
      try {
        provider().write(memory(), byteOffset() + 4 * offset, source, sourceOffset, n);
      } finally {
        letGo();
      }
    }

    @Override
    public void download(long offset, int[] target, int targetOffset, int n) {
      Objects.requireNonNull(target, "target");
      checkRange("target", targetOffset, n, target.length);
      checkRange(offset, n);
      hold("buffer");
      try {
        provider().read(memory(), byteOffset() + 4 * offset, target, targetOffset, n);
      } finally {
        letGo();
      }
    }
  }

  /** bf16. */
  static final class Bf16 extends BufferImpl implements Bf16Buffer {
    Bf16(BackendImpl backend, Memory memory, long byteOffset, long length, Runnable onClose) {
      super(backend, memory, byteOffset, length, onClose);
    }

    @Override
    public int elementBytes() {
      return 2;
    }

    @Override
    public Bf16Buffer slice(long offset, long length) {
      checkRange(offset, length);
      return new Bf16(backendImpl(), memory(), byteOffset() + 2 * offset, length, null);
    }

    @Override
    public void upload(long offset, float[] source, int sourceOffset, int n) {
      Objects.requireNonNull(source, "source");
      checkRange("source", sourceOffset, n, source.length);
      short[] bits = new short[n];
      for (int i = 0; i < n; i++) {
        bits[i] = fromFloat(source[sourceOffset + i]);
      }
      uploadBits(offset, bits, 0, n);
    }

    @Override
    public void uploadBits(long offset, short[] source, int sourceOffset, int n) {
      Objects.requireNonNull(source, "source");
      checkRange("source", sourceOffset, n, source.length);
      checkRange(offset, n);
      hold("buffer");
      try {
        provider().write(memory(), byteOffset() + 2 * offset, source, sourceOffset, n);
      } finally {
        letGo();
      }
    }

    @Override
    public void download(long offset, float[] target, int targetOffset, int n) {
      Objects.requireNonNull(target, "target");
      checkRange("target", targetOffset, n, target.length);
      checkRange(offset, n);
      short[] bits = new short[n];
      hold("buffer");
      try {
        provider().read(memory(), byteOffset() + 2 * offset, bits, 0, n);
      } finally {
        letGo();
      }
      for (int i = 0; i < n; i++) {
        target[targetOffset + i] = toFloat(bits[i]);
      }
    }

    static short fromFloat(float x) {
      int b = Float.floatToRawIntBits(x);
      if (x != x) {
        return (short) ((b >>> 16) | 0x40);
      }
      return (short) ((b + 0x7fff + ((b >>> 16) & 1)) >>> 16);
    }

    static float toFloat(short bits) {
      return Float.intBitsToFloat(bits << 16);
    }
  }

  /** Scratch bytes. */
  static final class Scratch extends BufferImpl implements Workspace {
    Scratch(BackendImpl backend, Memory memory, long length, Runnable onClose) {
      super(backend, memory, 0, length, onClose);
    }

    @Override
    public int elementBytes() {
      return 1;
    }
  }
}
