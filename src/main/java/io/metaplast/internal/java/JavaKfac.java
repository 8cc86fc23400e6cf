package io.metaplast.internal.java;

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

/**
 * The pieces of Kronecker-factored curvature in Java: hands the arguments to the task of each piece. Tasks and scratch memory belong to the calling thread, are reused and grow with
 * the largest matrix; workspaces are not used.
 */
final class JavaKfac implements KfacProvider {
  /** What a calling thread keeps. */
  private static final class Caller {
    final Scratch scratch = new Scratch();
    final RealGemmTask gemm = new RealGemmTask();
    final StatisticsTask statistics = new StatisticsTask();
    final SpdTask spd = new SpdTask();
    final TriangularTask triangular = new TriangularTask();
    final KroneckerTask kronecker = new KroneckerTask();
    final CombineTask combine = new CombineTask();
    final MatrixElementTask elements = new MatrixElementTask();
    final BatchNormMergeTask batchNorm = new BatchNormMergeTask();
    final Scratch results = new Scratch(); // operands of the backward batch norm merge, which has more than fit one
  }

  private static final int X = 0;
  private static final int Y = 1;

  private final ThreadLocal<Caller> callers = ThreadLocal.withInitial(Caller::new);
  private final WorkerPool pool;

  JavaKfac(WorkerPool pool) {
    this.pool = pool;
  }

  private static BufferImpl buffer(F32Matrix matrix) {
    return (BufferImpl) matrix.data();
  }

  @Override
  public void realGemm(
      boolean transposeA, boolean transposeB, float alpha, F32Matrix a, F32Matrix b, float beta, F32Matrix c, BufferImpl workspace, long stream) {
    Caller caller = callers.get();
    caller.gemm.a(buffer(a), null, a.ld());
    caller.gemm.b(buffer(b), null, b.ld());
    caller.gemm.c(buffer(c), null, c.ld());
    caller.gemm.run(
        pool, caller.scratch, transposeA, transposeB, c.rows(), c.cols(), transposeA ? a.rows() : a.cols(), alpha, beta);
  }

  @Override
  public long realGemmWorkspaceBytes(int m, int n, int inner) {
    return 0;
  }

  @Override
  public long factorUpdate(
      int kind, RealMatrix x, boolean bias, float alpha, float beta, F32Matrix factor, BufferImpl workspace, long stream) {
    Caller caller = callers.get();
    return caller.statistics.update(pool, caller.scratch, kind, x, bias, alpha, beta, factor);
  }

  @Override
  public long factorWorkspaceBytes(int rows, int cols, boolean bias) {
    return 0;
  }

  @Override
  public long im2colFactorUpdate(
      Im2colShape shape, BufferImpl x, boolean bias, float alpha, float beta, F32Matrix factor, BufferImpl workspace, long stream) {
    Caller caller = callers.get();
    return caller.statistics.patches(pool, caller.scratch, shape, x, bias, alpha, beta, factor);
  }

  @Override
  public long im2colFactorWorkspaceBytes(Im2colShape shape, boolean bias) {
    return 0;
  }

  @Override
  public void spdInverse(SpdTable table, double residualTolerance, boolean doublePrecision, BufferImpl workspace, long stream) {
    Caller caller = callers.get();
    caller.spd.run(pool, caller.scratch, table, residualTolerance, doublePrecision);
  }

  @Override
  public long spdInverseWorkspaceBytes(SpdTable table, boolean doublePrecision) {
    return 0;
  }

  @Override
  public SpdStatus dampedCholesky(F32Matrix m, double damping, F32Matrix l, BufferImpl workspace, long stream) {
    Caller caller = callers.get();
    return caller.spd.cholesky(pool, caller.scratch, m, damping, l);
  }

  @Override
  public int triangularInverse(F32Matrix l, F32Matrix out, long stream) {
    Caller caller = callers.get();
    return caller.triangular.inverse(caller.scratch, l, out);
  }

  @Override
  public int triangularSolve(F32Matrix l, boolean transposed, F32Matrix b, long stream) {
    Caller caller = callers.get();
    return caller.triangular.solve(pool, caller.scratch, l, transposed, b);
  }

  @Override
  public void kroneckerProducts(KroneckerTable table, BufferImpl workspace, long stream) {
    Caller caller = callers.get();
    caller.kronecker.products(pool, caller.scratch, table);
  }

  @Override
  public long kroneckerProductsWorkspaceBytes(KroneckerTable table) {
    return 0;
  }

  @Override
  public void kroneckerPenalty(KroneckerTable table, double[] sums, BufferImpl workspace, long stream) {
    Caller caller = callers.get();
    caller.kronecker.penalty(pool, caller.scratch, table, sums);
  }

  @Override
  public long kroneckerPenaltyWorkspaceBytes(KroneckerTable table) {
    return 0;
  }

  @Override
  public void traces(List<F32Matrix> matrices, double[] traces, long stream) {
    Scratch scratch = callers.get().scratch;
    Operand o = scratch.operand[X];
    for (int i = 0; i < matrices.size(); i++) {
      F32Matrix m = matrices.get(i);
      int n = Math.min(m.rows(), m.cols());
      o.set(buffer(m));
      double sum = 0;
      for (int j = 0; j < n; j++) {
        sum += o.get((long) j * m.ld() + j);
      }
      traces[i] = sum;
      scratch.release();
    }
  }

  @Override
  public double innerProducts(List<F32Matrix> x, List<F32Matrix> y, long stream) {
    Scratch scratch = callers.get().scratch;
    double sum = 0;
    for (int i = 0; i < x.size(); i++) {
      sum = inner(x.get(i), y.get(i), sum, scratch);
      scratch.release();
    }
    return sum;
  }

  /** sum + the products of the elements, by rows. */
  private static double inner(F32Matrix x, F32Matrix y, double start, Scratch scratch) {
    double sum = start;
    scratch.operand[X].set(buffer(x));
    scratch.operand[Y].set(buffer(y));
    float[] p = scratch.chunk[X];
    float[] q = scratch.chunk[Y];
    for (int r = 0; r < x.rows(); r++) {
      for (int at = 0; at < x.cols(); at += Scratch.CHUNK) {
        int n = Math.min(Scratch.CHUNK, x.cols() - at);
        scratch.operand[X].load((long) r * x.ld() + at, p, 0, n);
        scratch.operand[Y].load((long) r * y.ld() + at, q, 0, n);
        for (int j = 0; j < n; j++) {
          sum += (double) p[j] * q[j];
        }
      }
    }
    return sum;
  }

  @Override
  public void combine(float a, F32Matrix x, float b, F32Matrix yOrNull, F32Matrix out, long stream) {
    Caller caller = callers.get();
    caller.combine.run(pool, caller.scratch, a, x, b, yOrNull, out);
  }

  @Override
  public long elements(
      int operation, BufferImpl rowOrNull, BufferImpl columnOrNull, F32Matrix sOrNull, float shift, F32Matrix t, long stream) {
    Caller caller = callers.get();
    return caller.elements.run(pool, caller.scratch, operation, rowOrNull, columnOrNull, sOrNull, shift, t);
  }

  @Override
  public long mergeBatchNorm(BatchNormMerge layer, F32Matrix mergedWeight, BufferImpl mergedBias, long stream) {
    Caller caller = callers.get();
    return caller.batchNorm.merge(caller.scratch, layer, mergedWeight, mergedBias);
  }

  @Override
  public long mergeBatchNormBackward(
      BatchNormMerge layer, F32Matrix gradWeight, BufferImpl gradBias, BatchNormMergeGradients out, long stream) {
    Caller caller = callers.get();
    return caller.batchNorm.backward(caller.scratch, caller.results, layer, gradWeight, gradBias, out);
  }
}
