package io.metaplast;

/** A row-major matrix of real numbers in device memory: {@link F32Matrix} or {@link Bf16Matrix}. */
public interface RealMatrix {
  /** The elements from the first to the last. */
  DeviceBuffer data();

  int rows();

  int cols();

  /** Leading dimension in elements. */
  int ld();
}
