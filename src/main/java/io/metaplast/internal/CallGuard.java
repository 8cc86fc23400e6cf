package io.metaplast.internal;

import io.metaplast.DeviceBuffer;
import io.metaplast.Stream;
import io.metaplast.TensorGroup;
import io.metaplast.internal.spi.CallUses;
import io.metaplast.internal.spi.Memory;
import io.metaplast.internal.spi.UseCounted;
import java.util.Arrays;
import java.util.Objects;

/**
 * What every kernel call goes through: takes the backend, the stream and the memory of all operands for the duration of the call, and checks that they are
 * there, open, of this backend, and that no output overlaps another operand. What is taken is safe from a close from {@link #stream} on, which comes last; values
 * may be looked at after it only (or after {@link #publish}). One per thread, reused, so that a call allocates nothing:
 *
 * <pre>
 *   CallGuard guard = CallGuard.enter(backend);
 *   try {
 *     BufferImpl x = guard.input("x", xArgument);
 *     BufferImpl y = guard.output("y", yArgument);
 *     long handle = guard.stream(streamArgument);
 *     ...
 *     guard.checkOverlap();
 *     kernel
 *   } finally {
 *     guard.exit();
 *   }
 * </pre>
 */
final class CallGuard {
  /** Place of an operand that is in no list. */
  static final long NO_PLACE = -1;

  private static final ThreadLocal<CallGuard> CURRENT = ThreadLocal.withInitial(CallGuard::new);

  private final CallUses uses = new CallUses();
  private BackendImpl backend; // of this call or the last one
  private boolean published;

  // What is reused from call to call is written only where it changes: most calls of a thread resemble the call before, and a reference costs a barrier of the
  // collector.
  private Held[] held = new Held[16];

  /** Up to so many operands are compared pair by pair, more in the order of their addresses. */
  private static final int FEW = 24;

  private Operand[] list = new Operand[16];
  private boolean withGroups;
  private int[] order = new int[16];
  private int[] spare = new int[16];
  private int[] nextOutput = new int[17];
  private int operands;

  // Of long lists that are not recorded one by one: the range of all inputs, and of all outputs while these ascend in memory.
  private boolean withLists;
  private long inputsStart;
  private long inputsEnd;
  private long outputsStart;
  private long outputsEnd;
  private boolean ascending;

  private final String[] inPlaceInputs = new String[4];
  private final String[] inPlaceOutputs = new String[4];
  private int inPlacePairs;

  private long[] counts = new long[2];
  private final float[] values = new float[4096];
  private final double[] sums = new double[2];

  /** What messages call something that the call has taken. */
  private static final class Held {
    String name;
    long place;
  }

  /** An operand with elements: either a buffer or a group, the bounding range, and whether the call writes it. */
  private static final class Operand {
    String name;
    long place;
    TensorGroupImpl<?> groupOrNull; // null between calls
    long start;
    long end;
    boolean output;
  }

  private CallGuard() {
    noLists();
    fill(0);
    for (int i = 0; i < held.length; i++) {
      held[i] = new Held();
    }
  }

  private void noLists() {
    withLists = false;
    inputsStart = Long.MAX_VALUE;
    inputsEnd = Long.MIN_VALUE;
    outputsStart = Long.MAX_VALUE;
    outputsEnd = Long.MIN_VALUE;
    ascending = true;
  }

  private void fill(int from) {
    for (int i = from; i < list.length; i++) {
      list[i] = new Operand();
    }
  }

  /** The guard of this thread, with the backend held. */
  static CallGuard enter(BackendImpl backend) {
    CallGuard guard = CURRENT.get();
    guard.hold("backend", NO_PLACE, backend.life());
    if (guard.backend != backend) {
      guard.backend = backend;
    }
    return guard;
  }

  /** Gives everything back. */
  void exit() {
    if (withGroups) {
      for (int i = 0; i < operands; i++) {
        list[i].groupOrNull = null;
      }
      withGroups = false;
    }
    if (withLists) {
      noLists();
    }
    operands = 0;
    inPlacePairs = 0;
    published = false;
    uses.clear();
  }

  /** A buffer that the call reads. */
  BufferImpl input(String name, DeviceBuffer buffer) {
    return operand(name, NO_PLACE, buffer, false);
  }

  /** A buffer of a list that the call reads. The name has a {@code #} where the number of the list goes: it is put together only for a message. */
  BufferImpl input(String name, long place, DeviceBuffer buffer) {
    return operand(name, place, buffer, false);
  }

  /** A buffer that the call writes, or reads and writes. */
  BufferImpl output(String name, DeviceBuffer buffer) {
    return operand(name, NO_PLACE, buffer, true);
  }

  /** As {@link #input(String, long, DeviceBuffer)}, of a list that the call writes. */
  BufferImpl output(String name, long place, DeviceBuffer buffer) {
    return operand(name, place, buffer, true);
  }

  /** As {@link #output}; null stays null. */
  BufferImpl outputOrNull(String name, DeviceBuffer buffer) {
    return buffer == null ? null : operand(name, NO_PLACE, buffer, true);
  }

  /** Allows operand {@code output} to be exactly the same range as operand {@code input}; of lists, as the operand at the same place. */
  void allowInPlace(String output, String input) {
    inPlaceOutputs[inPlacePairs] = output;
    inPlaceInputs[inPlacePairs] = input;
    inPlacePairs++;
  }

  private BufferImpl operand(String name, long place, DeviceBuffer buffer, boolean output) {
    BufferImpl b = taken(name, place, buffer);
    if (b.length() > 0) {
      record(name, place, null, b.rangeStart(), b.rangeEnd(), output);
    }
    return b;
  }

  /**
   * A buffer of a long list, checked and taken. Outputs are those of one list. Afterwards {@link #listsApart} tells whether all of them must be given to
   * {@link #compare} before {@link #checkOverlap}.
   */
  void listed(String name, long place, DeviceBuffer buffer, boolean output) {
    BufferImpl b = taken(name, place, buffer);
    withLists = true;
    if (b.length() > 0) {
      long start = b.rangeStart();
      long end = b.rangeEnd();
      if (output) {
        ascending &= start >= outputsEnd;
        outputsStart = Math.min(outputsStart, start);
        outputsEnd = end;
      } else {
        inputsStart = Math.min(inputsStart, start);
        inputsEnd = Math.max(inputsEnd, end);
      }
    }
  }

  /** True if the outputs of the lists ascend in memory and everything else lies outside of their range, and no other output in that of the inputs. */
  boolean listsApart() {
    boolean apart = ascending && (outputsStart >= inputsEnd || inputsStart >= outputsEnd);
    for (int i = 0; i < operands; i++) {
      Operand o = list[i];
      apart &= o.start >= outputsEnd || outputsStart >= o.end;
      apart &= !o.output || o.start >= inputsEnd || inputsStart >= o.end;
    }
    return apart;
  }

  /** Puts a buffer that is taken already among the operands that are compared with each other. */
  void compare(String name, long place, DeviceBuffer buffer, boolean output) {
    BufferImpl b = (BufferImpl) buffer;
    if (b.length() > 0) {
      record(name, place, null, b.rangeStart(), b.rangeEnd(), output);
    }
  }

  private BufferImpl taken(String name, long place, DeviceBuffer buffer) {
    if (buffer == null) {
      throw new NullPointerException(at(name, place));
    }
    if (!(buffer instanceof BufferImpl)) {
      throw new IllegalArgumentException(at(name, place) + " is a " + buffer.getClass().getName() + ", which this library did not make");
    }
    BufferImpl b = (BufferImpl) buffer;
    if (b.backendImpl() != backend) {
      checkBackend(at(name, place), b.backendImpl());
    }
    hold(name, place, b.memory());
    return b;
  }

  /** The name of an operand of a list. */
  static String at(String name, long place) {
    int last = place == NO_PLACE ? -1 : name.lastIndexOf('#');
    if (last < 0) {
      return name;
    }
    return name.substring(0, last).replace("#", Long.toString(place >>> 32)) + (int) place + name.substring(last + 1);
  }

  /** Where a list of lists has an operand whose name has two {@code #}. */
  static long place(int outer, int inner) {
    return (long) outer << 32 | inner;
  }

  /** A buffer that the call uses and that cannot overlap anything else: checked and taken, but not compared. */
  void holdOnly(String name, DeviceBuffer buffer) {
    BufferImpl b = (BufferImpl) buffer;
    checkBackend(name, b.backendImpl());
    hold(name, NO_PLACE, b.memory());
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
      hold(name, NO_PLACE, memory);
    }
    int ranges = g.ranges();
    if (ranges > 0) {
      if (output && g.overlapping()) {
        int i = g.firstOverlap();
        throw new IllegalArgumentException(
            name + "[" + g.rangeTensor(i) + "] and " + name + "[" + g.rangeTensor(i + 1) + "] overlap by " + (g.rangeEnd(i) - g.rangeStart(i + 1))
                + " bytes, but the call writes them");
      }
      record(name, NO_PLACE, g, g.rangeStart(0), g.boundingEnd(), output);
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

  /** Takes the stream and returns its handle. From here on, whoever closes something that the call has taken leaves it to the end of the call. */
  long stream(Stream stream) {
    Objects.requireNonNull(stream, "stream");
    if (!(stream instanceof StreamImpl)) {
      throw new IllegalArgumentException("stream is a " + stream.getClass().getName() + ", which this library did not make");
    }
    StreamImpl s = (StreamImpl) stream;
    checkBackend("stream", (BackendImpl) s.backend());
    if (!s.isDefault()) {
      hold("stream", NO_PLACE, s);
    }
    publish();
    return s.rawHandle();
  }

  /** Checks that no output overlaps another operand. */
  void checkOverlap() {
    if (operands > FEW) {
      checkOverlapOfMany();
      return;
    }
    for (int j = 1; j < operands; j++) {
      Operand b = list[j];
      for (int i = 0; i < j; i++) {
        Operand a = list[i];
        if ((a.output || b.output) && a.start < b.end && b.start < a.end && !exactlyInPlace(a, b)) {
          checkOverlap(a, b);
        }
      }
    }
  }

  /** The same in the order of addresses. What overlaps without a fault is in place, so few pairs are looked at however often inputs are shared. */
  private void checkOverlapOfMany() {
    sortByStart();
    nextOutput[operands] = operands;
    for (int i = operands - 1; i >= 0; i--) {
      nextOutput[i] = list[order[i]].output ? i : nextOutput[i + 1];
    }
    for (int i = 0; i < operands; i++) {
      int first = order[i];
      boolean output = list[first].output;
      for (int j = output ? i + 1 : nextOutput[i + 1]; j < operands && start(j) < list[first].end; j = output ? j + 1 : nextOutput[j + 1]) {
        Operand a = list[Math.min(first, order[j])];
        Operand b = list[Math.max(first, order[j])];
        if (!exactlyInPlace(a, b)) {
          checkOverlap(a, b);
        }
      }
    }
  }

  /** Fills {@code order} with the operands by ascending start: merges runs, since operands of a list mostly come in the order of their addresses. */
  private void sortByStart() {
    for (int i = 0; i < operands; i++) {
      order[i] = i;
    }
    while (mergeNeighbours()) {
      int[] merged = spare;
      spare = order;
      order = merged;
    }
  }

  /** Merges every two neighbouring runs of {@code order} into {@code spare}; false if there is one run only. */
  private boolean mergeNeighbours() {
    int from = 0;
    while (from < operands) {
      int middle = endOfRun(from);
      if (from == 0 && middle == operands) {
        return false;
      }
      int end = middle == operands ? middle : endOfRun(middle);
      int a = from;
      int b = middle;
      for (int to = from; to < end; to++) {
        spare[to] = b == end || a < middle && start(a) <= start(b) ? order[a++] : order[b++];
      }
      from = end;
    }
    return operands > 0;
  }

  private long start(int ordered) {
    return list[order[ordered]].start;
  }

  private int endOfRun(int from) {
    int end = from + 1;
    while (end < operands && start(end - 1) <= start(end)) {
      end++;
    }
    return end;
  }

  /** Scratch for host results of at least {@code n} numbers. */
  long[] counts(int n) {
    if (counts.length < n) {
      counts = new long[n];
    }
    return counts;
  }

  /** Scratch for two host results. */
  double[] sums() {
    return sums;
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

  private void hold(String name, long place, UseCounted resource) {
    if (resource.isClosed()) {
      throw closed(name, place);
    }
    int n = uses.count();
    if (!uses.add(resource)) {
      return; // another piece of the same memory
    }
    if (n == held.length) {
      held = Arrays.copyOf(held, 2 * n);
      for (int i = n; i < held.length; i++) {
        held[i] = new Held();
      }
    }
    Held h = held[n];
    if (h.name != name) {
      h.name = name;
    }
    if (h.place != place) {
      h.place = place;
    }
    if (published) {
      publish();
    }
  }

  /** What {@link #stream} ends with: for calls that must look at values before they have taken everything. */
  void publish() {
    int closed = uses.publish();
    if (closed >= 0) {
      throw closed(held[closed].name, held[closed].place); // since it was taken
    }
    published = true;
  }

  private static IllegalStateException closed(String name, long place) {
    return new IllegalStateException(at(name, place) + " is closed");
  }

  /** Whether what this thread's call has taken is safe from a close; false outside of calls. For tests. */
  static boolean published() {
    return CURRENT.get().published;
  }

  private void record(String name, long place, TensorGroupImpl<?> group, long start, long end, boolean output) {
    if (operands == list.length) {
      grow(2 * operands);
    }
    Operand operand = list[operands++];
    if (operand.name != name) {
      operand.name = name;
    }
    operand.place = place;
    if (group != null) {
      operand.groupOrNull = group;
      withGroups = true;
    }
    operand.start = start;
    operand.end = end;
    operand.output = output;
  }

  private void grow(int size) {
    list = Arrays.copyOf(list, size);
    fill(operands);
    order = new int[size];
    spare = new int[size];
    nextOutput = new int[size + 1];
  }

  private boolean exactlyInPlace(Operand a, Operand b) {
    return a.start == b.start && a.end == b.end && mayBeInPlace(a, b);
  }

  private boolean mayBeInPlace(Operand a, Operand b) {
    for (int i = 0; i < inPlacePairs; i++) {
      if (a.place == b.place
          && (a.name.equals(inPlaceInputs[i]) && b.name.equals(inPlaceOutputs[i]) || b.name.equals(inPlaceInputs[i]) && a.name.equals(inPlaceOutputs[i]))) {
        return true;
      }
    }
    return false;
  }

  /** The bounding ranges of a and b meet; do the operands themselves? Walks both in order of their start. */
  private void checkOverlap(Operand a, Operand b) {
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

  private static int ranges(Operand operand) {
    return operand.groupOrNull == null ? 1 : operand.groupOrNull.ranges();
  }

  private static long start(Operand operand, int i) {
    return operand.groupOrNull == null ? operand.start : operand.groupOrNull.rangeStart(i);
  }

  private static long end(Operand operand, int i) {
    return operand.groupOrNull == null ? operand.end : operand.groupOrNull.rangeEnd(i);
  }

  private static String label(Operand operand, int i) {
    return operand.groupOrNull == null ? at(operand.name, operand.place) : operand.name + "[" + operand.groupOrNull.rangeTensor(i) + "]";
  }
}
