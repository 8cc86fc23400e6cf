package io.metaplast.bench;

import io.metaplast.BitMatrix;
import io.metaplast.F32Buffer;
import io.metaplast.I32Buffer;
import io.metaplast.TensorGroup;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * The bits that one kernel call left behind, by name. NaN counts as one value, as the numerical contract says. Where the contract gives a bound instead of bits, the result is compared with sums
 * in double at once, and only with results of the same backend bit for bit.
 */
final class Outputs {
  private record Output(String name, int[] bits, boolean bounded) {
    Output(String name, int[] bits) {
      this(name, bits, false);
    }
  }

  private final List<Output> outputs = new ArrayList<>();
  private String broken;

  void add(String name, F32Buffer buffer) {
    add(name, buffer.toArray());
  }

  void add(String name, float... values) {
    int[] bits = new int[values.length];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = Float.floatToIntBits(values[i]);
    }
    outputs.add(new Output(name, bits));
  }

  void add(String name, I32Buffer buffer) {
    outputs.add(new Output(name, buffer.toArray()));
  }

  void add(String name, BitMatrix bits) {
    long[] words = bits.toArray();
    int[] halves = new int[2 * words.length];
    for (int i = 0; i < words.length; i++) {
      halves[2 * i] = (int) words[i];
      halves[2 * i + 1] = (int) (words[i] >>> 32);
    }
    outputs.add(new Output(name, halves));
  }

  /** A name of its own: an integer constant would silently choose this one instead of the floats. */
  void addCount(String name, long value) {
    outputs.add(new Output(name, new int[] {(int) value, (int) (value >>> 32)}));
  }

  void add(String name, TensorGroup<F32Buffer> group) {
    for (int t = 0; t < group.layout().tensors(); t++) {
      add(name + "[" + t + "]", group.get(t));
    }
  }

  /** Values whose bits differ between backends; {@code wrong} says how they break their bound, null if they do not. */
  void addBounded(String name, float[] values, String wrong) {
    add(name, values);
    Output last = outputs.remove(outputs.size() - 1);
    outputs.add(new Output(name, last.bits, true));
    require(name, wrong);
  }

  /** A condition that does not hold if {@code wrong} is not null. */
  void require(String name, String wrong) {
    if (wrong != null && broken == null) {
      broken = name + ": " + wrong;
    }
  }

  /** The first bound that does not hold, or null. */
  String broken() {
    return broken;
  }

  /** Whether there are results that a bound, not the bits of another backend, says are right. */
  boolean bounded() {
    return outputs.stream().anyMatch(Output::bounded);
  }

  /** All that another object holds. */
  void addAll(Outputs others) {
    outputs.addAll(others.outputs);
    broken = broken == null ? others.broken : broken;
  }

  /** Number of 32-bit words held. */
  long words() {
    return outputs.stream().mapToLong(output -> output.bits.length).sum();
  }

  /** The values added under a name; those of a group one tensor after the other. */
  float[] floats(String name) {
    int[] bits =
        outputs.stream().filter(output -> output.name.equals(name) || output.name.startsWith(name + "["))
            .flatMapToInt(output -> IntStream.of(output.bits)).toArray();
    float[] values = new float[bits.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = Float.intBitsToFloat(bits[i]);
    }
    return values;
  }

  /** FNV-1a over all words whose bits the contract fixes, in order, added to a running hash. */
  long hash(long running) {
    long hash = running;
    for (Output output : outputs) {
      // Of a bounded result only the length is the same everywhere.
      for (int word : output.bounded ? new int[] {output.bits.length} : output.bits) {
        hash = (hash ^ (word & 0xffffffffL)) * 0x100000001b3L;
      }
    }
    return hash;
  }

  /** The first difference from the results of another backend or the first bound that does not hold, in words; null if there is neither. */
  String firstDifference(Outputs expected) {
    return broken != null ? broken : firstDifference(expected, false);
  }

  /** The first bit that differs from the results of the same backend with other threads, bounded ones included; null if none. */
  String firstBitDifference(Outputs expected) {
    return firstDifference(expected, true);
  }

  private String firstDifference(Outputs expected, boolean boundedToo) {
    if (outputs.size() != expected.outputs.size()) {
      return outputs.size() + " outputs instead of " + expected.outputs.size();
    }
    for (int o = 0; o < outputs.size(); o++) {
      Output mine = outputs.get(o);
      Output wanted = expected.outputs.get(o);
      if (mine.bits.length != wanted.bits.length) {
        return mine.name + " has " + mine.bits.length + " elements instead of " + wanted.bits.length;
      }
      for (int i = 0; i < mine.bits.length && (boundedToo || !mine.bounded); i++) {
        if (mine.bits[i] != wanted.bits[i]) {
          return String.format(
              Locale.ROOT, "%s[%d] = %08x (%g) instead of %08x (%g)", mine.name, i, mine.bits[i], Float.intBitsToFloat(mine.bits[i]),
              wanted.bits[i], Float.intBitsToFloat(wanted.bits[i]));
        }
      }
    }
    return null;
  }
}
