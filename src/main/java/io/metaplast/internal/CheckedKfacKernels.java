package io.metaplast.internal;

import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.RealMatrix;
import io.metaplast.Stream;
import io.metaplast.Workspace;
import io.metaplast.kfac.BatchNormMerge;
import io.metaplast.kfac.BatchNormMergeGradients;
import io.metaplast.kfac.DampingMode;
import io.metaplast.kfac.FactorMerge;
import io.metaplast.kfac.Im2colShape;
import io.metaplast.kfac.InverseOptions;
import io.metaplast.kfac.InverseReport;
import io.metaplast.kfac.KfacKernels;
import io.metaplast.kfac.KlClip;
import io.metaplast.kfac.KroneckerPair;
import io.metaplast.kfac.MergeReport;
import io.metaplast.kfac.MovingFactor;
import io.metaplast.kfac.PairDamping;
import io.metaplast.kfac.PenaltyTask;
import io.metaplast.kfac.PenaltyValue;
import java.util.List;

/** Pending. */
final class CheckedKfacKernels implements KfacKernels {
  CheckedKfacKernels(BackendImpl backend) {}

  @Override
  public void kroneckerFactorUpdate(RealMatrix x, boolean bias, double alpha, double beta, F32Matrix factor, Workspace workspace, Stream stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public void kroneckerFactorUpdate(RealMatrix x, boolean bias, double alpha, double beta, MovingFactor factor, Workspace workspace, Stream stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public void kroneckerFactorValue(MovingFactor factor, F32Matrix out, Stream stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public void kroneckerFactorCentered(RealMatrix x, double alpha, double beta, F32Matrix factor, Workspace workspace, Stream stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public void kroneckerFactorMean(RealMatrix x, double alpha, double beta, F32Matrix factor, Workspace workspace, Stream stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public void kroneckerFactorBetween(RealMatrix x, double alpha, double beta, F32Matrix factor, Workspace workspace, Stream stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public long kroneckerFactorWorkspaceBytes(int rows, int cols, boolean bias) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public void im2colFactorUpdate( F32Buffer x, Im2colShape shape, boolean bias, double alpha, double beta, F32Matrix factor, Workspace workspace, Stream stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public long im2colFactorWorkspaceBytes(Im2colShape shape, boolean bias) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public List<PairDamping> damping(DampingMode mode, double lambda, List<KroneckerPair> pairs, Stream stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public void dampedSpdInverse(F32Matrix m, double damping, F32Matrix out, Workspace workspace, Stream stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public void batchedDampedSpdInverse( List<F32Matrix> m, double[] damping, List<F32Matrix> out, InverseOptions options, InverseReport report, Workspace workspace, Stream stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public long spdInverseWorkspaceBytes(int... n) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public void dampedCholesky(F32Matrix m, double damping, F32Matrix factor, Workspace workspace, Stream stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public long choleskyWorkspaceBytes(int n) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public void triangularInverse(F32Matrix l, F32Matrix out, Stream stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public void triangularSolve(F32Matrix l, boolean transposed, F32Matrix b, Stream stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public void kroneckerPrecondition(List<KroneckerPair> inverses, List<F32Matrix> gradients, List<F32Matrix> out, Workspace workspace, Stream stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public void kroneckerMatVec(List<KroneckerPair> pairs, List<F32Matrix> v, List<F32Matrix> out, Workspace workspace, Stream stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public long kroneckerPreconditionWorkspaceBytes(List<F32Matrix> gradients) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public PenaltyValue kroneckerQuadraticPenalty( List<PenaltyTask> tasks, List<F32Matrix> weights, List<F32Matrix> gradients, Workspace workspace, Stream stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public long kroneckerPenaltyWorkspaceBytes(List<PenaltyTask> tasks, List<F32Matrix> weights) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public MergeReport mergeKroneckerFactors(KroneckerPair first, KroneckerPair second, FactorMerge rule, KroneckerPair out, Stream stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public KlClip klClipCoefficient(List<F32Matrix> v, List<F32Matrix> gradients, double learningRate, double kappa, Stream stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public void mergeBatchNorm(BatchNormMerge layer, F32Matrix mergedWeight, F32Buffer mergedBias, Stream stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public void mergeBatchNormBackward(BatchNormMerge layer, F32Matrix gradWeight, F32Buffer gradBias, BatchNormMergeGradients out, Stream stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public void symmetricEigen(F32Matrix m, F32Buffer values, F32Matrix vectors, Stream stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public boolean inverseRootFromEigen(F32Buffer values, F32Matrix vectors, double damping, int root, F32Matrix out, Stream stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public void kroneckerPreconditionEigen( F32Buffer valuesG, F32Matrix vectorsG, F32Buffer valuesA, F32Matrix vectorsA, F32Matrix gradient, double lambda, F32Matrix out, Stream stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public void ekfacSecondMoment(F32Matrix d, F32Matrix vectorsG, F32Matrix x, boolean bias, F32Matrix vectorsA, F32Matrix s, Stream stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public void ekfacPrecondition(F32Matrix vectorsG, F32Matrix vectorsA, F32Matrix s, F32Matrix gradient, double lambda, F32Matrix out, Stream stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public void woodburyInverse(F32Matrix x, double alpha, double damping, F32Matrix out, Stream stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public void kroneckerSumInverseApply(KroneckerPair first, KroneckerPair second, F32Matrix v, F32Matrix out, Stream stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public double kroneckerLogDet(KroneckerPair pair, PairDamping damping, Stream stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public void matrixNormalSample(F32Matrix mean, KroneckerPair pair, PairDamping damping, F32Matrix e, F32Matrix out, Stream stream) {
    throw new UnsupportedOperationException("pending");
  }

  @Override
  public double[] newtonSchulzInverse(F32Matrix m, double tolerance, int maxIterations, F32Matrix out, Stream stream) {
    throw new UnsupportedOperationException("pending");
  }
}
