package io.metaplast.internal;

import io.metaplast.Backend;
import io.metaplast.BackendInfo;
import io.metaplast.BackendKind;
import io.metaplast.BackendOptions;
import io.metaplast.Bf16Buffer;
import io.metaplast.BitMatrix;
import io.metaplast.DeviceBuffer;
import io.metaplast.F32Buffer;
import io.metaplast.I32Buffer;
import io.metaplast.Stream;
import io.metaplast.TensorGroup;
import io.metaplast.TensorLayout;
import io.metaplast.Workspace;
import io.metaplast.bayes.BayesKernels;
import io.metaplast.binary.BinaryKernels;
import io.metaplast.kfac.KfacKernels;
import io.metaplast.internal.spi.BackendProvider;
import io.metaplast.internal.spi.ElementKind;
import io.metaplast.internal.spi.Memory;
import io.metaplast.internal.spi.UseCounted;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.ReadOnlyBufferException;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.bytedeco.javacpp.FloatPointer;

/** An open backend of any kind: makes and checks buffers, groups and streams over what its provider implements. */
public final class BackendImpl implements Backend {
  private static final System.Logger LOG = System.getLogger("io.metaplast");
  private static final AtomicInteger NEXT_ID = new AtomicInteger(1);

  /** Wrapped memory is the caller's: a close ends the view and nothing else. */
  private static final Runnable WRAPPED = () -> {};

  /** Tensors of an arena start at multiples of this. */
  private static final int ARENA_ALIGNMENT = 64;

  private final BackendProvider provider;
  private final BackendOptions options;
  private final BackendInfo info;
  private final String name;
  private final StreamImpl defaultStream;
  private final BayesKernels bayes;
  private final BinaryKernels binary;
  private final KfacKernels kfac;
  private final UseCounted life =
      new UseCounted() {
        @Override
        protected void free() {
          provider.close();
        }
      };

  BackendImpl(BackendProvider provider, BackendOptions options) {
    this.provider = provider;
    this.info = provider.info();
    this.options = options.withKind(info.kind());
    this.name = info.kind() + "#" + NEXT_ID.getAndIncrement();
    this.defaultStream = StreamImpl.defaultStream(this);
    this.bayes = new CheckedBayesKernels(this);
    this.binary = new CheckedBinaryKernels(this);
    this.kfac = new CheckedKfacKernels(this);
  }

  /** What runs the kernels. */
  public BackendProvider provider() {
    return provider;
  }

  /** What a kernel call takes. */
  UseCounted life() {
    return life;
  }

  /** Takes the backend for anything else. */
  void acquire() {
    life.acquire("backend");
  }

  void release() {
    life.release();
  }

  void checkOpen() {
    if (life.isClosed()) {
      throw new IllegalStateException("backend is closed");
    }
  }

  @Override
  public BackendInfo info() {
    return info;
  }

  @Override
  public BackendOptions options() {
    return options;
  }

  @Override
  public F32Buffer allocate(long length) {
    Memory memory = memory("length", length, ElementKind.F32);
    return new BufferImpl.F32(this, memory, 0, length, watch(memory));
  }

  @Override
  public I32Buffer allocateI32(long length) {
    Memory memory = memory("length", length, ElementKind.I32);
    return new BufferImpl.I32(this, memory, 0, length, watch(memory));
  }

  @Override
  public Bf16Buffer allocateBf16(long length) {
    Memory memory = memory("length", length, ElementKind.BF16);
    return new BufferImpl.Bf16(this, memory, 0, length, watch(memory));
  }

  @Override
  public BitMatrix allocateBits(long rows, long cols) {
    int r = Checks.bitDimension("rows", rows);
    int c = Checks.bitDimension("cols", cols);
    Memory memory = memory("rows*rowWords", r * BitMatrix.rowWords(c), ElementKind.BITS);
    return new BitMatrixImpl(this, memory, 0, r, c, watch(memory));
  }

  @Override
  public Workspace workspace(long bytes) {
    Memory memory = memory("bytes", bytes, ElementKind.BYTES);
    return new BufferImpl.Scratch(this, memory, bytes, watch(memory));
  }

  private Memory memory(String argument, long length, ElementKind kind) {
    long bytes = Checks.bytes(argument, length, kind.bytes());
    acquire();
    try {
      return provider.allocate(bytes, kind);
    } finally {
      release();
    }
  }

  private Runnable watch(Memory memory) {
    return LeakWatch.watch(memory, "memory of " + name + ", " + memory.bytes() + " bytes,");
  }

  @Override
  public F32Buffer wrap(FloatBuffer direct) {
    Objects.requireNonNull(direct, "direct");
    checkOpen();
    if (!direct.isDirect()) {
      throw new IllegalArgumentException("direct is a heap buffer; a direct buffer is needed (or upload its contents)");
    }
    if (direct.isReadOnly()) {
      throw new ReadOnlyBufferException();
    }
    if (direct.order() != ByteOrder.nativeOrder()) {
      throw new IllegalArgumentException("direct has byte order " + direct.order() + ", needed is " + ByteOrder.nativeOrder());
    }
    if (info.kind() == BackendKind.CUDA) {
      throw new IllegalArgumentException("direct is host memory, which CUDA kernels cannot use; upload its contents, or wrap a device address");
    }
    Memory memory = provider.wrapBuffer(direct);
    if (memory.address() % Float.BYTES != 0) {
      throw new IllegalArgumentException("direct starts at 0x" + Long.toHexString(memory.address()) + "; a multiple of 4 is needed");
    }
    return new BufferImpl.F32(this, memory, 0, direct.remaining(), WRAPPED);
  }

  @Override
  public F32Buffer wrap(FloatPointer pointer, long length) {
    Objects.requireNonNull(pointer, "pointer");
    if (pointer.isNull()) {
      throw new IllegalArgumentException("pointer is a null pointer");
    }
    if (pointer.limit() > 0) {
      BufferImpl.checkRange("pointer", pointer.position(), Math.max(0, length), pointer.limit());
    }
    return wrapAddress(pointer.address() + pointer.position() * Float.BYTES, length, pointer);
  }

  @Override
  public F32Buffer wrapAddress(long address, long length, Object owner) {
    checkOpen();
    long bytes = Checks.bytes("length", length, 4);
    if (address == 0 || address % Float.BYTES != 0) {
      throw new IllegalArgumentException("address = 0x" + Long.toHexString(address) + " must be a multiple of 4 and not 0");
    }
    if (address > 0 && address > Long.MAX_VALUE - bytes) {
      throw new IllegalArgumentException("address 0x" + Long.toHexString(address) + " + " + bytes + " bytes leaves the address space");
    }
    return new BufferImpl.F32(this, provider.wrapAddress(address, bytes, owner), 0, length, WRAPPED);
  }

  @Override
  public TensorGroup<F32Buffer> allocateGroup(TensorLayout layout, int copies) {
    Objects.requireNonNull(layout, "layout");
    F32Buffer arena = allocate(arenaElements(layout, copies, 4));
    return arenaGroup(layout, copies, arena, new F32Buffer[layout.tensors()], arena::slice);
  }

  @Override
  public TensorGroup<Bf16Buffer> allocateBf16Group(TensorLayout layout, int copies) {
    Objects.requireNonNull(layout, "layout");
    Bf16Buffer arena = allocateBf16(arenaElements(layout, copies, 2));
    return arenaGroup(layout, copies, arena, new Bf16Buffer[layout.tensors()], arena::slice);
  }

  /** Makes a view of {@code length} elements from {@code offset}. */
  private interface Slicer<B> {
    B slice(long offset, long length);
  }

  private <B extends DeviceBuffer> TensorGroup<B> arenaGroup(TensorLayout layout, int copies, B arena, B[] buffers, Slicer<B> slicer) {
    long offset = 0;
    for (int t = 0; t < buffers.length; t++) {
      long elements = layout.count(t) * copies;
      buffers[t] = slicer.slice(offset, elements);
      offset += aligned(elements, arena.elementBytes());
    }
    return new TensorGroupImpl<>(this, layout, copies, buffers, arena);
  }

  private static void checkCopies(int copies) {
    if (copies < 1 || copies > TensorLayout.MAX_SAMPLES) {
      throw new IllegalArgumentException("copies = " + copies + " must be in 1.." + TensorLayout.MAX_SAMPLES);
    }
  }

  private static long arenaElements(TensorLayout layout, int copies, int elementBytes) {
    checkCopies(copies);
    long limit = Long.MAX_VALUE / elementBytes - ARENA_ALIGNMENT;
    long sum = 0;
    for (int t = 0; t < layout.tensors(); t++) {
      long elements = Checks.product("copies*count(" + t + ")", copies, layout.count(t));
      if (elements > limit || (sum += aligned(elements, elementBytes)) > limit) {
        throw new IllegalArgumentException(
            layout + " x " + copies + " copies of " + elementBytes + "-byte elements exceed the limit of " + Long.MAX_VALUE + " bytes");
      }
    }
    return sum;
  }

  /** Elements up to the next multiple of the arena alignment. */
  private static long aligned(long elements, int elementBytes) {
    int step = ARENA_ALIGNMENT / elementBytes;
    return (elements + step - 1) / step * step;
  }

  @Override
  public <B extends DeviceBuffer> TensorGroup<B> group(TensorLayout layout, int copies, List<B> buffers) {
    Objects.requireNonNull(layout, "layout");
    Objects.requireNonNull(buffers, "buffers");
    checkOpen();
    checkCopies(copies);
    if (buffers.size() != layout.tensors()) {
      throw new IllegalArgumentException("buffers.size " + buffers.size() + " != layout.tensors " + layout.tensors());
    }
    @SuppressWarnings("unchecked") // only ever read as DeviceBuffer or B
    B[] array = (B[]) new DeviceBuffer[buffers.size()];
    for (int t = 0; t < array.length; t++) {
      String argument = "buffers[" + t + "]";
      B buffer = Objects.requireNonNull(buffers.get(t), argument);
      if (!(buffer instanceof BufferImpl.F32 || buffer instanceof BufferImpl.Bf16)) {
        throw new IllegalArgumentException(argument + " is a " + buffer.getClass().getSimpleName() + "; groups hold fp32 or bf16 buffers of this library");
      }
      if (buffer.backend() != this) {
        throw new IllegalArgumentException(argument + " belongs to " + buffer.backend() + ", the group to " + this);
      }
      if (buffer.isClosed()) {
        throw new IllegalStateException(argument + " is closed");
      }
      if (buffer.elementBytes() != buffers.get(0).elementBytes()) {
        throw new IllegalArgumentException(
            argument + " has elements of " + buffer.elementBytes() + " bytes, buffers[0] of " + buffers.get(0).elementBytes());
      }
      long elements = Checks.product("copies*count(" + t + ")", copies, layout.count(t));
      Checks.length(argument, buffer.length(), "copies*count(" + t + ")", elements);
      array[t] = buffer;
    }
    return new TensorGroupImpl<>(this, layout, copies, array, null);
  }

  @Override
  public Stream defaultStream() {
    return defaultStream;
  }

  @Override
  public Stream newStream() {
    acquire();
    try {
      return StreamImpl.owned(this, provider.newStream());
    } finally {
      release();
    }
  }

  @Override
  public Stream wrapStream(long handle) {
    checkOpen();
    if (handle != 0 && info.kind() != BackendKind.CUDA) {
      throw new IllegalArgumentException("handle = 0x" + Long.toHexString(handle) + " must be 0 on " + info.kind() + ", which has no CUDA streams");
    }
    return StreamImpl.wrapped(this, handle);
  }

  @Override
  public BayesKernels bayes() {
    return bayes;
  }

  @Override
  public BinaryKernels binary() {
    return binary;
  }

  @Override
  public KfacKernels kfac() {
    return kfac;
  }

  @Override
  public long allocatedBytes() {
    return provider.allocatedBytes();
  }

  @Override
  public void close() {
    if (life.closeOnce() && provider.allocatedBytes() > 0) {
      LOG.log(
          System.Logger.Level.WARNING,
          name + " was closed with " + provider.allocatedBytes() + " bytes of its memory still open; they are freed when their buffers are closed");
    }
  }

  /** Kind and a number of its own, as messages name it. */
  @Override
  public String toString() {
    return name;
  }
}
