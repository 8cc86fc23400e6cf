package io.metaplast.internal;

import io.metaplast.BitMatrix;
import io.metaplast.internal.spi.Memory;
import java.util.Objects;

/** A bit matrix: 64-bit words of a {@link Memory}. */
public final class BitMatrixImpl extends BufferImpl implements BitMatrix {
  private final int rows;
  private final int cols;

  BitMatrixImpl(BackendImpl backend, Memory memory, long byteOffset, int rows, int cols, Runnable onClose) {
    super(backend, memory, byteOffset, rows * BitMatrix.rowWords(cols), onClose);
    this.rows = rows;
    this.cols = cols;
  }

  @Override
  public int rows() {
    return rows;
  }

  @Override
  public int cols() {
    return cols;
  }

  @Override
  public int elementBytes() {
    return Long.BYTES;
  }

  @Override
  public BitMatrix rows(int from, int count) {
    checkRange("rows", from, count, rows);
    return new BitMatrixImpl(backendImpl(), memory(), byteOffset() + (long) from * rowWords() * Long.BYTES, count, cols, null);
  }

  @Override
  public void upload(long offset, long[] source, int sourceOffset, int n) {
    Objects.requireNonNull(source, "source");
    checkRange("source", sourceOffset, n, source.length);
    checkRange(offset, n);
    hold("bits");
    try {
      provider().write(memory(), byteOffset() + Long.BYTES * offset, source, sourceOffset, n);
    } finally {
      letGo();
    }
  }

  @Override
  public void download(long offset, long[] target, int targetOffset, int n) {
    Objects.requireNonNull(target, "target");
    checkRange("target", targetOffset, n, target.length);
    checkRange(offset, n);
    hold("bits");
    try {
      provider().read(memory(), byteOffset() + Long.BYTES * offset, target, targetOffset, n);
    } finally {
      letGo();
    }
  }

  @Override
  public String toString() {
    return "BitMatrix[" + rows + " x " + cols + (isClosed() ? ", closed" : "") + " on " + backend() + "]";
  }
}
