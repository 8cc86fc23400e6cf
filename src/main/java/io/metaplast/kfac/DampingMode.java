package io.metaplast.kfac;

/** How lambda, which belongs to the block G (x) A, is spread over its factors (docs/kronecker.md). */
public enum DampingMode {
  /** pi = sqrt((tr A/dim A)/(tr G/dim G)); A gets pi sqrt(lambda), G sqrt(lambda)/pi (Martens and Grosse 2015). */
  PI,
  /** Both get lambda. */
  SAME,
  /** Both get sqrt(lambda). */
  SQRT
}
