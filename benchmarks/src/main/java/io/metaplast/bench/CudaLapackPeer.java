package io.metaplast.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import org.bytedeco.cuda.cublas.cublasContext;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.cuda.cusolver.cusolverDnContext;
import org.bytedeco.cuda.global.cublas;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.cuda.global.cusolver;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;

/**
 * cuSOLVER and cuBLAS doing what {@link LapackPeer} does, through JavaCPP: operands on the device, one stream, which a call waits for as rows of our own device backend do.
 * cuSOLVER has no batched spotri, so many inverses are single calls in a loop on that stream. Storage is column-major to both libraries. Of a symmetric result one triangle is
 * written, the faster; the other is filled in on the host for the check only. Results are downloaded and verified once, devInfo is read with them. No part of this has run on a GPU.
 */
public final class CudaLapackPeer implements Contest.Body, AutoCloseable {
  /** How names in tables begin. */
  static final String LABEL = "CUDA libraries";

  private static final String RESOURCE = "org/bytedeco/cuda/" + Loader.getPlatform() + "/libjnicusolver.so";
  private static final int TURNS = 6;

  private final List<Runnable> releases = new ArrayList<>();
  private final CUstream_st stream = new CUstream_st();
  private final cusolverDnContext solver = new cusolverDnContext();
  private final cublasContext blas = new cublasContext();
  private final FloatPointer zero = new FloatPointer(new float[] {0});
  private final FloatPointer one = new FloatPointer(new float[] {1});
  private Contest.Body body;

  /** The answer is kept: a class that failed to load says why only once. */
  private static final class Probe {
    private static final String MISSING = probe();

    private static String probe() {
      if (CudaLapackPeer.class.getClassLoader().getResource(RESOURCE) == null) {
        return LABEL + " skipped: set METAPLAST_CUDA_PEERS=1 once to fetch the bindings of cuSOLVER and cuBLAS";
      }
      try {
        int[] count = {0};
        int status = cudart.cudaGetDeviceCount(count);
        if (status != 0 || count[0] == 0) {
          return LABEL + " skipped: no usable GPU (" + (status == 0 ? "none is there" : cudart.cudaGetErrorString(status).getString()) + ")";
        }
        Loader.load(cublas.class);
        Loader.load(cusolver.class);
        return null;
      } catch (LinkageError e) {
        Throwable cause = e;
        while (cause.getCause() != null) {
          cause = cause.getCause();
        }
        return LABEL + " skipped: a library does not load here (" + cause.getMessage()
            + "); needed are an NVIDIA driver and, in LD_LIBRARY_PATH, the libraries of a CUDA toolkit 13";
      }
    }
  }

  private CudaLapackPeer() {}

  /** Null if the libraries can be used here, else why not. */
  public static String missing() {
    return Probe.MISSING;
  }

  /** Versions, as the libraries say. */
  public static String describe() {
    int[] solverVersion = {0};
    int[] runtime = {0};
    check("cusolverGetVersion", cusolver.cusolverGetVersion(solverVersion));
    check("cudaRuntimeGetVersion", cudart.cudaRuntimeGetVersion(runtime));
    return "cuSOLVER " + solverVersion[0] + ", CUDA runtime " + runtime[0];
  }

  /**
   * Damped inverses of the matrices that {@link KfacWorkloads#inverses} inverts, verified with the same bound. The damped matrices are copied first, on the device.
   *
   * @throws IllegalStateException if the libraries are missing or a result is wrong
   */
  public static CudaLapackPeer inverses(int... orders) {
    return open(peer -> peer.prepareInverses(orders));
  }

  /** X^T X/rows of the rows that {@link KfacWorkloads#factorUpdate} takes, without bias. */
  public static CudaLapackPeer factor(int rows, int cols) {
    return open(peer -> peer.prepareFactor(rows, cols));
  }

  /** Preconditioning of all layers of a network, two products a layer. */
  public static CudaLapackPeer precondition(int... widths) {
    return open(peer -> peer.preparePrecondition(widths));
  }

  /** Value and gradient of the penalty: difference, two products, inner product and addition to the gradient, layer by layer; the inner products are downloaded together. */
  public static CudaLapackPeer penalty(int... widths) {
    return open(peer -> peer.preparePenalty(widths));
  }

  private static CudaLapackPeer open(Consumer<CudaLapackPeer> preparation) {
    String missing = missing();
    if (missing != null) {
      throw new IllegalStateException(missing);
    }
    CudaLapackPeer peer = new CudaLapackPeer();
    try {
      peer.start();
      preparation.accept(peer);
      return peer;
    } catch (RuntimeException e) {
      peer.close();
      throw e;
    }
  }

  private void start() {
    check("cudaStreamCreate", cudart.cudaStreamCreate(stream));
    releases.add(() -> cudart.cudaStreamDestroy(stream));
    check("cusolverDnCreate", cusolver.cusolverDnCreate(solver));
    releases.add(() -> cusolver.cusolverDnDestroy(solver));
    check("cusolverDnSetStream", cusolver.cusolverDnSetStream(solver, stream));
    check("cublasCreate", cublas.cublasCreate_v2(blas));
    releases.add(() -> cublas.cublasDestroy_v2(blas));
    check("cublasSetStream", cublas.cublasSetStream_v2(blas, stream));
  }

  private void prepareInverses(int... orders) {
    List<SpdMatrix> matrices = KfacWorkloads.spd(orders);
    long all = Arrays.stream(orders).mapToLong(n -> (long) n * n).sum();
    FloatPointer source = allocate(all);
    FloatPointer work = allocate(all);
    FloatPointer[] places = new FloatPointer[orders.length];
    long at = 0;
    for (int b = 0; b < orders.length; b++) {
      int n = orders[b];
      float[] values = matrices.get(b).all();
      for (int i = 0; i < n; i++) {
        values[i * n + i] = (float) (values[i * n + i] + SpdMatrix.DAMPING);
      }
      upload(values, source.getPointer(at));
      places[b] = work.getPointer(at);
      at += (long) n * n;
    }
    int space = space(places, orders);
    FloatPointer scratch = allocate(space);
    IntPointer info = new IntPointer();
    allocate(info, 4L * 2 * orders.length);
    IntPointer[] infos = new IntPointer[2 * orders.length];
    Arrays.setAll(infos, info::getPointer);
    IntConsumer invert =
        triangle -> {
          check("cudaMemcpyAsync", cudart.cudaMemcpyAsync(work, source, 4 * all, cudart.cudaMemcpyDeviceToDevice, stream));
          for (int b = 0; b < orders.length; b++) {
            int n = orders[b];
            check("cusolverDnSpotrf", cusolver.cusolverDnSpotrf(solver, triangle, n, places[b], n, scratch, space, infos[2 * b]));
            check("cusolverDnSpotri", cusolver.cusolverDnSpotri(solver, triangle, n, places[b], n, scratch, space, infos[2 * b + 1]));
          }
        };
    int triangle = repeatFasterTriangle(invert);
    int[] status = new int[2 * orders.length];
    try (IntPointer host = new IntPointer(status.length)) {
      download(host, info, 4L * status.length);
      host.get(status);
    }
    refuse(Arrays.stream(status).allMatch(s -> s == 0) ? null : "devInfo is " + Arrays.stream(status).filter(s -> s != 0).findFirst().orElseThrow());
    for (int b = 0; b < orders.length; b++) {
      float[] x = download(places[b], orders[b] * orders[b]);
      LapackPeer.mirror(x, orders[b], triangle == cublas.CUBLAS_FILL_MODE_UPPER);
      refuse(matrices.get(b).wrong(x));
    }
  }

  /** Elements of scratch memory that every call has enough of, with either triangle. */
  private int space(FloatPointer[] places, int... orders) {
    int[] distinct = Arrays.stream(orders).distinct().toArray();
    int most = 0;
    try (IntPointer size = new IntPointer(1)) {
      for (int n : distinct) {
        for (int triangle : new int[] {cublas.CUBLAS_FILL_MODE_LOWER, cublas.CUBLAS_FILL_MODE_UPPER}) {
          check("cusolverDnSpotrf_bufferSize", cusolver.cusolverDnSpotrf_bufferSize(solver, triangle, n, places[0], n, size));
          most = Math.max(most, size.get());
          check("cusolverDnSpotri_bufferSize", cusolver.cusolverDnSpotri_bufferSize(solver, triangle, n, places[0], n, size));
          most = Math.max(most, size.get());
        }
      }
    }
    return Math.max(1, most);
  }

  private void prepareFactor(int rows, int cols) {
    float[] values = KfacWorkloads.factorData(rows, cols);
    FloatPointer x = allocate((long) rows * cols);
    upload(values, x);
    FloatPointer c = allocate((long) cols * cols);
    FloatPointer alpha = host(1f / rows);
    // rows of X are columns to cuBLAS: C = (X^T) (X^T)^T
    int triangle =
        repeatFasterTriangle(uplo -> check("cublasSsyrk", cublas.cublasSsyrk_v2(blas, uplo, cublas.CUBLAS_OP_N, cols, rows, alpha, x, cols, zero, c, cols)));
    float[] result = download(c, cols * cols);
    LapackPeer.mirror(result, cols, triangle == cublas.CUBLAS_FILL_MODE_UPPER);
    refuse(KfacWorkloads.wrongFactor(rows, cols, cols, values, result));
  }

  /** Makes the call with the faster triangle the body, after a run with it; returns the triangle, in column-major storage. */
  private int repeatFasterTriangle(IntConsumer call) {
    int[] triangles = {cublas.CUBLAS_FILL_MODE_LOWER, cublas.CUBLAS_FILL_MODE_UPPER};
    long[] best = {Long.MAX_VALUE, Long.MAX_VALUE};
    for (int turn = 0; turn < TURNS; turn++) {
      long start = System.nanoTime();
      call.accept(triangles[turn % 2]);
      synchronize();
      best[turn % 2] = Math.min(best[turn % 2], System.nanoTime() - start);
    }
    int triangle = triangles[best[0] <= best[1] ? 0 : 1];
    body = () -> call.accept(triangle);
    run();
    return triangle;
  }

  private void preparePrecondition(int... widths) {
    List<KfacWorkloads.Layer> layers = KfacWorkloads.Layer.of(widths);
    List<Operands> operands = layers.stream().map(layer -> new Operands(this, layer)).toList();
    body =
        () -> {
          for (Operands layer : operands) {
            gemm(layer.m, layer.k, layer.k, layer.w, layer.a, layer.inner);
            gemm(layer.m, layer.k, layer.m, layer.g, layer.inner, layer.out);
          }
        };
    run();
    for (int l = 0; l < layers.size(); l++) {
      refuse(layers.get(l).wrongProduct(download(operands.get(l).out, operands.get(l).all), null, 1, 4));
    }
  }

  private void preparePenalty(int... widths) {
    List<KfacWorkloads.Layer> layers = KfacWorkloads.Layer.of(widths);
    List<Operands> operands = layers.stream().map(layer -> new Operands(this, layer)).toList();
    FloatPointer minusOne = host(-1);
    FloatPointer lambda = host((float) KfacWorkloads.lambda());
    FloatPointer products = allocate(layers.size());
    FloatPointer[] places = new FloatPointer[layers.size()];
    Arrays.setAll(places, products::getPointer);
    FloatPointer hostProducts = host(new float[layers.size()]);
    double[] value = new double[1];
    body =
        () -> {
          for (int l = 0; l < operands.size(); l++) {
            Operands layer = operands.get(l);
            check("cudaMemcpyAsync", cudart.cudaMemcpyAsync(layer.difference, layer.w, 4L * layer.all, cudart.cudaMemcpyDeviceToDevice, stream));
            check("cublasSaxpy", cublas.cublasSaxpy_v2(blas, layer.all, minusOne, layer.anchor, 1, layer.difference, 1));
            gemm(layer.m, layer.k, layer.k, layer.difference, layer.a, layer.inner);
            gemm(layer.m, layer.k, layer.m, layer.g, layer.inner, layer.out);
            check("cublasSetPointerMode", cublas.cublasSetPointerMode_v2(blas, cublas.CUBLAS_POINTER_MODE_DEVICE));
            check("cublasSdot", cublas.cublasSdot_v2(blas, layer.all, layer.difference, 1, layer.out, 1, places[l]));
            check("cublasSetPointerMode", cublas.cublasSetPointerMode_v2(blas, cublas.CUBLAS_POINTER_MODE_HOST));
            check("cublasSaxpy", cublas.cublasSaxpy_v2(blas, layer.all, lambda, layer.out, 1, layer.gradient, 1));
          }
          download(hostProducts, products, 4L * operands.size());
          double sum = 0;
          for (int l = 0; l < operands.size(); l++) {
            sum += KfacWorkloads.lambda() / 2 * hostProducts.get(l);
          }
          value[0] = sum;
        };
    run();
    refuse(value[0] > 0 ? null : "the value is " + value[0]);
    for (int l = 0; l < layers.size(); l++) {
      float[] gradient = download(operands.get(l).gradient, operands.get(l).all);
      refuse(layers.get(l).wrongProduct(gradient, layers.get(l).anchor(), (float) KfacWorkloads.lambda(), 6));
    }
  }

  /** c [m][n] = a [m][k] b [k][n], row-major: to cuBLAS c^T = b^T a^T. */
  private void gemm(int m, int n, int k, FloatPointer a, FloatPointer b, FloatPointer c) {
    check("cublasSgemm", cublas.cublasSgemm_v2(blas, cublas.CUBLAS_OP_N, cublas.CUBLAS_OP_N, n, m, k, one, b, n, a, k, zero, c, n));
  }

  private static final class Operands {
    private final int m;
    private final int k;
    private final int all;
    private final FloatPointer w;
    private final FloatPointer anchor;
    private final FloatPointer g;
    private final FloatPointer a;
    private final FloatPointer inner;
    private final FloatPointer out;
    private final FloatPointer difference;
    private final FloatPointer gradient;

    Operands(CudaLapackPeer peer, KfacWorkloads.Layer layer) {
      m = layer.m();
      k = layer.k();
      all = m * k;
      w = peer.onDevice(layer.w());
      anchor = peer.onDevice(layer.anchor());
      g = peer.onDevice(layer.g());
      a = peer.onDevice(layer.a());
      inner = peer.allocate(all);
      out = peer.allocate(all);
      difference = peer.allocate(all);
      gradient = peer.onDevice(new float[all]);
    }
  }

  private FloatPointer host(float... values) {
    FloatPointer pointer = new FloatPointer(values);
    releases.add(pointer::close);
    return pointer;
  }

  private FloatPointer onDevice(float... values) {
    FloatPointer pointer = allocate(values.length);
    upload(values, pointer);
    return pointer;
  }

  private FloatPointer allocate(long elements) {
    FloatPointer pointer = new FloatPointer();
    allocate(pointer, 4 * elements);
    return pointer;
  }

  private void allocate(Pointer pointer, long bytes) {
    check("cudaMalloc", cudart.cudaMalloc(pointer, bytes));
    releases.add(() -> cudart.cudaFree(pointer));
  }

  private void upload(float[] values, FloatPointer to) {
    try (FloatPointer from = new FloatPointer(values)) {
      check("cudaMemcpyAsync", cudart.cudaMemcpyAsync(to, from, 4L * values.length, cudart.cudaMemcpyHostToDevice, stream));
      synchronize();
    }
  }

  private float[] download(FloatPointer from, int count) {
    float[] values = new float[count];
    try (FloatPointer to = new FloatPointer(count)) {
      download(to, from, 4L * count);
      to.get(values);
    }
    return values;
  }

  private void download(Pointer to, Pointer from, long bytes) {
    check("cudaMemcpyAsync", cudart.cudaMemcpyAsync(to, from, bytes, cudart.cudaMemcpyDeviceToHost, stream));
    synchronize();
  }

  private void synchronize() {
    check("cudaStreamSynchronize", cudart.cudaStreamSynchronize(stream));
  }

  private static void check(String call, int status) {
    if (status != 0) {
      throw new IllegalStateException(call + " returned status " + status);
    }
  }

  private static void refuse(String wrong) {
    if (wrong != null) {
      throw new IllegalStateException(LABEL + " are wrong, so they are not timed: " + wrong);
    }
  }

  @Override
  public void run() {
    body.run();
    synchronize();
  }

  @Override
  public void close() {
    for (int i = releases.size() - 1; i >= 0; i--) {
      releases.get(i).run();
    }
    releases.clear();
    zero.close();
    one.close();
  }
}
