package io.metaplast.internal.cpu;

import io.metaplast.BackendInfo;
import io.metaplast.BackendKind;
import io.metaplast.BackendOptions;
import io.metaplast.BackendUnavailableException;
import io.metaplast.DeviceOutOfMemoryException;
import io.metaplast.IsaTier;
import io.metaplast.internal.NativeLoader;
import io.metaplast.internal.spi.BackendProvider;
import io.metaplast.internal.spi.BayesProvider;
import io.metaplast.internal.spi.BinaryProvider;
import io.metaplast.internal.spi.KfacProvider;
import io.metaplast.internal.spi.ElementKind;
import io.metaplast.internal.spi.Memory;
import java.io.IOException;
import java.nio.Buffer;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/** The CPU backend: one context (dispatch table and thread pool) of the native library. Several with different caps may be open at once. */
public final class CpuProvider implements BackendProvider {
  private static final System.Logger LOG = System.getLogger("io.metaplast");
  private static final String LIBRARY = "jniMetaplastCpu";
  private static final AtomicBoolean SUBNORMALS_PROBED = new AtomicBoolean();

  private static final int E_OUT_OF_MEMORY = 2; // METAPLAST_E_OUT_OF_MEMORY
  private static final int E_UNSUPPORTED = 3; // METAPLAST_E_UNSUPPORTED
  private static final int FILL_CHUNK = 4096;

  private final long context;
  private final BackendInfo info;
  private final BayesProvider bayes;
  private final BinaryProvider binary;
  private final KfacProvider kfac;
  private final AtomicLong allocated = new AtomicLong();

  /**
   * Loads the library and makes a context.
   *
   * @throws BackendUnavailableException if there is no library for this machine, or the tier that is required is not in force
   */
  public CpuProvider(BackendOptions options) {
    Path file = NativeLoader.load(LIBRARY);
    NativeLoader.checkAbi(LIBRARY, CpuBindings.abiVersion());
    IsaTier possible = IsaTier.values()[CpuBindings.cpuTier()];
    checkTier(options, possible);
    if (CpuBindings.subnormalsComputed() == 0 && SUBNORMALS_PROBED.compareAndSet(false, true)) {
      LOG.log(
          System.Logger.Level.WARNING,
          "subnormal numbers are flushed to zero on this thread: some native library has set FTZ or DAZ (it was probably built with -ffast-math). "
              + "Metaplast's kernels compute them nonetheless; Java code on this thread does not");
    }
    context = CpuBindings.contextCreate(options.maxIsa().ordinal(), options.threads());
    if (context == 0) {
      throw new BackendUnavailableException(
          "the CPU backend could not start " + options.threads() + " threads; set metaplast.threads to a lower number", E_OUT_OF_MEMORY, 0, "");
    }
    info = info(options, possible, file);
    bayes = new CpuBayes(this, context);
    binary = new CpuBinary(context);
    kfac = new CpuKfac(context);
  }

  private static void checkTier(BackendOptions options, IsaTier possible) {
    IsaTier inForce = possible.compareTo(options.maxIsa()) < 0 ? possible : options.maxIsa();
    if (options.requireIsa() != null && options.requireIsa() != inForce) {
      throw new BackendUnavailableException(
          "CPU tier " + name(options.requireIsa()) + " is required (metaplast.requireIsa), but " + name(inForce) + " would be in force: this CPU ("
              + CpuBindings.cpuName() + ") has " + name(possible) + ", the cap metaplast.maxIsa is " + name(options.maxIsa()),
          E_UNSUPPORTED, 0, "");
    }
  }

  private static String name(IsaTier tier) {
    return tier.name().toLowerCase(Locale.ROOT);
  }

  private BackendInfo info(BackendOptions options, IsaTier possible, Path file) {
    Map<String, String> details = new LinkedHashMap<>();
    details.put("tier possible", name(possible));
    details.put("tier cap", name(options.maxIsa()));
    details.put("library", file.toString());
    details.put("library sha256", NativeLoader.checksum(LIBRARY));
    details.put("library build", CpuBindings.buildInfo());
    details.put("abi version", Integer.toString(CpuBindings.abiVersion()));
    details.put("numerics version", Integer.toString(CpuBindings.numericsVersion()));
    details.put("subnormals", CpuBindings.subnormalsComputed() == 1 ? "computed" : "flushed by another library on this thread");
    for (int slot = 0; CpuBindings.slotTier(context, slot) >= 0; slot++) {
      details.put("kernel " + CpuBindings.slotName(slot), name(IsaTier.values()[CpuBindings.slotTier(context, slot)]));
    }
    return new BackendInfo(
        BackendKind.CPU, true, "", CpuBindings.cpuName().trim(), name(IsaTier.values()[CpuBindings.contextTier(context)]),
        CpuBindings.contextThreads(context), details);
  }

  @Override
  public BackendInfo info() {
    return info;
  }

  @Override
  public Memory allocate(long bytes, ElementKind kind) {
    long address = CpuBindings.alloc(bytes);
    if (address == 0) {
      throw new DeviceOutOfMemoryException("out of host memory: asked for " + bytes + " bytes; " + hostMemory(), E_OUT_OF_MEMORY, 0, "");
    }
    allocated.addAndGet(bytes);
    return CpuMemory.allocated(this, address, bytes, kind);
  }

  /** Free and total memory in words, from the operating system. */
  private static String hostMemory() {
    try {
      StringBuilder text = new StringBuilder();
      for (String line : Files.readAllLines(Path.of("/proc/meminfo"))) {
        if (line.startsWith("MemTotal:") || line.startsWith("MemAvailable:")) {
          text.append(text.length() == 0 ? "" : ", ").append(line.replaceAll("\\s+", " "));
        }
      }
      return text.toString();
    } catch (IOException e) {
      return "free and total memory are unknown: " + e.getMessage();
    }
  }

  void freed(long bytes) {
    allocated.addAndGet(-bytes);
  }

  @Override
  public Memory wrapAddress(long address, long bytes, Object owner) {
    return CpuMemory.wrapped(this, address, bytes, owner);
  }

  @Override
  public Memory wrapBuffer(FloatBuffer direct) {
    long address = CpuBindings.addressOf(direct) + (long) direct.position() * Float.BYTES;
    return CpuMemory.wrapped(this, address, (long) direct.remaining() * Float.BYTES, direct);
  }

  @Override
  public void write(Memory target, long offset, float[] source, int sourceOffset, int n) {
    ((CpuMemory) target).write(offset, source, sourceOffset, n);
  }

  @Override
  public void write(Memory target, long offset, int[] source, int sourceOffset, int n) {
    ((CpuMemory) target).write(offset, source, sourceOffset, n);
  }

  @Override
  public void write(Memory target, long offset, short[] source, int sourceOffset, int n) {
    ((CpuMemory) target).write(offset, source, sourceOffset, n);
  }

  @Override
  public void read(Memory source, long offset, float[] target, int targetOffset, int n) {
    ((CpuMemory) source).read(offset, target, targetOffset, n);
  }

  @Override
  public void read(Memory source, long offset, int[] target, int targetOffset, int n) {
    ((CpuMemory) source).read(offset, target, targetOffset, n);
  }

  @Override
  public void read(Memory source, long offset, short[] target, int targetOffset, int n) {
    ((CpuMemory) source).read(offset, target, targetOffset, n);
  }

  @Override
  public void write(Memory target, long offset, long[] source, int sourceOffset, int n) {
    ((CpuMemory) target).write(offset, source, sourceOffset, n);
  }

  @Override
  public void read(Memory source, long offset, long[] target, int targetOffset, int n) {
    ((CpuMemory) source).read(offset, target, targetOffset, n);
  }

  @Override
  public void copy(Memory target, long targetOffset, Memory source, long sourceOffset, long bytes) {
    CpuBindings.copy(target.address() + targetOffset, source.address() + sourceOffset, bytes);
  }

  @Override
  public void fill(Memory target, long offset, long words, int value) {
    float[] chunk = new float[(int) Math.min(FILL_CHUNK, words)];
    Arrays.fill(chunk, Float.intBitsToFloat(value));
    for (long done = 0; done < words; done += chunk.length) {
      ((CpuMemory) target).write(offset + done * Float.BYTES, chunk, 0, (int) Math.min(chunk.length, words - done));
    }
  }

  @Override
  public long addressOf(Buffer direct) {
    return CpuBindings.addressOf(direct);
  }

  @Override
  public long newStream() {
    return 0;
  }

  @Override
  public void destroyStream(long handle) {
    // calls run inline: a stream is nothing here
  }

  @Override
  public void synchronize(long streamHandle) {
    // every call has ended when it returns
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
    CpuBindings.contextDestroy(context);
  }
}
