package io.metaplast.internal.cpu;

import io.metaplast.F32Matrix;
import io.metaplast.KernelException;
import io.metaplast.RealMatrix;
import io.metaplast.internal.BufferImpl;
import io.metaplast.internal.spi.KfacProvider;
import io.metaplast.internal.spi.KroneckerTable;
import io.metaplast.internal.spi.SpdStatus;
import io.metaplast.internal.spi.SpdTable;
import io.metaplast.kfac.BatchNormMerge;
import io.metaplast.kfac.BatchNormMergeGradients;
import io.metaplast.kfac.Im2colShape;
import java.util.List;

/**
 * The kernels of Kronecker-factored curvature of the CPU library, one native call each. Operands stay reachable during a call: the layer above holds their memory, and the thread its
 * tables.
 */
final class CpuKfac implements KfacProvider {
  private final long context;

  CpuKfac(long context) {
    this.context = context;
  }

  private static void check(String kernel, int status) {
    if (status != 0) {
      throw new KernelException(kernel + " failed with status " + status, status, 0, "");
    }
  }

  private static long address(BufferImpl bufferOrNull) {
    return bufferOrNull == null ? 0 : bufferOrNull.rawAddress();
  }

  @Override
  public void realGemm( boolean transposeA, boolean transposeB, float alpha, F32Matrix a, F32Matrix b, float beta, F32Matrix c, BufferImpl workspace, long stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public long realGemmWorkspaceBytes(int m, int n, int inner) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public long factorUpdate(int kind, RealMatrix x, boolean bias, float alpha, float beta, F32Matrix factor, BufferImpl workspace, long stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public long factorWorkspaceBytes(int rows, int cols, boolean bias) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public long im2colFactorUpdate(Im2colShape shape, BufferImpl x, boolean bias, float alpha, float beta, F32Matrix factor, BufferImpl workspace, long stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public long im2colFactorWorkspaceBytes(Im2colShape shape, boolean bias) {
    throw new UnsupportedOperationException("pending");
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
