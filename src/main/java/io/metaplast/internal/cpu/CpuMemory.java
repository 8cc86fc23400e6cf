package io.metaplast.internal.cpu;

import io.metaplast.internal.spi.ElementKind;
import io.metaplast.internal.spi.Memory;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.nio.ShortBuffer;

/**
 * Native host memory, our own or the caller's. Transfers go through typed views that are made once; a Java buffer holds less than 2 GiB, so there is one view
 * per window of 1 GiB. The kind of the elements is fixed, as in the buffers above.
 */
final class CpuMemory extends Memory {
  private static final int WINDOW_SHIFT = 30;
  private static final long WINDOW = 1L << WINDOW_SHIFT;

  private final CpuProvider provider;
  private final long address;

  @SuppressWarnings("unused") // kept reachable: wrapped memory lives as long as its owner
  private final Object owner;

  private final boolean allocated;
  private final Buffer[] windows;

  private CpuMemory(CpuProvider provider, long address, long bytes, ElementKind kind, Object owner, boolean allocated) {
    super(provider, bytes);
    this.provider = provider;
    this.address = address;
    this.owner = owner;
    this.allocated = allocated;
    this.windows = windows(kind);
  }

  /** Memory of metaplast_alloc, freed with this object. */
  static CpuMemory allocated(CpuProvider provider, long address, long bytes, ElementKind kind) {
    return new CpuMemory(provider, address, bytes, kind, null, true);
  }

  /** The caller's floats; {@code owner} keeps them alive. */
  static CpuMemory wrapped(CpuProvider provider, long address, long bytes, Object owner) {
    return new CpuMemory(provider, address, bytes, ElementKind.F32, owner, false);
  }

  private Buffer[] windows(ElementKind kind) {
    Buffer[] views = new Buffer[(int) ((bytes() + WINDOW - 1) >> WINDOW_SHIFT)];
    for (int i = 0; i < views.length; i++) {
      long start = (long) i << WINDOW_SHIFT;
      ByteBuffer window = CpuBindings.view(address + start, Math.min(WINDOW, bytes() - start)).order(ByteOrder.nativeOrder());
      views[i] =
          switch (kind) {
            case F32 -> window.asFloatBuffer();
            case I32 -> window.asIntBuffer();
            case BF16 -> window.asShortBuffer();
            case BITS -> window.asLongBuffer();
            case BYTES -> window;
          };
    }
    return views;
  }

  @Override
  public long address() {
    return address;
  }

  @Override
  protected void free() {
    if (allocated) {
      provider.freed(bytes());
      CpuBindings.free(address, bytes());
    }
  }

  void write(long offset, float[] source, int from, int n) {
    for (int done = 0; done < n; ) {
      FloatBuffer window = (FloatBuffer) windows[window(offset + 4L * done)];
      int index = index(offset + 4L * done) / Float.BYTES;
      int part = Math.min(n - done, window.capacity() - index);
      window.put(index, source, from + done, part);
      done += part;
    }
  }

  void read(long offset, float[] target, int to, int n) {
    for (int done = 0; done < n; ) {
      FloatBuffer window = (FloatBuffer) windows[window(offset + 4L * done)];
      int index = index(offset + 4L * done) / Float.BYTES;
      int part = Math.min(n - done, window.capacity() - index);
      window.get(index, target, to + done, part);
      done += part;
    }
  }

  void write(long offset, int[] source, int from, int n) {
    for (int done = 0; done < n; ) {
      IntBuffer window = (IntBuffer) windows[window(offset + 4L * done)];
      int index = index(offset + 4L * done) / Integer.BYTES;
      int part = Math.min(n - done, window.capacity() - index);
      window.put(index, source, from + done, part);
      done += part;
    }
  }

  void read(long offset, int[] target, int to, int n) {
    for (int done = 0; done < n; ) {
      IntBuffer window = (IntBuffer) windows[window(offset + 4L * done)];
      int index = index(offset + 4L * done) / Integer.BYTES;
      int part = Math.min(n - done, window.capacity() - index);
      window.get(index, target, to + done, part);
      done += part;
    }
  }

  void write(long offset, short[] source, int from, int n) {
    for (int done = 0; done < n; ) {
      ShortBuffer window = (ShortBuffer) windows[window(offset + 2L * done)];
      int index = index(offset + 2L * done) / Short.BYTES;
      int part = Math.min(n - done, window.capacity() - index);
      window.put(index, source, from + done, part);
      done += part;
    }
  }

  void read(long offset, short[] target, int to, int n) {
    for (int done = 0; done < n; ) {
      ShortBuffer window = (ShortBuffer) windows[window(offset + 2L * done)];
      int index = index(offset + 2L * done) / Short.BYTES;
      int part = Math.min(n - done, window.capacity() - index);
      window.get(index, target, to + done, part);
      done += part;
    }
  }

  void write(long offset, long[] source, int from, int n) {
    for (int done = 0; done < n; ) {
      LongBuffer window = (LongBuffer) windows[window(offset + 8L * done)];
      int index = index(offset + 8L * done) / Long.BYTES;
      int part = Math.min(n - done, window.capacity() - index);
      window.put(index, source, from + done, part);
      done += part;
    }
  }

  void read(long offset, long[] target, int to, int n) {
    for (int done = 0; done < n; ) {
      LongBuffer window = (LongBuffer) windows[window(offset + 8L * done)];
      int index = index(offset + 8L * done) / Long.BYTES;
      int part = Math.min(n - done, window.capacity() - index);
      window.get(index, target, to + done, part);
      done += part;
    }
  }

  private static int window(long offset) {
    return (int) (offset >> WINDOW_SHIFT);
  }

  private static int index(long offset) {
    return (int) (offset & (WINDOW - 1));
  }
}
