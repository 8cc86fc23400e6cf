package io.metaplast;

/** The three places where a kernel can run. */
public enum BackendKind {
  /** Pure Java; always there. */
  JAVA,
  /** Native code on the host: scalar, AVX2 or AVX-512, chosen when the backend opens. */
  CPU,
  /** One NVIDIA device. */
  CUDA
}
