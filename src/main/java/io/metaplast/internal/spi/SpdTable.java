package io.metaplast.internal.spi;

import io.metaplast.F32Matrix;
import io.metaplast.internal.BufferImpl;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

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
  // Operands of the rows: places in two lists, or objects where there are none. A reference written into an array costs many times a number.
  private List<F32Matrix> listOfM;
  private List<F32Matrix> listOfOut;
  private int[] places = new int[16];
  private F32Matrix[] m = new F32Matrix[16];
  private F32Matrix[] out = new F32Matrix[16];
  private ByteBuffer items = direct(16 * ITEM);
  private ByteBuffer results = direct(16 * RESULT);

  private static ByteBuffer direct(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
  }

  /** Forgets all rows. */
  public void clear() {
    if (listOfM == null) {
      Arrays.fill(m, 0, count, null);
      Arrays.fill(out, 0, count, null);
    }
    listOfM = null;
    listOfOut = null;
    count = 0;
  }

  /** Adds a matrix; out null: only its size counts (workspace). */
  public void add(F32Matrix matrix, double d, F32Matrix inverseOrNull, int n) {
    grow();
    m[count] = matrix;
    out[count] = inverseOrNull;
    put(matrix, d, n);
    putOut(count++, inverseOrNull, n);
  }

  /** Rows to come are those of {@link #add(int, double)}: places in these lists. Of an empty table. */
  public void of(List<F32Matrix> matrices, List<F32Matrix> inverses) {
    listOfM = matrices;
    listOfOut = inverses;
  }

  /** Adds the matrices at {@code place} of the lists. */
  public void add(int place, double d) {
    addInput(place, listOfM.get(place), d);
    setOut(count - 1, listOfOut.get(place));
  }

  /** Adds the matrix at {@code place} of the first list; {@link #setOut} completes the row. */
  public void addInput(int place, F32Matrix matrix, double d) {
    grow();
    places[count] = place;
    put(matrix, d, matrix.rows());
    count++;
  }

  /** The inverse of row {@code i}, at the same place of the second list. */
  public void setOut(int i, F32Matrix inverse) {
    putOut(i, inverse, 0);
  }

  private void put(F32Matrix matrixOrNull, double d, int n) {
    int at = count * ITEM;
    items.putLong(at, matrixOrNull == null ? 0 : ((BufferImpl) matrixOrNull.data()).rawAddress());
    items.putLong(at + 8, matrixOrNull == null ? n : matrixOrNull.ld());
    items.putLong(at + 32, n);
    items.putDouble(at + 40, d);
  }

  private void putOut(int i, F32Matrix inverseOrNull, int n) {
    int at = i * ITEM;
    items.putLong(at + 16, inverseOrNull == null ? 0 : ((BufferImpl) inverseOrNull.data()).rawAddress());
    items.putLong(at + 24, inverseOrNull == null ? n : inverseOrNull.ld());
  }

  private void grow() {
    if (count == m.length) {
      m = Arrays.copyOf(m, 2 * count);
      out = Arrays.copyOf(out, 2 * count);
      places = Arrays.copyOf(places, 2 * count);
      items = grown(items);
      results = direct(2 * count * RESULT);
    }
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
    return listOfM == null ? m[i] : listOfM.get(places[i]);
  }

  public F32Matrix out(int i) {
    return listOfOut == null ? out[i] : listOfOut.get(places[i]);
  }

  /** Where row {@code i} stands in the lists. */
  public int place(int i) {
    return places[i];
  }

  public int n(int i) {
    return (int) items.getLong(i * ITEM + 32);
  }

  public double damping(int i) {
    return items.getDouble(i * ITEM + 40);
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

  /** Whether row {@code i} has status 0 and no flag. */
  public boolean plain(int i) {
    return results.getLong(i * RESULT) == 0;
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
