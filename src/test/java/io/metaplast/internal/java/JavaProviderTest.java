package io.metaplast.internal.java;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.metaplast.BackendKind;
import io.metaplast.BackendOptions;
import io.metaplast.DeviceOutOfMemoryException;
import io.metaplast.internal.spi.ElementKind;
import io.metaplast.internal.spi.Memory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class JavaProviderTest {
  private final JavaProvider provider = new JavaProvider(BackendOptions.of(BackendKind.JAVA).withThreads(2));

  @AfterEach
  void close() {
    provider.close();
  }

  @Test
  void allocationsAreZeroAndCounted() {
    Memory floats = provider.allocate(400, ElementKind.F32);
    Memory halves = provider.allocate(200, ElementKind.BF16);
    assertThat(provider.allocatedBytes()).isEqualTo(600);
    float[] read = new float[100];
    java.util.Arrays.fill(read, 1f);
    provider.read(floats, 0, read, 0, 100);
    assertThat(read).containsOnly(0f);
    floats.close();
    halves.close();
    floats.close();
    assertThat(provider.allocatedBytes()).isZero();
  }

  @Test
  void moreThanAnArrayHoldsIsRefused() {
    assertThatThrownBy(() -> provider.allocate(4L * Integer.MAX_VALUE, ElementKind.F32))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("2147483647")
        .hasMessageContaining("2147483639");
    assertThat(provider.allocatedBytes()).isZero();
  }

  @Test
  void anExhaustedHeapIsReportedWithNumbersAndTheNextCallWorks() {
    long elements = Runtime.getRuntime().maxMemory() / 4 + 1;
    assumeTrue(elements <= JavaMemory.MAX_ELEMENTS, "an array cannot exceed this heap");
    assertThatThrownBy(() -> provider.allocate(4 * elements, ElementKind.F32))
        .isInstanceOf(DeviceOutOfMemoryException.class)
        .hasMessageContaining("asked for " + 4 * elements)
        .hasMessageContaining("-Xmx");
    provider.allocate(40, ElementKind.F32).close();
    assertThat(provider.allocatedBytes()).isZero();
  }

  @Test
  void copiesBetweenArraysAndNativeMemory() {
    FloatBuffer direct = ByteBuffer.allocateDirect(400).order(ByteOrder.nativeOrder()).asFloatBuffer();
    direct.position(10);
    Memory wrapped = provider.wrapBuffer(direct);
    assertThat(wrapped.bytes()).isEqualTo(360);
    Memory array = provider.allocate(400, ElementKind.F32);
    float[] values = {1, 2, 3, 4, 5};
    provider.write(array, 8, values, 0, 5);
    provider.copy(wrapped, 4, array, 8, 20);
    assertThat(direct.get(11)).isEqualTo(1f);
    provider.copy(wrapped, 8, wrapped, 4, 20); // overlapping
    assertThat(direct.get(16)).isEqualTo(5f);
    provider.copy(array, 0, wrapped, 8, 20);
    float[] read = new float[5];
    provider.read(array, 0, read, 0, 5);
    assertThat(read).isEqualTo(values);
    provider.fill(wrapped, 0, 90, Float.floatToRawIntBits(7f));
    assertThat(direct.get(9)).isZero();
    assertThat(direct.get(10)).isEqualTo(7f);
    assertThat(direct.get(99)).isEqualTo(7f);
    provider.read(wrapped, 356, read, 4, 1);
    assertThat(read[4]).isEqualTo(7f);
    array.close();
    wrapped.close();
    assertThat(provider.allocatedBytes()).isZero();
  }

  @Test
  void rawAddressesAreReadAndWritten() {
    org.bytedeco.javacpp.FloatPointer pointer = new org.bytedeco.javacpp.FloatPointer(4f, 5f, 6f);
    Memory memory = provider.wrapAddress(pointer.address(), 12, pointer);
    assertThat(memory.address()).isEqualTo(pointer.address());
    float[] read = new float[3];
    provider.read(memory, 0, read, 0, 3);
    assertThat(read).containsExactly(4f, 5f, 6f);
    provider.fill(memory, 4, 2, Float.floatToRawIntBits(9f));
    assertThat(pointer.get(0)).isEqualTo(4f);
    assertThat(pointer.get(2)).isEqualTo(9f);
    memory.close();
    pointer.close();
  }

  @Test
  void memoryOfAnotherKindIsRefused() {
    Memory ints = provider.allocate(40, ElementKind.I32);
    assertThatThrownBy(() -> provider.read(ints, 0, new float[1], 0, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("I32");
    assertThatThrownBy(() -> provider.write(ints, 0, new short[1], 0, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("BF16");
    ints.close();
  }
}
