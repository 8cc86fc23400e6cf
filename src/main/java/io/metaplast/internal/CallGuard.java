package io.metaplast.internal;

import io.metaplast.DeviceBuffer;
import io.metaplast.Stream;
import io.metaplast.TensorGroup;
import io.metaplast.internal.spi.Memory;
import io.metaplast.internal.spi.UseCounted;
import java.util.Arrays;
import java.util.Objects;

/**
 * What every kernel call goes through: takes the backend, the stream and the memory of all operands for the duration of the call, and checks that they are
 * there, open, of this backend, and that no output overlaps another operand. One per thread, reused, so that a call allocates nothing:
 *
 * <pre>
 *   CallGuard guard = CallGuard.enter(backend);
 *   try {
 *     BufferImpl x = guard.input("x", xArgument);
 *     BufferImpl y = guard.output("y", yArgument);
 *     ...
 *     guard.checkOverlap();
 *     kernel
 *   } finally {
 *     guard.exit();
 *   }
 * </pre>
 */
final class CallGuard {
  private static final ThreadLocal<CallGuard> CURRENT = ThreadLocal.withInitial(CallGuard::new);

  private BackendImpl backend;
  private UseCounted[] held = new UseCounted[16];
  private int heldCount;

  // Operands with elements: either a buffer or a group, their bounding range, and whether the call writes them.
  private final String[] names = new String[16];
  private final TensorGroupImpl<?>[] groups = new TensorGroupImpl<?>[16];
  private final long[] starts = new long[16];
  private final long[] ends = new long[16];
  private final boolean[] outputs = new boolean[16];
  private int operands;
  private String inPlaceInput;
  private String inPlaceOutput;

  private long[] counts = new long[2];
  private final float[] values = new float[4096];

  private CallGuard() {}

  /** The guard of this thread, with the backend held. */
  static CallGuard enter(BackendImpl backend) {
    CallGuard guard = CURRENT.get();
    backend.acquire();
    guard.backend = backend;
    return guard;
  }

  /** Gives everything back. */
  void exit() {
    for (int i = heldCount - 1; i >= 0; i--) {
      held[i].release();
      held[i] = null;
    }
    heldCount = 0;
    Arrays.fill(groups, 0, operands, null);
    operands = 0;
    inPlaceInput = null;
    inPlaceOutput = null;
    backend.release();
    backend = null;
  }

  /** A buffer that the call reads. */
  BufferImpl input(String name, DeviceBuffer buffer) {
    return operand(name, buffer, false);
  }

  /** A buffer that the call writes, or reads and writes. */
  BufferImpl output(String name, DeviceBuffer buffer) {
    return operand(name, buffer, true);
  }

  /** As {@link #output}; null stays null. */
  BufferImpl outputOrNull(String name, DeviceBuffer buffer) {
    return buffer == null ? null : operand(name, buffer, true);
  }

  /** Allows operand {@code output} to be exactly the same range as operand {@code input}. */
  void allowInPlace(String output, String input) {
    inPlaceOutput = output;
    inPlaceInput = input;
  }

  private BufferImpl operand(String name, DeviceBuffer buffer, boolean output) {
    Objects.requireNonNull(buffer, name);
    if (!(buffer instanceof BufferImpl)) {
      throw new IllegalArgumentException(name + " is a " + buffer.getClass().getName() + ", which this library did not make");
    }
    BufferImpl b = (BufferImpl) buffer;
    checkBackend(name, b.backendImpl());
    hold(name, b.memory());
    if (b.length() > 0) {
      record(name, null, b.rangeStart(), b.rangeEnd(), output);
    }
    return b;
  }

  /** A buffer that the call uses and that cannot overlap anything else: checked and taken, but not compared. */
  void holdOnly(String name, DeviceBuffer buffer) {
    BufferImpl b = (BufferImpl) buffer;
    checkBackend(name, b.backendImpl());
    hold(name, b.memory());
  }

  /** A group that the call reads. */
  TensorGroupImpl<?> input(String name, TensorGroup<?> group) {
    return operand(name, group, false);
  }

  /** A group that the call writes, or reads and writes. */
  TensorGroupImpl<?> output(String name, TensorGroup<?> group) {
    return operand(name, group, true);
  }

  /** As {@link #output}; null stays null. */
  TensorGroupImpl<?> outputOrNull(String name, TensorGroup<?> group) {
    return group == null ? null : operand(name, group, true);
  }

  private TensorGroupImpl<?> operand(String name, TensorGroup<?> group, boolean output) {
    TensorGroupImpl<?> g = own(name, group);
    for (Memory memory : g.memories()) {
      hold(name, memory);
    }
    int ranges = g.ranges();
    if (ranges > 0) {
      if (output && g.overlapping()) {
        int i = g.firstOverlap();
        throw new IllegalArgumentException(
            name + "[" + g.rangeTensor(i) + "] and " + name + "[" + g.rangeTensor(i + 1) + "] overlap by " + (g.rangeEnd(i) - g.rangeStart(i + 1))
                + " bytes, but the call writes them");
      }
      record(name, g, g.rangeStart(0), g.boundingEnd(), output);
    }
    return g;
  }

  /** The group itself, checked but not taken: for calls that treat one of its tensors as their operand. */
  TensorGroupImpl<?> own(String name, TensorGroup<?> group) {
    Objects.requireNonNull(group, name);
    if (!(group instanceof TensorGroupImpl)) {
      throw new IllegalArgumentException(name + " is a " + group.getClass().getName() + ", which this library did not make");
    }
    TensorGroupImpl<?> g = (TensorGroupImpl<?>) group;
    checkBackend(name, (BackendImpl) g.backend());
    return g;
  }

  /** Takes the stream and returns its handle. */
  long stream(Stream stream) {
    Objects.requireNonNull(stream, "stream");
    if (!(stream instanceof StreamImpl)) {
      throw new IllegalArgumentException("stream is a " + stream.getClass().getName() + ", which this library did not make");
    }
    StreamImpl s = (StreamImpl) stream;
    checkBackend("stream", (BackendImpl) s.backend());
    if (!s.isDefault()) {
      hold("stream", s);
    }
    return s.handle();
  }

  /** Checks that no output overlaps another operand. */
  void checkOverlap() {
    for (int b = 1; b < operands; b++) {
      for (int a = 0; a < b; a++) {
        if ((outputs[a] || outputs[b]) && starts[a] < ends[b] && starts[b] < ends[a] && !exactlyInPlace(a, b)) {
          checkOverlap(a, b);
        }
      }
    }
  }

  /** Scratch for host results of at least {@code n} numbers. */
  long[] counts(int n) {
    if (counts.length < n) {
      counts = new long[n];
    }
    return counts;
  }

  /** Scratch to look at values of a buffer. */
  float[] values() {
    return values;
  }

  private void checkBackend(String name, BackendImpl other) {
    if (other != backend) {
      throw new IllegalArgumentException(name + " belongs to backend " + other + ", this call to " + backend);
    }
  }

  private void hold(String name, UseCounted resource) {
    resource.acquire(name);
    if (heldCount == held.length) {
      held = Arrays.copyOf(held, 2 * heldCount);
    }
    held[heldCount++] = resource;
  }

  private void record(String name, TensorGroupImpl<?> group, long start, long end, boolean output) {
    names[operands] = name;
    groups[operands] = group;
    starts[operands] = start;
    ends[operands] = end;
    outputs[operands] = output;
    operands++;
  }

  private boolean exactlyInPlace(int a, int b) {
    return mayBeInPlace(a, b) && starts[a] == starts[b] && ends[a] == ends[b];
  }

  private boolean mayBeInPlace(int a, int b) {
    return inPlaceInput != null
        && (names[a].equals(inPlaceInput) && names[b].equals(inPlaceOutput) || names[b].equals(inPlaceInput) && names[a].equals(inPlaceOutput));
  }

  /** The bounding ranges of a and b meet; do the operands themselves? Walks both in order of their start. */
  private void checkOverlap(int a, int b) {
    int i = 0;
    int j = 0;
    while (i < ranges(a) && j < ranges(b)) {
      long start = Math.max(start(a, i), start(b, j));
      long end = Math.min(end(a, i), end(b, j));
      if (start < end) {
        String first = label(a, i);
        throw new IllegalArgumentException(
            first + " and " + label(b, j) + " overlap: bytes " + (start - start(a, i)) + ".." + (end - start(a, i)) + " of " + first
                + (mayBeInPlace(a, b) ? "; they must be the same range or share nothing" : "; the call writes one of them, so they must share nothing"));
      }
      // The range that ends first lies before the other one, and so before all that follow it.
      if (end(a, i) <= end(b, j)) {
        i++;
      } else {
        j++;
      }
    }
  }

  private int ranges(int operand) {
    return groups[operand] == null ? 1 : groups[operand].ranges();
  }

  private long start(int operand, int i) {
    return groups[operand] == null ? starts[operand] : groups[operand].rangeStart(i);
  }

  private long end(int operand, int i) {
    return groups[operand] == null ? ends[operand] : groups[operand].rangeEnd(i);
  }

  private String label(int operand, int i) {
    return groups[operand] == null ? names[operand] : names[operand] + "[" + groups[operand].rangeTensor(i) + "]";
  }
}
