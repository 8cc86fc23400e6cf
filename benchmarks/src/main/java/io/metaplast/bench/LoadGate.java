package io.metaplast.bench;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import oshi.SystemInfo;
import oshi.hardware.CentralProcessor;
import oshi.hardware.CentralProcessor.TickType;
import oshi.util.GlobalConfig;

/** How much processor time other processes (and the hypervisor) took while something was measured, from the system's own accounting. */
final class LoadGate {
  static {
    // oshi would answer from a cache of 300 ms, longer than a round
    GlobalConfig.set(GlobalConfig.OSHI_UTIL_MEMOIZER_EXPIRATION, 0);
  }

  private final CentralProcessor processor = new SystemInfo().getHardware().getProcessor();
  private final OperatingSystemMXBean process = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
  private long wall;
  private long own;
  private long busy;

  LoadGate() {
    start();
  }

  /** Begins an interval. */
  void start() {
    wall = System.nanoTime();
    own = process.getProcessCpuTime();
    busy = busyMillis();
  }

  /** Processors that others kept busy since {@link #start()}. The system counts in ticks of about 10 ms: ask over 100 ms or more. */
  double others() {
    double elapsed = (System.nanoTime() - wall) * 1e-9;
    double busySeconds = (busyMillis() - busy) * 1e-3;
    double ownSeconds = (process.getProcessCpuTime() - own) * 1e-9;
    return elapsed > 0 ? Math.max(0, (busySeconds - ownSeconds) / elapsed) : 0;
  }

  private long busyMillis() {
    long[] ticks = processor.getSystemCpuLoadTicks();
    long sum = 0;
    for (TickType type : TickType.values()) {
      if (type != TickType.IDLE && type != TickType.IOWAIT) {
        sum += ticks[type.getIndex()];
      }
    }
    return sum;
  }
}
