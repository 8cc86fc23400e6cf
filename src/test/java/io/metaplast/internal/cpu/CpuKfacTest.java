package io.metaplast.internal.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.metaplast.Backend;
import io.metaplast.BackendKind;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.TestBackends;
import io.metaplast.TestBackends.Target;
import io.metaplast.Workspace;
import io.metaplast.internal.BackendImpl;
import io.metaplast.internal.BufferImpl;
import io.metaplast.internal.spi.KfacProvider;
import io.metaplast.internal.spi.SpdTable;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The bindings: arguments arrive in their places, results come back. What the kernels compute is tested beside them and in the contract tests. */
class CpuKfacTest {
  static Stream<Target> targets() {
    return TestBackends.all().filter(t -> t.options().kind() == BackendKind.CPU);
  }

  private static KfacProvider kfac(Backend backend) {
    return ((BackendImpl) backend).provider().kfac();
  }

  private static F32Matrix matrix(Backend backend, int rows, int cols, int ld, float... values) {
    F32Buffer buffer = backend.allocate((long) (rows - 1) * ld + cols);
    F32Matrix matrix = new F32Matrix(buffer, rows, cols, ld);
    for (int r = 0; r < rows; r++) {
      buffer.upload((long) r * ld, values, r * cols, cols);
    }
    return matrix;
  }

  private static float[] values(F32Matrix matrix) {
    float[] all = new float[matrix.rows() * matrix.cols()];
    for (int r = 0; r < matrix.rows(); r++) {
      matrix.data().download((long) r * matrix.ld(), all, r * matrix.cols(), matrix.cols());
    }
    return all;
  }

  @ParameterizedTest
  @MethodSource("targets")
  void inversesOfSeveralSizes(Target target) {
    Backend backend = target.backend();
    KfacProvider kfac = kfac(backend);
    for (boolean doublePrecision : new boolean[] {false, true}) {
      SpdTable table = new SpdTable();
      F32Matrix sound = matrix(backend, 2, 2, 3, 3, 99, 2, 3);
      F32Matrix indefinite = matrix(backend, 2, 2, 2, 1, 2, 2, 1);
      F32Matrix single = matrix(backend, 1, 1, 1, 3);
      F32Matrix out = matrix(backend, 2, 2, 4, 0, 0, 0, 0);
      table.add(sound, 1, out, 2);
      table.add(indefinite, 0, indefinite, 2);
      table.add(single, 1, single, 1);
      long bytes = kfac.spdInverseWorkspaceBytes(table, doublePrecision);
      try (Workspace workspace = backend.workspace(bytes)) {
        kfac.spdInverse(table, 0.03, doublePrecision, (BufferImpl) workspace, 0);
      }
      assertEquals(0, table.status(0));
      assertEquals(2, table.status(1));
      assertEquals(-3.0, table.pivot(1), 1e-6);
      assertEquals(0, table.status(2));
      assertEquals(6.0 / 2.0, table.cond1(0), 1e-5);
      assertArrayEquals(new float[] {4f / 12, -2f / 12, -2f / 12, 4f / 12}, values(out), 1e-6f);
      assertArrayEquals(new float[] {1, 2, 2, 1}, values(indefinite));
      assertArrayEquals(new float[] {0.25f}, values(single));
    }
  }
}
