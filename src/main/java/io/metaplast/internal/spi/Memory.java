package io.metaplast.internal.spi;

import java.util.concurrent.atomic.AtomicLong;

/** One piece of backend memory, held by the calls that use it. */
public abstract class Memory extends UseCounted {
  // Heap memory has no address; ranges of it are compared at made-up ones, above everything that a process can map.
  private static final AtomicLong NEXT_HEAP_BASE = new AtomicLong(1L << 60);

  private final BackendProvider provider;
  private final long bytes;
  private final long heapBase;

  protected Memory(BackendProvider provider, long bytes) {
    this.provider = provider;
    this.bytes = bytes;
    this.heapBase = NEXT_HEAP_BASE.getAndAdd(bytes + 1);
  }

  public final BackendProvider provider() {
    return provider;
  }

  public final long bytes() {
    return bytes;
  }

  public final void close() {
    closeOnce();
  }

  /** Base address of native memory; 0 for memory in the Java heap. */
  public abstract long address();

  /** Where this memory starts in an address space common to all memory of a process, for overlap checks only. */
  public final long rangeBase() {
    long address = address();
    return address != 0 ? address : heapBase;
  }
}
