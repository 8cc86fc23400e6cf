package io.metaplast.bench;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.dnnl_version_t;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;

/**
 * A matrix product of another library, as its users would call it for what our binary kernels do: c [m][n] = op(a) op(b), row-major. Integer products take the
 * same values as signed bytes. Threads: OMP_NUM_THREADS for oneDNN (set to 1 by the run script), the libraries' own calls for the others.
 */
public final class GemmPeer implements Contest.Body, AutoCloseable {
  /** Which library. */
  public enum Kind {
    /** OpenBLAS sgemm. */
    OPENBLAS("OpenBLAS sgemm", "openblas", "libjniopenblas_nolapack.so"),
    /** oneDNN sgemm. */
    ONEDNN("oneDNN sgemm", "dnnl", "libjnidnnl.so"),
    /** oneDNN u8 x s8 to s32, the fastest of its integer products. */
    ONEDNN_INT8("oneDNN int8", "dnnl", "libjnidnnl.so"),
    /** MKL sgemm. */
    MKL("MKL sgemm", "mkl", "libjnimkl_rt.so");

    private final String label;
    private final String resource;

    Kind(String label, String preset, String library) {
      this.label = label;
      this.resource = "org/bytedeco/" + preset + "/" + Loader.getPlatform() + "/" + library;
    }

    /** Name in tables. */
    public String label() {
      return label;
    }
  }

  private static final int ROW_MAJOR = 101;
  private static final int NO_TRANSPOSE = 111;
  private static final int TRANSPOSE = 112;

  private final Kind kind;
  private final boolean transposeA;
  private final boolean transposeB;
  private final int m;
  private final int n;
  private final int k;
  private final List<Pointer> owned = new ArrayList<>();
  private final FloatPointer a;
  private final FloatPointer b;
  private final FloatPointer c;
  private final BytePointer a8;
  private final BytePointer b8;
  private final IntPointer c32;
  private final IntPointer offset;

  private GemmPeer(Kind kind, boolean transposeA, boolean transposeB, int m, int n, int k, float[] left, float[] right, int threads) {
    this.kind = kind;
    this.transposeA = transposeA;
    this.transposeB = transposeB;
    this.m = m;
    this.n = n;
    this.k = k;
    boolean integer = kind == Kind.ONEDNN_INT8;
    a = integer ? null : own(new FloatPointer(left));
    b = integer ? null : own(new FloatPointer(right));
    c = integer ? null : own(new FloatPointer((long) m * n));
    a8 = integer ? own(new BytePointer(bytes(left))) : null;
    b8 = integer ? own(new BytePointer(bytes(right))) : null;
    c32 = integer ? own(new IntPointer((long) m * n)) : null;
    offset = integer ? own(new IntPointer(new int[] {0})) : null;
    switch (kind) {
      case OPENBLAS -> org.bytedeco.openblas.global.openblas_nolapack.blas_set_num_threads(threads);
      case MKL -> org.bytedeco.mkl.global.mkl_rt.MKL_Set_Num_Threads(threads);
      default -> { } // OMP_NUM_THREADS
    }
  }

  private <T extends Pointer> T own(T pointer) {
    owned.add(pointer);
    return pointer;
  }

  private static byte[] bytes(float[] values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return bytes;
  }

  /** Null if the library can be used here, else why not. */
  public static String missing(Kind kind) {
    if (GemmPeer.class.getClassLoader().getResource(kind.resource) == null) {
      return kind.label + " skipped: set METAPLAST_PEERS=1 once to fetch it";
    }
    try {
      describe(kind);
      return null;
    } catch (LinkageError e) {
      Throwable cause = e;
      while (cause.getCause() != null) {
        cause = cause.getCause();
      }
      return kind.label + " skipped: its library does not load here (" + cause.getMessage()
          + "); oneDNN needs libOpenCL.so.1, on Debian the package ocl-icd-libopencl1";
    }
  }

  /** Version and the instruction set that the library dispatches to, as far as it says. */
  public static String describe(Kind kind) {
    return switch (kind) {
      case OPENBLAS ->
          "OpenBLAS, core type " + System.getenv().getOrDefault("OPENBLAS_CORETYPE", "as detected") + " (printed at start with OPENBLAS_VERBOSE=2)";
      case ONEDNN, ONEDNN_INT8 -> {
        dnnl_version_t version = org.bytedeco.dnnl.global.dnnl.dnnl_version();
        yield "oneDNN " + version.major() + "." + version.minor() + ", "
            + instructions(org.bytedeco.dnnl.global.dnnl.dnnl_get_effective_cpu_isa());
      }
      case MKL -> {
        OpenBlasBinding.bind();
        byte[] text = new byte[256];
        org.bytedeco.mkl.global.mkl_rt.MKL_Get_Version_String(text, text.length);
        yield new String(text, StandardCharsets.US_ASCII).trim();
      }
    };
  }

  private static String instructions(int isa) {
    if (isa == org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx512_core_bf16) {
      return "AVX-512 core with BF16";
    } else if (isa == org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx512_core_vnni) {
      return "AVX-512 core with VNNI";
    } else if (isa == org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx512_core) {
      return "AVX-512 core";
    } else if (isa == org.bytedeco.dnnl.global.dnnl.dnnl_cpu_isa_avx2) {
      return "AVX2";
    }
    return "instruction set 0x" + Integer.toHexString(isa);
  }

  /**
   * A product, verified: entries spread over the result are compared with sums in double.
   *
   * @param left a [m][k], or [k][m] if transposed
   * @param right b [k][n], or [n][k] if transposed
   * @throws IllegalStateException if the library is missing or computes something else
   */
  public static GemmPeer open(
      Kind kind, boolean transposeA, boolean transposeB, int m, int n, int k, float[] left, float[] right, int threads) {
    String missing = missing(kind);
    if (missing != null) {
      throw new IllegalStateException(missing);
    }
    GemmPeer peer = new GemmPeer(kind, transposeA, transposeB, m, n, k, left, right, threads);
    peer.run();
    peer.verify(left, right);
    return peer;
  }

  @Override
  public void run() {
    int lda = transposeA ? m : k;
    int ldb = transposeB ? k : n;
    byte ta = (byte) (transposeA ? 'T' : 'N');
    byte tb = (byte) (transposeB ? 'T' : 'N');
    switch (kind) {
      case OPENBLAS ->
          org.bytedeco.openblas.global.openblas_nolapack.cblas_sgemm(
              ROW_MAJOR, transposeA ? TRANSPOSE : NO_TRANSPOSE, transposeB ? TRANSPOSE : NO_TRANSPOSE, m, n, k, 1f, a, lda, b, ldb, 0f, c, n);
      case MKL ->
          org.bytedeco.mkl.global.mkl_rt.cblas_sgemm(
              ROW_MAJOR, transposeA ? TRANSPOSE : NO_TRANSPOSE, transposeB ? TRANSPOSE : NO_TRANSPOSE, m, n, k, 1f, a, lda, b, ldb, 0f, c, n);
      case ONEDNN -> check(org.bytedeco.dnnl.global.dnnl.dnnl_sgemm(ta, tb, m, n, k, 1f, a, lda, b, ldb, 0f, c, n));
      case ONEDNN_INT8 ->
          check(
              org.bytedeco.dnnl.global.dnnl.dnnl_gemm_u8s8s32(
                  ta, tb, (byte) 'F', m, n, k, 1f, a8, lda, (byte) 0, b8, ldb, (byte) 0, 0f, c32, n, offset));
    }
  }

  private static void check(int status) {
    if (status != 0) {
      throw new IllegalStateException("oneDNN returned status " + status);
    }
  }

  private void verify(float[] left, float[] right) {
    for (int probe = 0; probe < 64; probe++) {
      int i = (int) (probe * 2654435761L % m);
      int j = (int) (probe * 40503L * 31 % n);
      double sum = 0;
      double size = 0;
      for (int p = 0; p < k; p++) {
        double x = left[transposeA ? p * m + i : i * k + p];
        if (kind == Kind.ONEDNN_INT8) {
          x = (int) x & 0xff;
        }
        double term = x * right[transposeB ? j * k + p : p * n + j];
        sum += term;
        size += Math.abs(term);
      }
      long at = (long) i * n + j;
      double value = kind == Kind.ONEDNN_INT8 ? c32.get(at) : c.get(at);
      if (!(Math.abs(value - sum) <= k * 0x1p-24 * size + 1e-30)) {
        throw new IllegalStateException(kind.label + " gives " + value + " instead of " + sum + " at (" + i + ", " + j + "), so it is not timed");
      }
    }
  }

  @Override
  public void close() {
    owned.forEach(Pointer::close);
  }
}
