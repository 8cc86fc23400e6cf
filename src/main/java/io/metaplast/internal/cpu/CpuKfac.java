package io.metaplast.internal.cpu;

import io.metaplast.Bf16Matrix;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.KernelException;
import io.metaplast.RealMatrix;
import io.metaplast.internal.BufferImpl;
import io.metaplast.internal.spi.ConvTable;
import io.metaplast.internal.spi.KfacProvider;
import io.metaplast.internal.spi.KroneckerTable;
import io.metaplast.internal.spi.MatrixTable;
import io.metaplast.internal.spi.SpdStatus;
import io.metaplast.internal.spi.SpdTable;
import io.metaplast.kfac.BatchNormMerge;
import io.metaplast.kfac.BatchNormMergeGradients;
import io.metaplast.kfac.Im2colShape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * The kernels of Kronecker-factored curvature of the CPU library, one native call each. Operands stay reachable during a call: the layer above holds their memory, and the thread its
 * tables.
 */
final class CpuKfac implements KfacProvider {
  private static final int F32 = 0; // METAPLAST_F32
  private static final int BF16 = 1; // METAPLAST_BF16
  private static final int E_NOT_FINITE = 4; // METAPLAST_E_NOT_FINITE

  /** A thread's native place for the index of an element. */
  private static final ThreadLocal<ByteBuffer> INDEX =
      ThreadLocal.withInitial(() -> ByteBuffer.allocateDirect(Long.BYTES).order(ByteOrder.nativeOrder()));

  private final long context;

  CpuKfac(long context) {
    this.context = context;
  }

  private static void check(String kernel, int status) {
    if (status != 0) {
      throw new KernelException(kernel + " failed with status " + status, status, 0, "");
    }
  }

  private static int flag(boolean on) {
    return on ? 1 : 0;
  }

  /** -1, or what lies in {@code index} when the call met something that is not finite. */
  private static long place(String kernel, ByteBuffer index, int status) {
    if (status == E_NOT_FINITE) {
      return index.getLong(0);
    }
    check(kernel, status);
    return -1;
  }

  /** Address of the shape as the C ABI wants it; good until this thread's next call. The order of the constants of Sharing is that of METAPLAST_SHARING_*. */
  private static long convolution(Im2colShape shape) {
    return CpuBindings.addressOf(ConvTable.OF_THREAD.get().put(shape.geometry()));
  }

  private static long address(F32Buffer bufferOrNull) {
    return address((BufferImpl) bufferOrNull);
  }

  private static long address(BufferImpl bufferOrNull) {
    return bufferOrNull == null ? 0 : bufferOrNull.rawAddress();
  }

  private static long address(F32Matrix matrix) {
    return ((BufferImpl) matrix.data()).rawAddress();
  }

  @Override
  public void realGemm(
      boolean transposeA, boolean transposeB, float alpha, F32Matrix a, F32Matrix b, float beta, F32Matrix c, BufferImpl workspace, long stream) {
    check(
        "realGemm",
        CpuBindings.realGemm(
            context, flag(transposeA), flag(transposeB), c.rows(), c.cols(), transposeA ? a.rows() : a.cols(), alpha, address((BufferImpl) a.data()),
            a.ld(), address((BufferImpl) b.data()), b.ld(), beta, address((BufferImpl) c.data()), c.ld(), address(workspace), workspace.length()));
  }

  @Override
  public long realGemmWorkspaceBytes(int m, int n, int inner) {
    return CpuBindings.realGemmWorkspaceBytes(context, m, n, inner);
  }

  @Override
  public long factorUpdate(int kind, RealMatrix x, boolean bias, float alpha, float beta, F32Matrix factor, BufferImpl workspace, long stream) {
    ByteBuffer index = INDEX.get();
    return place(
        "kroneckerFactorUpdate", index,
        CpuBindings.kroneckerFactorUpdate(
            context, kind, x.rows(), x.cols(), address((BufferImpl) x.data()), x instanceof Bf16Matrix ? BF16 : F32, x.ld(), flag(bias), alpha, beta,
            address((BufferImpl) factor.data()), factor.ld(), CpuBindings.addressOf(index), address(workspace), workspace.length()));
  }

  @Override
  public long factorWorkspaceBytes(int rows, int cols, boolean bias) {
    return CpuBindings.kroneckerFactorWorkspaceBytes(context, rows, cols, flag(bias));
  }

  @Override
  public long im2colFactorUpdate(
      Im2colShape shape, BufferImpl x, boolean bias, float alpha, float beta, F32Matrix factor, BufferImpl workspace, long stream) {
    ByteBuffer index = INDEX.get();
    return place(
        "im2colFactorUpdate", index,
        CpuBindings.im2colFactorUpdate(
            context, convolution(shape), shape.sharing().ordinal(), address(x), flag(bias), alpha, beta, address((BufferImpl) factor.data()),
            factor.ld(), CpuBindings.addressOf(index), address(workspace), workspace.length()));
  }

  @Override
  public long im2colFactorWorkspaceBytes(Im2colShape shape, boolean bias) {
    return CpuBindings.im2colFactorWorkspaceBytes(context, convolution(shape), shape.sharing().ordinal(), flag(bias));
  }

  @Override
  public void spdInverse(SpdTable table, double residualTolerance, boolean doublePrecision, BufferImpl workspace, long stream) {
    long items = CpuBindings.addressOf(table.items());
    long results = CpuBindings.addressOf(table.results());
    long bytes = workspace.length();
    check(
        "spdInverse",
        doublePrecision
            ? CpuBindings.spdInverseF64(context, table.count(), items, residualTolerance, results, address(workspace), bytes)
            : CpuBindings.spdInverse(context, table.count(), items, residualTolerance, results, address(workspace), bytes));
  }

  @Override
  public long spdInverseWorkspaceBytes(SpdTable table, boolean doublePrecision) {
    long items = CpuBindings.addressOf(table.items());
    return doublePrecision
        ? CpuBindings.spdInverseWorkspaceBytesF64(context, table.count(), items)
        : CpuBindings.spdInverseWorkspaceBytes(context, table.count(), items);
  }

  @Override
  public SpdStatus dampedCholesky(F32Matrix m, double damping, F32Matrix l, BufferImpl workspace, long stream) {
    Scratch scratch = Scratch.OF_THREAD.get();
    long pivot = scratch.numbers(3);
    check(
        "dampedCholesky",
        CpuBindings.dampedCholesky(
            context, m.rows(), address(m), m.ld(), damping, address(l), l.ld(), pivot + 2 * Double.BYTES, pivot, pivot + Double.BYTES,
            address(workspace), workspace.length()));
    return scratch.status();
  }

  @Override
  public int triangularInverse(F32Matrix l, F32Matrix out, long stream) {
    Scratch scratch = Scratch.OF_THREAD.get();
    check("triangularInverse", CpuBindings.triangularInverse(context, l.rows(), address(l), l.ld(), address(out), out.ld(), scratch.numbers(1)));
    return scratch.order();
  }

  @Override
  public int triangularSolve(F32Matrix l, boolean transposed, F32Matrix b, long stream) {
    Scratch scratch = Scratch.OF_THREAD.get();
    check(
        "triangularSolve",
        CpuBindings.triangularSolve(
            context, l.rows(), b.cols(), flag(transposed), address(l), l.ld(), address(b), b.ld(), scratch.numbers(1)));
    return scratch.order();
  }

  @Override
  public void kroneckerProducts(KroneckerTable table, BufferImpl workspace, long stream) {
    check(
        "kroneckerProducts",
        CpuBindings.kroneckerProducts(
            context, table.count(), CpuBindings.addressOf(table.items()), address(workspace), workspace.length()));
  }

  @Override
  public long kroneckerProductsWorkspaceBytes(KroneckerTable table) {
    return CpuBindings.kroneckerProductsWorkspaceBytes(context, table.count(), CpuBindings.addressOf(table.items()));
  }

  @Override
  public void kroneckerPenalty(KroneckerTable table, double[] sums, BufferImpl workspace, long stream) {
    Scratch scratch = Scratch.OF_THREAD.get();
    long value = scratch.numbers(2);
    check(
        "kroneckerPenalty",
        CpuBindings.kroneckerPenalty(
            context, table.count(), CpuBindings.addressOf(table.items()), value, value + Double.BYTES, address(workspace), workspace.length()));
    scratch.get(sums, 2);
  }

  @Override
  public long kroneckerPenaltyWorkspaceBytes(KroneckerTable table) {
    return CpuBindings.kroneckerPenaltyWorkspaceBytes(context, table.count(), CpuBindings.addressOf(table.items()));
  }

  @Override
  public void traces(List<F32Matrix> matrices, double[] traces, long stream) {
    Scratch scratch = Scratch.OF_THREAD.get();
    long list = CpuBindings.addressOf(scratch.matrices.of(matrices, List.of()));
    check("traces", CpuBindings.matrixTraces(context, matrices.size(), list, scratch.numbers(matrices.size())));
    scratch.get(traces, matrices.size());
  }

  @Override
  public double innerProducts(List<F32Matrix> x, List<F32Matrix> y, long stream) {
    Scratch scratch = Scratch.OF_THREAD.get();
    long list = CpuBindings.addressOf(scratch.matrices.of(x, y));
    check("innerProducts", CpuBindings.innerProducts(context, x.size(), list, list + (long) x.size() * MatrixTable.ROW, scratch.numbers(1)));
    return scratch.number();
  }

  @Override
  public void combine(float a, F32Matrix x, float b, F32Matrix yOrNull, F32Matrix out, long stream) {
    check(
        "combine",
        CpuBindings.matrixCombine(
            context, out.rows(), out.cols(), a, address(x), x.ld(), b, yOrNull == null ? 0 : address(yOrNull), yOrNull == null ? 0 : yOrNull.ld(),
            address(out), out.ld()));
  }

  @Override
  public long elements(int operation, BufferImpl rowOrNull, BufferImpl columnOrNull, F32Matrix sOrNull, float shift, F32Matrix t, long stream) {
    Scratch scratch = Scratch.OF_THREAD.get();
    check(
        "elements",
        CpuBindings.matrixElements(
            context, operation, t.rows(), t.cols(), address(rowOrNull), address(columnOrNull), sOrNull == null ? 0 : address(sOrNull),
            sOrNull == null ? 0 : sOrNull.ld(), shift, address(t), t.ld(), scratch.numbers(1)));
    return scratch.integer();
  }

  @Override
  public long mergeBatchNorm(BatchNormMerge layer, F32Matrix mergedWeight, BufferImpl mergedBias, long stream) {
    Scratch scratch = Scratch.OF_THREAD.get();
    F32Matrix w = layer.weight();
    check(
        "mergeBatchNorm",
        CpuBindings.mergeBatchNorm(
            context, w.rows(), w.cols(), address(w), w.ld(), address(layer.bias()), address(layer.gamma()), address(layer.beta()),
            address(layer.mean()), address(layer.variance()), (float) layer.eps(), address(mergedWeight), mergedWeight.ld(), address(mergedBias),
            scratch.numbers(1)));
    return scratch.integer();
  }

  @Override
  public long mergeBatchNormBackward(BatchNormMerge layer, F32Matrix gradWeight, BufferImpl gradBias, BatchNormMergeGradients out, long stream) {
    Scratch scratch = Scratch.OF_THREAD.get();
    F32Matrix w = layer.weight();
    check(
        "mergeBatchNormBackward",
        CpuBindings.mergeBatchNormBackward(
            context, w.rows(), w.cols(), address(w), w.ld(), address(layer.bias()), address(layer.gamma()), address(layer.mean()),
            address(layer.variance()), (float) layer.eps(), address(gradWeight), gradWeight.ld(), address(gradBias), address(out.weight()),
            out.weight().ld(), address(out.bias()), address(out.gamma()), address(out.beta()), address(out.mean()), address(out.variance()),
            scratch.numbers(1)));
    return scratch.integer();
  }

  /** Native memory of a thread for what a call hands over in a list (metaplast_matrix_t) and for the numbers that it gets back. */
  private static final class Scratch {
    static final ThreadLocal<Scratch> OF_THREAD = ThreadLocal.withInitial(Scratch::new);

    private ByteBuffer numbers = direct(4 * Double.BYTES);
    private final MatrixTable matrices = new MatrixTable();

    private static ByteBuffer direct(int bytes) {
      return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }

    /** Address of room for n numbers. */
    long numbers(int n) {
      if (numbers.capacity() < n * Double.BYTES) {
        numbers = direct(2 * n * Double.BYTES);
      }
      return CpuBindings.addressOf(numbers);
    }

    void get(double[] target, int n) {
      for (int i = 0; i < n; i++) {
        target[i] = numbers.getDouble(i * Double.BYTES);
      }
    }

    double number() {
      return numbers.getDouble(0);
    }

    long integer() {
      return numbers.getLong(0);
    }

    int order() {
      return numbers.getInt(0);
    }

    /** Of pivot, index and status. */
    SpdStatus status() {
      return new SpdStatus(numbers.getInt(2 * Double.BYTES), numbers.getDouble(0), numbers.getLong(Double.BYTES));
    }
  }
}
