package io.metaplast.internal;

import io.metaplast.Backend;
import io.metaplast.DeviceBuffer;
import io.metaplast.TensorGroup;
import io.metaplast.TensorLayout;
import io.metaplast.internal.spi.RuleRows;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A tensor group and the host tables that native kernels read: counts (int64), addresses (pointers), tensor numbers (uint32). */
public final class TensorGroupImpl<B extends DeviceBuffer> implements TensorGroup<B> {
  private final BackendImpl backend;
  private final TensorLayout layout;
  private final int copies;
  private final B[] buffers;
  private final B arena;
  private final ByteBuffer tables;
  private final long tableAddress;
  private RuleRows rows;

  TensorGroupImpl(BackendImpl backend, TensorLayout layout, int copies, B[] buffers, B arena) {
    this.backend = backend;
    this.layout = layout;
    this.copies = copies;
    this.buffers = buffers;
    this.arena = arena;
    int n = buffers.length;
    tables = ByteBuffer.allocateDirect(Math.max(1, 20 * n)).order(ByteOrder.nativeOrder());
    for (int t = 0; t < n; t++) {
      tables.putLong(8 * t, layout.count(t));
      tables.putLong(8 * (n + t), ((BufferImpl) buffers[t]).rawAddress());
      tables.putInt(16 * n + 4 * t, layout.number(t));
    }
    tableAddress = backend.provider().addressOf(tables);
  }

  @Override
  public Backend backend() {
    return backend;
  }

  @Override
  public TensorLayout layout() {
    return layout;
  }

  @Override
  public int copies() {
    return copies;
  }

  @Override
  public B get(int t) {
    return buffers[t];
  }

  /** Buffer of tensor {@code t}. */
  public BufferImpl buffer(int t) {
    return (BufferImpl) buffers[t];
  }

  @Override
  public B arena() {
    if (arena == null) {
      throw new IllegalStateException("this group was made of the caller's buffers and has no arena");
    }
    return arena;
  }

  /** The arena, or null. */
  public BufferImpl arenaOrNull() {
    return (BufferImpl) arena;
  }

  /** Native address of the int64 counts. */
  public long countTable() {
    return tableAddress;
  }

  /** Native address of the tensors' addresses. */
  public long addressTable() {
    return tableAddress + 8L * buffers.length;
  }

  /** Native address of the uint32 tensor numbers. */
  public long numberTable() {
    return tableAddress + 16L * buffers.length;
  }

  /** Whether elements are bf16. */
  public boolean bf16() {
    return buffers.length > 0 && ((BufferImpl) buffers[0]).elementBytes() == 2;
  }

  /** Rule constants of the weights whose means these are. */
  public RuleRows rows() {
    if (rows == null) {
      rows = new RuleRows(backend.provider(), buffers.length);
    }
    return rows;
  }

  @Override
  public void close() {
    if (arena != null) {
      ((BufferImpl) arena).close();
    }
  }

  @Override
  public String toString() {
    return "TensorGroup[" + layout + " x " + copies + " on " + backend + "]";
  }
}
