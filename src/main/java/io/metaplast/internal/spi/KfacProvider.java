package io.metaplast.internal.spi;

import io.metaplast.F32Matrix;
import io.metaplast.RealMatrix;
import io.metaplast.internal.BufferImpl;
import io.metaplast.kfac.BatchNormMerge;
import io.metaplast.kfac.BatchNormMergeGradients;
import io.metaplast.kfac.Im2colShape;
import java.util.List;

/**
 * The pieces of Kronecker-factored curvature of one backend; contracts in native/include/metaplast/kfac.h. Arguments are validated, memory is held for the duration of the call. Buffers
 * of the matrices are {@link BufferImpl}. Every call has something to do: outputs have elements. {@code stream} is the handle (0 on JAVA and CPU); calls that return a value wait for it.
 */
public interface KfacProvider {
  void realGemm(
      boolean transposeA, boolean transposeB, float alpha, F32Matrix a, F32Matrix b, float beta, F32Matrix c, BufferImpl workspace, long stream);

  long realGemmWorkspaceBytes(int m, int n, int inner);

  /** kind: METAPLAST_FACTOR_*. -1, or row*cols + column of the first element of x that is not finite. */
  long factorUpdate(int kind, RealMatrix x, boolean bias, float alpha, float beta, F32Matrix factor, BufferImpl workspace, long stream);

  long factorWorkspaceBytes(int rows, int cols, boolean bias);

  /** -1, or the place in x of the first element that is not finite. */
  long im2colFactorUpdate(Im2colShape shape, BufferImpl x, boolean bias, float alpha, float beta, F32Matrix factor, BufferImpl workspace, long stream);

  long im2colFactorWorkspaceBytes(Im2colShape shape, boolean bias);

  /** All matrices of the table; results go into it. */
  void spdInverse(SpdTable table, double residualTolerance, boolean doublePrecision, BufferImpl workspace, long stream);

  long spdInverseWorkspaceBytes(SpdTable table, boolean doublePrecision);

  /** Status of the matrix as in the table. */
  SpdStatus dampedCholesky(F32Matrix m, double damping, F32Matrix l, BufferImpl workspace, long stream);

  /** 0, or the order at which the diagonal of l is 0 or not finite. */
  int triangularInverse(F32Matrix l, F32Matrix out, long stream);

  /** As {@link #triangularInverse}. */
  int triangularSolve(F32Matrix l, boolean transposed, F32Matrix b, long stream);

  /** out_l = G_l W_l A_l of every row of the table. */
  void kroneckerProducts(KroneckerTable table, BufferImpl workspace, long stream);

  long kroneckerProductsWorkspaceBytes(KroneckerTable table);

  /** sums[0] = value, sums[1] = sum of absolute terms. */
  void kroneckerPenalty(KroneckerTable table, double[] sums, BufferImpl workspace, long stream);

  long kroneckerPenaltyWorkspaceBytes(KroneckerTable table);

  void traces(List<F32Matrix> matrices, double[] traces, long stream);

  double innerProducts(List<F32Matrix> x, List<F32Matrix> y, long stream);

  /** out = a x + b y; yOrNull null: a x. */
  void combine(float a, F32Matrix x, float b, F32Matrix yOrNull, F32Matrix out, long stream);

  /** operation: METAPLAST_ELEMENT_*. Returns the number of denominators that are not positive; then t is untouched. */
  long elements(int operation, BufferImpl rowOrNull, BufferImpl columnOrNull, F32Matrix sOrNull, float shift, F32Matrix t, long stream);

  /** -1, or the first channel whose variance + eps is not positive and finite. */
  long mergeBatchNorm(BatchNormMerge layer, F32Matrix mergedWeight, BufferImpl mergedBias, long stream);

  /** As {@link #mergeBatchNorm}. */
  long mergeBatchNormBackward(BatchNormMerge layer, F32Matrix gradWeight, BufferImpl gradBias, BatchNormMergeGradients out, long stream);
}
