package io.metaplast.internal.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.metaplast.Backend;
import io.metaplast.BackendKind;
import io.metaplast.Bf16Buffer;
import io.metaplast.Bf16Matrix;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.RealMatrix;
import io.metaplast.TestBackends;
import io.metaplast.TestBackends.Target;
import io.metaplast.Workspace;
import io.metaplast.binary.Conv2dShape;
import io.metaplast.internal.BackendImpl;
import io.metaplast.internal.BufferImpl;
import io.metaplast.internal.spi.KfacProvider;
import io.metaplast.internal.spi.KroneckerTable;
import io.metaplast.internal.spi.SpdStatus;
import io.metaplast.internal.spi.SpdTable;
import io.metaplast.kfac.BatchNormMerge;
import io.metaplast.kfac.BatchNormMergeGradients;
import io.metaplast.kfac.Im2colShape;
import io.metaplast.kfac.KroneckerPair;
import io.metaplast.kfac.Sharing;
import java.util.Collections;
import java.util.List;
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

  @ParameterizedTest(allowZeroInvocations = true)
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

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("targets")
  void productsOfRealMatrices(Target target) {
    Backend backend = target.backend();
    KfacProvider kfac = kfac(backend);
    F32Matrix a = matrix(backend, 2, 3, 4, 1, 2, 3, 4, 5, 6);
    F32Matrix b = matrix(backend, 3, 4, 5, 1, 0, 2, -1, 0, 1, 3, 1, 2, 1, 0, 0);
    F32Matrix transposedA = matrix(backend, 3, 2, 2, 1, 4, 2, 5, 3, 6);
    F32Matrix transposedB = matrix(backend, 4, 3, 3, 1, 0, 2, 0, 1, 1, 2, 3, 0, -1, 1, 0);
    float[] expected = {7 * 2 + 10, 5 * 2 + 20, 8 * 2 + 30, 1 * 2 + 40, 16 * 2 + 50, 11 * 2 + 60, 23 * 2 + 70, 1 * 2 + 80};
    for (int turn = 0; turn < 4; turn++) {
      boolean ta = (turn & 1) != 0;
      boolean tb = (turn & 2) != 0;
      F32Matrix c = matrix(backend, 2, 4, 6, 20, 40, 60, 80, 100, 120, 140, 160);
      try (Workspace workspace = backend.workspace(kfac.realGemmWorkspaceBytes(2, 4, 3))) {
        kfac.realGemm(ta, tb, 2, ta ? transposedA : a, tb ? transposedB : b, 0.5f, c, (BufferImpl) workspace, 0);
      }
      assertArrayEquals(expected, values(c));
    }
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("targets")
  void factorsOfRows(Target target) {
    Backend backend = target.backend();
    KfacProvider kfac = kfac(backend);
    F32Matrix x = matrix(backend, 3, 2, 3, 1, 2, 3, 6, 5, 1);
    Bf16Buffer bits = backend.allocateBf16(6);
    bits.uploadBits(0, new short[] {0x3f80, 0x4000, 0x4040, 0x40c0, 0x40a0, 0x3f80}, 0, 6);
    try (Workspace workspace = backend.workspace(kfac.factorWorkspaceBytes(3, 2, true))) {
      for (RealMatrix rows : new RealMatrix[] {x, Bf16Matrix.of(bits, 3, 2)}) {
        F32Matrix f = matrix(backend, 3, 3, 4, 2, 99, 99, 4, 6, 99, 8, 10, 12);
        assertEquals(-1, kfac.factorUpdate(0, rows, true, 2, 0.5f, f, (BufferImpl) workspace, 0));
        assertArrayEquals(new float[] {71, 52, 22, 52, 85, 23, 22, 23, 12}, values(f));
      }
      F32Matrix centred = matrix(backend, 2, 2, 2, 0, 0, 0, 0);
      assertEquals(-1, kfac.factorUpdate(1, x, false, 3, 0, centred, (BufferImpl) workspace, 0));
      assertArrayEquals(new float[] {8, -2, -2, 14}, values(centred), 1e-5f);
      x.data().upload(4, new float[] {Float.NaN}, 0, 1);
      assertEquals(3, kfac.factorUpdate(2, x, false, 1, 0, centred, (BufferImpl) workspace, 0));
      assertArrayEquals(new float[] {8, -2, -2, 14}, values(centred), 1e-5f);
    }
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("targets")
  void factorsOfPatches(Target target) {
    Backend backend = target.backend();
    KfacProvider kfac = kfac(backend);
    F32Buffer x = backend.allocate(6);
    x.upload(0, new float[] {1, 2, 3, 4, 5, 6}, 0, 6);
    // One image of 2 x 3, kernel 1 x 2: patches (1,2) (2,3) (4,5) (5,6), their mean (3,4), their sum (12,16).
    Conv2dShape geometry = new Conv2dShape(1, 1, 2, 3, 1, 1, 2, 1, 1, 0, 0, 1, 1, 1);
    float[][] expected = {{46, 58, 12, 58, 74, 16, 12, 16, 4}, {9, 12, 3, 12, 16, 4, 3, 4, 1}, {144, 192, 48, 192, 256, 64, 48, 64, 16}};
    for (Sharing sharing : Sharing.values()) {
      Im2colShape shape = new Im2colShape(geometry, sharing);
      F32Matrix f = matrix(backend, 3, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0);
      try (Workspace workspace = backend.workspace(kfac.im2colFactorWorkspaceBytes(shape, true))) {
        assertEquals(-1, kfac.im2colFactorUpdate(shape, (BufferImpl) x, true, 1, 0, f, (BufferImpl) workspace, 0));
        assertArrayEquals(expected[sharing.ordinal()], values(f));
        F32Buffer bad = backend.allocate(6);
        bad.upload(0, new float[] {1, 2, 3, 4, Float.POSITIVE_INFINITY, 6}, 0, 6);
        assertEquals(4, kfac.im2colFactorUpdate(shape, (BufferImpl) bad, true, 1, 0, f, (BufferImpl) workspace, 0));
        assertArrayEquals(expected[sharing.ordinal()], values(f));
      }
    }
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("targets")
  void productsAndPenalty(Target target) {
    Backend backend = target.backend();
    KfacProvider kfac = kfac(backend);
    KroneckerPair pair = new KroneckerPair(matrix(backend, 1, 1, 1, 3), matrix(backend, 2, 2, 3, 2, 1, 1, 5));
    F32Matrix w = matrix(backend, 1, 2, 2, 4, 7);
    F32Matrix anchor = matrix(backend, 1, 2, 4, 1, 5);
    F32Matrix out = matrix(backend, 1, 2, 5, 10, 20);
    KroneckerTable table = new KroneckerTable();
    table.add(pair, w, anchor, out, 0.5);
    double[] sums = new double[2];
    try (Workspace workspace = backend.workspace(kfac.kroneckerPenaltyWorkspaceBytes(table))) {
      kfac.kroneckerPenalty(table, sums, (BufferImpl) workspace, 0);
    }
    // D = (3, 2), D A = (8, 13), P = (24, 39)
    assertArrayEquals(new float[] {22, 39.5f}, values(out));
    assertArrayEquals(new double[] {0.25 * 150, 0.25 * 150}, sums);
    try (Workspace workspace = backend.workspace(kfac.kroneckerProductsWorkspaceBytes(table))) {
      kfac.kroneckerProducts(table, (BufferImpl) workspace, 0);
    }
    assertArrayEquals(new float[] {45, 117}, values(out));
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("targets")
  void smallPieces(Target target) {
    Backend backend = target.backend();
    KfacProvider kfac = kfac(backend);
    F32Matrix x = matrix(backend, 2, 3, 4, 1, 2, 3, 4, 5, 6);
    F32Matrix y = matrix(backend, 2, 3, 3, 10, 20, 30, 40, 50, 60);
    F32Matrix out = matrix(backend, 2, 3, 5, 0, 0, 0, 0, 0, 0);
    List<F32Matrix> many = Collections.nCopies(40, x);
    double[] traces = new double[40];
    kfac.traces(many, traces, 0);
    for (double trace : traces) {
      assertEquals(6.0, trace);
    }
    assertEquals(910.0 * 40, kfac.innerProducts(many, Collections.nCopies(40, y), 0));
    kfac.combine(2, x, 3, y, out, 0);
    assertArrayEquals(new float[] {32, 64, 96, 128, 160, 192}, values(out));
    kfac.combine(2, x, 3, null, out, 0);
    assertArrayEquals(new float[] {2, 4, 6, 8, 10, 12}, values(out));
    BufferImpl row = (BufferImpl) matrix(backend, 1, 2, 2, 1, 2).data();
    BufferImpl column = (BufferImpl) matrix(backend, 1, 3, 3, 1, 0, -1).data();
    assertEquals(2, kfac.elements(3, row, column, null, 1, out, 0)); // METAPLAST_ELEMENT_DIVIDE_OUTER: -1 + 1 and -2 + 1 are not positive
    assertArrayEquals(new float[] {2, 4, 6, 8, 10, 12}, values(out));
    assertEquals(0, kfac.elements(3, row, column, null, 3, out, 0));
    assertArrayEquals(new float[] {0.5f, 4f / 3, 3, 8f / 5, 10f / 3, 12}, values(out));
    assertEquals(0, kfac.elements(4, null, null, y, 0, out, 0)); // METAPLAST_ELEMENT_DIVIDE
    assertArrayEquals(new float[] {0.05f, 4f / 3 / 20, 0.1f, 8f / 5 / 40, 10f / 3 / 50, 0.2f}, values(out));
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("targets")
  void batchNormMerge(Target target) {
    Backend backend = target.backend();
    KfacProvider kfac = kfac(backend);
    F32Buffer gamma = vector(backend, 6, 3);
    F32Buffer variance = vector(backend, 3, 8);
    BatchNormMerge layer =
        new BatchNormMerge(matrix(backend, 2, 2, 3, 1, 2, 3, 4), vector(backend, 5, 6), gamma, vector(backend, 1, 2), vector(backend, 3, 3), variance, 1);
    F32Matrix merged = matrix(backend, 2, 2, 4, 0, 0, 0, 0);
    F32Buffer bias = vector(backend, 0, 0);
    assertEquals(-1, kfac.mergeBatchNorm(layer, merged, (BufferImpl) bias, 0));
    assertArrayEquals(new float[] {3, 6, 3, 4}, values(merged)); // scale 3 and 1
    assertArrayEquals(new float[] {7, 5}, bias.toArray());
    BatchNormMergeGradients gradients =
        new BatchNormMergeGradients(
            matrix(backend, 2, 2, 2, 0, 0, 0, 0), vector(backend, 0, 0), vector(backend, 0, 0), vector(backend, 0, 0), vector(backend, 0, 0),
            vector(backend, 0, 0));
    F32Matrix gradWeight = matrix(backend, 2, 2, 5, 1, 1, 2, 0);
    assertEquals(-1, kfac.mergeBatchNormBackward(layer, gradWeight, (BufferImpl) vector(backend, 4, 3), gradients, 0));
    assertArrayEquals(new float[] {3, 3, 2, 0}, values(gradients.weight()));
    assertArrayEquals(new float[] {12, 3}, gradients.bias().toArray());
    assertArrayEquals(new float[] {4, 3}, gradients.beta().toArray());
    assertArrayEquals(new float[] {5.5f, 5}, gradients.gamma().toArray()); // (3 + 4*2)/2, (6 + 3*3)/3
    assertArrayEquals(new float[] {-12, -3}, gradients.mean().toArray());
    assertArrayEquals(new float[] {-6f * 11 / 16, -3f * 15 / 54}, gradients.variance().toArray());
    variance.upload(new float[] {3, -1});
    assertEquals(1, kfac.mergeBatchNorm(layer, merged, (BufferImpl) bias, 0));
    assertArrayEquals(new float[] {7, 5}, bias.toArray());
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("targets")
  void choleskyPieces(Target target) {
    Backend backend = target.backend();
    KfacProvider kfac = kfac(backend);
    F32Matrix m = matrix(backend, 2, 2, 3, 3, 99, 2, 4);
    F32Matrix l = matrix(backend, 2, 2, 4, 7, 7, 7, 7);
    try (Workspace workspace = backend.workspace(2 * 2 * 4 + 64 * 2 + 4096)) {
      assertEquals(new SpdStatus(0, 0, 0), kfac.dampedCholesky(m, 1, l, (BufferImpl) workspace, 0));
      assertArrayEquals(new float[] {2, 0, 1, 2}, values(l));
      F32Matrix indefinite = matrix(backend, 2, 2, 2, 1, 99, 2, 1);
      assertEquals(new SpdStatus(2, -3, 0), kfac.dampedCholesky(indefinite, 0, l, (BufferImpl) workspace, 0));
      F32Matrix bad = matrix(backend, 2, 2, 2, 1, 99, Float.NaN, 1);
      assertEquals(new SpdStatus(-2, 0, 2), kfac.dampedCholesky(bad, 0, l, (BufferImpl) workspace, 0));
    }
    F32Matrix inverse = matrix(backend, 2, 2, 3, 7, 7, 7, 7);
    assertEquals(0, kfac.triangularInverse(l, inverse, 0));
    assertArrayEquals(new float[] {0.5f, 0, -0.25f, 0.5f}, values(inverse));
    F32Matrix b = matrix(backend, 2, 3, 5, 2, 4, 6, 3, 4, 1);
    assertEquals(0, kfac.triangularSolve(l, false, b, 0));
    assertArrayEquals(new float[] {1, 2, 3, 1, 1, -1}, values(b));
    assertEquals(0, kfac.triangularSolve(l, true, b, 0));
    assertArrayEquals(new float[] {0.25f, 0.75f, 1.75f, 0.5f, 0.5f, -0.5f}, values(b));
    F32Matrix singular = matrix(backend, 2, 2, 2, 1, 0, 1, 0);
    assertEquals(2, kfac.triangularInverse(singular, inverse, 0));
    assertEquals(2, kfac.triangularSolve(singular, false, b, 0));
    assertArrayEquals(new float[] {0.5f, 0, -0.25f, 0.5f}, values(inverse));
  }

  private static F32Buffer vector(Backend backend, float... values) {
    return matrix(backend, 1, values.length, values.length, values).data();
  }
}
