package io.metaplast.internal.cuda;

import io.metaplast.Bf16Matrix;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.RealMatrix;
import io.metaplast.internal.BufferImpl;
import io.metaplast.internal.spi.ConvTable;
import io.metaplast.internal.spi.KfacProvider;
import io.metaplast.internal.spi.KroneckerTable;
import io.metaplast.internal.spi.MatrixTable;
import io.metaplast.internal.spi.SpdStatus;
import io.metaplast.internal.spi.SpdTable;
import io.metaplast.kfac.BatchNormMerge;
import io.metaplast.kfac.BatchNormMergeGradients;
import io.metaplast.kfac.Im2colShape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * The kernels of Kronecker-factored curvature of the CUDA library. Lists are read before a native call returns; what a call says comes back through device memory, so that calls with a
 * result wait for their stream.
 */
final class CudaKfac implements KfacProvider {
  private static final int F32 = 0; // METAPLAST_F32
  private static final int BF16 = 1; // METAPLAST_BF16
  private static final int RESULT = 40; // metaplast_spd_result_t
  private static final int ALIGN = 64;

  private final CudaProvider provider;
  private final long context;

  // Calls with a result take turns, as they share this.
  private final Report report = new Report();

  CudaKfac(CudaProvider provider, long context) {
    this.provider = provider;
    this.context = context;
  }

  private void check(String kernel, int status) {
    provider.check(kernel, status);
  }

  private static int flag(boolean on) {
    return on ? 1 : 0;
  }

  private static long address(F32Buffer bufferOrNull) {
    return address((BufferImpl) bufferOrNull);
  }

  private static long address(BufferImpl bufferOrNull) {
    return bufferOrNull == null ? 0 : bufferOrNull.rawAddress();
  }

  private static long address(F32Matrix matrix) {
    return ((BufferImpl) matrix.data()).rawAddress();
  }

  /** Address of the shape as the C ABI wants it; good until this thread's next call. */
  private static long convolution(Im2colShape shape) {
    return CudaBindings.addressOf(ConvTable.OF_THREAD.get().put(shape.geometry()));
  }

  private static long aligned(long bytes) {
    return Math.max(ALIGN, (bytes + ALIGN - 1) / ALIGN * ALIGN);
  }

  @Override
  public void realGemm(
      boolean transposeA, boolean transposeB, float alpha, F32Matrix a, F32Matrix b, float beta, F32Matrix c, BufferImpl workspace, long stream) {
    check(
        "realGemm",
        CudaBindings.realGemm(
            context, flag(transposeA), flag(transposeB), c.rows(), c.cols(), transposeA ? a.rows() : a.cols(), alpha, address(a), a.ld(), address(b),
            b.ld(), beta, address(c), c.ld(), address(workspace), workspace.length(), stream));
  }

  @Override
  public long realGemmWorkspaceBytes(int m, int n, int inner) {
    return aligned(CudaBindings.realGemmWorkspaceBytes(m, n, inner));
  }

  @Override
  public long factorUpdate(int kind, RealMatrix x, boolean bias, float alpha, float beta, F32Matrix factor, BufferImpl workspace, long stream) {
    synchronized (report) {
      check(
          "kroneckerFactorUpdate",
          CudaBindings.kroneckerFactorUpdate(
              context, kind, x.rows(), x.cols(), address((BufferImpl) x.data()), x instanceof Bf16Matrix ? BF16 : F32, x.ld(), flag(bias), alpha,
              beta, address(factor), factor.ld(), report.reserve(1), address(workspace), workspace.length(), stream));
      return report.download(1, stream).getLong(0);
    }
  }

  @Override
  public long factorWorkspaceBytes(int rows, int cols, boolean bias) {
    return aligned(CudaBindings.kroneckerFactorWorkspaceBytes(rows, cols, flag(bias)));
  }

  @Override
  public long im2colFactorUpdate(
      Im2colShape shape, BufferImpl x, boolean bias, float alpha, float beta, F32Matrix factor, BufferImpl workspace, long stream) {
    synchronized (report) {
      check(
          "im2colFactorUpdate",
          CudaBindings.im2colFactorUpdate(
              context, convolution(shape), shape.sharing().ordinal(), address(x), flag(bias), alpha, beta, address(factor), factor.ld(),
              report.reserve(1), address(workspace), workspace.length(), stream));
      return report.download(1, stream).getLong(0);
    }
  }

  @Override
  public long im2colFactorWorkspaceBytes(Im2colShape shape, boolean bias) {
    return aligned(CudaBindings.im2colFactorWorkspaceBytes(convolution(shape), shape.sharing().ordinal(), flag(bias)));
  }

  /** Results lie behind what the kernels take of the workspace. */
  @Override
  public void spdInverse(SpdTable table, double residualTolerance, boolean doublePrecision, BufferImpl workspace, long stream) {
    long items = CudaBindings.addressOf(table.items());
    long bytes = inverseBytes(table, doublePrecision);
    long results = address(workspace) + bytes;
    check(
        "spdInverse",
        doublePrecision
            ? CudaBindings.spdInverseF64(context, table.count(), items, residualTolerance, results, address(workspace), bytes, stream)
            : CudaBindings.spdInverse(context, table.count(), items, residualTolerance, results, address(workspace), bytes, stream));
    check("copy", CudaBindings.copy(context, CudaBindings.addressOf(table.results()), results, (long) table.count() * RESULT, stream));
    provider.synchronize(stream);
  }

  private static long inverseBytes(SpdTable table, boolean doublePrecision) {
    long items = CudaBindings.addressOf(table.items());
    return aligned(
        doublePrecision
            ? CudaBindings.spdInverseWorkspaceBytesF64(table.count(), items)
            : CudaBindings.spdInverseWorkspaceBytes(table.count(), items));
  }

  @Override
  public long spdInverseWorkspaceBytes(SpdTable table, boolean doublePrecision) {
    return inverseBytes(table, doublePrecision) + aligned((long) table.count() * RESULT);
  }

  @Override
  public SpdStatus dampedCholesky(F32Matrix m, double damping, F32Matrix l, BufferImpl workspace, long stream) {
    synchronized (report) {
      long pivot = report.reserve(3);
      check(
          "dampedCholesky",
          CudaBindings.dampedCholesky(
              context, m.rows(), address(m), m.ld(), damping, address(l), l.ld(), pivot + 2 * Double.BYTES, pivot, pivot + Double.BYTES,
              address(workspace), workspace.length(), stream));
      ByteBuffer said = report.download(3, stream);
      return new SpdStatus(said.getInt(2 * Double.BYTES), said.getDouble(0), said.getLong(Double.BYTES));
    }
  }

  @Override
  public int triangularInverse(F32Matrix l, F32Matrix out, long stream) {
    synchronized (report) {
      check(
          "triangularInverse",
          CudaBindings.triangularInverse(context, l.rows(), address(l), l.ld(), address(out), out.ld(), report.reserve(1), stream));
      return report.download(1, stream).getInt(0);
    }
  }

  @Override
  public int triangularSolve(F32Matrix l, boolean transposed, F32Matrix b, long stream) {
    synchronized (report) {
      check(
          "triangularSolve",
          CudaBindings.triangularSolve(
              context, l.rows(), b.cols(), flag(transposed), address(l), l.ld(), address(b), b.ld(), report.reserve(1), stream));
      return report.download(1, stream).getInt(0);
    }
  }

  @Override
  public void kroneckerProducts(KroneckerTable table, BufferImpl workspace, long stream) {
    check(
        "kroneckerProducts",
        CudaBindings.kroneckerProducts(
            context, table.count(), CudaBindings.addressOf(table.items()), address(workspace), workspace.length(), stream));
  }

  @Override
  public long kroneckerProductsWorkspaceBytes(KroneckerTable table) {
    return aligned(CudaBindings.kroneckerProductsWorkspaceBytes(table.count(), CudaBindings.addressOf(table.items())));
  }

  @Override
  public void kroneckerPenalty(KroneckerTable table, double[] sums, BufferImpl workspace, long stream) {
    synchronized (report) {
      long value = report.reserve(2);
      check(
          "kroneckerPenalty",
          CudaBindings.kroneckerPenalty(
              context, table.count(), CudaBindings.addressOf(table.items()), value, value + Double.BYTES, address(workspace), workspace.length(),
              stream));
      ByteBuffer said = report.download(2, stream);
      sums[0] = said.getDouble(0);
      sums[1] = said.getDouble(Double.BYTES);
    }
  }

  @Override
  public long kroneckerPenaltyWorkspaceBytes(KroneckerTable table) {
    return aligned(CudaBindings.kroneckerPenaltyWorkspaceBytes(table.count(), CudaBindings.addressOf(table.items())));
  }

  @Override
  public void traces(List<F32Matrix> matrices, double[] traces, long stream) {
    int n = matrices.size();
    synchronized (report) {
      long list = CudaBindings.addressOf(report.lists.of(matrices, List.of()));
      check("traces", CudaBindings.matrixTraces(context, n, list, report.reserve(n), stream));
      ByteBuffer said = report.download(n, stream);
      for (int i = 0; i < n; i++) {
        traces[i] = said.getDouble(i * Double.BYTES);
      }
    }
  }

  @Override
  public double innerProducts(List<F32Matrix> x, List<F32Matrix> y, long stream) {
    synchronized (report) {
      long list = CudaBindings.addressOf(report.lists.of(x, y));
      long bytes = CudaBindings.innerProductsWorkspaceBytes(x.size(), list);
      long sum = report.reserve(Math.toIntExact(1 + bytes / Double.BYTES));
      check(
          "innerProducts",
          CudaBindings.innerProducts(context, x.size(), list, list + (long) x.size() * MatrixTable.ROW, sum, sum + Double.BYTES, bytes, stream));
      return report.download(1, stream).getDouble(0);
    }
  }

  @Override
  public void combine(float a, F32Matrix x, float b, F32Matrix yOrNull, F32Matrix out, long stream) {
    check(
        "combine",
        CudaBindings.matrixCombine(
            context, out.rows(), out.cols(), a, address(x), x.ld(), b, yOrNull == null ? 0 : address(yOrNull), yOrNull == null ? 0 : yOrNull.ld(),
            address(out), out.ld(), stream));
  }

  @Override
  public long elements(int operation, BufferImpl rowOrNull, BufferImpl columnOrNull, F32Matrix sOrNull, float shift, F32Matrix t, long stream) {
    synchronized (report) {
      check(
          "elements",
          CudaBindings.matrixElements(
              context, operation, t.rows(), t.cols(), address(rowOrNull), address(columnOrNull), sOrNull == null ? 0 : address(sOrNull),
              sOrNull == null ? 0 : sOrNull.ld(), shift, address(t), t.ld(), report.reserve(1), stream));
      return report.download(1, stream).getLong(0);
    }
  }

  @Override
  public long mergeBatchNorm(BatchNormMerge layer, F32Matrix mergedWeight, BufferImpl mergedBias, long stream) {
    F32Matrix w = layer.weight();
    synchronized (report) {
      check(
          "mergeBatchNorm",
          CudaBindings.mergeBatchNorm(
              context, w.rows(), w.cols(), address(w), w.ld(), address(layer.bias()), address(layer.gamma()), address(layer.beta()),
              address(layer.mean()), address(layer.variance()), (float) layer.eps(), address(mergedWeight), mergedWeight.ld(),
              address(mergedBias), report.reserve(1), stream));
      return report.download(1, stream).getLong(0);
    }
  }

  @Override
  public long mergeBatchNormBackward(BatchNormMerge layer, F32Matrix gradWeight, BufferImpl gradBias, BatchNormMergeGradients out, long stream) {
    F32Matrix w = layer.weight();
    synchronized (report) {
      check(
          "mergeBatchNormBackward",
          CudaBindings.mergeBatchNormBackward(
              context, w.rows(), w.cols(), address(w), w.ld(), address(layer.bias()), address(layer.gamma()), address(layer.mean()),
              address(layer.variance()), (float) layer.eps(), address(gradWeight), gradWeight.ld(), address(gradBias), address(out.weight()),
              out.weight().ld(), address(out.bias()), address(out.gamma()), address(out.beta()), address(out.mean()), address(out.variance()),
              report.reserve(1), stream));
      return report.download(1, stream).getLong(0);
    }
  }

  /** Frees what calls have left for the next ones. */
  void close() {
    synchronized (report) {
      report.free();
    }
  }

  /** What a call says: device memory that it writes and host memory for a copy; and the lists that it is given. Kept for the next call. */
  private final class Report {
    private ByteBuffer host = direct(ALIGN);
    private final MatrixTable lists = new MatrixTable();
    private long device;
    private long bytes;

    private ByteBuffer direct(int wanted) {
      return ByteBuffer.allocateDirect(wanted).order(ByteOrder.nativeOrder());
    }

    /** Device memory for n numbers of eight bytes. */
    long reserve(int n) {
      long wanted = aligned((long) n * Long.BYTES);
      if (wanted > bytes) {
        free();
        device = provider.allocateDevice(wanted);
        bytes = wanted;
      }
      return device;
    }

    /** The first n of those numbers, when the stream has come so far. */
    ByteBuffer download(int n, long stream) {
      if (host.capacity() < n * Long.BYTES) {
        host = direct(2 * n * Long.BYTES);
      }
      check("copy", CudaBindings.copy(context, CudaBindings.addressOf(host), device, (long) n * Long.BYTES, stream));
      provider.synchronize(stream);
      return host;
    }

    void free() {
      if (bytes > 0) {
        long address = device;
        long size = bytes;
        bytes = 0;
        device = 0;
        provider.freeDevice(address, size);
      }
    }
  }
}
