package io.metaplast.internal.java;

import io.metaplast.internal.BufferImpl;

/** The 64-bit counters of a step report: pairs of ints, low word first. Adding is atomic, several threads and calls may share a report. */
final class ReportWords {
  static final int SIGMA_NOT_POSITIVE = 0;
  static final int GATE_OPEN = 1;
  static final int NAN_GRADIENTS = 2;

  private ReportWords() {}

  static void add(BufferImpl report, int word, long amount) {
    if (amount != 0) {
      int[] words = ((JavaMemory) report.memory()).ints();
      int at = (int) (report.byteOffset() / Integer.BYTES) + 2 * word;
      synchronized (words) {
        put(words, at, get(words, at) + amount);
      }
    }
  }

  static void set(BufferImpl report, int word, long value) {
    int[] words = ((JavaMemory) report.memory()).ints();
    synchronized (words) {
      put(words, (int) (report.byteOffset() / Integer.BYTES) + 2 * word, value);
    }
  }

  private static long get(int[] words, int at) {
    return (words[at] & 0xffffffffL) | (long) words[at + 1] << 32;
  }

  private static void put(int[] words, int at, long value) {
    words[at] = (int) value;
    words[at + 1] = (int) (value >>> 32);
  }
}
