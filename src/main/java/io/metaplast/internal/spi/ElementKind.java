package io.metaplast.internal.spi;

/** What a piece of memory holds. Native backends need only its size; the Java backend keeps an array of that type. */
public enum ElementKind {
  F32(4),
  I32(4),
  BF16(2),
  /** 64-bit words of a bit matrix. */
  BITS(8),
  /** Workspace. */
  BYTES(1);

  private final int bytes;

  ElementKind(int bytes) {
    this.bytes = bytes;
  }

  /** Bytes of one element. */
  public int bytes() {
    return bytes;
  }
}
