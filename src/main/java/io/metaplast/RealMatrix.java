package io.metaplast;

/** A row-major matrix of real numbers in device memory: {@link F32Matrix} or {@link Bf16Matrix}; kernels refuse any other. */
public interface RealMatrix {
  /** The elements from the first to the last. */
  DeviceBuffer data();

  /** Rows. */
  int rows();

  /** Columns. */
  int cols();

  /** Leading dimension in elements. */
  int ld();
}
