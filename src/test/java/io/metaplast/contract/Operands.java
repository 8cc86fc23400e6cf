package io.metaplast.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.metaplast.Backend;
import io.metaplast.Bf16Buffer;
import io.metaplast.Bf16Matrix;
import io.metaplast.F32Buffer;
import io.metaplast.F32Matrix;
import io.metaplast.Stream;
import io.metaplast.Workspace;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Operands of the Kronecker kernels on one backend. A matrix has a leading dimension above its columns and lies between guard words; closing checks that inputs and guards are what they
 * were.
 */
final class Operands implements AutoCloseable {
  private static final float GUARD = -1.2345e30f;
  private static final int MARGIN = 19;

  private record Held(F32Buffer buffer, float[] before, boolean[] writable) {}

  private final Backend backend;
  private final Stream stream;
  private final List<AutoCloseable> open = new ArrayList<>();
  private final List<Held> held = new ArrayList<>();

  Operands(Backend backend) {
    this.backend = backend;
    this.stream = backend.newStream();
  }

  Backend backend() {
    return backend;
  }

  Stream stream() {
    return stream;
  }

  /** A matrix that the call must leave as it is. */
  F32Matrix in(float[] values, int rows, int cols) {
    return matrix(values, rows, cols, false);
  }

  /** A matrix that the call may write, holding {@code values} before. */
  F32Matrix inOut(float[] values, int rows, int cols) {
    return matrix(values, rows, cols, true);
  }

  /** A matrix that the call must fill; it holds guard words before. */
  F32Matrix out(int rows, int cols) {
    float[] values = new float[rows * cols];
    Arrays.fill(values, GUARD);
    return matrix(values, rows, cols, true);
  }

  private F32Matrix matrix(float[] values, int rows, int cols, boolean writable) {
    int ld = cols + 3;
    float[] all = new float[2 * MARGIN + rows * ld];
    boolean[] may = new boolean[all.length];
    Arrays.fill(all, GUARD);
    for (int r = 0; r < rows; r++) {
      System.arraycopy(values, r * cols, all, MARGIN + r * ld, cols);
      Arrays.fill(may, MARGIN + r * ld, MARGIN + r * ld + cols, writable);
    }
    F32Buffer buffer = backend.allocate(all.length);
    open.add(buffer);
    buffer.upload(all);
    held.add(new Held(buffer, all, may));
    return new F32Matrix(buffer.slice(MARGIN, all.length - MARGIN), rows, cols, ld);
  }

  /** A contiguous buffer that the call must leave as it is. */
  F32Buffer in(float[] values) {
    return in(values, 1, values.length).data();
  }

  /** A buffer that the call must fill. */
  F32Buffer out(int n) {
    return out(1, n).data();
  }

  /** A bf16 matrix; values are rounded. */
  Bf16Matrix bf16(float[] values, int rows, int cols) {
    Bf16Buffer buffer = backend.allocateBf16(Math.max(1, (long) rows * (cols + 5)));
    open.add(buffer);
    for (int r = 0; r < rows; r++) {
      buffer.upload((long) r * (cols + 5), values, r * cols, cols);
    }
    return new Bf16Matrix(buffer, rows, cols, cols + 5);
  }

  Workspace workspace(long bytes) {
    Workspace workspace = backend.workspace(bytes);
    open.add(workspace);
    return workspace;
  }

  /** The elements of a matrix, rows one after the other. */
  float[] read(F32Matrix m) {
    stream.synchronize();
    float[] values = new float[m.rows() * m.cols()];
    for (int r = 0; r < m.rows() && m.cols() > 0; r++) {
      m.data().download((long) r * m.ld(), values, r * m.cols(), m.cols());
    }
    return values;
  }

  float[] read(F32Buffer buffer) {
    stream.synchronize();
    return buffer.toArray();
  }

  /** Checks that nothing but what may be written has changed. */
  void assertUntouched() {
    stream.synchronize();
    for (Held h : held) {
      float[] after = h.buffer().toArray();
      for (int i = 0; i < after.length; i++) {
        if (!h.writable()[i]) {
          assertThat(Float.floatToRawIntBits(after[i])).as("element %d of an operand that is not to be written", i).isEqualTo(Float.floatToRawIntBits(h.before()[i]));
        }
      }
    }
  }

  @Override
  public void close() {
    try {
      assertUntouched();
    } finally {
      for (int i = open.size() - 1; i >= 0; i--) {
        try {
          open.get(i).close();
        } catch (Exception e) {
          throw new AssertionError(e);
        }
      }
      stream.close();
    }
  }
}
