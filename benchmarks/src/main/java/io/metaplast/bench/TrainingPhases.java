package io.metaplast.bench;

import io.metaplast.Backend;
import io.metaplast.F32Buffer;
import io.metaplast.Stream;
import io.metaplast.TensorGroup;
import java.util.ArrayList;
import java.util.List;

/**
 * Where the time of one training step goes, beside a floor in cycles: the vector instructions that the specified operations need at the
 * very least, four a cycle (sixteen lanes each). No core of today can run faster than that; whoever reaches half of it does well.
 *
 * @param lane backend and tier
 * @param how what else must be known, in words
 * @param gigahertz clock rate measured
 * @param phases by name, in order
 */
record TrainingPhases(String lane, String how, double gigahertz, List<Phase> phases) {
  /**
   * One phase.
   *
   * @param name what it does
   * @param micros median time
   * @param floorMicros floor, or null where it is not worth counting
   */
  record Phase(String name, double micros, Double floorMicros) {
    /** Floor and its share of the time in words, or "". */
    String floor() {
      return floorMicros == null ? "" : Texts.time(1e3 * floorMicros) + " (" + Texts.percent(100 * floorMicros / micros) + " of the time)";
    }
  }

  private static final int LANES = 16;
  private static final double PER_CYCLE = 4;

  /**
   * Vector instructions per 16 normals. Philox: 12 a round (4 multiplications, 4 shifts, 4 three-way xors) over 10 rounds give 4 vectors of
   * words. Box-Muller for 2 vectors of normals: uniforms 6, logarithm 32, root 2, sine and cosine 27, products 2.
   */
  private static final double PER_NORMALS = 120 / 4.0 + 69 / 2.0;

  /** Per 16 weights and sample: w = mu + sigma * z, w * x, sum. */
  private static final double FORWARD = 4;

  /** Per 16 weights and sample: d = delta * x, sum, d * z, sum; twice that where dx is wanted too. */
  private static final double BACKWARD = 4;

  /** Per 16 weights: the update itself. */
  private static final double UPDATE = 20;

  private static final int FIRST = 784 * 50;
  private static final int SECOND = 50 * 10;

  /** Measures on one lane, epsilon stored between the passes. */
  static TrainingPhases measure(Lane lane, int threads, int rounds) {
    double gigahertz = Clock.gigahertz();
    boolean countable = lane.label().equals("avx512");
    int samples = Workloads.SAMPLES;
    double[] floors = {
      FIRST * samples * (PER_NORMALS + FORWARD),
      SECOND * samples * (PER_NORMALS + FORWARD),
      0,
      SECOND * (samples * 2 * BACKWARD + UPDATE),
      FIRST * (samples * BACKWARD + UPDATE)
    };
    List<Phase> phases = new ArrayList<>();
    try (Backend backend = lane.open(threads); Workload workload = Workloads.trainingStep(true)
        .make(backend); Stream stream = backend.newStream()) {
      Workloads.TrainingStep step = (Workloads.TrainingStep) workload;
      int names = Workloads.TrainingStep.PHASES.length;
      int repeats = rounds * 100;
      double[][] times = new double[names][repeats];
      for (int r = -2000; r < repeats; r++) {
        for (int phase = 0; phase < names; phase++) {
          long start = System.nanoTime();
          step.call(phase);
          workload.stream.synchronize();
          if (r >= 0) {
            times[phase][r] = System.nanoTime() - start;
          }
        }
      }
      double total = 0;
      double floor = 0;
      for (int phase = 0; phase < names; phase++) {
        double micros = Stats.of(times[phase]).median() / 1e3;
        double floorMicros = micros(floors[phase] / LANES / PER_CYCLE, gigahertz) / threads;
        phases.add(new Phase(Workloads.TrainingStep.PHASES[phase], micros, countable && floors[phase] > 0 ? floorMicros : null));
        total += micros;
        floor += floorMicros;
      }
      phases.add(new Phase("sum", total, countable ? floor : null));
      double[] random = new double[repeats];
      try (TensorGroup<F32Buffer> epsilon = backend.allocateGroup(Workloads.NETWORK, samples)) {
        for (int r = -500; r < repeats; r++) {
          long start = System.nanoTime();
          backend.bayes().epsilon(1000, r & 0xffff, epsilon, stream);
          stream.synchronize();
          if (r >= 0) {
            random[r] = System.nanoTime() - start;
          }
        }
      }
      double normals = (double) (FIRST + SECOND) * samples;
      phases.add(
          new Phase(
              "random numbers alone (397,000 normals)",
              Stats.of(random).median() / 1e3,
              countable ? (Double) (micros(normals * PER_NORMALS / LANES / PER_CYCLE, gigahertz) / threads) : null));
    }
    return new TrainingPhases(lane.label(), "epsilon stored", gigahertz, phases);
  }

  /**
   * A step of the binarized 784-h-h-10 network. Floors: bits x bits at three vector operations per 512 bits, four a cycle; sums of +-x at four weights a
   * lookup, two lookups of sixteen lanes a cycle. Updates are bound by memory and have none here.
   */
  static TrainingPhases binary(Lane lane, int threads, int rounds, int hidden) {
    double gigahertz = Clock.gigahertz();
    int batch = 100;
    double wide = (double) batch * hidden * hidden;
    double first = (double) batch * hidden * 784;
    List<Phase> phases = new ArrayList<>();
    try (Backend backend = lane.open(threads); Stream stream = backend.newStream();
        BinaryTrainingStep step = new BinaryTrainingStep(backend, hidden, batch, stream)) {
      List<BinaryTrainingStep.Phase> parts = step.phases();
      double[][] times = new double[parts.size()][2 * rounds];
      for (int r = -5; r < 2 * rounds; r++) {
        step.begin();
        for (int p = 0; p < parts.size(); p++) {
          long start = System.nanoTime();
          parts.get(p).body().run();
          stream.synchronize();
          if (r >= 0) {
            times[p][r] = System.nanoTime() - start;
          }
        }
      }
      double total = 0;
      for (int p = 0; p < parts.size(); p++) {
        double micros = Stats.of(times[p]).median() / 1e3;
        String name = parts.get(p).name();
        double cycles =
            name.startsWith("forward 2") ? wide / BinarySections.BIT_MACS_PER_CYCLE
                : name.startsWith("forward 1") ? first / BinarySections.SIGN_MACS_PER_CYCLE
                    : name.startsWith("dx 2") ? wide / BinarySections.SIGN_MACS_PER_CYCLE : 0;
        boolean countable = cycles > 0 && lane.label().equals("avx512");
        phases.add(new Phase(name, micros, countable ? (Double) (micros(cycles, gigahertz) / threads) : null));
        total += micros;
      }
      phases.add(new Phase("sum", total, null));
    }
    return new TrainingPhases(lane.label(), "gradient products fused with updates", gigahertz, phases);
  }

  private static double micros(double cycles, double gigahertz) {
    return cycles / gigahertz / 1e3;
  }
}
