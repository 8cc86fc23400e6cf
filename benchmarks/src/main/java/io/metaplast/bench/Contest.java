package io.metaplast.bench;

import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * Times several contenders in one process in interleaved rounds, so that whatever disturbs the machine disturbs them alike. A round in
 * which other processes needed the cores that the contenders use is thrown away and repeated.
 */
final class Contest {
  /** One call of what is timed; it must have finished when it returns. */
  interface Body {
    void run();
  }

  /**
   * Who takes part.
   *
   * @param name unique in the contest
   * @param body the call
   */
  record Contender(String name, Body body) {}

  /**
   * What came out for one contender.
   *
   * @param name its name
   * @param nanos statistics of the time of one call
   * @param rounds the time of one call in each round kept
   */
  record Result(String name, Stats nanos, double[] rounds) {}

  /**
   * The whole contest.
   *
   * @param results in the order of the contenders
   * @param dropped rounds thrown away because of load
   * @param others processors that other processes kept busy, mean over the rounds kept
   * @param gated whether enough quiet rounds were found; if not, the figures must not be quoted
   */
  record Outcome(List<Result> results, int dropped, double others, boolean gated) {
    Result of(String name) {
      return results.stream().filter(result -> result.name.equals(name)).findFirst()
          .orElseThrow(() -> new IllegalArgumentException("no contender " + name));
    }
  }

  /** Long against the clock and waking up threads, short against the slices in which a busy system deals out its processors. */
  private static final double TURN_NANOS = 4e6;

  private static final double WARM_UP_WINDOW_NANOS = 150e6;
  private static final int WARM_UP_WINDOWS_MOST = 30;

  /** So many windows in a row must bring neither a better time nor new compiled code. */
  private static final int SETTLED_WINDOWS = 3;

  /** A call this long settles in one window. */
  private static final double LONG_NANOS = 0.5e9;

  /** The progress bar and the clock are compiled now and then, too. */
  private static final long COMPILATION_NOISE_MILLIS = 5;

  /** A time is better when it is below this fraction of the best before. */
  private static final double BETTER = 0.9;

  private final int rounds;
  private final int repeats;
  private final double freeCores;
  private final LongSupplier clock;

  /**
   * A contest of so many rounds.
   *
   * @param rounds rounds to keep
   * @param repeats rounds that may be thrown away and repeated at most
   * @param threads threads that a contender uses at most: the other cores may be busy
   * @param cpuTime whether to count the processor time of the calling thread instead of time on the wall; for contenders that use no other
   *     thread
   */
  Contest(int rounds, int repeats, int threads, boolean cpuTime) {
    this.clock = cpuTime ? ManagementFactory.getThreadMXBean()::getCurrentThreadCpuTime : System::nanoTime;
    this.rounds = rounds;
    this.repeats = repeats;
    // A tenth of a core of background noise is always there.
    this.freeCores = Math.max(0, Runtime.getRuntime().availableProcessors() - threads) + 0.15;
  }

  /** Runs it; {@code afterRound} is called once per round kept. */
  Outcome run(List<Contender> contenders, Runnable afterRound) {
    int[] calls = new int[contenders.size()];
    for (int c = 0; c < calls.length; c++) {
      calls[c] = warmUp(contenders.get(c).body());
    }
    List<double[]> kept = new ArrayList<>();
    LoadGate gate = new LoadGate();
    double others = 0;
    int dropped = 0;
    while (kept.size() < rounds) {
      gate.start();
      double[] round = round(contenders, calls, kept.size() + dropped);
      double load = gate.others();
      // A machine that is busy for so long will not become quiet: keep what comes, but say so.
      if (load > freeCores && dropped < repeats) {
        dropped++;
        continue;
      }
      others += load / rounds;
      kept.add(round);
      afterRound.run();
    }
    List<Result> results = new ArrayList<>();
    for (int c = 0; c < calls.length; c++) {
      double[] times = new double[rounds];
      for (int r = 0; r < rounds; r++) {
        times[r] = kept.get(r)[c];
      }
      results.add(new Result(contenders.get(c).name(), Stats.of(times), times));
    }
    return new Outcome(results, dropped, others, others <= freeCores);
  }

  /** Every contender once; who begins moves on by one each round. */
  private double[] round(List<Contender> contenders, int[] calls, int number) {
    double[] times = new double[calls.length];
    for (int i = 0; i < calls.length; i++) {
      int c = (i + number) % calls.length;
      Body body = contenders.get(c).body();
      if (calls[c] > 1) {
        // brings back the caches that the previous contender took
        body.run();
      }
      long start = clock.getAsLong();
      for (int r = 0; r < calls[c]; r++) {
        body.run();
      }
      times[c] = (double) (clock.getAsLong() - start) / calls[c];
    }
    return times;
  }

  /** Runs until compiled and settled; returns how many calls fill a turn. */
  private int warmUp(Body body) {
    CompilationMXBean compiler = ManagementFactory.getCompilationMXBean();
    double best = Double.MAX_VALUE;
    int settled = 0;
    for (int window = 0; window < WARM_UP_WINDOWS_MOST && settled < SETTLED_WINDOWS; window++) {
      long compiled = compiler.getTotalCompilationTime();
      long start = System.nanoTime();
      double fastest = Double.MAX_VALUE;
      do {
        long before = clock.getAsLong();
        body.run();
        fastest = Math.min(fastest, clock.getAsLong() - before);
      } while (System.nanoTime() - start < WARM_UP_WINDOW_NANOS);
      boolean changed = fastest < BETTER * best || compiler.getTotalCompilationTime() > compiled + COMPILATION_NOISE_MILLIS;
      settled = changed ? 0 : settled + (fastest > LONG_NANOS ? SETTLED_WINDOWS : 1);
      best = Math.min(best, fastest);
    }
    return (int) Math.max(1, Math.min(1_000_000, TURN_NANOS / Math.max(best, 20)));
  }
}
