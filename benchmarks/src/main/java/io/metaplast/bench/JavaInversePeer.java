package io.metaplast.bench;

import java.util.List;
import org.ejml.data.FMatrixRMaj;
import org.ejml.dense.row.factory.LinearSolverFactory_FDRM;
import org.ejml.interfaces.linsol.LinearSolverDense;
import org.ojalgo.OjAlgoUtils;
import org.ojalgo.matrix.decomposition.Cholesky;
import org.ojalgo.matrix.store.MatrixStore;
import org.ojalgo.matrix.store.PhysicalStore;
import org.ojalgo.matrix.store.R064Store;

/** Inverses of positive definite matrices by the Cholesky factorizations of Java libraries, one thread, everything allocated before. */
public final class JavaInversePeer implements Contest.Body {
  /** Which library. */
  public enum Library {
    /** EJML, float. */
    EJML("EJML Cholesky"),
    /** ojAlgo, which has it in double only. */
    OJALGO("ojAlgo Cholesky (double)");

    private final String label;

    Library(String label) {
      this.label = label;
    }

    /** Name in tables. */
    public String label() {
      return label;
    }
  }

  private Contest.Body body;

  private JavaInversePeer() {}

  /**
   * The inverses of {@link KfacWorkloads#inverses}, verified with the same bound.
   *
   * @throws IllegalStateException if a result is wrong
   */
  public static JavaInversePeer open(Library library, int... orders) {
    JavaInversePeer peer = new JavaInversePeer();
    List<SpdMatrix> matrices = KfacWorkloads.spd(orders);
    if (library == Library.EJML) {
      peer.ejml(matrices);
    } else {
      peer.ojalgo(matrices);
    }
    return peer;
  }

  private static float[] damped(SpdMatrix matrix) {
    float[] values = matrix.all();
    for (int i = 0; i < matrix.n(); i++) {
      values[i * matrix.n() + i] += (float) SpdMatrix.DAMPING;
    }
    return values;
  }

  private void ejml(List<SpdMatrix> matrices) {
    int n = matrices.get(0).n();
    List<FMatrixRMaj> sources = matrices.stream().map(matrix -> FMatrixRMaj.wrap(matrix.n(), matrix.n(), damped(matrix))).toList();
    List<FMatrixRMaj> results = matrices.stream().map(matrix -> new FMatrixRMaj(matrix.n(), matrix.n())).toList();
    FMatrixRMaj work = new FMatrixRMaj(n, n);
    LinearSolverDense<FMatrixRMaj> solver = LinearSolverFactory_FDRM.symmPosDef(n);
    body =
        () -> {
          for (int b = 0; b < sources.size(); b++) {
            work.setTo(sources.get(b));
            if (!solver.setA(work)) {
              throw new IllegalStateException("EJML could not factor matrix " + b);
            }
            solver.invert(results.get(b));
          }
        };
    run();
    for (int b = 0; b < matrices.size(); b++) {
      float[] x = results.get(b).data.clone();
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < i; j++) {
          // symmetric but for rounding
          x[j * n + i] = x[i * n + j];
        }
      }
      refuse("EJML", matrices.get(b).wrong(x));
    }
  }

  private void ojalgo(List<SpdMatrix> matrices) {
    OjAlgoUtils.limitThreadsTo(1);
    SpdMatrix matrix = matrices.get(0);
    int n = matrix.n();
    if (matrices.size() > 1) {
      throw new IllegalArgumentException("ojAlgo: one matrix only");
    }
    float[] values = damped(matrix);
    R064Store source = R064Store.FACTORY.make(n, n);
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        source.set(i, j, (double) values[i * n + j]);
      }
    }
    Cholesky<Double> cholesky = Cholesky.R064.make(n, n);
    PhysicalStore<Double> space = cholesky.preallocate(n, n);
    Object[] result = new Object[1];
    body =
        () -> {
          if (!cholesky.decompose(source)) {
            throw new IllegalStateException("ojAlgo could not factor the matrix");
          }
          result[0] = cholesky.getInverse(space);
        };
    run();
    float[] x = new float[n * n];
    MatrixStore<?> inverse = (MatrixStore<?>) result[0];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        x[i * n + j] = (float) inverse.doubleValue(i, j);
        x[j * n + i] = x[i * n + j];
      }
    }
    refuse("ojAlgo", matrix.wrong(x));
  }

  private static void refuse(String name, String wrong) {
    if (wrong != null) {
      throw new IllegalStateException(name + " is wrong, so it is not timed: " + wrong);
    }
  }

  @Override
  public void run() {
    body.run();
  }
}
