package io.metaplast.internal.spi;

import io.metaplast.F32Matrix;
import io.metaplast.internal.BufferImpl;
import io.metaplast.kfac.KroneckerPair;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** A thread's table of the products G W A of one call, as objects for the Java backend and as metaplast_kronecker_item_t rows for native code. Grows, is never shrunk. */
public final class KroneckerTable {
  /** One a thread, so that a call allocates nothing. Whoever fills it clears it after use. */
  public static final ThreadLocal<KroneckerTable> OF_THREAD = ThreadLocal.withInitial(KroneckerTable::new);

  private static final int ITEM = 104;

  private int count;
  private KroneckerPair[] pairs = new KroneckerPair[16];
  private F32Matrix[] w = new F32Matrix[16];
  private F32Matrix[] anchors = new F32Matrix[16];
  private F32Matrix[] out = new F32Matrix[16];
  private double[] weights = new double[16];
  private ByteBuffer items = direct(16 * ITEM);

  private static ByteBuffer direct(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
  }

  /** Forgets all rows. */
  public void clear() {
    Arrays.fill(pairs, 0, count, null);
    Arrays.fill(w, 0, count, null);
    Arrays.fill(anchors, 0, count, null);
    Arrays.fill(out, 0, count, null);
    count = 0;
  }

  /** Adds a product, or a term of the penalty; pair null: only the sizes count (workspace). */
  public void add(KroneckerPair pairOrNull, F32Matrix matrix, F32Matrix anchorOrNull, F32Matrix outOrNull, double weight) {
    if (count == pairs.length) {
      pairs = Arrays.copyOf(pairs, 2 * count);
      w = Arrays.copyOf(w, 2 * count);
      anchors = Arrays.copyOf(anchors, 2 * count);
      out = Arrays.copyOf(out, 2 * count);
      weights = Arrays.copyOf(weights, 2 * count);
      items = grown(items);
    }
    pairs[count] = pairOrNull;
    w[count] = matrix;
    anchors[count] = anchorOrNull;
    out[count] = outOrNull;
    weights[count] = weight;
    int at = count * ITEM;
    items.putLong(at, matrix.rows());
    items.putLong(at + 8, matrix.cols());
    put(at + 16, pairOrNull == null ? null : pairOrNull.g(), matrix.rows());
    put(at + 32, matrix, matrix.ld());
    put(at + 48, pairOrNull == null ? null : pairOrNull.a(), matrix.cols());
    put(at + 64, outOrNull, matrix.cols());
    put(at + 80, anchorOrNull, matrix.cols());
    items.putDouble(at + 96, weight);
    count++;
  }

  private void put(int at, F32Matrix matrixOrNull, int ldOfNone) {
    items.putLong(at, matrixOrNull == null ? 0 : ((BufferImpl) matrixOrNull.data()).rawAddress());
    items.putLong(at + 8, matrixOrNull == null ? ldOfNone : matrixOrNull.ld());
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

  public KroneckerPair pair(int i) {
    return pairs[i];
  }

  public F32Matrix w(int i) {
    return w[i];
  }

  public F32Matrix anchor(int i) {
    return anchors[i];
  }

  public F32Matrix out(int i) {
    return out[i];
  }

  public double weight(int i) {
    return weights[i];
  }

  /** metaplast_kronecker_item_t [count]. */
  public ByteBuffer items() {
    return items;
  }
}
