package io.metaplast.bayes;

import io.metaplast.Backend;
import io.metaplast.I32Buffer;

/** Counters that update kernels add to, in backend memory: reading them is the only thing that waits for the device. */
public final class StepReport implements AutoCloseable {
  private final I32Buffer words;

  private StepReport(I32Buffer words) {
    this.words = words;
  }

  /** Zeroed counters. */
  public static StepReport allocate(Backend backend) {
    return new StepReport(backend.allocateI32(8));
  }

  /**
   * What the calls since the last {@link #reset()} saw.
   *
   * @param sigmaNotPositive parameters whose new sigma was not &gt; 0 (NaN included), added up over all calls
   * @param gateOpen whether the last gated call wrote
   * @param nanGradients NaN gradients seen by gated calls
   */
  public record Counts(long sigmaNotPositive, boolean gateOpen, long nanGradients) {}

  /** Reads the counters; waits for the work they come from. */
  public Counts read() {
    int[] w = words.toArray();
    return new Counts(word(w, 0), word(w, 1) != 0, word(w, 2));
  }

  /** Sets all counters to zero. */
  public void reset() {
    words.upload(new int[8]);
  }

  /** The four 64-bit counters as pairs of 32-bit words, low word first. */
  public I32Buffer words() {
    return words;
  }

  private static long word(int[] w, int i) {
    return (w[2 * i] & 0xffffffffL) | (long) w[2 * i + 1] << 32;
  }

  @Override
  public void close() {
    words.close();
  }
}
