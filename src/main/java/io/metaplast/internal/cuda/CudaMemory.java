package io.metaplast.internal.cuda;

import io.metaplast.internal.spi.Memory;

/** Device memory, our own or the caller's. */
final class CudaMemory extends Memory {
  private final CudaProvider provider;
  private final long address;

  @SuppressWarnings("unused") // kept reachable: wrapped memory lives as long as its owner
  private final Object owner;

  private final boolean allocated;

  private CudaMemory(CudaProvider provider, long address, long bytes, Object owner, boolean allocated) {
    super(provider, bytes);
    this.provider = provider;
    this.address = address;
    this.owner = owner;
    this.allocated = allocated;
  }

  /** Memory of metaplast_cuda_alloc, freed with this object. */
  static CudaMemory allocated(CudaProvider provider, long address, long bytes) {
    return new CudaMemory(provider, address, bytes, null, true);
  }

  /** The caller's device memory; {@code owner} keeps it alive. */
  static CudaMemory wrapped(CudaProvider provider, long address, long bytes, Object owner) {
    return new CudaMemory(provider, address, bytes, owner, false);
  }

  @Override
  public long address() {
    return address;
  }

  @Override
  protected void free() {
    if (allocated) {
      provider.freed(bytes());
      provider.freeDevice(address, bytes());
    }
  }
}
