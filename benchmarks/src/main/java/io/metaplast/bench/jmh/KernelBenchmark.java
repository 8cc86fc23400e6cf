package io.metaplast.bench.jmh;

import io.metaplast.Backend;
import io.metaplast.bench.Lane;
import io.metaplast.bench.Workload;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** What all kernel benchmarks share: opening a lane, verifying the first call bit for bit, rates by counters. */
public abstract class KernelBenchmark extends Throughput {
  /** java, scalar, avx2, avx512, cuda, or cpu for the highest tier. */
  @Param({"java", "cpu"})
  public String backend;

  /** Threads that a call may use. */
  @Param("1")
  public int threads;

  private Backend opened;
  private Workload workload;

  /** What to run. */
  protected abstract Workload.Factory factory();

  /** Opens, prepares and verifies. */
  @Setup
  public void open() {
    opened = Lane.of(backend).open(threads);
    workload = factory().make(opened);
    workload.verify(factory());
  }

  /** Releases everything. */
  @TearDown
  public void close() {
    workload.close();
    opened.close();
  }

  /** Rates per second beside the calls per second: 1e9 items (parameters or normals) and 1e9 bytes. */
  @AuxCounters(AuxCounters.Type.OPERATIONS)
  @State(Scope.Thread)
  public static class Rates {
    /** 1e9 items. */
    public double gigaItems;

    /** 1e9 bytes. */
    public double gigaBytes;

    void add(double items, double bytes) {
      gigaItems += items * 1e-9;
      gigaBytes += bytes * 1e-9;
    }
  }

  /** One call, finished. */
  @Benchmark
  public void run(Rates rates) {
    workload.run();
    rates.add(workload.items(), workload.bytes());
  }
}
