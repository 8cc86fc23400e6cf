package io.metaplast.internal.java;

import static org.assertj.core.api.Assertions.assertThat;

import io.metaplast.Backend;
import io.metaplast.BackendKind;
import io.metaplast.BackendOptions;
import io.metaplast.Bf16Buffer;
import io.metaplast.Bf16Matrix;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.Metaplast;
import io.metaplast.RealMatrix;
import io.metaplast.binary.Conv2dShape;
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
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The pieces of Kronecker-factored curvature in Java, against sums in double. */
class JavaKfacTest {
  private static final double U = 0x1p-24;
  private static final double TOLERANCE = 0.03;

  private final SplittableRandom random = new SplittableRandom(20251120);
  private final Deque<AutoCloseable> owned = new ArrayDeque<>();
  private Backend backend;
  private KfacProvider kfac;

  @BeforeEach
  void open() {
    backend = open(3);
    kfac = provider(backend);
  }

  private Backend open(int threads) {
    return own(Metaplast.open(BackendOptions.of(BackendKind.JAVA).withThreads(threads)));
  }

  private <T extends AutoCloseable> T own(T closeable) {
    owned.push(closeable);
    return closeable;
  }

  private KfacProvider provider(Backend backend) {
    return ((BufferImpl) own(backend.allocate(1))).memory().provider().kfac();
  }

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable closeable : owned) { // the last first
      closeable.close();
    }
  }

  private float[] normals(int n) {
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      double sum = -6;
      for (int k = 0; k < 12; k++) {
        sum += random.nextDouble();
      }
      x[i] = (float) sum;
    }
    return x;
  }

  private F32Buffer buffer(float[] values) {
    F32Buffer buffer = own(backend.allocate(values.length));
    buffer.upload(0, values, 0, values.length);
    return buffer;
  }

  /** A matrix with gaps of 7 between its rows. */
  private F32Matrix matrix(Backend owner, float[] values, int rows, int cols) {
    int ld = cols + 3;
    float[] spread = new float[Math.max(0, (rows - 1) * ld + cols)];
    Arrays.fill(spread, 7f);
    for (int r = 0; r < rows; r++) {
      System.arraycopy(values, r * cols, spread, r * ld, cols);
    }
    F32Buffer all = own(owner.allocate(spread.length + 5));
    all.upload(5, spread, 0, spread.length);
    return new F32Matrix(all.slice(5, spread.length), rows, cols, ld);
  }

  private F32Matrix matrix(float[] values, int rows, int cols) {
    return matrix(backend, values, rows, cols);
  }

  /** The same in native memory. */
  private F32Matrix nativeMatrix(float[] values, int rows, int cols) {
    F32Buffer buffer = own(backend.wrap(ByteBuffer.allocateDirect(4 * values.length).order(ByteOrder.nativeOrder()).asFloatBuffer()));
    buffer.upload(0, values, 0, values.length);
    return F32Matrix.of(buffer, rows, cols);
  }

  /** The elements; what lies between the rows must be 7. */
  private static float[] values(F32Matrix m) {
    float[] all = new float[(int) m.data().length()];
    m.data().download(0, all, 0, all.length);
    float[] result = new float[m.rows() * m.cols()];
    for (int i = 0; i < all.length; i++) {
      int c = i % m.ld();
      if (c < m.cols()) {
        result[i / m.ld() * m.cols() + c] = all[i];
      } else {
        assertThat(all[i]).isEqualTo(7f);
      }
    }
    return result;
  }

  private static void assertClose(float[] actual, double[] expected, double[] bound) {
    for (int i = 0; i < actual.length; i++) {
      if (!(Math.abs(actual[i] - expected[i]) <= bound[i])) {
        throw new AssertionError("element " + i + ": " + actual[i] + " != " + expected[i] + " within " + bound[i]);
      }
    }
  }

  @Test
  void realGemm() {
    int[][] shapes = {{1, 1, 0}, {1, 1, 1}, {3, 5, 7}, {65, 33, 300}, {130, 1100, 9}, {64, 64, 256}, {70, 520, 513}};
    for (int[] s : shapes) {
      for (int turn = 0; turn < 4; turn++) {
        for (float beta : new float[] {0f, 0.5f}) {
          gemm(s[0], s[1], s[2], (turn & 1) != 0, (turn & 2) != 0, beta);
        }
      }
    }
  }

  private void gemm(int m, int n, int inner, boolean ta, boolean tb, float beta) {
    float[] a = normals(m * inner);
    float[] b = normals(inner * n);
    float[] c = normals(m * n);
    F32Matrix ma = ta ? matrix(a, inner, m) : nativeMatrix(a, m, inner);
    F32Matrix mb = tb ? matrix(b, n, inner) : matrix(b, inner, n);
    if (beta == 0) {
      Arrays.fill(c, Float.NaN);
    }
    F32Matrix mc = matrix(c, m, n);
    kfac.realGemm(ta, tb, 1.5f, ma, mb, beta, mc, null, 0);
    double[] expected = new double[m * n];
    double[] bound = new double[m * n];
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        double sum = 0;
        double size = 0;
        for (int k = 0; k < inner; k++) {
          double term = (double) (ta ? a[k * m + i] : a[i * inner + k]) * (tb ? b[j * inner + k] : b[k * n + j]);
          sum += term;
          size += Math.abs(term);
        }
        double old = beta == 0 ? 0 : beta * c[i * n + j];
        expected[i * n + j] = 1.5 * sum + old;
        bound[i * n + j] = (inner + 4) * U * (1.5 * size + Math.abs(old));
      }
    }
    assertClose(values(mc), expected, bound);
  }

  /** beta F + alpha S and its bound, from rows in double. */
  private static void statistics(
      int kind, float[] x, int rows, int cols, double biasValue, boolean bias, double alpha, double beta, float[] f, double[] expected, double[] bound) {
    int d = bias ? cols + 1 : cols;
    double[] mean = new double[d];
    for (int c = 0; c < cols; c++) {
      for (int r = 0; r < rows; r++) {
        mean[c] += x[r * cols + c];
      }
      mean[c] /= rows;
    }
    for (int i = 0; i < d; i++) {
      for (int j = 0; j < d; j++) {
        double raw = 0;
        double central = 0;
        double size = 0;
        for (int r = 0; r < rows; r++) {
          double p = i < cols ? x[r * cols + i] : biasValue;
          double q = j < cols ? x[r * cols + j] : biasValue;
          raw += p * q;
          central += (p - mean[i]) * (q - mean[j]);
          size += (Math.abs(p) + Math.abs(mean[i])) * (Math.abs(q) + Math.abs(mean[j]));
        }
        double n = rows;
        double s =
            switch (kind) {
              case StatisticsTask.SECOND_MOMENT -> raw;
              case StatisticsTask.CENTRED -> central / n;
              case StatisticsTask.MEAN -> mean[i] * mean[j];
              default -> mean[i] * mean[j] - central / (n * (n - 1));
            };
        double scale =
            switch (kind) {
              case StatisticsTask.SECOND_MOMENT -> size;
              case StatisticsTask.CENTRED -> size / n;
              default -> size / n + Math.abs(mean[i] * mean[j]);
            };
        double old = beta == 0 ? 0 : beta * f[Math.max(i, j) * d + Math.min(i, j)];
        expected[i * d + j] = alpha * s + old;
        bound[i * d + j] = (rows + 8) * U * (Math.abs(alpha) * scale + Math.abs(old));
      }
    }
  }

  private static void assertSymmetric(float[] x, int n) {
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < i; j++) {
        assertThat(Float.floatToRawIntBits(x[i * n + j])).isEqualTo(Float.floatToRawIntBits(x[j * n + i]));
      }
    }
  }

  @Test
  void factorUpdate() {
    int[][] shapes = {{2, 1}, {3, 5}, {300, 70}, {17, 150}, {520, 33}, {9, 1100}};
    for (int[] s : shapes) {
      for (int kind = 0; kind < 4; kind++) {
        for (float beta : new float[] {0f, 0.75f}) {
          factor(kind, s[0], s[1], false, beta);
        }
      }
      factor(StatisticsTask.SECOND_MOMENT, s[0], s[1], true, 0.25f);
    }
    factor(StatisticsTask.SECOND_MOMENT, 1, 4, true, 0f);
    factor(StatisticsTask.MEAN, 1, 4, false, 1f);
  }

  private void factor(int kind, int rows, int cols, boolean bias, float beta) {
    int d = bias ? cols + 1 : cols;
    float[] x = normals(rows * cols);
    float[] f = normals(d * d);
    if (beta == 0) {
      Arrays.fill(f, Float.NaN);
    }
    float[] rounded = x.clone();
    Bf16Buffer half = own(backend.allocateBf16(x.length));
    half.upload(0, x, 0, x.length);
    half.download(0, rounded, 0, x.length);
    for (RealMatrix matrix : new RealMatrix[] {matrix(x, rows, cols), nativeMatrix(x, rows, cols), Bf16Matrix.of(half, rows, cols)}) {
      F32Matrix target = matrix(f, d, d);
      assertThat(kfac.factorUpdate(kind, matrix, bias, 0.3f, beta, target, null, 0)).isEqualTo(-1);
      double[] expected = new double[d * d];
      double[] bound = new double[d * d];
      statistics(kind, matrix instanceof Bf16Matrix ? rounded : x, rows, cols, 1, bias, 0.3f, beta, f, expected, bound);
      float[] result = values(target);
      assertClose(result, expected, bound);
      assertSymmetric(result, d);
    }
  }

  @Test
  void integersAreExactAndBadElementsLeaveTheFactorAlone() {
    int rows = 3000;
    int cols = 20;
    float[] x = new float[rows * cols];
    for (int i = 0; i < x.length; i++) {
      x[i] = random.nextInt(17) - 8;
    }
    F32Matrix f = matrix(new float[cols * cols], cols, cols);
    assertThat(kfac.factorUpdate(0, matrix(x, rows, cols), false, 1f, 0f, f, null, 0)).isEqualTo(-1);
    double[] expected = new double[cols * cols];
    statistics(0, x, rows, cols, 1, false, 1, 0, null, expected, new double[cols * cols]);
    assertClose(values(f), expected, new double[cols * cols]);
    float[] before = values(f);
    for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
      float[] broken = x.clone();
      broken[2999 * cols + 3] = bad;
      broken[1234 * cols + 19] = bad;
      assertThat(kfac.factorUpdate(0, matrix(broken, rows, cols), false, 1f, 0.5f, f, null, 0)).isEqualTo(1234 * cols + 19);
      assertThat(values(f)).isEqualTo(before);
    }
  }

  @Test
  void patches() {
    Conv2dShape[] shapes = {
      Conv2dShape.of(3, 4, 6, 5, 1, 3, 1, 1),
      new Conv2dShape(5, 6, 7, 8, 3, 2, 3, 2, 1, 1, 2, 1, 2, 3),
      new Conv2dShape(2, 2, 5, 5, 2, 1, 5, 1, 3, 4, 0, 3, 1, 2),
      Conv2dShape.of(4, 30, 4, 4, 1, 1, 1, 0),
    };
    for (Conv2dShape g : shapes) {
      for (Sharing sharing : Sharing.values()) {
        for (boolean bias : new boolean[] {false, true}) {
          patches(new Im2colShape(g, sharing), bias);
        }
      }
    }
  }

  private void patches(Im2colShape shape, boolean bias) {
    Conv2dShape g = shape.geometry();
    int positions = (int) shape.positions();
    int cols = shape.cols();
    float[] x = normals(g.batch() * g.inputs());
    boolean expand = shape.sharing() == Sharing.EXPAND;
    int rows = (int) shape.rows() * g.groups();
    float[] all = new float[rows * cols];
    int kernel = g.kernelHeight() * g.kernelWidth();
    for (int group = 0; group < g.groups(); group++) {
      for (int item = 0; item < g.batch(); item++) {
        for (int c = 0; c < cols; c++) {
          int channel = group * (g.channels() / g.groups()) + c / kernel;
          int ky = c % kernel / g.kernelWidth();
          int kx = c % g.kernelWidth();
          double sum = 0;
          for (int p = 0; p < positions; p++) {
            int py = p / g.outWidth() * g.strideHeight() - g.padHeight() + ky * g.dilationHeight();
            int px = p % g.outWidth() * g.strideWidth() - g.padWidth() + kx * g.dilationWidth();
            boolean inside = py >= 0 && py < g.height() && px >= 0 && px < g.width();
            float value = inside ? x[((item * g.channels() + channel) * g.height() + py) * g.width() + px] : 0f;
            sum += value;
            if (expand) {
              all[((group * g.batch() + item) * positions + p) * cols + c] = value;
            }
          }
          if (!expand) {
            all[(group * g.batch() + item) * cols + c] = (float) (shape.sharing() == Sharing.REDUCE_MEAN ? sum / positions : sum);
          }
        }
      }
    }
    int d = bias ? cols + 1 : cols;
    float[] f = normals(d * d);
    F32Matrix target = matrix(f, d, d);
    assertThat(kfac.im2colFactorUpdate(shape, (BufferImpl) buffer(x), bias, 0.7f, 0.5f, target, null, 0)).isEqualTo(-1);
    double[] expected = new double[d * d];
    double[] bound = new double[d * d];
    double one = shape.sharing() == Sharing.REDUCE_SUM ? positions : 1;
    statistics(0, all, rows, cols, one, bias, 0.7f, 0.5, f, expected, bound);
    assertClose(values(target), expected, bound);
    float[] before = values(target);
    x[x.length - 2] = Float.NaN;
    assertThat(kfac.im2colFactorUpdate(shape, (BufferImpl) buffer(x), bias, 0.7f, 0.5f, target, null, 0)).isEqualTo(x.length - 2);
    assertThat(values(target)).isEqualTo(before);
  }

  /** Lower triangle of gI + XX'/m, above it NaN. */
  private float[] gaussian(int n, int m, double shift) {
    float[] x = normals(n * m);
    float[] a = new float[n * n];
    Arrays.fill(a, Float.NaN);
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        double sum = i == j ? shift : 0;
        for (int k = 0; k < m; k++) {
          sum += (double) x[i * m + k] * x[j * m + k] / m;
        }
        a[i * n + j] = (float) sum;
      }
    }
    return a;
  }

  private static float[] lehmer(int n) {
    float[] a = new float[n * n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        a[i * n + j] = (float) ((Math.min(i, j) + 1.0) / (Math.max(i, j) + 1.0));
      }
    }
    return a;
  }

  private static SpdTable table(F32Matrix m, double damping, F32Matrix out) {
    SpdTable table = new SpdTable();
    table.add(m, damping, out, m.rows());
    return table;
  }

  /** norm1(I - M X) / (norm1(M) norm1(X) u). */
  private static double ratio(float[] lower, double damping, float[] x, int n) {
    double norm = 0;
    double inverseNorm = 0;
    double worst = 0;
    double[] m = new double[n * n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        m[i * n + j] = i == j ? (float) (lower[i * n + i] + damping) : lower[Math.max(i, j) * n + Math.min(i, j)];
      }
    }
    double[] columns = new double[n];
    for (int i = 0; i < n; i++) {
      double[] row = new double[n];
      double sum = 0;
      double inverseSum = 0;
      for (int k = 0; k < n; k++) {
        sum += Math.abs(m[i * n + k]);
        inverseSum += Math.abs(x[i * n + k]);
        for (int j = 0; j < n; j++) {
          row[j] += m[i * n + k] * x[k * n + j];
        }
      }
      for (int j = 0; j < n; j++) {
        columns[j] += Math.abs((i == j ? 1 : 0) - row[j]);
      }
      norm = Math.max(norm, sum);
      inverseNorm = Math.max(inverseNorm, inverseSum);
    }
    for (double c : columns) {
      worst = Math.max(worst, c);
    }
    return worst / (norm * inverseNorm * U);
  }

  @Test
  void inverse() {
    for (int n : new int[] {1, 2, 3, 7, 16, 31, 32, 33, 64, 100, 257}) {
      for (boolean inDouble : new boolean[] {false, true}) {
        inverse(gaussian(n, 2 * n, 0), n, 1e-2, inDouble);
        inverse(gaussian(n, (n + 7) / 8, 0), n, 1e-3, inDouble);
        inverse(lehmer(n), n, 0, inDouble);
      }
    }
  }

  /** Equal elements round alike, so their errors add up where sums are long. */
  @Test
  void inverseOfEqualElements() {
    int n = 512;
    float[] a = new float[n * n];
    Arrays.fill(a, 0.7f);
    inverse(a, n, 1.5, false);
  }

  private void inverse(float[] a, int n, double damping, boolean inDouble) {
    F32Matrix m = matrix(a, n, n);
    F32Matrix out = matrix(new float[n * n], n, n);
    SpdTable table = table(m, damping, out);
    kfac.spdInverse(table, TOLERANCE, inDouble, null, 0);
    assertThat(table.status(0)).isEqualTo(0);
    float[] x = values(out);
    assertSymmetric(x, n);
    assertThat(ratio(a, damping, x, n)).isLessThan(10);
    assertThat(table.residual(0)).isBetween(0.0, TOLERANCE);
    assertThat(table.cond1(0)).isGreaterThan(0.99);
    assertThat(values(m)).isEqualTo(a);
    kfac.spdInverse(table(m, damping, m), TOLERANCE, inDouble, null, 0);
    assertThat(values(m)).isEqualTo(x);
    F32Matrix direct = nativeMatrix(a, n, n);
    kfac.spdInverse(table(direct, damping, direct), TOLERANCE, inDouble, null, 0);
    assertThat(values(direct)).isEqualTo(x);
  }

  @Test
  void oneBadMatrixDisturbsNoOther() {
    int[] sizes = {5, 64, 1, 100, 33, 0, 40, 70, 530, 300};
    int count = sizes.length;
    float[][] alone = new float[count][];
    float[][] input = new float[count][];
    for (int i = 0; i < count; i++) {
      input[i] = gaussian(sizes[i], 2 * sizes[i], 0.1);
      F32Matrix out = matrix(new float[sizes[i] * sizes[i]], sizes[i], sizes[i]);
      kfac.spdInverse(table(matrix(input[i], sizes[i], sizes[i]), 0.5, out), TOLERANCE, false, null, 0);
      alone[i] = values(out);
    }
    input[1][63 * 64 + 2] = Float.NaN;
    input[4][20 * 33 + 20] = -1f;
    for (int threads = 1; threads <= 3; threads++) {
      Backend other = open(threads);
      SpdTable table = new SpdTable();
      F32Matrix[] out = new F32Matrix[count];
      for (int i = 0; i < count; i++) {
        float[] nines = new float[sizes[i] * sizes[i]];
        Arrays.fill(nines, 9f);
        out[i] = matrix(other, nines, sizes[i], sizes[i]);
        table.add(matrix(other, input[i], sizes[i], sizes[i]), i == 6 ? -1 : 0.5, out[i], sizes[i]);
      }
      provider(other).spdInverse(table, TOLERANCE, false, null, 0);
      for (int i = 0; i < count; i++) {
        boolean bad = i == 1 || i == 4 || i == 6;
        assertThat(table.status(i)).isEqualTo(i == 1 ? -2 : i == 4 ? 21 : i == 6 ? -1 : 0);
        if (bad) {
          assertThat(values(out[i])).containsOnly(9f);
        } else {
          assertThat(values(out[i])).isEqualTo(alone[i]);
        }
      }
      assertThat(table.index(1)).isEqualTo(63 * 64 + 2);
      assertThat(table.pivot(4)).isNegative();
    }
  }

  @Test
  void statuses() {
    status(new float[] {1, 2, 2, 1}, 2, 0, 2);
    status(new float[] {-1, 0, 0, -1}, 2, 0, 1);
    status(new float[] {Float.POSITIVE_INFINITY}, 1, 0, -2);
    status(new float[] {Float.MAX_VALUE}, 1, 1e38, -2);
    status(new float[] {1}, 1, Double.NaN, -1);
    status(new float[] {1}, 1, Double.POSITIVE_INFINITY, -1);
    int n = 16;
    float[] moler = new float[n * n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        moler[i * n + j] = i == j ? i + 1 : Math.min(i, j) - 1;
      }
    }
    SpdTable table = status(moler, n, 0, -3);
    assertThat(table.residual(0)).isGreaterThan(TOLERANCE);
    assertThat(table.flags(0)).isEqualTo(3);
    F32Matrix out = matrix(new float[n * n], n, n);
    SpdTable inDouble = table(matrix(moler, n, n), 0, out);
    kfac.spdInverse(inDouble, TOLERANCE, true, null, 0);
    assertThat(inDouble.status(0)).isEqualTo(0);
    for (int zero : new int[] {0, 20, 49}) {
      float[] a = gaussian(50, 100, 0.5);
      for (int k = 0; k < 50; k++) {
        a[Math.max(zero, k) * 50 + Math.min(zero, k)] = 0;
      }
      status(a, 50, 0, zero + 1);
    }
  }

  private SpdTable status(float[] a, int n, double damping, int status) {
    F32Matrix out = matrix(a, n, n);
    SpdTable table = table(matrix(a, n, n), damping, out);
    kfac.spdInverse(table, TOLERANCE, false, null, 0);
    assertThat(table.status(0)).isEqualTo(status);
    assertThat(values(out)).isEqualTo(a);
    return table;
  }

  @Test
  void choleskyAndTriangles() {
    for (int n : new int[] {1, 2, 31, 65, 130}) {
      float[] a = gaussian(n, 2 * n, 0);
      F32Matrix m = matrix(a, n, n);
      F32Matrix out = matrix(new float[n * n], n, n);
      SpdStatus status = kfac.dampedCholesky(m, 0.25, out, null, 0);
      assertThat(status).isEqualTo(new SpdStatus(0, 0, 0));
      float[] l = values(out);
      double norm = 0;
      double worst = 0;
      for (int i = 0; i < n; i++) {
        double sum = 0;
        double error = 0;
        for (int j = 0; j < n; j++) {
          if (j > i) {
            assertThat(l[i * n + j]).isEqualTo(0f);
          }
          double product = 0;
          for (int k = 0; k <= Math.min(i, j); k++) {
            product += (double) l[i * n + k] * l[j * n + k];
          }
          double exact = a[Math.max(i, j) * n + Math.min(i, j)] + (i == j ? 0.25 : 0);
          sum += Math.abs(exact);
          error += Math.abs(exact - product);
        }
        norm = Math.max(norm, sum);
        worst = Math.max(worst, error);
      }
      assertThat(worst / (norm * U)).isLessThan(10);
      triangle(l, n);
    }
    F32Matrix nothing = matrix(new float[] {5, 5, 5, 5}, 2, 2);
    assertThat(kfac.dampedCholesky(matrix(new float[] {1, 9, 2, 1}, 2, 2), 0, nothing, null, 0).status()).isEqualTo(2);
    assertThat(kfac.dampedCholesky(matrix(new float[] {1, 9, Float.NaN, 1}, 2, 2), 0, nothing, null, 0)).isEqualTo(new SpdStatus(-2, 0, 2));
    assertThat(kfac.triangularInverse(matrix(new float[] {1, 9, 2, 0}, 2, 2), nothing, 0)).isEqualTo(2);
    assertThat(kfac.triangularSolve(matrix(new float[] {Float.NaN, 9, 2, 0}, 2, 2), false, nothing, 0)).isEqualTo(1);
    assertThat(values(nothing)).containsOnly(5f);
  }

  private void triangle(float[] l, int n) {
    F32Matrix m = matrix(l, n, n);
    F32Matrix out = matrix(l, n, n);
    assertThat(kfac.triangularInverse(m, out, 0)).isEqualTo(0);
    float[] inverse = values(out);
    F32Matrix inPlace = matrix(l, n, n);
    assertThat(kfac.triangularInverse(inPlace, inPlace, 0)).isEqualTo(0);
    assertThat(values(inPlace)).isEqualTo(inverse);
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        double product = 0;
        double size = 0;
        for (int k = j; k <= i; k++) {
          product += (double) inverse[i * n + k] * l[k * n + j];
          size += Math.abs(inverse[i * n + k] * l[k * n + j]);
        }
        assertThat(Math.abs(product - (i == j ? 1 : 0))).isLessThanOrEqualTo((n + 4) * U * size);
      }
    }
    for (int columns : new int[] {1, 20, 1030}) {
      for (boolean transposed : new boolean[] {false, true}) {
        float[] b = normals(n * columns);
        F32Matrix x = matrix(b, n, columns);
        assertThat(kfac.triangularSolve(m, transposed, x, 0)).isEqualTo(0);
        float[] solution = values(x);
        double[] expected = new double[n * columns];
        double[] bound = new double[n * columns];
        float[] back = new float[n * columns];
        for (int i = 0; i < n; i++) {
          for (int k = 0; k < n; k++) {
            double f = transposed ? l[k * n + i] : l[i * n + k];
            for (int j = 0; j < columns; j++) {
              expected[i * columns + j] += f * solution[k * columns + j];
              bound[i * columns + j] += (n + 4) * U * Math.abs(f * solution[k * columns + j]);
            }
          }
        }
        System.arraycopy(b, 0, back, 0, b.length);
        assertClose(back, expected, bound);
      }
    }
  }

  @Test
  void productsAndPenalty() {
    int[][] shapes = {{1, 1}, {5, 3}, {70, 300}, {300, 20}};
    KroneckerTable table = new KroneckerTable();
    double value = 0;
    double absolute = 0;
    F32Matrix[] outs = new F32Matrix[shapes.length];
    double[][] expected = new double[shapes.length][];
    double[][] bound = new double[shapes.length][];
    F32Matrix[] gradients = new F32Matrix[shapes.length];
    double[][] expectedGradient = new double[shapes.length][];
    double[][] gradientBound = new double[shapes.length][];
    KroneckerTable terms = new KroneckerTable();
    for (int s = 0; s < shapes.length; s++) {
      int m = shapes[s][0];
      int k = shapes[s][1];
      float[] g = symmetric(m);
      float[] a = symmetric(k);
      float[] w = normals(m * k);
      float[] anchor = normals(m * k);
      float[] gradient = normals(m * k);
      double weight = s % 2 == 0 ? 0.7 : -0.4;
      KroneckerPair pair = new KroneckerPair(matrix(g, m, m), nativeMatrix(a, k, k));
      outs[s] = matrix(new float[m * k], m, k);
      table.add(pair, matrix(w, m, k), null, outs[s], 0);
      gradients[s] = s == 1 ? null : matrix(gradient, m, k);
      terms.add(pair, matrix(w, m, k), matrix(anchor, m, k), gradients[s], weight);
      expected[s] = new double[m * k];
      bound[s] = new double[m * k];
      product(g, w, a, m, k, expected[s], bound[s]);
      float[] difference = new float[m * k];
      for (int i = 0; i < m * k; i++) {
        difference[i] = w[i] - anchor[i];
      }
      expectedGradient[s] = new double[m * k];
      gradientBound[s] = new double[m * k];
      product(g, difference, a, m, k, expectedGradient[s], gradientBound[s]);
      double dot = 0;
      for (int i = 0; i < m * k; i++) {
        dot += difference[i] * expectedGradient[s][i];
        expectedGradient[s][i] = gradient[i] + weight * expectedGradient[s][i];
        gradientBound[s][i] += 4 * U * Math.abs(expectedGradient[s][i]);
      }
      value += weight / 2 * dot;
      absolute += Math.abs(weight / 2 * dot);
    }
    kfac.kroneckerProducts(table, null, 0);
    double[] sums = new double[2];
    kfac.kroneckerPenalty(terms, sums, null, 0);
    for (int s = 0; s < shapes.length; s++) {
      assertClose(values(outs[s]), expected[s], bound[s]);
      if (gradients[s] != null) {
        assertClose(values(gradients[s]), expectedGradient[s], gradientBound[s]);
      }
    }
    assertThat(Math.abs(sums[0] - value)).isLessThanOrEqualTo(1e-4 * absolute);
    assertThat(Math.abs(sums[1] - absolute)).isLessThanOrEqualTo(1e-4 * absolute);
  }

  private float[] symmetric(int n) {
    float[] x = normals(n * n);
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < i; j++) {
        x[j * n + i] = x[i * n + j];
      }
    }
    return x;
  }

  private static void product(float[] g, float[] w, float[] a, int m, int k, double[] expected, double[] bound) {
    double[] half = new double[m * k];
    double[] size = new double[m * k];
    for (int i = 0; i < m; i++) {
      for (int p = 0; p < k; p++) {
        for (int j = 0; j < k; j++) {
          half[i * k + j] += (double) w[i * k + p] * a[p * k + j];
          size[i * k + j] += Math.abs((double) w[i * k + p] * a[p * k + j]);
        }
      }
    }
    for (int i = 0; i < m; i++) {
      for (int p = 0; p < m; p++) {
        for (int j = 0; j < k; j++) {
          expected[i * k + j] += g[i * m + p] * half[p * k + j];
          bound[i * k + j] += (m + k + 4) * U * Math.abs(g[i * m + p]) * size[p * k + j];
        }
      }
    }
  }

  @Test
  void pieces() {
    float[] x = normals(6 * 9);
    float[] y = normals(6 * 9);
    F32Matrix mx = matrix(x, 6, 9);
    F32Matrix my = nativeMatrix(y, 6, 9);
    F32Matrix out = matrix(x, 6, 9);
    double[] traces = new double[2];
    kfac.traces(List.of(mx, my), traces, 0);
    double trace = 0;
    double dot = 0;
    for (int i = 0; i < 6; i++) {
      trace += x[i * 9 + i];
    }
    for (int i = 0; i < x.length; i++) {
      dot += (double) x[i] * y[i];
    }
    assertThat(traces[0]).isEqualTo(trace);
    assertThat(kfac.innerProducts(List.of(mx, mx), List.of(my, my), 0)).isBetween(2 * dot - 1e-12, 2 * dot + 1e-12);
    kfac.combine(2f, mx, -0.3f, my, out, 0);
    float[] sum = values(out);
    for (int i = 0; i < x.length; i++) {
      assertThat(sum[i]).isEqualTo(2f * x[i] + -0.3f * y[i]);
    }
    kfac.combine(0.1f, out, 0f, null, out, 0);
    for (int i = 0; i < x.length; i++) {
      assertThat(values(out)[i]).isEqualTo(0.1f * sum[i]);
    }
    elements(x, y);
  }

  private void elements(float[] x, float[] y) {
    float[] row = normals(6);
    float[] column = normals(9);
    for (int operation = 0; operation < 5; operation++) {
      for (float shift : new float[] {0.5f, 100f}) {
        F32Matrix t = matrix(x, 6, 9);
        long bad =
            kfac.elements(operation, (BufferImpl) buffer(row), (BufferImpl) buffer(column), matrix(y, 6, 9), shift, t, 0);
        long expectedBad = 0;
        float[] expected = new float[x.length];
        for (int i = 0; i < x.length; i++) {
          float r = row[i / 9];
          float c = column[i % 9];
          float denominator = operation == 3 ? r * c + shift : y[i] + shift;
          expectedBad += operation >= 3 && !(denominator > 0) ? 1 : 0;
          expected[i] =
              switch (operation) {
                case 0 -> x[i] * x[i];
                case 1 -> x[i] * r;
                case 2 -> x[i] * c;
                default -> x[i] / denominator;
              };
        }
        assertThat(bad).isEqualTo(expectedBad);
        assertThat(values(t)).isEqualTo(bad > 0 ? x : expected);
      }
    }
  }

  @Test
  void batchNorm() {
    int out = 5;
    int in = 11;
    float[] w = normals(out * in);
    float[] b = normals(out);
    float[] gamma = normals(out);
    float[] beta = normals(out);
    float[] mu = normals(out);
    float[] variance = {0.5f, 2f, 0f, 1e-3f, 7f};
    float eps = 1e-5f;
    F32Matrix weight = matrix(w, out, in);
    BatchNormMerge layer = new BatchNormMerge(weight, buffer(b), buffer(gamma), buffer(beta), buffer(mu), buffer(variance), eps);
    F32Matrix merged = matrix(new float[out * in], out, in);
    F32Buffer mergedBias = own(backend.allocate(out));
    assertThat(kfac.mergeBatchNorm(layer, merged, (BufferImpl) mergedBias, 0)).isEqualTo(-1);
    float[] gw = normals(out * in);
    float[] gb = normals(out);
    F32Matrix gradWeight = matrix(gw, out, in);
    F32Buffer[] v = new F32Buffer[5];
    Arrays.setAll(v, i -> own(backend.allocate(out)));
    BatchNormMergeGradients gradients = new BatchNormMergeGradients(gradWeight, v[0], v[1], v[2], v[3], v[4]);
    assertThat(kfac.mergeBatchNormBackward(layer, gradWeight, (BufferImpl) buffer(gb), gradients, 0)).isEqualTo(-1);
    for (int i = 0; i < out; i++) {
      float sigma = (float) Math.sqrt(variance[i] + eps);
      float scale = gamma[i] / sigma;
      double t = 0;
      for (int j = 0; j < in; j++) {
        assertThat(values(merged)[i * in + j]).isEqualTo(scale * w[i * in + j]);
        assertThat(values(gradWeight)[i * in + j]).isEqualTo(scale * gw[i * in + j]);
        t += (double) gw[i * in + j] * w[i * in + j];
      }
      t += gb[i] * ((double) b[i] - mu[i]);
      assertThat(first(mergedBias, i)).isEqualTo(beta[i] + scale * (b[i] - mu[i]));
      assertThat(first(v[0], i)).isEqualTo(scale * gb[i]);
      assertThat(first(v[1], i)).isEqualTo((float) (t / sigma));
      assertThat(first(v[2], i)).isEqualTo(gb[i]);
      assertThat(first(v[3], i)).isEqualTo(-scale * gb[i]);
      double dvar = -gamma[i] * t / (2 * Math.pow(sigma, 3));
      assertThat((double) first(v[4], i)).isBetween(dvar - Math.abs(dvar) * 1e-6, dvar + Math.abs(dvar) * 1e-6);
    }
    layer.variance().upload(3, new float[] {-1f}, 0, 1);
    float[] before = values(merged);
    assertThat(kfac.mergeBatchNorm(layer, merged, (BufferImpl) mergedBias, 0)).isEqualTo(3);
    assertThat(kfac.mergeBatchNormBackward(layer, gradWeight, (BufferImpl) buffer(gb), gradients, 0)).isEqualTo(3);
    assertThat(values(merged)).isEqualTo(before);
  }

  private static float first(F32Buffer buffer, int at) {
    float[] x = new float[1];
    buffer.download(at, x, 0, 1);
    return x[0];
  }
}
