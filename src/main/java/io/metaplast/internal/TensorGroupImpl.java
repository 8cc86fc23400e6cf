package io.metaplast.internal;

import io.metaplast.Backend;
import io.metaplast.DeviceBuffer;
import io.metaplast.F32Buffer;
import io.metaplast.TensorGroup;
import io.metaplast.TensorLayout;
import io.metaplast.binary.HiddenWeights;
import io.metaplast.internal.spi.AdamRows;
import io.metaplast.internal.spi.Memory;
import io.metaplast.internal.spi.RuleRows;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * A tensor group and the host tables that native kernels read: counts (int64), addresses (pointers), tensor numbers (uint32). Also what the argument checks
 * need of it, prepared once: the memories it lies in and its byte ranges in ascending order.
 */
public final class TensorGroupImpl<B extends DeviceBuffer> implements TensorGroup<B> {
  private final BackendImpl backend;
  private final TensorLayout layout;
  private final int copies;
  private final B[] buffers;
  private final B arena;
  private final ByteBuffer tables;
  private final long tableAddress;
  private final Memory[] memories;
  private final int[] order; // tensors with elements, by start address
  private final boolean overlapping;
  private final long boundingEnd;
  private RuleRows rows;
  private AdamRows adamRows;
  private BufferImpl[] samples;

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
    memories = Arrays.stream(buffers).map(b -> ((BufferImpl) b).memory()).distinct().toArray(Memory[]::new);
    order =
        IntStream.range(0, n)
            .filter(t -> buffers[t].length() > 0)
            .boxed()
            .sorted(Comparator.comparingLong(t -> buffer(t).rangeStart()))
            .mapToInt(t -> t)
            .toArray();
    overlapping = firstOverlap() >= 0;
    boundingEnd = Arrays.stream(order).mapToLong(t -> buffer(t).rangeEnd()).max().orElse(0);
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

  /** Tables of the metaplastic step of the weights whose hidden values these are. */
  AdamRows adamRows(HiddenWeights weights) {
    if (adamRows == null || adamRows.weights() != weights) {
      adamRows = new AdamRows(backend.provider(), weights);
    }
    return adamRows;
  }

  /** Copy {@code k} of tensor {@code t}, of an fp32 group; made once. */
  BufferImpl sample(int t, int k) {
    if (samples == null) {
      BufferImpl[] all = new BufferImpl[buffers.length * copies];
      for (int i = 0; i < all.length; i++) {
        long count = layout.count(i / copies);
        all[i] = (BufferImpl) ((F32Buffer) buffers[i / copies]).slice(i % copies * count, count);
      }
      samples = all;
    }
    return samples[t * copies + k];
  }

  /** The memories that the tensors lie in, each once. */
  Memory[] memories() {
    return memories;
  }

  /** Tensors that have elements. */
  int ranges() {
    return order.length;
  }

  /** The tensor with the {@code i}-th lowest range. */
  int rangeTensor(int i) {
    return order[i];
  }

  long rangeStart(int i) {
    return buffer(order[i]).rangeStart();
  }

  long rangeEnd(int i) {
    return buffer(order[i]).rangeEnd();
  }

  /** The highest end of all ranges; 0 without ranges. */
  long boundingEnd() {
    return boundingEnd;
  }

  /** Whether tensors of this group share bytes; allowed for inputs only. */
  boolean overlapping() {
    return overlapping;
  }

  /** Index of the first range that reaches into the next one, or -1. */
  int firstOverlap() {
    for (int i = 0; i + 1 < order.length; i++) {
      if (rangeEnd(i) > rangeStart(i + 1)) {
        return i;
      }
    }
    return -1;
  }

  @Override
  public void close() {
    if (arena != null) {
      arena.close();
    }
  }

  @Override
  public String toString() {
    return "TensorGroup[" + layout + " x " + copies + " on " + backend + "]";
  }
}
