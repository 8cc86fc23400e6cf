package io.metaplast.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;

/**
 * OpenBLAS or MKL doing what the kernels of the Kronecker family do, as a Java user would call them: single calls through JavaCPP in a loop, operands in native memory, no transposition,
 * the triangle that is faster. Of a symmetric result one triangle is written; ours have both.
 */
public final class LapackPeer implements Contest.Body, AutoCloseable {
  /** Which library. */
  public enum Library {
    /** OpenBLAS. */
    OPENBLAS("OpenBLAS", GemmPeer.Kind.OPENBLAS),
    /** Intel MKL. */
    MKL("MKL", GemmPeer.Kind.MKL);

    private final String label;
    private final GemmPeer.Kind gemm;

    Library(String label, GemmPeer.Kind gemm) {
      this.label = label;
      this.gemm = gemm;
    }

    /** Name in tables. */
    public String label() {
      return label;
    }

    /** Null if the library can be used here, else why not. */
    public String missing() {
      return GemmPeer.missing(gemm);
    }

    /** Version and core type, as far as the library says. */
    public String describe() {
      return GemmPeer.describe(gemm);
    }

    private void threads(int threads) {
      if (this == OPENBLAS) {
        org.bytedeco.openblas.global.openblas.blas_set_num_threads(threads);
      } else {
        org.bytedeco.mkl.global.mkl_rt.MKL_Set_Num_Threads(threads);
      }
    }

    /** Inverse from the Cholesky factor, in place; column-major, so that nothing is transposed. */
    private void invert(byte triangle, int n, FloatPointer a) {
      int status =
          this == OPENBLAS
              ? org.bytedeco.openblas.global.openblas.LAPACKE_spotrf_work(COLUMN_MAJOR, triangle, n, a, n)
              : org.bytedeco.mkl.global.mkl_rt.LAPACKE_spotrf_work(COLUMN_MAJOR, triangle, n, a, n);
      status |=
          this == OPENBLAS
              ? org.bytedeco.openblas.global.openblas.LAPACKE_spotri_work(COLUMN_MAJOR, triangle, n, a, n)
              : org.bytedeco.mkl.global.mkl_rt.LAPACKE_spotri_work(COLUMN_MAJOR, triangle, n, a, n);
      if (status != 0) {
        throw new IllegalStateException(label + " returned status " + status);
      }
    }

    private void syrk(int triangle, int d, int rows, float alpha, FloatPointer x, FloatPointer c) {
      if (this == OPENBLAS) {
        org.bytedeco.openblas.global.openblas.cblas_ssyrk(ROW_MAJOR, triangle, TRANSPOSE, d, rows, alpha, x, d, 0, c, d);
      } else {
        org.bytedeco.mkl.global.mkl_rt.cblas_ssyrk(ROW_MAJOR, triangle, TRANSPOSE, d, rows, alpha, x, d, 0, c, d);
      }
    }

    private void gemm(int m, int n, int k, FloatPointer a, FloatPointer b, FloatPointer c) {
      if (this == OPENBLAS) {
        org.bytedeco.openblas.global.openblas.cblas_sgemm(ROW_MAJOR, NO_TRANSPOSE, NO_TRANSPOSE, m, n, k, 1, a, k, b, n, 0, c, n);
      } else {
        org.bytedeco.mkl.global.mkl_rt.cblas_sgemm(ROW_MAJOR, NO_TRANSPOSE, NO_TRANSPOSE, m, n, k, 1, a, k, b, n, 0, c, n);
      }
    }

    private void axpy(int n, float alpha, FloatPointer x, FloatPointer y) {
      if (this == OPENBLAS) {
        org.bytedeco.openblas.global.openblas.cblas_saxpy(n, alpha, x, 1, y, 1);
      } else {
        org.bytedeco.mkl.global.mkl_rt.cblas_saxpy(n, alpha, x, 1, y, 1);
      }
    }

    private float dot(int n, FloatPointer x, FloatPointer y) {
      return this == OPENBLAS
          ? org.bytedeco.openblas.global.openblas.cblas_sdot(n, x, 1, y, 1)
          : org.bytedeco.mkl.global.mkl_rt.cblas_sdot(n, x, 1, y, 1);
    }
  }

  private static final int ROW_MAJOR = 101;
  private static final int COLUMN_MAJOR = 102;
  private static final int NO_TRANSPOSE = 111;
  private static final int TRANSPOSE = 112;
  private static final int UPPER = 121;
  private static final int LOWER = 122;

  /** The triangle is chosen with a matrix no larger than this. */
  private static final int TRIAL = 1024;

  private final List<Pointer> owned = new ArrayList<>();
  private Contest.Body body;

  private LapackPeer() {}

  /**
   * Damped inverses of the matrices that {@link KfacWorkloads#inverses} inverts, verified with the same bound. The damped matrices are copied first, as a call destroys its operand.
   *
   * @throws IllegalStateException if the library is missing or a result is wrong
   */
  public static LapackPeer inverses(Library library, int threads, int... orders) {
    LapackPeer peer = open(library, threads);
    List<SpdMatrix> matrices = KfacWorkloads.spd(orders);
    long all = Arrays.stream(orders).mapToLong(n -> (long) n * n).sum();
    FloatPointer source = peer.own(new FloatPointer(all));
    FloatPointer work = peer.own(new FloatPointer(all));
    FloatPointer[] places = new FloatPointer[orders.length];
    long at = 0;
    for (int b = 0; b < orders.length; b++) {
      int n = orders[b];
      float[] row = new float[n];
      for (int i = 0; i < n; i++) {
        matrices.get(b).row(i, row, 0);
        row[i] = (float) (row[i] + SpdMatrix.DAMPING);
        source.position(at + (long) i * n).put(row, 0, n);
      }
      places[b] = work.getPointer(at);
      at += (long) n * n;
    }
    source.position(0);
    byte triangle = fasterTriangle(library, Math.min(TRIAL, Arrays.stream(orders).max().orElseThrow()));
    peer.body =
        () -> {
          Pointer.memcpy(work, source, 4 * all);
          for (int b = 0; b < orders.length; b++) {
            library.invert(triangle, orders[b], places[b]);
          }
        };
    peer.run();
    for (int b = 0; b < orders.length; b++) {
      float[] x = new float[orders[b] * orders[b]];
      places[b].get(x);
      mirror(x, orders[b], triangle == 'U');
      refuse(library, matrices.get(b).wrong(x));
    }
    return peer;
  }

  private static byte fasterTriangle(Library library, int n) {
    SpdMatrix matrix = new SpdMatrix(n, 0);
    float[] values = matrix.all();
    for (int i = 0; i < n; i++) {
      values[i * n + i] += (float) SpdMatrix.DAMPING;
    }
    try (FloatPointer a = new FloatPointer((long) n * n)) {
      long[] best = {Long.MAX_VALUE, Long.MAX_VALUE};
      for (int turn = 0; turn < 20; turn++) {
        a.put(values);
        long start = System.nanoTime();
        library.invert((byte) (turn % 2 == 0 ? 'L' : 'U'), n, a);
        best[turn % 2] = Math.min(best[turn % 2], System.nanoTime() - start);
      }
      return (byte) (best[0] <= best[1] ? 'L' : 'U');
    }
  }

  /** The upper triangle of column-major storage is the lower one of rows. */
  static void mirror(float[] x, int n, boolean fromLower) {
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < i; j++) {
        if (fromLower) {
          x[j * n + i] = x[i * n + j];
        } else {
          x[i * n + j] = x[j * n + i];
        }
      }
    }
  }

  /** X^T X/rows of the rows that {@link KfacWorkloads#factorUpdate} takes, without bias. */
  public static LapackPeer factor(Library library, int threads, int rows, int cols) {
    LapackPeer peer = open(library, threads);
    float[] values = KfacWorkloads.factorData(rows, cols);
    FloatPointer x = peer.own(new FloatPointer(values));
    FloatPointer c = peer.own(new FloatPointer((long) cols * cols));
    float alpha = 1f / rows;
    long[] best = {Long.MAX_VALUE, Long.MAX_VALUE};
    for (int turn = 0; turn < 10; turn++) {
      long start = System.nanoTime();
      library.syrk(turn % 2 == 0 ? LOWER : UPPER, cols, rows, alpha, x, c);
      best[turn % 2] = Math.min(best[turn % 2], System.nanoTime() - start);
    }
    int triangle = best[0] <= best[1] ? LOWER : UPPER;
    peer.body = () -> library.syrk(triangle, cols, rows, alpha, x, c);
    peer.run();
    float[] result = new float[cols * cols];
    c.get(result);
    mirror(result, cols, triangle == LOWER);
    refuse(library, KfacWorkloads.wrongFactor(rows, cols, cols, values, result));
    return peer;
  }

  /** Preconditioning of all layers of a network, two products a layer. */
  public static LapackPeer precondition(Library library, int threads, int... widths) {
    LapackPeer peer = open(library, threads);
    List<KfacWorkloads.Layer> layers = KfacWorkloads.Layer.of(widths);
    List<Operands> operands = layers.stream().map(layer -> new Operands(peer, layer)).toList();
    peer.body =
        () -> {
          for (Operands one : operands) {
            library.gemm(one.m, one.k, one.k, one.w, one.a, one.inner);
            library.gemm(one.m, one.k, one.m, one.g, one.inner, one.out);
          }
        };
    peer.run();
    for (int l = 0; l < layers.size(); l++) {
      refuse(library, layers.get(l).wrongProduct(operands.get(l).result(operands.get(l).out), null, 1, 4));
    }
    return peer;
  }

  /** Value and gradient of the penalty: difference, two products, inner product and addition to the gradient, layer by layer. */
  public static LapackPeer penalty(Library library, int threads, int... widths) {
    LapackPeer peer = open(library, threads);
    List<KfacWorkloads.Layer> layers = KfacWorkloads.Layer.of(widths);
    List<Operands> operands = layers.stream().map(layer -> new Operands(peer, layer)).toList();
    float lambda = (float) KfacWorkloads.lambda();
    double[] value = new double[1];
    peer.body =
        () -> {
          double sum = 0;
          for (Operands one : operands) {
            int all = one.m * one.k;
            Pointer.memcpy(one.difference, one.w, 4L * all);
            library.axpy(all, -1, one.anchor, one.difference);
            library.gemm(one.m, one.k, one.k, one.difference, one.a, one.inner);
            library.gemm(one.m, one.k, one.m, one.g, one.inner, one.out);
            sum += lambda / 2 * library.dot(all, one.difference, one.out);
            library.axpy(all, lambda, one.out, one.gradient);
          }
          value[0] = sum;
        };
    peer.run();
    refuse(library, value[0] > 0 ? null : "the value is " + value[0]);
    for (int l = 0; l < layers.size(); l++) {
      refuse(library, layers.get(l).wrongProduct(operands.get(l).result(operands.get(l).gradient), layers.get(l).anchor(), lambda, 6));
    }
    return peer;
  }

  private static final class Operands {
    private final int m;
    private final int k;
    private final FloatPointer w;
    private final FloatPointer anchor;
    private final FloatPointer g;
    private final FloatPointer a;
    private final FloatPointer inner;
    private final FloatPointer out;
    private final FloatPointer difference;
    private final FloatPointer gradient;

    Operands(LapackPeer peer, KfacWorkloads.Layer layer) {
      m = layer.m();
      k = layer.k();
      w = peer.own(new FloatPointer(layer.w()));
      anchor = peer.own(new FloatPointer(layer.anchor()));
      g = peer.own(new FloatPointer(layer.g()));
      a = peer.own(new FloatPointer(layer.a()));
      long all = (long) m * k;
      inner = peer.own(new FloatPointer(all));
      out = peer.own(new FloatPointer(all));
      difference = peer.own(new FloatPointer(all));
      gradient = peer.own(new FloatPointer(new float[(int) all]));
    }

    float[] result(FloatPointer pointer) {
      float[] values = new float[m * k];
      pointer.get(values);
      return values;
    }
  }

  private static LapackPeer open(Library library, int threads) {
    String missing = library.missing();
    if (missing != null) {
      throw new IllegalStateException(missing);
    }
    library.threads(threads);
    return new LapackPeer();
  }

  private static void refuse(Library library, String wrong) {
    if (wrong != null) {
      throw new IllegalStateException(library.label + " is wrong, so it is not timed: " + wrong);
    }
  }

  private <T extends Pointer> T own(T pointer) {
    owned.add(pointer);
    return pointer;
  }

  @Override
  public void run() {
    body.run();
  }

  @Override
  public void close() {
    owned.forEach(Pointer::close);
  }
}
