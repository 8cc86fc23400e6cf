package io.metaplast.internal.cuda;

import io.metaplast.BackendInfo;
import io.metaplast.BackendKind;
import io.metaplast.BackendLostException;
import io.metaplast.BackendOptions;
import io.metaplast.BackendUnavailableException;
import io.metaplast.DeviceOutOfMemoryException;
import io.metaplast.KernelException;
import io.metaplast.internal.NativeLoader;
import io.metaplast.internal.spi.BackendProvider;
import io.metaplast.internal.spi.BayesProvider;
import io.metaplast.internal.spi.BinaryProvider;
import io.metaplast.internal.spi.KfacProvider;
import io.metaplast.internal.spi.ElementKind;
import io.metaplast.internal.spi.Memory;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The CUDA backend on one device. Its library contains the CUDA runtime and finds out by itself whether there is a driver and a device, so
 * that nothing else of CUDA is touched on a machine without.
 *
 * <p>Transfers and fills wait for all work of the device before and after, so that they are ordered with kernels on any stream.
 */
public final class CudaProvider implements BackendProvider {
  private static final String LIBRARY = "jniMetaplastCuda";
  private static final String SYNCHRONOUS_PROPERTY = "metaplast.cuda.synchronous";
  private static final String SYNCHRONOUS_ENVIRONMENT = "METAPLAST_CUDA_SYNCHRONOUS";
  private static final int SYNCHRONOUS = 1; // METAPLAST_CUDA_SYNCHRONOUS
  private static final String VARIANTS_PROPERTY = "metaplast.cuda.variants";
  private static final String VARIANTS_ENVIRONMENT = "METAPLAST_CUDA_VARIANTS";
  private static final int SIMT = 2; // METAPLAST_CUDA_SIMT
  // METAPLAST_CUDA_XNOR_*, by number
  private static final List<String> XNOR_VARIANTS = List.of("simt", "mma", "wgmma");
  private static final int PRODUCT_SIMT = 0; // METAPLAST_CUDA_PRODUCT_SIMT
  private static final int INVERSE_LAUNCHES = 0; // METAPLAST_CUDA_INVERSE_LAUNCHES
  private static final System.Logger LOG = System.getLogger("io.metaplast");

  // status.h
  private static final int OK = 0;
  private static final int E_NO_DRIVER = 16;
  private static final int E_OLD_DRIVER = 17;
  private static final int E_NO_DEVICE = 18;
  private static final int E_OUT_OF_MEMORY = 19;
  private static final int E_LOST = 20;

  private static final int STAGING_BYTES = 1 << 20;

  private final long context;
  private final BackendInfo info;
  private final CudaBayes bayes;
  private final BinaryProvider binary;
  private final CudaKfac kfac;

  private final AtomicLong allocated = new AtomicLong();

  // The backend itself, and everything that still needs the context: it may be closed before its buffers are.
  private final AtomicInteger contextUsers = new AtomicInteger(1);

  /**
   * Loads the library and opens a device.
   *
   * @throws BackendUnavailableException if there is no library for this machine, no driver, a driver that is too old, or no such device
   */
  public CudaProvider(BackendOptions options) {
    Path file = NativeLoader.load(LIBRARY);
    NativeLoader.checkAbi(LIBRARY, CudaBindings.abiVersion());
    Scratch scratch = Scratch.get();
    int status = CudaBindings.probe(scratch.address);
    int devices = scratch.memory.getInt(0);
    int code = scratch.memory.getInt(4);
    int driver = scratch.memory.getInt(8);
    int runtime = scratch.memory.getInt(12);
    if (status != OK) {
      throw unavailable(status, code, driver, runtime);
    }
    if (options.device() >= devices) {
      throw new BackendUnavailableException(
          "CUDA device " + options.device() + " is asked for (metaplast.device), but this machine has "
              + (devices == 1 ? "device 0" : "devices 0.." + (devices - 1)) + " only",
          E_NO_DEVICE, 0, "");
    }
    int flags = (synchronous() ? SYNCHRONOUS : 0) + (portableOnly() ? SIMT : 0);
    status = CudaBindings.contextCreate(options.device(), flags, scratch.address);
    context = scratch.memory.getLong(0);
    check("opening the device", status, context);
    check("opening the device", CudaBindings.describeDevice(options.device(), scratch.address), context);
    info = info(scratch.memory, options.device(), file, driver, runtime, variants());
    bayes = new CudaBayes(this, context);
    binary = new CudaBinary(this, context);
    kfac = new CudaKfac(this, context);
  }

  private static BackendUnavailableException unavailable(int status, int code, int driver, int runtime) {
    String name = CudaBindings.errorName(code);
    String text = CudaBindings.statusText(status);
    String fallback = "; the CPU and JAVA backends work without (metaplast.backend = cpu or java)";
    String message =
        switch (status) {
          case E_NO_DRIVER -> text + ": install the driver of your NVIDIA GPU, version 580 or newer";
          case E_OLD_DRIVER ->
              text + ": it supports CUDA " + version(driver) + ", this build needs " + version(runtime)
                  + "; install driver version 580 or newer";
          case E_NO_DEVICE -> text + ": " + (code == OK ? "the driver lists none" : CudaBindings.errorText(code));
          default -> text + ": " + CudaBindings.errorText(code);
        };
    String detail = code == OK ? "" : " [" + name + ", code " + code + "]";
    return new BackendUnavailableException(message + fallback + detail, status, code, name);
  }

  private static String version(int version) {
    return version / 1000 + "." + version % 1000 / 10;
  }

  /** Whether every kernel is waited for, so that an error names the kernel that caused it. */
  private static boolean synchronous() {
    String value = System.getProperty(SYNCHRONOUS_PROPERTY, System.getenv(SYNCHRONOUS_ENVIRONMENT));
    if (value == null || value.equals("false")) {
      return false;
    }
    if (value.equals("true")) {
      return true;
    }
    throw new IllegalArgumentException(SYNCHRONOUS_PROPERTY + " = '" + value + "' is unknown; valid: true, false");
  }

  /** Whether kernels with tensor cores are left off. */
  private static boolean portableOnly() {
    String value = System.getProperty(VARIANTS_PROPERTY, System.getenv(VARIANTS_ENVIRONMENT));
    if (value == null || value.equals("auto")) {
      return false;
    }
    if (value.equals("simt")) {
      return true;
    }
    throw new IllegalArgumentException(VARIANTS_PROPERTY + " = '" + value + "' is unknown; valid: auto, simt");
  }

  /** The variants in force, in words. Warns of those that did not pass their test. */
  private String variants() {
    String variant = XNOR_VARIANTS.get(CudaBindings.xnorVariant(context));
    String failed = XNOR_VARIANTS.get(CudaBindings.xnorFailedVariant(context));
    if (!failed.equals("simt")) {
      LOG.log(
          System.Logger.Level.WARNING,
          "the " + failed + " variant of the bit products did not give the bits of the portable one on this device and is not used; in force: "
              + variant + ". " + VARIANTS_PROPERTY + " = simt leaves the test out");
    }
    if (CudaBindings.productFailedVariant(context) != PRODUCT_SIMT) {
      LOG.log(
          System.Logger.Level.WARNING,
          "the tf32x3 variant of the products of real matrices did not stay inside the error bounds on this device and is not used; "
              + VARIANTS_PROPERTY + " = simt leaves the test out");
    }
    if (CudaBindings.inverseFailedVariant(context) != INVERSE_LAUNCHES) {
      LOG.log(
          System.Logger.Level.WARNING,
          "batches of inverses in one launch did not give the bits of single launches on this device and are not used; "
              + VARIANTS_PROPERTY + " = simt leaves the test out");
    }
    return "simt"
        + (variant.equals("simt") ? "" : ", bit products " + variant)
        + (CudaBindings.productVariant(context) == PRODUCT_SIMT ? "" : ", real products tf32x3")
        + (CudaBindings.inverseVariant(context) == INVERSE_LAUNCHES ? "" : ", inverses in one launch");
  }

  /** From metaplast_cuda_device_info_t. */
  private static BackendInfo info(ByteBuffer device, int number, Path file, int driver, int runtime, String variants) {
    long totalBytes = device.getLong(0);
    long cacheBytes = device.getLong(8);
    String capability = device.getInt(16) + "." + device.getInt(20);
    byte[] name = new byte[256];
    device.get(32, name);
    int length = 0;
    while (length < name.length && name[length] != 0) {
      length++;
    }
    Map<String, String> details = new LinkedHashMap<>();
    details.put("device number", Integer.toString(number));
    details.put("compute capability", capability);
    details.put("multiprocessors", Integer.toString(device.getInt(24)));
    details.put("memory", (totalBytes >> 20) + " MiB");
    details.put("L2 cache", (cacheBytes >> 20) + " MiB");
    details.put("driver supports CUDA", version(driver));
    details.put("CUDA runtime", version(runtime));
    details.put("library", file.toString());
    details.put("library sha256", NativeLoader.checksum(LIBRARY));
    details.put("library build", CudaBindings.buildInfo());
    details.put("abi version", Integer.toString(CudaBindings.abiVersion()));
    details.put("numerics version", Integer.toString(CudaBindings.numericsVersion()));
    details.put("kernel variants", variants);
    return new BackendInfo(
        BackendKind.CUDA, true, "", new String(name, 0, length, StandardCharsets.US_ASCII), "compute capability " + capability, 0,
        details);
  }

  /** Throws what a status stands for. */
  void check(String call, int status) {
    check(call, status, context);
  }

  private static void check(String call, int status, long context) {
    if (status == OK) {
      return;
    }
    int code = context == 0 ? 0 : CudaBindings.lastErrorCode(context);
    String name = code == 0 ? "" : CudaBindings.errorName(code);
    if (status == E_LOST) {
      String kernel = CudaBindings.lastErrorKernel(context);
      throw new BackendLostException(
          "the CUDA device failed with " + name + " (code " + code + "): " + CudaBindings.errorText(code)
              + (kernel.isEmpty() ? "" : "; last kernel: " + kernel) + "; noticed in: " + call
              + ". CUDA cannot be used by this process any more, restart the process; JAVA and CPU backends still work",
          status, code, name);
    }
    throw new KernelException(
        call + ": " + CudaBindings.statusText(status)
            + (code == 0 ? "" : ", " + name + " (code " + code + "): " + CudaBindings.errorText(code)),
        status, code, name);
  }

  @Override
  public BackendInfo info() {
    return info;
  }

  @Override
  public Memory allocate(long bytes, ElementKind kind) {
    Memory memory = CudaMemory.allocated(this, allocateDevice(bytes), bytes);
    allocated.addAndGet(bytes);
    return memory;
  }

  void freed(long bytes) {
    allocated.addAndGet(-bytes);
  }

  /** Zeroed device memory; to be given back with {@link #freeDevice}. */
  long allocateDevice(long bytes) {
    Scratch scratch = Scratch.get();
    int status = CudaBindings.alloc(context, bytes, scratch.address);
    if (status == E_OUT_OF_MEMORY) {
      int code = CudaBindings.lastErrorCode(context);
      check("memory information", CudaBindings.memoryInfo(context, scratch.address, scratch.address + Long.BYTES));
      throw new DeviceOutOfMemoryException(
          "out of device memory: asked for " + bytes + " bytes, free " + scratch.memory.getLong(0) + " of "
              + scratch.memory.getLong(Long.BYTES),
          status, code, CudaBindings.errorName(code));
    }
    check("allocate", status);
    contextUsers.incrementAndGet();
    return scratch.memory.getLong(0);
  }

  void freeDevice(long address, long bytes) {
    int status = CudaBindings.free(context, address, bytes);
    try {
      // The memory of a lost device is gone with it; whoever uses the device next is told.
      if (status != E_LOST) {
        check("free", status);
      }
    } finally {
      releaseContext();
    }
  }

  private void releaseContext() {
    if (contextUsers.decrementAndGet() == 0) {
      CudaBindings.contextDestroy(context);
    }
  }

  @Override
  public Memory wrapAddress(long address, long bytes, Object owner) {
    return CudaMemory.wrapped(this, address, bytes, owner);
  }

  @Override
  public Memory wrapBuffer(FloatBuffer direct) {
    throw new IllegalArgumentException(
        "direct is host memory, which CUDA kernels cannot use; upload its contents, or wrap a device address");
  }

  @Override
  public void write(Memory target, long offset, float[] source, int sourceOffset, int n) {
    Staging staging = Staging.get();
    int most = STAGING_BYTES / Float.BYTES;
    waitForDevice();
    for (int done = 0; done < n; done += most) {
      int part = Math.min(most, n - done);
      staging.memory.asFloatBuffer().put(0, source, sourceOffset + done, part);
      upload(target.address() + offset + (long) done * Float.BYTES, staging, part * Float.BYTES);
    }
  }

  @Override
  public void write(Memory target, long offset, int[] source, int sourceOffset, int n) {
    Staging staging = Staging.get();
    int most = STAGING_BYTES / Integer.BYTES;
    waitForDevice();
    for (int done = 0; done < n; done += most) {
      int part = Math.min(most, n - done);
      staging.memory.asIntBuffer().put(0, source, sourceOffset + done, part);
      upload(target.address() + offset + (long) done * Integer.BYTES, staging, part * Integer.BYTES);
    }
  }

  @Override
  public void write(Memory target, long offset, short[] source, int sourceOffset, int n) {
    Staging staging = Staging.get();
    int most = STAGING_BYTES / Short.BYTES;
    waitForDevice();
    for (int done = 0; done < n; done += most) {
      int part = Math.min(most, n - done);
      staging.memory.asShortBuffer().put(0, source, sourceOffset + done, part);
      upload(target.address() + offset + (long) done * Short.BYTES, staging, part * Short.BYTES);
    }
  }

  @Override
  public void read(Memory source, long offset, float[] target, int targetOffset, int n) {
    Staging staging = Staging.get();
    int most = STAGING_BYTES / Float.BYTES;
    waitForDevice();
    for (int done = 0; done < n; done += most) {
      int part = Math.min(most, n - done);
      download(staging, source.address() + offset + (long) done * Float.BYTES, part * Float.BYTES);
      staging.memory.asFloatBuffer().get(0, target, targetOffset + done, part);
    }
  }

  @Override
  public void read(Memory source, long offset, int[] target, int targetOffset, int n) {
    Staging staging = Staging.get();
    int most = STAGING_BYTES / Integer.BYTES;
    waitForDevice();
    for (int done = 0; done < n; done += most) {
      int part = Math.min(most, n - done);
      download(staging, source.address() + offset + (long) done * Integer.BYTES, part * Integer.BYTES);
      staging.memory.asIntBuffer().get(0, target, targetOffset + done, part);
    }
  }

  @Override
  public void read(Memory source, long offset, short[] target, int targetOffset, int n) {
    Staging staging = Staging.get();
    int most = STAGING_BYTES / Short.BYTES;
    waitForDevice();
    for (int done = 0; done < n; done += most) {
      int part = Math.min(most, n - done);
      download(staging, source.address() + offset + (long) done * Short.BYTES, part * Short.BYTES);
      staging.memory.asShortBuffer().get(0, target, targetOffset + done, part);
    }
  }

  @Override
  public void write(Memory target, long offset, long[] source, int sourceOffset, int n) {
    Staging staging = Staging.get();
    int most = STAGING_BYTES / Long.BYTES;
    waitForDevice();
    for (int done = 0; done < n; done += most) {
      int part = Math.min(most, n - done);
      staging.memory.asLongBuffer().put(0, source, sourceOffset + done, part);
      upload(target.address() + offset + (long) done * Long.BYTES, staging, part * Long.BYTES);
    }
  }

  @Override
  public void read(Memory source, long offset, long[] target, int targetOffset, int n) {
    Staging staging = Staging.get();
    int most = STAGING_BYTES / Long.BYTES;
    waitForDevice();
    for (int done = 0; done < n; done += most) {
      int part = Math.min(most, n - done);
      download(staging, source.address() + offset + (long) done * Long.BYTES, part * Long.BYTES);
      staging.memory.asLongBuffer().get(0, target, targetOffset + done, part);
    }
  }

  private void waitForDevice() {
    check("synchronize", CudaBindings.synchronize(context));
  }

  private void upload(long address, Staging staging, int bytes) {
    check("upload", CudaBindings.copy(context, address, staging.address, bytes, 0));
    synchronize(0); // the staging memory is used again
  }

  private void download(Staging staging, long address, int bytes) {
    check("download", CudaBindings.copy(context, staging.address, address, bytes, 0));
    synchronize(0);
  }

  @Override
  public void copy(Memory target, long targetOffset, Memory source, long sourceOffset, long bytes) {
    waitForDevice();
    check("copy", CudaBindings.copy(context, target.address() + targetOffset, source.address() + sourceOffset, bytes, 0));
    synchronize(0);
  }

  @Override
  public void fill(Memory target, long offset, long words, int value) {
    waitForDevice();
    check("fill", CudaBindings.fill(context, target.address() + offset, words, value, 0));
    synchronize(0);
  }

  @Override
  public long addressOf(Buffer direct) {
    return CudaBindings.addressOf(direct);
  }

  @Override
  public long newStream() {
    Scratch scratch = Scratch.get();
    check("new stream", CudaBindings.streamCreate(context, scratch.address));
    contextUsers.incrementAndGet();
    return scratch.memory.getLong(0);
  }

  @Override
  public void destroyStream(long handle) {
    int status = CudaBindings.streamDestroy(context, handle);
    try {
      if (status != E_LOST) { // as in freeDevice
        check("close stream", status);
      }
    } finally {
      releaseContext();
    }
  }

  @Override
  public void synchronize(long streamHandle) {
    check("synchronize", CudaBindings.streamSynchronize(context, streamHandle));
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
    bayes.close();
    kfac.close();
    releaseContext();
  }

  /** Native memory of a thread for results of calls. */
  private static final class Scratch {
    private static final int BYTES = 512;
    private static final ThreadLocal<Scratch> OF_THREAD = ThreadLocal.withInitial(Scratch::new);

    final ByteBuffer memory = ByteBuffer.allocateDirect(BYTES).order(ByteOrder.nativeOrder());
    final long address = CudaBindings.addressOf(memory);

    static Scratch get() {
      return OF_THREAD.get();
    }
  }

  /** Native memory of a thread that transfers go through. */
  private static final class Staging {
    private static final ThreadLocal<Staging> OF_THREAD = ThreadLocal.withInitial(Staging::new);

    final ByteBuffer memory = ByteBuffer.allocateDirect(STAGING_BYTES).order(ByteOrder.nativeOrder());
    final long address = CudaBindings.addressOf(memory);

    static Staging get() {
      return OF_THREAD.get();
    }
  }
}
