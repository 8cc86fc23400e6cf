package io.metaplast.internal.java;

import io.metaplast.BackendInfo;
import io.metaplast.BackendKind;
import io.metaplast.BackendOptions;
import io.metaplast.DeviceOutOfMemoryException;
import io.metaplast.internal.spi.BackendProvider;
import io.metaplast.internal.spi.BayesProvider;
import io.metaplast.internal.spi.BinaryProvider;
import io.metaplast.internal.spi.KfacProvider;
import io.metaplast.internal.spi.ElementKind;
import io.metaplast.internal.spi.Memory;
import java.nio.Buffer;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The backend in pure Java: memory is arrays, kernels are loops that the JIT compiler vectorises, a call runs on its own thread and a pool
 * of helpers.
 */
public final class JavaProvider implements BackendProvider {
  /** METAPLAST_E_OUT_OF_MEMORY of status.h. */
  private static final int OUT_OF_MEMORY = 2;

  private final WorkerPool pool;
  private final JavaBayes bayes;
  private final JavaBinary binary;
  private final JavaKfac kfac;
  private final BackendInfo info;
  private final AtomicLong allocated = new AtomicLong();

  /** Uses {@code options.threads()}. */
  public JavaProvider(BackendOptions options) {
    pool = new WorkerPool(options.threads());
    bayes = new JavaBayes(pool);
    binary = new JavaBinary(pool);
    kfac = new JavaKfac(pool);
    Map<String, String> details = new LinkedHashMap<>();
    details.put("Java", System.getProperty("java.version") + ", " + System.getProperty("java.vendor"));
    details.put("heap limit", (Runtime.getRuntime().maxMemory() >> 20) + " MiB");
    String device = System.getProperty("java.vm.name") + " " + Runtime.version();
    info = new BackendInfo(BackendKind.JAVA, true, "", device, "", options.threads(), details);
  }

  @Override
  public BackendInfo info() {
    return info;
  }

  @Override
  public Memory allocate(long bytes, ElementKind kind) {
    long elements = bytes / kind.bytes();
    if (elements > JavaMemory.MAX_ELEMENTS) {
      throw new IllegalArgumentException(
          elements + " elements exceed the limit of the JAVA backend, " + JavaMemory.MAX_ELEMENTS
              + " in one array; split the buffer or use the CPU backend");
    }
    try {
      JavaMemory memory = new JavaMemory(this, kind, (int) elements);
      allocated.addAndGet(bytes);
      return memory;
    } catch (OutOfMemoryError e) {
      Runtime runtime = Runtime.getRuntime();
      long total = runtime.maxMemory();
      long free = total - runtime.totalMemory() + runtime.freeMemory();
      DeviceOutOfMemoryException failure =
          new DeviceOutOfMemoryException(
              "Java heap exhausted: asked for " + bytes + " bytes, free " + free + " of " + total + "; raise -Xmx", OUT_OF_MEMORY, 0, "");
      failure.initCause(e);
      throw failure;
    }
  }

  /** Called by memory that is freed. */
  void freed(long bytes) {
    allocated.addAndGet(-bytes);
  }

  @Override
  public Memory wrapAddress(long address, long bytes, Object owner) {
    return new JavaMemory(this, ForeignMemory.floats(address, bytes), address, owner);
  }

  @Override
  public Memory wrapBuffer(FloatBuffer direct) {
    FloatBuffer view = direct.slice();
    return new JavaMemory(this, view, ForeignMemory.addressOf(view), direct);
  }

  @Override
  public void write(Memory target, long offset, float[] source, int sourceOffset, int n) {
    JavaMemory memory = (JavaMemory) target;
    int at = floatIndex(memory, offset);
    if (memory.isNative()) {
      memory.direct().put(at, source, sourceOffset, n);
    } else {
      System.arraycopy(source, sourceOffset, memory.floatsOrNull(), at, n);
    }
  }

  @Override
  public void write(Memory target, long offset, int[] source, int sourceOffset, int n) {
    System.arraycopy(source, sourceOffset, ((JavaMemory) target).ints(), (int) (offset / Integer.BYTES), n);
  }

  @Override
  public void write(Memory target, long offset, short[] source, int sourceOffset, int n) {
    System.arraycopy(source, sourceOffset, ((JavaMemory) target).halves(), (int) (offset / Short.BYTES), n);
  }

  @Override
  public void read(Memory source, long offset, float[] target, int targetOffset, int n) {
    JavaMemory memory = (JavaMemory) source;
    int at = floatIndex(memory, offset);
    if (memory.isNative()) {
      memory.direct().get(at, target, targetOffset, n);
    } else {
      System.arraycopy(memory.floatsOrNull(), at, target, targetOffset, n);
    }
  }

  @Override
  public void read(Memory source, long offset, int[] target, int targetOffset, int n) {
    System.arraycopy(((JavaMemory) source).ints(), (int) (offset / Integer.BYTES), target, targetOffset, n);
  }

  @Override
  public void read(Memory source, long offset, short[] target, int targetOffset, int n) {
    System.arraycopy(((JavaMemory) source).halves(), (int) (offset / Short.BYTES), target, targetOffset, n);
  }

  @Override
  public void write(Memory target, long offset, long[] source, int sourceOffset, int n) {
    System.arraycopy(source, sourceOffset, ((JavaMemory) target).words(), (int) (offset / Long.BYTES), n);
  }

  @Override
  public void read(Memory source, long offset, long[] target, int targetOffset, int n) {
    System.arraycopy(((JavaMemory) source).words(), (int) (offset / Long.BYTES), target, targetOffset, n);
  }

  /** Between fp32 memories, the only ones that can be copied through the public API. */
  @Override
  public void copy(Memory target, long targetOffset, Memory source, long sourceOffset, long bytes) {
    JavaMemory to = (JavaMemory) target;
    JavaMemory from = (JavaMemory) source;
    int at = floatIndex(to, targetOffset);
    int start = floatIndex(from, sourceOffset);
    int n = (int) (bytes / Float.BYTES);
    if (to.isNative() && from.isNative()) {
      to.direct().put(at, from.direct(), start, n);
    } else if (to.isNative()) {
      to.direct().put(at, from.floatsOrNull(), start, n);
    } else {
      read(source, sourceOffset, to.floatsOrNull(), at, n);
    }
  }

  /** Of fp32 memory, as above. */
  @Override
  public void fill(Memory target, long offset, long words, int value) {
    JavaMemory memory = (JavaMemory) target;
    int at = floatIndex(memory, offset);
    int end = at + (int) words;
    float element = Float.intBitsToFloat(value);
    if (memory.isNative()) {
      FloatBuffer direct = memory.direct();
      for (int i = at; i < end; i++) {
        direct.put(i, element);
      }
    } else {
      Arrays.fill(memory.floatsOrNull(), at, end, element);
    }
  }

  private static int floatIndex(JavaMemory memory, long offset) {
    memory.expect(ElementKind.F32);
    return (int) (offset / Float.BYTES);
  }

  @Override
  public long addressOf(Buffer direct) {
    return 0;
  }

  @Override
  public long newStream() {
    return 0;
  }

  @Override
  public void destroyStream(long handle) {
    // a call has run when it returns: there are no streams to destroy
  }

  @Override
  public void synchronize(long streamHandle) {
    // a call has run when it returns
  }

  @Override
  public long allocatedBytes() {
    return allocated.get();
  }

  @Override
  public BayesProvider bayes() {
    return bayes;
  }

  @Override
  public BinaryProvider binary() {
    return binary;
  }

  @Override
  public KfacProvider kfac() {
    return kfac;
  }

  @Override
  public void close() {
    pool.close();
  }
}
