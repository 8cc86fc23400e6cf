package io.metaplast.internal.java;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * A fixed set of daemon threads that help the calling thread. One task at a time: a caller that finds the pool busy runs its task alone.
 * Idle workers are parked. Nothing is allocated per task. Which thread computes which unit is open, so a unit's result may depend on its
 * index only.
 */
final class WorkerPool {
  /** A worker is woken only for at least this much work; waking costs some 20 to 50 microseconds. */
  private static final double NANOS_PER_THREAD = 50_000;

  /** Claims per participant: enough to balance threads of unequal speed. */
  private static final int CLAIMS = 4;

  /** How often the caller looks for the end before it parks: some 20 microseconds. */
  private static final int SPINS = 500;

  private static final int OPEN = 1 << 16;

  private final Thread[] workers;
  private final AtomicBoolean busy = new AtomicBoolean();
  private final AtomicInteger state = new AtomicInteger(); // participants, plus OPEN while workers may join
  private final AtomicLong next = new AtomicLong();
  private volatile boolean closed;

  // the current task; written by its caller before state turns OPEN
  private ParallelTask task;
  private long units;
  private long claim;
  private Thread caller;
  private volatile Throwable failure;

  /** {@code threads} participants at most, the caller included. */
  WorkerPool(int threads) {
    workers = new Thread[threads - 1];
    for (int i = 0; i < workers.length; i++) {
      workers[i] = new Thread(this::work, "metaplast-java-" + (i + 1));
      workers[i].setDaemon(true);
      workers[i].start();
    }
  }

  int threads() {
    return workers.length + 1;
  }

  void close() {
    closed = true;
    for (Thread worker : workers) {
      LockSupport.unpark(worker);
    }
  }

  /** Runs units 0..units-1 of {@code newTask}, each of which takes about {@code nanosPerUnit}; returns when all are done. */
  void run(ParallelTask newTask, long newUnits, double nanosPerUnit, Scratch scratch) {
    double useful = Math.min(newUnits, newUnits * nanosPerUnit / NANOS_PER_THREAD);
    int helpers = (int) Math.min(workers.length, useful - 1);
    if (helpers <= 0 || closed || !busy.compareAndSet(false, true)) {
      newTask.run(0, newUnits, scratch);
      scratch.release();
      return;
    }
    task = newTask;
    units = newUnits;
    claim = Math.max(1, newUnits / ((helpers + 1L) * CLAIMS));
    caller = Thread.currentThread();
    failure = null;
    next.set(0);
    state.set(OPEN + 1);
    try {
      for (int i = 0; i < helpers; i++) {
        LockSupport.unpark(workers[i]);
      }
      drain(scratch);
    } finally {
      Throwable fault = awaitWorkers();
      if (fault != null) {
        throw new IllegalStateException("a worker thread failed: " + fault, fault);
      }
    }
  }

  private Throwable awaitWorkers() {
    state.addAndGet(-OPEN - 1);
    for (int spin = 0; state.get() != 0; spin++) {
      if (spin < SPINS) {
        Thread.onSpinWait();
      } else {
        LockSupport.park(this);
      }
    }
    Throwable fault = failure;
    task = null;
    caller = null;
    busy.set(false);
    return fault;
  }

  private void drain(Scratch scratch) {
    ParallelTask current = task;
    long end = units;
    long size = claim;
    try {
      for (long from = next.getAndAdd(size); from < end; from = next.getAndAdd(size)) {
        current.run(from, Math.min(end, from + size), scratch);
      }
    } finally {
      scratch.release();
    }
  }

  private void work() {
    Scratch scratch = null;
    while (!closed) {
      if (!join()) {
        LockSupport.park(this);
        Thread.interrupted(); // an interrupt is not meant for this thread, and would keep park from waiting
        continue;
      }
      try {
        if (scratch == null) {
          scratch = new Scratch();
        }
        drain(scratch);
      } catch (Throwable e) {
        failure = e; // rethrown by the caller
      } finally {
        Thread waiting = caller;
        if (state.decrementAndGet() == 0) {
          LockSupport.unpark(waiting);
        }
      }
    }
  }

  private boolean join() {
    int s = state.get();
    while (s >= OPEN && next.get() < units) {
      if (state.compareAndSet(s, s + 1)) {
        return true;
      }
      s = state.get();
    }
    return false;
  }
}
