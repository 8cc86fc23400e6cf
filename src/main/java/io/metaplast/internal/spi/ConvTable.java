package io.metaplast.internal.spi;

import io.metaplast.binary.Conv2dShape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A thread's native copy of the convolution shape it is about to use (metaplast_conv2d_t). */
public final class ConvTable {
  /** One a thread, so that a call allocates nothing. */
  public static final ThreadLocal<ConvTable> OF_THREAD = ThreadLocal.withInitial(ConvTable::new);

  private static final int FIELDS = 14;

  private final ByteBuffer memory = ByteBuffer.allocateDirect(FIELDS * Integer.BYTES).order(ByteOrder.nativeOrder());

  private ConvTable() {}

  /** The direct buffer that now holds {@code shape}. */
  public ByteBuffer put(Conv2dShape shape) {
    memory.clear();
    memory.putInt(shape.batch()).putInt(shape.channels()).putInt(shape.height()).putInt(shape.width());
    memory.putInt(shape.outChannels()).putInt(shape.kernelHeight()).putInt(shape.kernelWidth());
    memory.putInt(shape.strideHeight()).putInt(shape.strideWidth()).putInt(shape.padHeight()).putInt(shape.padWidth());
    memory.putInt(shape.dilationHeight()).putInt(shape.dilationWidth()).putInt(shape.groups());
    memory.clear();
    return memory;
  }
}
