package io.metaplast.internal;

import io.metaplast.DeviceBuffer;
import io.metaplast.F32Matrix;
import io.metaplast.KernelException;
import io.metaplast.NotPositiveDefiniteException;
import io.metaplast.internal.eigen.SymmetricEigensolver;
import io.metaplast.internal.spi.BackendProvider;
import io.metaplast.internal.spi.KfacProvider;
import io.metaplast.internal.spi.SpdStatus;
import io.metaplast.kfac.InverseReport;
import io.metaplast.kfac.KroneckerPair;
import io.metaplast.kfac.PairDamping;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Functions that are put together from a backend's products, element-wise operations and Cholesky pieces, the same on every backend. Eigenvalues are computed on the host in double.
 * Arguments are checked and held by the caller; outputs have elements. All wait for their results, since their scratch ends with the call.
 */
final class KroneckerComposites {
  // METAPLAST_ELEMENT_* of kfac.h.
  private static final int SQUARE = 0;
  private static final int SCALE_COLUMNS = 2;
  private static final int DIVIDE_OUTER = 3;
  private static final int DIVIDE = 4;

  private static final int NOT_POSITIVE = -3;

  /** An error that grows by so much from one step to the next is not going down any more. */
  private static final double GROWTH = 1.2;

  private final BackendImpl backend;
  private final BackendProvider provider;
  private final KfacProvider kfac;

  KroneckerComposites(BackendImpl backend) {
    this.backend = backend;
    this.provider = backend.provider();
    this.kfac = provider.kfac();
  }

  /** Memory for the time of a call. */
  private final class Scratch implements AutoCloseable {
    private final List<DeviceBuffer> buffers = new ArrayList<>();
    private final long stream;
    private BufferImpl space;

    Scratch(long stream) {
      this.stream = stream;
    }

    private <B extends DeviceBuffer> B own(B buffer) {
      buffers.add(buffer);
      return buffer;
    }

    F32Matrix matrix(int rows, int cols) {
      return F32Matrix.of(own(backend.allocate(Checks.product("rows*cols", rows, cols))), rows, cols);
    }

    BufferImpl vector(double[] values) {
      BufferImpl v = (BufferImpl) own(backend.allocate(values.length));
      HostMatrices.write(provider, v, values);
      return v;
    }

    BufferImpl space(long bytes) {
      if (space == null || space.length() < bytes) {
        space = (BufferImpl) own(backend.workspace(bytes));
      }
      return space;
    }

    F32Matrix copy(F32Matrix m) {
      F32Matrix c = matrix(m.rows(), m.cols());
      kfac.combine(1, m, 0, null, c, stream);
      return c;
    }

    /** c = alpha op(a) op(b) + beta c. */
    void gemm(boolean transposeA, boolean transposeB, double alpha, F32Matrix a, F32Matrix b, double beta, F32Matrix c) {
      long bytes = kfac.realGemmWorkspaceBytes(c.rows(), c.cols(), transposeA ? a.rows() : a.cols());
      kfac.realGemm(transposeA, transposeB, (float) alpha, a, b, (float) beta, c, space(bytes), stream);
    }

    /** A new matrix op(a) op(b). */
    F32Matrix product(boolean transposeA, F32Matrix a, boolean transposeB, F32Matrix b) {
      F32Matrix c = matrix(transposeA ? a.cols() : a.rows(), transposeB ? b.rows() : b.cols());
      gemm(transposeA, transposeB, 1, a, b, 0, c);
      return c;
    }

    /** Lower Cholesky factor of m + damping I. */
    F32Matrix cholesky(String name, int place, F32Matrix m, double damping) {
      F32Matrix l = matrix(m.rows(), m.rows());
      SpdStatus status = kfac.dampedCholesky(m, damping, l, space(choleskyBytes(m.rows())), stream);
      if (status.status() == InverseReport.NOT_FINITE) {
        throw HostMatrices.notFinite(provider, name, place, m, damping, status.index());
      }
      if (status.status() != 0) {
        throw new NotPositiveDefiniteException(place, Math.max(0, status.status()), status.pivot(), damping, 0);
      }
      return l;
    }

    @Override
    public void close() {
      // Work that is queued may still use it.
      provider.synchronize(stream);
      buffers.forEach(DeviceBuffer::close);
    }
  }

  /** Workspace of a Cholesky factorization, as kfac.h states it. */
  static long choleskyBytes(int n) {
    return Checks.bytes("n*n", (long) n * n, Float.BYTES) + 64L * n + 4096;
  }

  // ---- eigenvectors

  void symmetricEigen(F32Matrix m, BufferImpl values, F32Matrix vectors) {
    int n = m.rows();
    HostEigen eigen = HostEigen.of("m", n, HostMatrices.symmetric(provider, "m", m), SymmetricEigensolver.best());
    double[] l = new double[n];
    double[] q = new double[n * n];
    for (int j = 0; j < n; j++) {
      l[j] = eigen.value(j);
      double sign = sign(eigen, j);
      for (int i = 0; i < n; i++) {
        q[i * n + j] = sign * eigen.vector(i, j) + 0.0; // no -0
      }
    }
    HostMatrices.write(provider, values, l);
    HostMatrices.write(provider, vectors, q);
  }

  /** -1 where the entry of largest magnitude of a column is negative, as fp32 has it: entries that differ in double may be a tie there. */
  private static double sign(HostEigen eigen, int j) {
    float largest = 0;
    for (int i = 0; i < eigen.order(); i++) {
      float x = (float) eigen.vector(i, j);
      largest = Math.abs(x) > Math.abs(largest) ? x : largest;
    }
    return largest < 0 ? -1 : 1;
  }

  boolean inverseRootFromEigen(BufferImpl values, F32Matrix vectors, double damping, int root, F32Matrix out, long stream) {
    double[] l = HostMatrices.read(provider, values);
    boolean clamped = false;
    double[] scale = new double[l.length];
    for (int j = 0; j < l.length; j++) {
      double denominator = Math.max(l[j], 0) + damping;
      if (!(denominator > 0) || !Double.isFinite(l[j])) {
        throw new IllegalArgumentException(
            "values[" + j + "] = " + l[j] + ": max(values, 0) + damping = " + denominator + " must be positive and finite, damping is " + damping);
      }
      clamped |= l[j] < 0;
      // Half of the power on either side, so that both triangles get the same bits.
      scale[j] = Math.pow(denominator, -0.5 / root);
    }
    try (Scratch scratch = new Scratch(stream)) {
      F32Matrix t = scratch.copy(vectors);
      kfac.elements(SCALE_COLUMNS, null, scratch.vector(scale), null, 0, t, stream);
      scratch.gemm(false, true, 1, t, t, 0, out);
    }
    return clamped;
  }

  /** out = Qg [(Qg^T dW Qa) / D] Qa^T; D = lg la^T + lambda where s is null, else s + lambda. Denominators that are not positive: their number, and nothing is written. */
  long preconditionEigen(
      BufferImpl valuesG, F32Matrix vectorsG, BufferImpl valuesA, F32Matrix vectorsA, F32Matrix sOrNull, F32Matrix gradient, float lambda, F32Matrix out,
      long stream) {
    try (Scratch scratch = new Scratch(stream)) {
      F32Matrix t = scratch.product(true, vectorsG, false, gradient);
      F32Matrix inBasis = scratch.product(false, t, false, vectorsA);
      long bad =
          sOrNull == null
              ? kfac.elements(DIVIDE_OUTER, valuesG, valuesA, null, lambda, inBasis, stream)
              : kfac.elements(DIVIDE, null, null, sOrNull, lambda, inBasis, stream);
      if (bad == 0) {
        scratch.gemm(false, false, 1, vectorsG, inBasis, 0, t);
        scratch.gemm(false, true, 1, t, vectorsA, 0, out);
      }
      return bad;
    }
  }

  void ekfacSecondMoment(F32Matrix d, F32Matrix vectorsG, F32Matrix x, boolean bias, F32Matrix vectorsA, F32Matrix s, long stream) {
    int n = d.rows();
    try (Scratch scratch = new Scratch(stream)) {
      F32Matrix p = scratch.product(false, d, false, vectorsG);
      F32Matrix r = scratch.matrix(n, vectorsA.cols());
      if (x.cols() > 0) {
        scratch.gemm(false, false, 1, x, vectorsA.rows(0, x.cols()), 0, r);
      }
      if (bias) {
        F32Matrix ones = scratch.matrix(n, 1);
        ones.data().fill(1);
        scratch.gemm(false, false, 1, ones, vectorsA.rows(x.cols(), 1), x.cols() > 0 ? 1 : 0, r);
      }
      kfac.elements(SQUARE, null, null, null, 0, p, stream);
      kfac.elements(SQUARE, null, null, null, 0, r, stream);
      scratch.gemm(true, false, 1.0 / n, p, r, 0, s);
    }
  }

  // ---- inverses and determinants

  /** With L L^T = X X^T + (damping/alpha) I and Z = L^-1 X: (I - Z^T Z)/damping, whose triangles agree to the bit. */
  void woodburyInverse(F32Matrix x, double alpha, double damping, F32Matrix out, long stream) {
    try (Scratch scratch = new Scratch(stream)) {
      F32Matrix z = null;
      if (x.rows() > 0) {
        F32Matrix inner = scratch.product(false, x, true, x);
        F32Matrix l = scratch.cholesky("x x^T", 0, inner, damping / alpha);
        z = scratch.copy(x);
        int zero = kfac.triangularSolve(l, false, z, stream);
        if (zero != 0) {
          throw new NotPositiveDefiniteException(0, zero, 0, damping / alpha, 0);
        }
      }
      provider.synchronize(stream);
      HostMatrices.identity(provider, out, 1);
      if (z == null) {
        kfac.combine((float) (1 / damping), out, 0, null, out, stream);
      } else {
        scratch.gemm(true, false, -1 / damping, z, z, 1 / damping, out);
      }
    }
  }

  /** K and s with K^T first K = I, K^T second K = diag(s); rows of {@code k} are the columns of K. */
  private record Pencil(double[] k, double[] s) {}

  private Pencil pencil(String name, int place, F32Matrix first, F32Matrix second) {
    int n = first.rows();
    double[] l = HostMatrices.symmetric(provider, "first." + name, first);
    double[] m = HostMatrices.symmetric(provider, "second." + name, second);
    double[] pivot = new double[1];
    int order = HostMatrices.cholesky(n, l, pivot);
    if (order > 0) {
      throw new NotPositiveDefiniteException(place, order, pivot[0], 0, 0);
    }
    // L^-1 M L^-T: M is symmetric, so rows serve as columns.
    HostMatrices.forwardRows(n, l, m);
    HostMatrices.transpose(n, m);
    HostMatrices.forwardRows(n, l, m);
    HostMatrices.mirror(n, m);
    HostEigen eigen = HostEigen.of("second." + name + " in the basis of first." + name, n, m, SymmetricEigensolver.best());
    double[] s = new double[n];
    for (int j = 0; j < n; j++) {
      s[j] = eigen.value(j);
    }
    HostMatrices.backwardRows(n, l, eigen.vectors());
    return new Pencil(eigen.vectors(), s);
  }

  void kroneckerSumInverseApply(KroneckerPair first, KroneckerPair second, F32Matrix v, F32Matrix out, long stream) {
    Pencil g = pencil("g", 0, first.g(), second.g());
    Pencil a = pencil("a", 1, first.a(), second.a());
    try (Scratch scratch = new Scratch(stream)) {
      F32Matrix left = scratch.matrix(v.rows(), v.rows());
      F32Matrix right = scratch.matrix(v.cols(), v.cols());
      HostMatrices.write(provider, left, g.k());
      HostMatrices.write(provider, right, a.k());
      F32Matrix t = scratch.product(false, left, false, v);
      F32Matrix inBasis = scratch.product(false, t, true, right);
      long bad = kfac.elements(DIVIDE_OUTER, scratch.vector(g.s()), scratch.vector(a.s()), null, 1, inBasis, stream);
      if (bad > 0) {
        throw new KernelException(
            "first + second is not positive definite: " + bad + " of " + (long) v.rows() * v.cols() + " denominators are not positive", NOT_POSITIVE, 0, "");
      }
      scratch.gemm(true, false, 1, left, inBasis, 0, t);
      scratch.gemm(false, false, 1, t, right, 0, out);
    }
  }

  double kroneckerLogDet(KroneckerPair pair, PairDamping damping, long stream) {
    try (Scratch scratch = new Scratch(stream)) {
      double g = logDet(scratch.cholesky("pair.g", 0, pair.g(), damping.g()));
      double a = logDet(scratch.cholesky("pair.a", 1, pair.a(), damping.a()));
      return pair.a().rows() * g + pair.g().rows() * a;
    }
  }

  private double logDet(F32Matrix l) {
    BufferImpl data = (BufferImpl) l.data();
    float[] element = new float[1];
    double sum = 0;
    for (int j = 0; j < l.rows(); j++) {
      provider.read(data.memory(), data.byteOffset() + ((long) j * l.ld() + j) * Float.BYTES, element, 0, 1);
      sum += Math.log(element[0]);
    }
    return 2 * sum;
  }

  void matrixNormalSample(F32Matrix mean, KroneckerPair pair, PairDamping damping, F32Matrix e, F32Matrix out, long stream) {
    try (Scratch scratch = new Scratch(stream)) {
      F32Matrix lg = scratch.cholesky("pair.g", 0, pair.g(), damping.g());
      F32Matrix la = scratch.cholesky("pair.a", 1, pair.a(), damping.a());
      F32Matrix t = scratch.copy(e);
      int zero = kfac.triangularSolve(lg, true, t, stream);
      if (zero == 0) {
        zero = kfac.triangularInverse(la, la, stream);
      }
      if (zero != 0) {
        throw new NotPositiveDefiniteException(0, zero, 0, damping.g(), 0);
      }
      kfac.combine(1, mean, 0, null, out, stream);
      scratch.gemm(false, false, 1, t, la, 1, out);
    }
  }

  // ---- Newton-Schulz

  double[] newtonSchulzInverse(F32Matrix m, double tolerance, int maxIterations, F32Matrix out, long stream) {
    int n = m.rows();
    double[] host = HostMatrices.symmetric(provider, "m", m);
    double norm = 0; // norm1 = normInf of a symmetric matrix
    for (int i = 0; i < n; i++) {
      double sum = 0;
      for (int j = 0; j < n; j++) {
        sum += Math.abs(host[i * n + j]);
      }
      norm = Math.max(norm, sum);
    }
    if (norm == 0) {
      throw new NotPositiveDefiniteException(0, 1, 0, 0, 0);
    }
    double[] residuals = new double[maxIterations];
    int steps = 0;
    boolean reached = false;
    try (Scratch scratch = new Scratch(stream)) {
      F32Matrix a = scratch.matrix(n, n);
      F32Matrix x = scratch.matrix(n, n);
      F32Matrix next = scratch.matrix(n, n);
      HostMatrices.write(provider, a, host);
      for (int i = 0; i < host.length; i++) {
        host[i] = host[i] / norm / norm;
      }
      HostMatrices.write(provider, x, host);
      F32Matrix ax = scratch.product(false, a, false, x);
      double best = Double.POSITIVE_INFINITY;
      double last = Double.POSITIVE_INFINITY;
      while (steps < maxIterations && !reached) {
        kfac.combine(1, x, 0, null, next, stream);
        scratch.gemm(false, false, -1, x, ax, 2, next);
        // Both triangles alike: what rounding adds to the difference of the two does not shrink in the iteration.
        double[] values = HostMatrices.read(provider, "out", next);
        HostMatrices.mirror(n, values);
        HostMatrices.write(provider, next, values);
        F32Matrix t = x;
        x = next;
        next = t;
        scratch.gemm(false, false, 1, a, x, 0, ax);
        double error = distanceToIdentity(n, HostMatrices.read(provider, "out", ax));
        residuals[steps++] = error;
        if (error < best) {
          best = error;
          kfac.combine(1, x, 0, null, out, stream);
        }
        reached = error <= tolerance;
        if (!(error <= GROWTH * last)) {
          break;
        }
        last = error;
      }
      if (!reached) {
        throw new KernelException(
            "Newton-Schulz reached max|M X - I| = " + best + " in " + steps + " steps, wanted is " + tolerance, HostEigen.NOT_CONVERGED, 0, "");
      }
    }
    return Arrays.copyOf(residuals, steps);
  }

  private static double distanceToIdentity(int n, double[] a) {
    double largest = 0;
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        double x = Math.abs(a[i * n + j] - (i == j ? 1 : 0));
        if (Double.isNaN(x)) {
          return x;
        }
        largest = Math.max(largest, x);
      }
    }
    return largest;
  }
}
