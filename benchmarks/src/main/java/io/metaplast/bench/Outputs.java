package io.metaplast.bench;

import io.metaplast.BitMatrix;
import io.metaplast.F32Buffer;
import io.metaplast.I32Buffer;
import io.metaplast.TensorGroup;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/** The bits that one kernel call left behind, by name. NaN counts as one value, as the numerical contract says. */
final class Outputs {
  private record Output(String name, int[] bits) {}

  private final List<Output> outputs = new ArrayList<>();

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

  /** All that another object holds. */
  void addAll(Outputs others) {
    outputs.addAll(others.outputs);
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

  /** FNV-1a over all words, in order, added to a running hash. */
  long hash(long running) {
    long hash = running;
    for (Output output : outputs) {
      for (int word : output.bits) {
        hash = (hash ^ (word & 0xffffffffL)) * 0x100000001b3L;
      }
    }
    return hash;
  }

  /** The first difference from {@code expected} in words, or null if every bit is equal. */
  String firstDifference(Outputs expected) {
    if (outputs.size() != expected.outputs.size()) {
      return outputs.size() + " outputs instead of " + expected.outputs.size();
    }
    for (int o = 0; o < outputs.size(); o++) {
      Output mine = outputs.get(o);
      Output wanted = expected.outputs.get(o);
      if (mine.bits.length != wanted.bits.length) {
        return mine.name + " has " + mine.bits.length + " elements instead of " + wanted.bits.length;
      }
      for (int i = 0; i < mine.bits.length; i++) {
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
