package io.metaplast;

/**
 * One operand of a multi-tensor call: a buffer per tensor of a {@link TensorLayout}, each holding {@code copies} samples back to back,
 * {@code [copies][count(t)]}. The address table that kernels read is prepared once, when the group is made.
 *
 * @param <B> {@link F32Buffer} or {@link Bf16Buffer}
 */
public interface TensorGroup<B extends DeviceBuffer> extends AutoCloseable {
  /** The backend whose kernels accept this group. */
  Backend backend();

  /** Counts and numbers of the tensors. */
  TensorLayout layout();

  /** Samples a tensor holds. */
  int copies();

  /** All copies of tensor {@code t}: {@code copies() * layout().count(t)} elements. */
  B get(int t);

  /**
   * The one buffer that all tensors lie in, in order, each starting at a multiple of 64 bytes; gaps are zero when allocated.
   *
   * @throws IllegalStateException for a group of wrapped buffers
   */
  B arena();

  /** Releases the memory if this group allocated it. */
  @Override
  void close();
}
