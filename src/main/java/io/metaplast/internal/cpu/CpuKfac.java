package io.metaplast.internal.cpu;

import io.metaplast.Bf16Matrix;
import io.metaplast.F32Matrix;
import io.metaplast.KernelException;
import io.metaplast.RealMatrix;
import io.metaplast.internal.BufferImpl;
import io.metaplast.internal.spi.ConvTable;
import io.metaplast.internal.spi.KfacProvider;
import io.metaplast.internal.spi.KroneckerTable;
import io.metaplast.internal.spi.SpdStatus;
import io.metaplast.internal.spi.SpdTable;
import io.metaplast.kfac.BatchNormMerge;
import io.metaplast.kfac.BatchNormMergeGradients;
import io.metaplast.kfac.Im2colShape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * The kernels of Kronecker-factored curvature of the CPU library, one native call each. Operands stay reachable during a call: the layer above holds their memory, and the thread its
 * tables.
 */
final class CpuKfac implements KfacProvider {
  private static final int F32 = 0; // METAPLAST_F32
  private static final int BF16 = 1; // METAPLAST_BF16
  private static final int E_NOT_FINITE = 4; // METAPLAST_E_NOT_FINITE

  /** A thread's native place for the index of an element. */
  private static final ThreadLocal<ByteBuffer> INDEX =
      ThreadLocal.withInitial(() -> ByteBuffer.allocateDirect(Long.BYTES).order(ByteOrder.nativeOrder()));

  private final long context;

  CpuKfac(long context) {
    this.context = context;
  }

  private static void check(String kernel, int status) {
    if (status != 0) {
      throw new KernelException(kernel + " failed with status " + status, status, 0, "");
    }
  }

  private static int flag(boolean on) {
    return on ? 1 : 0;
  }

  /** -1, or what lies in {@code index} when the call met something that is not finite. */
  private static long place(String kernel, ByteBuffer index, int status) {
    if (status == E_NOT_FINITE) {
      return index.getLong(0);
    }
    check(kernel, status);
    return -1;
  }

  /** Address of the shape as the C ABI wants it; good until this thread's next call. The order of the constants of Sharing is that of METAPLAST_SHARING_*. */
  private static long convolution(Im2colShape shape) {
    return CpuBindings.addressOf(ConvTable.OF_THREAD.get().put(shape.geometry()));
  }

  private static long address(BufferImpl bufferOrNull) {
    return bufferOrNull == null ? 0 : bufferOrNull.rawAddress();
  }

  @Override
  public void realGemm(
      boolean transposeA, boolean transposeB, float alpha, F32Matrix a, F32Matrix b, float beta, F32Matrix c, BufferImpl workspace, long stream) {
    check(
        "realGemm",
        CpuBindings.realGemm(
            context, flag(transposeA), flag(transposeB), c.rows(), c.cols(), transposeA ? a.rows() : a.cols(), alpha, address((BufferImpl) a.data()),
            a.ld(), address((BufferImpl) b.data()), b.ld(), beta, address((BufferImpl) c.data()), c.ld(), address(workspace), workspace.length()));
  }

  @Override
  public long realGemmWorkspaceBytes(int m, int n, int inner) {
    return CpuBindings.realGemmWorkspaceBytes(context, m, n, inner);
  }

  @Override
  public long factorUpdate(int kind, RealMatrix x, boolean bias, float alpha, float beta, F32Matrix factor, BufferImpl workspace, long stream) {
    ByteBuffer index = INDEX.get();
    return place(
        "kroneckerFactorUpdate", index,
        CpuBindings.kroneckerFactorUpdate(
            context, kind, x.rows(), x.cols(), address((BufferImpl) x.data()), x instanceof Bf16Matrix ? BF16 : F32, x.ld(), flag(bias), alpha, beta,
            address((BufferImpl) factor.data()), factor.ld(), CpuBindings.addressOf(index), address(workspace), workspace.length()));
  }

  @Override
  public long factorWorkspaceBytes(int rows, int cols, boolean bias) {
    return CpuBindings.kroneckerFactorWorkspaceBytes(context, rows, cols, flag(bias));
  }

  @Override
  public long im2colFactorUpdate(
      Im2colShape shape, BufferImpl x, boolean bias, float alpha, float beta, F32Matrix factor, BufferImpl workspace, long stream) {
    ByteBuffer index = INDEX.get();
    return place(
        "im2colFactorUpdate", index,
        CpuBindings.im2colFactorUpdate(
            context, convolution(shape), shape.sharing().ordinal(), address(x), flag(bias), alpha, beta, address((BufferImpl) factor.data()),
            factor.ld(), CpuBindings.addressOf(index), address(workspace), workspace.length()));
  }

  @Override
  public long im2colFactorWorkspaceBytes(Im2colShape shape, boolean bias) {
    return CpuBindings.im2colFactorWorkspaceBytes(context, convolution(shape), shape.sharing().ordinal(), flag(bias));
  }

  @Override
  public void spdInverse(SpdTable table, double residualTolerance, boolean doublePrecision, BufferImpl workspace, long stream) {
    long items = CpuBindings.addressOf(table.items());
    long results = CpuBindings.addressOf(table.results());
    long bytes = workspace.length();
    check(
        "spdInverse",
        doublePrecision
            ? CpuBindings.spdInverseF64(context, table.count(), items, residualTolerance, results, address(workspace), bytes)
            : CpuBindings.spdInverse(context, table.count(), items, residualTolerance, results, address(workspace), bytes));
  }

  @Override
  public long spdInverseWorkspaceBytes(SpdTable table, boolean doublePrecision) {
    long items = CpuBindings.addressOf(table.items());
    return doublePrecision
        ? CpuBindings.spdInverseWorkspaceBytesF64(context, table.count(), items)
        : CpuBindings.spdInverseWorkspaceBytes(context, table.count(), items);
  }

  @Override
  public SpdStatus dampedCholesky(F32Matrix m, double damping, F32Matrix l, BufferImpl workspace, long stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public int triangularInverse(F32Matrix l, F32Matrix out, long stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public int triangularSolve(F32Matrix l, boolean transposed, F32Matrix b, long stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public void kroneckerProducts(KroneckerTable table, BufferImpl workspace, long stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public long kroneckerProductsWorkspaceBytes(KroneckerTable table) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public void kroneckerPenalty(KroneckerTable table, double[] sums, BufferImpl workspace, long stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public long kroneckerPenaltyWorkspaceBytes(KroneckerTable table) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public void traces(List<F32Matrix> matrices, double[] traces, long stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public double innerProducts(List<F32Matrix> x, List<F32Matrix> y, long stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public void combine(float a, F32Matrix x, float b, F32Matrix yOrNull, F32Matrix out, long stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public long elements(int operation, BufferImpl rowOrNull, BufferImpl columnOrNull, F32Matrix sOrNull, float shift, F32Matrix t, long stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public long mergeBatchNorm(BatchNormMerge layer, F32Matrix mergedWeight, BufferImpl mergedBias, long stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public long mergeBatchNormBackward(BatchNormMerge layer, F32Matrix gradWeight, BufferImpl gradBias, BatchNormMergeGradients out, long stream) {
    throw new UnsupportedOperationException("pending");
  }
}
