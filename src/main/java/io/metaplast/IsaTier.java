package io.metaplast;

/** Instruction-set tiers of the CPU backend, lowest first. Class A kernels give the same bits on all of them. */
public enum IsaTier {
  /** Baseline of the architecture; the dispatch floor and a debugging aid. */
  SCALAR,
  /** AVX2. */
  AVX2,
  /** AVX-512 F, BW, DQ and VL. */
  AVX512
}
