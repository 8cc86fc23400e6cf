package io.metaplast.internal.spi;

import io.metaplast.F32Matrix;
import io.metaplast.internal.BufferImpl;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** Lists of matrices as metaplast_matrix_t rows for native code. Grows, is never shrunk; used by one call at a time. */
public final class MatrixTable {
  /** Bytes of a row. */
  public static final int ROW = 32;

  private ByteBuffer rows = direct(16 * ROW);

  private static ByteBuffer direct(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
  }

  /** The rows of both lists, one behind the other; good until the next call. */
  public ByteBuffer of(List<F32Matrix> first, List<F32Matrix> second) {
    int bytes = (first.size() + second.size()) * ROW;
    if (rows.capacity() < bytes) {
      rows = direct(2 * bytes);
    }
    rows.clear();
    put(first);
    put(second);
    return rows.clear();
  }

  private void put(List<F32Matrix> list) {
    for (int i = 0; i < list.size(); i++) {
      F32Matrix m = list.get(i);
      rows.putLong(((BufferImpl) m.data()).rawAddress()).putLong(m.rows()).putLong(m.cols()).putLong(m.ld());
    }
  }
}
