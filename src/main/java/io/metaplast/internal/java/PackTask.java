package io.metaplast.internal.java;

import io.metaplast.internal.BitMatrixImpl;
import io.metaplast.internal.BufferImpl;

/** signPack, signUnpack and steBackward. */
final class PackTask extends RowTask {
  private enum Kind {
    PACK,
    UNPACK,
    STE
  }

  private static final double NANOS = 0.5;

  // operands, and the chunk
  private static final int IN = 0;
  private static final int OUT = 1;

  private Kind kind;
  private BitMatrixImpl bits;
  private BitMatrixImpl mask; // or null
  private BufferImpl in;
  private int ldIn;
  private BufferImpl out;
  private int ldOut;

  void pack(WorkerPool pool, Scratch scratch, int rows, int cols, BufferImpl x, int ldx, BitMatrixImpl bits, BitMatrixImpl maskOrNull) {
    kind = Kind.PACK;
    in = x;
    ldIn = ldx;
    this.bits = bits;
    mask = maskOrNull;
    start(pool, scratch, rows, cols, NANOS);
  }

  void unpack(WorkerPool pool, Scratch scratch, BitMatrixImpl bits, BufferImpl x, int ldx) {
    kind = Kind.UNPACK;
    this.bits = bits;
    out = x;
    ldOut = ldx;
    start(pool, scratch, bits.rows(), bits.cols(), NANOS);
  }

  void ste(WorkerPool pool, Scratch scratch, BitMatrixImpl bits, BufferImpl gradOutput, int ldOutput, BufferImpl gradInput, int ldInput) {
    kind = Kind.STE;
    this.bits = bits;
    in = gradOutput;
    ldIn = ldOutput;
    out = gradInput;
    ldOut = ldInput;
    start(pool, scratch, bits.rows(), bits.cols(), NANOS);
  }

  @Override
  void clear() {
    bits = null;
    mask = null;
    in = null;
    out = null;
  }

  @Override
  void operands(Scratch scratch) {
    if (in != null) {
      scratch.operand[IN].set(in);
    }
    if (out != null) {
      scratch.operand[OUT].set(out);
    }
  }

  @Override
  void piece(int row, int at, int n, Scratch scratch) {
    float[] x = scratch.chunk[IN];
    long[] words = BitRows.words(bits);
    int word = BitRows.start(bits, row) + (at >> 6);
    switch (kind) {
      case PACK -> {
        scratch.operand[IN].load((long) row * ldIn + at, x, 0, n);
        scratch.tiles().packer.signs(x, 0, n, words, word);
        if (mask != null) {
          scratch.tiles().packer.within(x, 0, n, BitRows.words(mask), BitRows.start(mask, row) + (at >> 6));
        }
        if (endsRow(at + n)) {
          BitRows.pad(bits, row);
          if (mask != null) {
            BitRows.pad(mask, row);
          }
        }
      }
      case UNPACK -> {
        BitRows.unpack(words, word, n, x, 0);
        scratch.operand[OUT].store((long) row * ldOut + at, x, 0, n);
      }
      case STE -> {
        scratch.operand[IN].load((long) row * ldIn + at, x, 0, n);
        BitRows.mask(words, BitRows.start(bits, row), at, n, x, 0);
        scratch.operand[OUT].store((long) row * ldOut + at, x, 0, n);
      }
    }
  }
}
