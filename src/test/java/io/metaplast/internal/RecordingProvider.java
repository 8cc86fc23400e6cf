package io.metaplast.internal;

import io.metaplast.BackendInfo;
import io.metaplast.BackendKind;
import io.metaplast.BackendOptions;
import io.metaplast.internal.spi.BackendProvider;
import io.metaplast.internal.spi.BayesProvider;
import io.metaplast.internal.spi.BinaryProvider;
import io.metaplast.internal.spi.ElementKind;
import io.metaplast.internal.spi.KfacProvider;
import io.metaplast.internal.spi.Memory;
import io.metaplast.internal.spi.SpdStatus;
import io.metaplast.internal.spi.SpdTable;
import java.lang.reflect.Proxy;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;

/** A backend whose kernels do nothing but leave their name in {@link #calls}: shows which calls the checks let through. */
final class RecordingProvider implements BackendProvider {
  final List<String> calls = new ArrayList<>();
  Runnable duringKernel = () -> {};

  /** What kernels that return something return. */
  final Map<String, Object> results =
      new HashMap<>(
          Map.of(
              "factorUpdate", -1L, "im2colFactorUpdate", -1L, "dampedCholesky", new SpdStatus(0, 0, 0), "triangularInverse", 0, "triangularSolve", 0,
              "innerProducts", 4.0, "elements", 0L, "mergeBatchNorm", -1L, "mergeBatchNormBackward", -1L));

  /** Given the arguments of a call of a Kronecker kernel, which may leave results in them. */
  BiConsumer<String, Object[]> onKfac = (name, arguments) -> {};

  int freed;
  boolean closed;
  private long allocated;

  /** A backend over a new provider. */
  static BackendImpl backend(BackendOptions options) {
    return new BackendImpl(new RecordingProvider(), options);
  }

  static RecordingProvider of(BackendImpl backend) {
    return (RecordingProvider) backend.provider();
  }

  private final class HeapMemory extends Memory {
    final ByteBuffer contents;

    HeapMemory(long bytes) {
      super(RecordingProvider.this, bytes);
      contents = ByteBuffer.allocate((int) bytes);
    }

    @Override
    public long address() {
      return 0;
    }

    @Override
    protected void free() {
      freed++;
      allocated -= bytes();
    }
  }

  @Override
  public BackendInfo info() {
    return new BackendInfo(BackendKind.JAVA, true, "", "recorder", "", 1, Map.of());
  }

  @Override
  public Memory allocate(long bytes, ElementKind kind) {
    allocated += bytes;
    return new HeapMemory(bytes);
  }

  @Override
  public Memory wrapAddress(long address, long bytes, Object owner) {
    return new HeapMemory(bytes);
  }

  @Override
  public Memory wrapBuffer(FloatBuffer direct) {
    return new HeapMemory(4L * direct.remaining());
  }

  private static ByteBuffer at(Memory memory, long offset) {
    return ((HeapMemory) memory).contents.duplicate().position((int) offset);
  }

  @Override
  public void write(Memory target, long offset, float[] source, int sourceOffset, int n) {
    at(target, offset).asFloatBuffer().put(source, sourceOffset, n);
  }

  @Override
  public void write(Memory target, long offset, int[] source, int sourceOffset, int n) {
    at(target, offset).asIntBuffer().put(source, sourceOffset, n);
  }

  @Override
  public void write(Memory target, long offset, short[] source, int sourceOffset, int n) {
    at(target, offset).asShortBuffer().put(source, sourceOffset, n);
  }

  @Override
  public void write(Memory target, long offset, long[] source, int sourceOffset, int n) {
    at(target, offset).asLongBuffer().put(source, sourceOffset, n);
  }

  @Override
  public void read(Memory source, long offset, long[] target, int targetOffset, int n) {
    at(source, offset).asLongBuffer().get(target, targetOffset, n);
  }

  @Override
  public void read(Memory source, long offset, float[] target, int targetOffset, int n) {
    at(source, offset).asFloatBuffer().get(target, targetOffset, n);
  }

  @Override
  public void read(Memory source, long offset, int[] target, int targetOffset, int n) {
    at(source, offset).asIntBuffer().get(target, targetOffset, n);
  }

  @Override
  public void read(Memory source, long offset, short[] target, int targetOffset, int n) {
    at(source, offset).asShortBuffer().get(target, targetOffset, n);
  }

  @Override
  public void copy(Memory target, long targetOffset, Memory source, long sourceOffset, long bytes) {
    at(target, targetOffset).put(at(source, sourceOffset).limit((int) (sourceOffset + bytes)));
  }

  @Override
  public void fill(Memory target, long offset, long words, int value) {
    for (int i = 0; i < words; i++) {
      at(target, offset + 4L * i).putInt(value);
    }
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
    calls.add("destroyStream");
  }

  @Override
  public void synchronize(long streamHandle) {
    calls.add("synchronize");
  }

  @Override
  public long allocatedBytes() {
    return allocated;
  }

  @Override
  public BayesProvider bayes() {
    return recorder(BayesProvider.class);
  }

  @Override
  public BinaryProvider binary() {
    return recorder(BinaryProvider.class);
  }

  @Override
  public KfacProvider kfac() {
    return recorder(KfacProvider.class);
  }

  private <T> T recorder(Class<T> family) {
    return family.cast(
        Proxy.newProxyInstance(
            family.getClassLoader(),
            new Class<?>[] {family},
            (proxy, method, arguments) -> {
              if (method.getName().endsWith("WorkspaceBytes")) {
                return 64L;
              }
              calls.add(method.getName());
              duringKernel.run();
              if (family == KfacProvider.class) {
                if (method.getName().equals("spdInverse")) {
                  SpdTable table = (SpdTable) arguments[0];
                  for (int i = 0; i < table.count(); i++) {
                    table.result(i, 0, 0, 0, 0, 0, 0);
                  }
                }
                onKfac.accept(method.getName(), arguments);
              }
              return method.getReturnType() == void.class ? null : results.get(method.getName());
            }));
  }

  @Override
  public void close() {
    closed = true;
  }
}
