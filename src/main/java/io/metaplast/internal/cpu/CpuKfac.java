package io.metaplast.internal.cpu;

import io.metaplast.F32Matrix;
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

/** Pending. */
final class CpuKfac implements KfacProvider {
  CpuKfac(long context) {}

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
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public long spdInverseWorkspaceBytes(SpdTable table, boolean doublePrecision) {
    throw new UnsupportedOperationException("pending");
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
