package io.metaplast.internal.spi;

import io.metaplast.F32Matrix;
import io.metaplast.internal.BufferImpl;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * A thread's table of the inverses of one call, as objects for the Java backend and as metaplast_spd_item_t rows for native code; results come back in it
 * (metaplast_spd_result_t). Grows, is never shrunk.
 */
public final class SpdTable {
  /** One a thread, so that a call allocates nothing. Whoever fills it clears it after use. */
  public static final ThreadLocal<SpdTable> OF_THREAD = ThreadLocal.withInitial(SpdTable::new);

  private static final int ITEM = 48;
  private static final int RESULT = 40;

  private int count;
  private F32Matrix[] m = new F32Matrix[16];
  private F32Matrix[] out = new F32Matrix[16];
  private double[] damping = new double[16];
  private ByteBuffer items = direct(16 * ITEM);
  private ByteBuffer results = direct(16 * RESULT);

  private static ByteBuffer direct(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
  }

  /** Forgets all rows. */
  public void clear() {
    Arrays.fill(m, 0, count, null);
    Arrays.fill(out, 0, count, null);
    count = 0;
  }

  /** Adds a matrix; out null: only its size counts (workspace). */
  public void add(F32Matrix matrix, double d, F32Matrix inverseOrNull, int n) {
    if (count == m.length) {
      m = Arrays.copyOf(m, 2 * count);
      out = Arrays.copyOf(out, 2 * count);
      damping = Arrays.copyOf(damping, 2 * count);
      items = grown(items);
      results = direct(2 * count * RESULT);
    }
    m[count] = matrix;
    out[count] = inverseOrNull;
    damping[count] = d;
    int at = count * ITEM;
    items.putLong(at, matrix == null ? 0 : ((BufferImpl) matrix.data()).rawAddress());
    items.putLong(at + 8, matrix == null ? n : matrix.ld());
    items.putLong(at + 16, inverseOrNull == null ? 0 : ((BufferImpl) inverseOrNull.data()).rawAddress());
    items.putLong(at + 24, inverseOrNull == null ? n : inverseOrNull.ld());
    items.putLong(at + 32, n);
    items.putDouble(at + 40, d);
    count++;
  }

  private static ByteBuffer grown(ByteBuffer buffer) {
    ByteBuffer bigger = direct(2 * buffer.capacity());
    bigger.put(buffer.duplicate().clear());
    bigger.clear();
    return bigger;
  }

  public int count() {
    return count;
  }

  public F32Matrix m(int i) {
    return m[i];
  }

  public F32Matrix out(int i) {
    return out[i];
  }

  public int n(int i) {
    return (int) items.getLong(i * ITEM + 32);
  }

  public double damping(int i) {
    return damping[i];
  }

  /** metaplast_spd_item_t [count]. */
  public ByteBuffer items() {
    return items;
  }

  /** metaplast_spd_result_t [count]. */
  public ByteBuffer results() {
    return results;
  }

  /** Sets the result of row {@code i}: for backends without native code. */
  public void result(int i, int status, int flags, double residual, double cond1, double pivot, long index) {
    int at = i * RESULT;
    results.putInt(at, status);
    results.putInt(at + 4, flags);
    results.putDouble(at + 8, residual);
    results.putDouble(at + 16, cond1);
    results.putDouble(at + 24, pivot);
    results.putLong(at + 32, index);
  }

  public int status(int i) {
    return results.getInt(i * RESULT);
  }

  public int flags(int i) {
    return results.getInt(i * RESULT + 4);
  }

  public double residual(int i) {
    return results.getDouble(i * RESULT + 8);
  }

  public double cond1(int i) {
    return results.getDouble(i * RESULT + 16);
  }

  public double pivot(int i) {
    return results.getDouble(i * RESULT + 24);
  }

  public long index(int i) {
    return results.getLong(i * RESULT + 32);
  }
}
