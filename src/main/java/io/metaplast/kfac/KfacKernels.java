package io.metaplast.kfac;

import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.RealMatrix;
import io.metaplast.Stream;
import io.metaplast.Workspace;
import java.util.List;

/**
 * The kernels of Kronecker-factored curvature. A layer with weights W [out][in] has the block G (x) A, G [out][out] from output gradients, A [in][in] from inputs; a bias is
 * the last coordinate of the input and never stored in X. Of symmetric inputs the lower triangle is read unless both are named; of symmetric
 * outputs both are written, equal to the bit.
 *
 * <p>Class B: the bits depend on the operands, the backend and its tier only, not on threads, on the rest of a batch or on the place in it. Between backends the stated
 * bounds hold, u = 2^-24.
 *
 * <p>Every method checks all arguments before it writes anything. Unless a method says otherwise: {@link NullPointerException} for null,
 * {@link IllegalArgumentException} for a shape or range mismatch, overlapping operands or a handle of another backend, {@link IllegalStateException} for a
 * closed handle. Dimensions may be 0. Methods that take a {@link Workspace} need at least the bytes that their {@code ...WorkspaceBytes} twin says and allocate nothing; those of the
 * last section allocate their scratch for the time of the call, and wait for their results. Methods that return a value or can fail by value wait for their result; on CUDA the others
 * return once they are queued. Sources: Martens and Grosse 2015 (factors, damping), Lee et al. 2020, arXiv 2004.07507 (continual learning with batch norm; the extended factors here are our
 * derivation, docs/kronecker.md), Eschenhagen et al. 2023, arXiv 2311.00636 (shared weights), Ritter et al. 2018, arXiv 1805.07810 (penalty). Contracts and the order of
 * operations: {@code native/include/metaplast/kfac.h}.
 */
public interface KfacKernels {
  // ---- factor statistics

  /**
   * factor = beta factor + alpha X^T X. For the mean over n rows alpha is 1/n; gradients of a mean loss over N examples are N times too small, so their alpha is N^2/rows. For a
   * moving average alpha is (1-beta)/rows. Error: (rows+3) u alpha |X|^T |X|.
   *
   * @param x [rows][cols], fp32 or bf16
   * @param bias adds the coordinate that is 1 in every row
   * @param alpha finite
   * @param beta 0..1; at 0 the factor is not read
   * @param factor [d][d], d = cols, or cols + 1 with bias
   * @throws io.metaplast.NonFiniteMatrixException if x holds NaN or infinity
   */
  void kroneckerFactorUpdate(RealMatrix x, boolean bias, double alpha, double beta, F32Matrix factor, Workspace workspace, Stream stream);

  /**
   * As the other form, on a moving sum that knows its weight: raw = beta raw + alpha X^T X, weight = beta weight + 1. After an exception the weight is what it was.
   *
   * @param factor raw [d][d]
   */
  void kroneckerFactorUpdate(RealMatrix x, boolean bias, double alpha, double beta, MovingFactor factor, Workspace workspace, Stream stream);

  /**
   * out = raw / weight, the factor that a moving sum stands for; both triangles are read. In place allowed.
   *
   * @param out [d][d]
   * @throws IllegalArgumentException also if the weight is 0
   */
  void kroneckerFactorValue(MovingFactor factor, F32Matrix out, Stream stream);

  /**
   * factor = beta factor + alpha C, C = (1/N) sum (x - m)(x - m)^T with the column means m, in two passes: the input factor of a layer directly under batch norm. Error: (rows+8) u alpha
   * times the sum of absolute terms; m is rounded to fp32.
   *
   * @param x [rows][cols], fp32 or bf16
   * @param alpha finite
   * @param beta 0..1; at 0 the factor is not read
   * @param factor [cols][cols]
   * @throws IllegalArgumentException also if x has fewer than 2 rows
   * @throws io.metaplast.NonFiniteMatrixException if x holds NaN or infinity
   */
  void kroneckerFactorCentered(RealMatrix x, double alpha, double beta, F32Matrix factor, Workspace workspace, Stream stream);

  /** factor = beta factor + alpha m m^T, m the column means; at least 1 row. Otherwise as {@link #kroneckerFactorCentered}. */
  void kroneckerFactorMean(RealMatrix x, double alpha, double beta, F32Matrix factor, Workspace workspace, Stream stream);

  /**
   * factor = beta factor + alpha B, B = (s s^T - X^T X)/(N(N-1)) with the column sums s: the mean over pairs of different rows. Indefinite in general, never to be factored; keep centred
   * and mean factors instead. Otherwise as {@link #kroneckerFactorCentered}.
   */
  void kroneckerFactorBetween(RealMatrix x, double alpha, double beta, F32Matrix factor, Workspace workspace, Stream stream);

  /** Workspace of the methods above. */
  long kroneckerFactorWorkspaceBytes(int rows, int cols, boolean bias);

  /**
   * factor = beta factor + alpha X^T X, X the patches that {@code shape} makes of x (columns c, ky, kx); never more than a panel of them exists.
   *
   * @param x [batch][channels][height][width]
   * @param bias adds the coordinate that is 1 in every row, or the number of positions where they are summed
   * @param alpha finite
   * @param beta 0..1; at 0 the factor is not read
   * @param factor [d][d], d = shape.cols(), or one more with bias
   * @throws io.metaplast.NonFiniteMatrixException if x holds NaN or infinity; row = item, column = place inside the item
   */
  void im2colFactorUpdate(
      F32Buffer x, Im2colShape shape, boolean bias, double alpha, double beta, F32Matrix factor, Workspace workspace, Stream stream);

  /** Workspace of {@link #im2colFactorUpdate}. */
  long im2colFactorWorkspaceBytes(Im2colShape shape, boolean bias);

  // ---- damping

  /**
   * Damping of each pair. A trace that gives no usable pi is no error but flagged ({@link PairDamping#zeroTrace}).
   *
   * @param lambda on the block; finite, &gt;= 0
   * @param pairs of {@link DampingMode#PI} the diagonals are read, of the other modes nothing
   */
  List<PairDamping> damping(DampingMode mode, double lambda, List<KroneckerPair> pairs, Stream stream);

  // ---- damped inverse

  /**
   * out = (M + damping I)^-1 by Cholesky in fp32, with the finite scan, the pivot rule and the residual probe of {@code kfac.h}. Error:
   * norm1(I - M X) &lt;= 10 u norm1(M) norm1(X).
   *
   * @param m [n][n], lower triangle read; out may be m
   * @param damping finite, &gt;= 0
   * @throws io.metaplast.NonFiniteMatrixException if M holds NaN or infinity
   * @throws io.metaplast.NotPositiveDefiniteException if a pivot or the probe failed
   */
  void dampedSpdInverse(F32Matrix m, double damping, F32Matrix out, Workspace workspace, Stream stream);

  /**
   * The same for many matrices of any sizes in one call; one that fails has its status, keeps its output and disturbs no other. Each result has the bits of a
   * call of its own. NaN or infinity in a matrix ends its ladder at once: its status stays {@link InverseReport#NOT_FINITE}. The eigenvalue rung runs on the host and
   * allocates there.
   *
   * @param m matrices [n_b][n_b]
   * @param damping one a matrix
   * @param out inverses; out[b] may be m[b]
   * @param options residual tolerance and escalation
   * @param report what is said about each matrix
   */
  void batchedDampedSpdInverse(
      List<F32Matrix> m, double[] damping, List<F32Matrix> out, InverseOptions options, InverseReport report, Workspace workspace, Stream stream);

  /** Workspace of both for matrices of these orders, rungs in double precision included; a batch without them needs less. */
  long spdInverseWorkspaceBytes(int... n);

  // ---- Cholesky pieces

  /**
   * factor L with L L^T = M + damping I, strict upper triangle 0. In place allowed. Error: norm1(L L^T - M - damping I) &lt;= 10 u norm1(M + damping I).
   *
   * @param m [n][n], lower triangle read
   * @param damping finite, &gt;= 0
   * @param factor L [n][n]; as it was after an exception
   * @throws io.metaplast.NonFiniteMatrixException if M holds NaN or infinity
   * @throws io.metaplast.NotPositiveDefiniteException if a pivot failed
   */
  void dampedCholesky(F32Matrix m, double damping, F32Matrix factor, Workspace workspace, Stream stream);

  /** Workspace of {@link #dampedCholesky}. */
  long choleskyWorkspaceBytes(int n);

  /**
   * out = L^-1, lower triangular, strict upper triangle 0. In place allowed.
   *
   * @param l [n][n], lower triangle read
   * @param out [n][n]
   * @throws IllegalArgumentException also if a diagonal element of L is 0 or not finite; then nothing is written
   */
  void triangularInverse(F32Matrix l, F32Matrix out, Stream stream);

  /**
   * Solves L X = B, or L^T X = B where {@code transposed}, in place. Error of each element of L X - B: (n+4) u |L| |X|.
   *
   * @param l [n][n], lower triangle read
   * @param b [n][columns]
   * @throws IllegalArgumentException also if a diagonal element of L is 0 or not finite; then nothing is written
   */
  void triangularSolve(F32Matrix l, boolean transposed, F32Matrix b, Stream stream);

  // ---- preconditioning and penalty

  /**
   * out_l = G_l^-1 dW_l A_l^-1 for all layers. Error: (m+k+4) u |G^-1| |dW| |A^-1|. NaN propagates.
   *
   * @param inverses both inverses of each layer, both triangles read
   * @param gradients dW_l [out][in]
   * @param out [out][in]; a matrix may be the gradient of its own layer
   */
  void kroneckerPrecondition(List<KroneckerPair> inverses, List<F32Matrix> gradients, List<F32Matrix> out, Workspace workspace, Stream stream);

  /** out_l = G_l V_l A_l, the product with the blocks; otherwise as {@link #kroneckerPrecondition}. */
  void kroneckerMatVec(List<KroneckerPair> pairs, List<F32Matrix> v, List<F32Matrix> out, Workspace workspace, Stream stream);

  /** Workspace of both. */
  long kroneckerPreconditionWorkspaceBytes(List<F32Matrix> gradients);

  /**
   * Q = sum over tasks of lambda/2 sum over layers and terms of w &lt;D, G D A&gt;, D = W - anchor; the gradient lambda w G D A is added to {@code gradients}. Value in double. Error of the gradient: that of
   * {@link #kroneckerPrecondition} for each term. NaN propagates. Terms of weight or lambda 0 are not read.
   *
   * @param tasks both triangles of the factors read
   * @param weights W [out][in] of each layer
   * @param gradients one a layer [out][in], or null: the value alone
   * @throws IllegalArgumentException also if lambda times a weight is not finite in fp32
   */
  PenaltyValue kroneckerQuadraticPenalty(
      List<PenaltyTask> tasks, List<F32Matrix> weights, List<F32Matrix> gradients, Workspace workspace, Stream stream);

  /** Workspace of {@link #kroneckerQuadraticPenalty}. */
  long kroneckerPenaltyWorkspaceBytes(List<PenaltyTask> tasks, List<F32Matrix> weights);

  /**
   * Merges the pairs of two tasks, both triangles read. Where only one pair has traces above 0, the result is that pair times its factors.
   *
   * @param first G [out][out], A [in][in]
   * @param second of the same shapes
   * @param rule see {@link FactorMerge}
   * @param out of the same shapes; each factor may be the one of first or second in its place
   * @throws IllegalArgumentException also if a factor of the rule, balanced, is not finite in fp32
   */
  MergeReport mergeKroneckerFactors(KroneckerPair first, KroneckerPair second, FactorMerge rule, KroneckerPair out, Stream stream);

  /**
   * Scale of a preconditioned step by a bound on its KL divergence (after Ba, Grosse and Martens 2017), see {@link KlClip}.
   *
   * @param v preconditioned gradients [out][in]
   * @param gradients as they were, of the same shapes
   * @param learningRate finite
   * @param kappa bound, finite and &gt; 0; .001 is usual
   */
  KlClip klClipCoefficient(List<F32Matrix> v, List<F32Matrix> gradients, double learningRate, double kappa, Stream stream);

  // ---- batch norm

  /**
   * Weights and biases of the linear layer that a linear layer and the batch norm behind it are together: What = diag(gamma/sigma) W, bhat = beta + gamma (b - mean)/sigma.
   *
   * @param mergedWeight What [out][in]; may be the layer's own
   * @param mergedBias bhat [out]
   * @throws IllegalArgumentException also if variance + eps is not positive and finite somewhere (the channel is named); then nothing is written
   */
  void mergeBatchNorm(BatchNormMerge layer, F32Matrix mergedWeight, F32Buffer mergedBias, Stream stream);

  /**
   * Gradients of the parts from those of the merged layer. With s = gamma/sigma and t = sum of dWhat W over the inputs + dbhat (b - mean): dW = s dWhat, db = s dbhat, dgamma = t/sigma,
   * dbeta = dbhat, dmean = -s dbhat, dvariance = -gamma t/(2 sigma^3). Overwrites {@code out}.
   *
   * @param gradWeight dQ/dWhat [out][in]; may be {@code out.weight()}
   * @param gradBias dQ/dbhat [out]
   * @throws IllegalArgumentException as {@link #mergeBatchNorm}
   */
  void mergeBatchNormBackward(BatchNormMerge layer, F32Matrix gradWeight, F32Buffer gradBias, BatchNormMergeGradients out, Stream stream);

  // ---- eigenvectors and other pieces; these allocate scratch

  /**
   * M = Q diag(l) Q^T, eigenvalues ascending, the largest entry of each column of Q positive (the first on ties). In double on the host, by LAPACK where OpenBLAS is on the
   * class path, otherwise by EJML; the bits depend on which, and with OpenBLAS on its threads. This goes for whatever uses eigenvalues below. Error: norm1(M Q - Q L) &lt;= 10 n u norm1(M).
   *
   * @param m lower triangle read
   * @param values l [n]
   * @param vectors Q [n][n]
   * @throws io.metaplast.NonFiniteMatrixException if M holds NaN or infinity
   * @throws io.metaplast.KernelException if the iteration did not converge
   */
  void symmetricEigen(F32Matrix m, F32Buffer values, F32Matrix vectors, Stream stream);

  /**
   * out = Q diag((max(l, 0) + damping)^(-1/root)) Q^T; root 1 is the inverse.
   *
   * @param values l [n]
   * @param vectors Q [n][n]
   * @param damping finite, &gt;= 0
   * @param root &gt;= 1
   * @param out [n][n]
   * @return true if a negative eigenvalue was taken as 0
   * @throws IllegalArgumentException also if max(l, 0) + damping is 0 or not finite somewhere; then nothing is written
   */
  boolean inverseRootFromEigen(F32Buffer values, F32Matrix vectors, double damping, int root, F32Matrix out, Stream stream);

  /**
   * out = Qg [(Qg^T dW Qa) / (lg la^T + lambda)] Qa^T: exact Tikhonov damping of the block.
   *
   * @param valuesG lg [out]
   * @param vectorsG Qg [out][out]
   * @param valuesA la [in]
   * @param vectorsA Qa [in][in]
   * @param gradient dW [out][in]
   * @param lambda finite, &gt;= 0
   * @param out [out][in]
   * @throws IllegalArgumentException also if a denominator is not positive; then nothing is written
   */
  void kroneckerPreconditionEigen(
      F32Buffer valuesG, F32Matrix vectorsG, F32Buffer valuesA, F32Matrix vectorsA, F32Matrix gradient, double lambda, F32Matrix out, Stream stream);

  /**
   * S = (1/N) ((D Qg)^2)^T (X Qa)^2, squares element-wise: second moments of the gradient in the eigenbasis (George et al. 2018, arXiv 1806.03884).
   *
   * @param d output gradients [N][out]
   * @param vectorsG Qg [out][out]
   * @param x inputs [N][cols]
   * @param bias adds the coordinate 1 to x
   * @param vectorsA Qa [in][in], in = cols, or cols + 1 with bias
   * @param s [out][in]
   * @throws IllegalArgumentException also if there are no rows
   */
  void ekfacSecondMoment(F32Matrix d, F32Matrix vectorsG, F32Matrix x, boolean bias, F32Matrix vectorsA, F32Matrix s, Stream stream);

  /** As {@link #kroneckerPreconditionEigen} with {@code s} [out][in] in place of lg la^T. */
  void ekfacPrecondition(F32Matrix vectorsG, F32Matrix vectorsA, F32Matrix s, F32Matrix gradient, double lambda, F32Matrix out, Stream stream);

  /**
   * out = (alpha X^T X + damping I)^-1 = (I - X^T (X X^T + (damping/alpha) I)^-1 X)/damping, for fewer rows than columns (the identity of Woodbury). Loses about u cond.
   *
   * @param x [rows][cols]
   * @param alpha finite, &gt; 0
   * @param damping finite, &gt; 0
   * @param out [cols][cols]
   * @throws io.metaplast.NonFiniteMatrixException if X holds NaN or infinity
   * @throws io.metaplast.NotPositiveDefiniteException as {@link #dampedCholesky}, for the inner matrix X X^T + (damping/alpha) I
   */
  void woodburyInverse(F32Matrix x, double alpha, double damping, F32Matrix out, Stream stream);

  /**
   * out = (first + second)^-1 V for two Kronecker blocks of one layer, first positive definite; out may be v (Martens and Grosse 2015, appendix B).
   *
   * @param v [out][in]
   * @param out [out][in]; as it was after an exception
   * @throws io.metaplast.KernelException if a factor of {@code first} is not positive definite (batch index 0: g, 1: a), or a denominator is not positive
   */
  void kroneckerSumInverseApply(KroneckerPair first, KroneckerPair second, F32Matrix v, F32Matrix out, Stream stream);

  /**
   * log det((G + damping.g I) (x) (A + damping.a I)) = k log det(G + ..) + m log det(A + ..), m and k the orders of G and A.
   *
   * @param pair lower triangles read
   * @throws io.metaplast.NotPositiveDefiniteException if a factor is not (batch index 0: g, 1: a)
   */
  double kroneckerLogDet(KroneckerPair pair, PairDamping damping, Stream stream);

  /**
   * out = mean + Lg^-T E La^-1: a sample of the matrix normal distribution with precision (G + damping.g I) (x) (A + damping.a I).
   *
   * @param mean [out][in]
   * @param pair lower triangles read
   * @param e standard normals [out][in], as {@link io.metaplast.bayes.BayesKernels#gaussian} makes them
   * @param out [out][in]
   * @throws io.metaplast.NotPositiveDefiniteException if a factor is not (batch index 0: g, 1: a)
   */
  void matrixNormalSample(F32Matrix mean, KroneckerPair pair, PairDamping damping, F32Matrix e, F32Matrix out, Stream stream);

  /**
   * Inverse of a symmetric positive definite matrix by Newton-Schulz, X = X (2 I - M X) from M/(norm1 normInf), until max|M X - I| is at most {@code tolerance} or grows 1.2 times; out holds the best iterate.
   *
   * @param m [n][n], lower triangle read
   * @param tolerance finite, &gt; 0
   * @param out [n][n]
   * @param maxIterations &gt;= 1
   * @return max|M X - I| after each step
   * @throws io.metaplast.NonFiniteMatrixException if M holds NaN or infinity
   * @throws io.metaplast.NotPositiveDefiniteException if M is 0
   * @throws io.metaplast.KernelException if the tolerance was not reached; out then holds the best iterate all the same
   */
  double[] newtonSchulzInverse(F32Matrix m, double tolerance, int maxIterations, F32Matrix out, Stream stream);
}
