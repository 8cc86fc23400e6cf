package io.metaplast.bench;

import io.metaplast.Backend;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.Workspace;
import io.metaplast.binary.Conv2dShape;
import io.metaplast.kfac.BatchNormMerge;
import io.metaplast.kfac.FactorMerge;
import io.metaplast.kfac.Im2colShape;
import io.metaplast.kfac.InverseOptions;
import io.metaplast.kfac.InverseReport;
import io.metaplast.kfac.KfacKernels;
import io.metaplast.kfac.KroneckerPair;
import io.metaplast.kfac.PenaltyTask;
import io.metaplast.kfac.PenaltyTerm;
import io.metaplast.kfac.PenaltyValue;
import io.metaplast.kfac.Sharing;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Workloads of the Kronecker family. The items are the operations of the specification's formulas, a multiplication and an addition counted as two. Results that are not the same
 * on every backend are checked against sums in double.
 */
public final class KfacWorkloads {
  /** The widths of the network of curvlinops' benchmark. */
  public static final int[] DEEP = {784, 1024, 512, 256, 128, 64, 10};

  /** The network of the continual learning experiment. */
  public static final int[] SMALL = {784, 100, 100, 10};

  /** Order and count of the factors of ResNet-50, section 9 of the family's specification. */
  private static final int[][] RESNET50 = {
    {64, 12}, {128, 12}, {147, 1}, {256, 26}, {512, 19}, {576, 3}, {1000, 1}, {1024, 14}, {1152, 4}, {2048, 6}, {2049, 1}, {2304, 6}, {4608, 3}
  };

  private static final double U = 0x1p-24;
  private static final double DECAY = 0.95;
  private static final double LAMBDA = 0.7;

  private KfacWorkloads() {}

  /** The orders of all 108 factors of ResNet-50. */
  public static int[] resnet50() {
    return Arrays.stream(RESNET50).flatMapToInt(pair -> IntStream.range(0, pair[1]).map(i -> pair[0])).toArray();
  }

  /** {@code count} times the same order. */
  public static int[] times(int count, int n) {
    int[] orders = new int[count];
    Arrays.fill(orders, n);
    return orders;
  }

  /** n^3 summed. */
  static double cubes(int... orders) {
    return Arrays.stream(orders).mapToDouble(n -> Math.pow(n, 3)).sum();
  }

  private static double squares(int... orders) {
    return Arrays.stream(orders).mapToDouble(n -> Math.pow(n, 2)).sum();
  }

  private static Workload.Factory exact(double items, double bytes, OneCall.Preparation<KfacKernels> preparation) {
    return OneCall.of(items, bytes, false, Backend::kfac, preparation);
  }

  private static Workload.Factory bounded(double items, double bytes, OneCall.Preparation<KfacKernels> preparation) {
    return OneCall.of(items, bytes, true, Backend::kfac, preparation);
  }

  /** The matrices that are inverted; the same seeds give them to the peers. */
  static List<SpdMatrix> spd(int... orders) {
    List<SpdMatrix> matrices = new ArrayList<>();
    for (int b = 0; b < orders.length; b++) {
      matrices.add(new SpdMatrix(orders[b], b));
    }
    return matrices;
  }

  /** The damped inverse of one matrix. */
  public static Workload.Factory inverse(int n) {
    return bounded(
        cubes(n),
        8 * squares(n),
        (workload, kfac) -> {
          SpdMatrix spd = spd(n).get(0);
          F32Matrix m = workload.matrix(spd);
          F32Matrix out = workload.zeros(n, n);
          Workspace workspace = workload.space(kfac.spdInverseWorkspaceBytes(n));
          return new OneCall.Prepared(
              () -> kfac.dampedSpdInverse(m, SpdMatrix.DAMPING, out, workspace, workload.stream),
              outputs -> outputs.require("inverse", spd.wrong(out.data().toArray())));
        });
  }

  /** The damped inverses of many matrices in one call. */
  public static Workload.Factory inverses(int... orders) {
    return bounded(
        cubes(orders),
        8 * squares(orders),
        (workload, kfac) -> {
          List<SpdMatrix> spd = spd(orders);
          List<F32Matrix> m = workload.rowOfZeros(orders);
          List<F32Matrix> out = workload.rowOfZeros(orders);
          for (int b = 0; b < orders.length; b++) {
            workload.fill(spd.get(b), m.get(b));
          }
          double[] damping = new double[orders.length];
          Arrays.fill(damping, SpdMatrix.DAMPING);
          InverseReport report = new InverseReport();
          Workspace workspace = workload.space(kfac.spdInverseWorkspaceBytes(orders));
          return new OneCall.Prepared(
              () -> kfac.batchedDampedSpdInverse(m, damping, out, InverseOptions.NONE, report, workspace, workload.stream),
              outputs -> {
                for (int b = 0; b < orders.length; b++) {
                  outputs.require("inverse[" + b + "]", report.status(b) == InverseReport.OK ? null : "has the status " + report.status(b));
                  outputs.require("inverse[" + b + "]", spd.get(b).wrong(out.get(b).data().toArray()));
                }
              });
        });
  }

  /** factor = X^T X/rows; a bias coordinate on request. */
  public static Workload.Factory factorUpdate(int rows, int cols, boolean bias) {
    int d = bias ? cols + 1 : cols;
    return bounded(
        (double) rows * d * d,
        4.0 * rows * cols + 4.0 * d * d,
        (workload, kfac) -> {
          float[] values = factorData(rows, cols);
          F32Matrix x = workload.matrix(values, rows, cols);
          F32Matrix factor = workload.zeros(d, d);
          Workspace workspace = workload.space(kfac.kroneckerFactorWorkspaceBytes(rows, cols, bias));
          return new OneCall.Prepared(
              () -> kfac.kroneckerFactorUpdate(x, bias, 1.0 / rows, 0, factor, workspace, workload.stream),
              outputs -> outputs.require("factor", wrongFactor(rows, cols, d, values, factor.data().toArray())));
        });
  }

  static float[] factorData(int rows, int cols) {
    return new HostData(31).normal(rows * cols, 1);
  }

  /** What is wrong with 64 elements spread over the factor, against sums in double and the bound (rows+3) u |X|^T|X|/rows; null if nothing. */
  static String wrongFactor(int rows, int cols, int d, float[] x, float[] factor) {
    for (int probe = 0; probe < 64; probe++) {
      int i = (int) (probe * 2654435761L % d);
      int j = (int) (probe * 40503L * 31 % d);
      double sum = 0;
      double size = 0;
      for (int r = 0; r < rows; r++) {
        double term = (i < cols ? x[r * cols + i] : 1.0) * (j < cols ? x[r * cols + j] : 1.0);
        sum += term;
        size += Math.abs(term);
      }
      if (!(Math.abs(factor[i * d + j] - sum / rows) <= (rows + 3) * U * size / rows) || factor[i * d + j] != factor[j * d + i]) {
        return "(" + i + ", " + j + ") is " + factor[i * d + j] + " instead of " + sum / rows;
      }
    }
    return null;
  }

  /** Moving average of the input factor of a 3 x 3 convolution without materialised patches. */
  public static Workload.Factory im2colFactor(int batch, int channels, int size) {
    Im2colShape shape = new Im2colShape(Conv2dShape.of(batch, channels, size, size, 1, 3, 1, 1), Sharing.EXPAND);
    int d = shape.cols();
    double rows = shape.rows();
    return exact(
        rows * d * d,
        4.0 * batch * channels * size * size + 12.0 * d * d,
        (workload, kfac) -> {
          // Small integers: the sums are exact, and the bits the same everywhere.
          int[] integers = new HostData(32).integers(batch * channels * size * size, 17);
          float[] values = new float[integers.length];
          for (int i = 0; i < values.length; i++) {
            values[i] = integers[i] - 8;
          }
          F32Buffer x = workload.buffer(values, values.length);
          F32Matrix factor = workload.zeros(d, d);
          Workspace workspace = workload.space(kfac.im2colFactorWorkspaceBytes(shape, false));
          return new OneCall.Prepared(
              () -> kfac.im2colFactorUpdate(x, shape, false, (1 - DECAY) / rows, DECAY, factor, workspace, workload.stream),
              outputs -> outputs.add("factor", factor.data()));
        });
  }

  /** A layer of a network, on the host: weights [m][k], factors as {@link SpdMatrix}, k with the bias coordinate. */
  record Layer(int m, int k, float[] w, float[] anchor, float[] g, float[] a) {
    static List<Layer> of(int... widths) {
      List<Layer> layers = new ArrayList<>();
      for (int l = 0; l + 1 < widths.length; l++) {
        int m = widths[l + 1];
        int k = widths[l] + 1;
        HostData data = new HostData(40 + l);
        layers.add(
            new Layer(m, k, data.normal(m * k, 0.1), data.normal(m * k, 0.1), new SpdMatrix(m, 50 + l).all(), new SpdMatrix(k, 70 + l).all()));
      }
      return layers;
    }

    /**
     * What is wrong with 16 elements of scale G V A, sums in double, bound (m+k+slack) u |G| |V| |A|; null if nothing.
     *
     * @param minus subtracted from the weights, or null
     */
    String wrongProduct(float[] out, float[] minus, double scale, int slack) {
      for (int probe = 0; probe < 16; probe++) {
        int i = (int) (probe * 2654435761L % m);
        int j = (int) (probe * 40503L * 31 % k);
        double sum = 0;
        double size = 0;
        for (int p = 0; p < m; p++) {
          double inner = 0;
          double innerSize = 0;
          for (int q = 0; q < k; q++) {
            float v = minus == null ? w[p * k + q] : w[p * k + q] - minus[p * k + q];
            inner += (double) v * a[q * k + j];
            innerSize += Math.abs((double) v * a[q * k + j]);
          }
          sum += g[i * m + p] * inner;
          size += Math.abs(g[i * m + p]) * innerSize;
        }
        if (!(Math.abs(out[i * k + j] - scale * sum) <= (m + k + slack) * U * scale * size)) {
          return m + " x " + k + " at (" + i + ", " + j + ") is " + out[i * k + j] + " instead of " + scale * sum;
        }
      }
      return null;
    }
  }

  static double productOperations(int... widths) {
    double sum = 0;
    for (int l = 0; l + 1 < widths.length; l++) {
      double m = widths[l + 1];
      double k = widths[l] + 1;
      sum += 2 * m * k * (m + k);
    }
    return sum;
  }

  private static double productBytes(int matrices, int... widths) {
    double sum = 0;
    for (int l = 0; l + 1 < widths.length; l++) {
      double m = widths[l + 1];
      double k = widths[l] + 1;
      sum += 4 * (m * m + k * k + matrices * m * k);
    }
    return sum;
  }

  /** Preconditioning of all layers of a network. */
  public static Workload.Factory precondition(int... widths) {
    return bounded(
        productOperations(widths),
        productBytes(2, widths),
        (workload, kfac) -> {
          List<Layer> layers = Layer.of(widths);
          List<F32Matrix> gradients = layers.stream().map(layer -> workload.matrix(layer.w, layer.m, layer.k)).toList();
          List<KroneckerPair> inverses = pairs(workload, layers);
          List<F32Matrix> out = layers.stream().map(layer -> workload.zeros(layer.m, layer.k)).toList();
          Workspace workspace = workload.space(kfac.kroneckerPreconditionWorkspaceBytes(gradients));
          return new OneCall.Prepared(
              () -> kfac.kroneckerPrecondition(inverses, gradients, out, workspace, workload.stream),
              outputs -> {
                for (int l = 0; l < layers.size(); l++) {
                  outputs.require("out[" + l + "]", layers.get(l).wrongProduct(out.get(l).data().toArray(), null, 1, 4));
                }
              });
        });
  }

  private static List<KroneckerPair> pairs(OneCall workload, List<Layer> layers) {
    return layers.stream()
        .map(layer -> new KroneckerPair(workload.matrix(layer.g, layer.m, layer.m), workload.matrix(layer.a, layer.k, layer.k))).toList();
  }

  /** Value and gradient of the quadratic penalty of one task over all layers of a network; gradients add up from call to call. */
  public static Workload.Factory penalty(int... widths) {
    return bounded(
        productOperations(widths),
        productBytes(4, widths),
        (workload, kfac) -> {
          List<Layer> layers = Layer.of(widths);
          List<F32Matrix> weights = layers.stream().map(layer -> workload.matrix(layer.w, layer.m, layer.k)).toList();
          List<F32Matrix> anchors = layers.stream().map(layer -> workload.matrix(layer.anchor, layer.m, layer.k)).toList();
          List<F32Matrix> gradients = layers.stream().map(layer -> workload.zeros(layer.m, layer.k)).toList();
          List<List<PenaltyTerm>> terms = pairs(workload, layers).stream().map(pair -> List.of(new PenaltyTerm(pair, 1))).toList();
          List<PenaltyTask> tasks = List.of(new PenaltyTask(LAMBDA, anchors, terms));
          Workspace workspace = workload.space(kfac.kroneckerPenaltyWorkspaceBytes(tasks, weights));
          PenaltyValue[] value = new PenaltyValue[1];
          return new OneCall.Prepared(
              () -> value[0] = kfac.kroneckerQuadraticPenalty(tasks, weights, gradients, workspace, workload.stream),
              outputs -> {
                outputs.require("value", value[0].value() > 0 ? null : "is " + value[0].value());
                for (int l = 0; l < layers.size(); l++) {
                  Layer layer = layers.get(l);
                  outputs.require(
                      "gradient[" + l + "]", layer.wrongProduct(gradients.get(l).data().toArray(), layer.anchor, (float) LAMBDA, 6));
                }
              });
        });
  }

  static double lambda() {
    return LAMBDA;
  }

  /** Two pairs of factors merged to one, trace-minimising. */
  public static Workload.Factory merge(int m, int k) {
    return exact(
        2 * squares(m, k),
        12 * squares(m, k),
        (workload, kfac) -> {
          KroneckerPair first = new KroneckerPair(workload.matrix(new SpdMatrix(m, 1)), workload.matrix(new SpdMatrix(k, 2)));
          KroneckerPair second = new KroneckerPair(workload.matrix(new SpdMatrix(m, 3)), workload.matrix(new SpdMatrix(k, 4)));
          KroneckerPair out = new KroneckerPair(workload.zeros(m, m), workload.zeros(k, k));
          return new OneCall.Prepared(
              () -> kfac.mergeKroneckerFactors(first, second, FactorMerge.traceMinimising(1), out, workload.stream),
              outputs -> {
                outputs.add("g", out.g().data());
                outputs.add("a", out.a().data());
              });
        });
  }

  /** Eigenvalues and eigenvectors; on the host on every backend. */
  public static Workload.Factory eigen(int n) {
    return bounded(
        9 * cubes(n),
        12 * squares(n),
        (workload, kfac) -> {
          SpdMatrix spd = new SpdMatrix(n, 5);
          F32Matrix m = workload.matrix(spd);
          F32Buffer values = workload.own(workload.backend.allocate(n));
          F32Matrix vectors = workload.zeros(n, n);
          return new OneCall.Prepared(
              () -> kfac.symmetricEigen(m, values, vectors, workload.stream),
              outputs -> outputs.require("eigenvectors", wrongEigen(n, spd.all(), values.toArray(), vectors.data().toArray())));
        });
  }

  /** What is wrong with norm1(M Q - Q L) <= 10 n u norm1(M), for 4 columns; null if nothing. */
  static String wrongEigen(int n, float[] m, float[] values, float[] vectors) {
    double norm = 0;
    for (int i = 0; i < n; i++) {
      double size = 0;
      for (int j = 0; j < n; j++) {
        size += Math.abs(m[i * n + j]);
      }
      norm = Math.max(norm, size);
    }
    for (int c = 0; c < n; c += Math.max(1, n / 4)) {
      double residual = 0;
      for (int i = 0; i < n; i++) {
        double sum = 0;
        for (int j = 0; j < n; j++) {
          sum += (double) m[i * n + j] * vectors[j * n + c];
        }
        residual += Math.abs(sum - (double) values[c] * vectors[i * n + c]);
      }
      if (!(residual <= 10 * n * U * norm)) {
        return "column " + c + " of M Q - Q L has the size " + residual + ", allowed are " + 10 * n * U * norm;
      }
    }
    return null;
  }

  /** Cholesky factor of a damped matrix. */
  public static Workload.Factory cholesky(int n) {
    return bounded(
        cubes(n) / 3,
        8 * squares(n),
        (workload, kfac) -> {
          SpdMatrix spd = new SpdMatrix(n, 6);
          F32Matrix m = workload.matrix(spd);
          F32Matrix l = workload.zeros(n, n);
          Workspace workspace = workload.space(kfac.choleskyWorkspaceBytes(n));
          return new OneCall.Prepared(
              () -> kfac.dampedCholesky(m, SpdMatrix.DAMPING, l, workspace, workload.stream),
              outputs -> outputs.require("factor", wrongCholesky(n, spd.all(), l.data().toArray())));
        });
  }

  /** What is wrong with rows of L L^T, norm1(L L^T - M) <= 10 u norm1(M) for 4 of them; null if nothing. */
  static String wrongCholesky(int n, float[] m, float[] l) {
    double norm = 0;
    for (int i = 0; i < n; i++) {
      m[i * n + i] = (float) (m[i * n + i] + SpdMatrix.DAMPING);
      double size = 0;
      for (int j = 0; j < n; j++) {
        size += Math.abs(m[i * n + j]);
      }
      norm = Math.max(norm, size);
    }
    for (int i = 0; i < n; i += Math.max(1, n / 4)) {
      double residual = 0;
      for (int j = 0; j < n; j++) {
        double sum = 0;
        for (int k = 0; k <= Math.min(i, j); k++) {
          sum += (double) l[i * n + k] * l[j * n + k];
        }
        residual += Math.abs(sum - m[i * n + j]);
      }
      if (!(residual <= 10 * U * norm)) {
        return "row " + i + " of L L^T - M has the size " + residual + ", allowed are " + 10 * U * norm;
      }
    }
    return null;
  }

  /** Batch norm merged into the layer before it. */
  public static Workload.Factory batchNormMerge(int out, int in) {
    return exact(
        (double) out * in,
        8.0 * out * in,
        (workload, kfac) -> {
          HostData data = new HostData(33);
          F32Matrix w = workload.matrix(data.normal(out * in, 0.1), out, in);
          F32Buffer bias = workload.buffer(data.normal(out, 1), out);
          F32Buffer gamma = workload.buffer(data.normal(out, 1), out);
          F32Buffer beta = workload.buffer(data.normal(out, 1), out);
          F32Buffer mean = workload.buffer(data.normal(out, 1), out);
          F32Buffer variance = workload.buffer(data.between(out, 0.1, 2), out);
          BatchNormMerge layer = new BatchNormMerge(w, bias, gamma, beta, mean, variance, 1e-5);
          F32Matrix merged = workload.zeros(out, in);
          F32Buffer mergedBias = workload.own(workload.backend.allocate(out));
          return new OneCall.Prepared(
              () -> kfac.mergeBatchNorm(layer, merged, mergedBias, workload.stream),
              outputs -> {
                outputs.add("weight", merged.data());
                outputs.add("bias", mergedBias);
              });
        });
  }
}
