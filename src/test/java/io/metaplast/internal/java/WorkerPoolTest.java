package io.metaplast.internal.java;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class WorkerPoolTest {
  private static final double WORTH_A_THREAD = 1e9;

  private final WorkerPool pool = new WorkerPool(4);
  private final Scratch scratch = new Scratch();

  @AfterEach
  void close() {
    pool.close();
  }

  /** Counts how often each unit ran. */
  private static class Counting extends ParallelTask {
    final AtomicIntegerArray runs;

    Counting(int units) {
      runs = new AtomicIntegerArray(units);
    }

    @Override
    void run(long from, long to, Scratch own) {
      for (long u = from; u < to; u++) {
        runs.incrementAndGet((int) u);
      }
    }

    @Override
    void clear() {}

    void assertEachOnce() {
      for (int u = 0; u < runs.length(); u++) {
        assertThat(runs.get(u)).as("runs of unit %s", u).isEqualTo(1);
      }
    }
  }

  @Test
  void everyUnitRunsOnce() {
    for (int units = 0; units < 200; units++) {
      Counting task = new Counting(units);
      pool.run(task, units, WORTH_A_THREAD, scratch);
      task.assertEachOnce();
    }
  }

  @Test
  void callersAtTheSameTimeDoNotMix() throws InterruptedException {
    AtomicReference<Throwable> failure = new AtomicReference<>();
    Thread[] callers = new Thread[6];
    for (int c = 0; c < callers.length; c++) {
      callers[c] =
          new Thread(
              () -> {
                Scratch own = new Scratch();
                for (int i = 0; i < 500; i++) {
                  Counting task = new Counting(37);
                  pool.run(task, 37, WORTH_A_THREAD, own);
                  task.assertEachOnce();
                }
              });
      callers[c].setUncaughtExceptionHandler((t, e) -> failure.set(e));
      callers[c].start();
    }
    for (Thread caller : callers) {
      caller.join();
    }
    assertThat(failure.get()).isNull();
  }

  @Test
  void workersTakePart() throws InterruptedException {
    CountDownLatch two = new CountDownLatch(2);
    ParallelTask task =
        new ParallelTask() {
          @Override
          void run(long from, long to, Scratch own) {
            two.countDown();
            try {
              assertThat(two.await(30, TimeUnit.SECONDS)).as("two threads in the task at once").isTrue();
            } catch (InterruptedException e) {
              throw new IllegalStateException(e);
            }
          }

          @Override
          void clear() {}
        };
    pool.run(task, 2, WORTH_A_THREAD, scratch);
  }

  @Test
  void smallTasksStayOnTheCallingThread() {
    AtomicReference<Thread> seen = new AtomicReference<>();
    ParallelTask task =
        new ParallelTask() {
          @Override
          void run(long from, long to, Scratch own) {
            assertThat(from).isZero();
            assertThat(to).isEqualTo(100);
            seen.set(Thread.currentThread());
          }

          @Override
          void clear() {}
        };
    pool.run(task, 100, 10, scratch);
    assertThat(seen.get()).isSameAs(Thread.currentThread());
  }

  @Test
  void failureOfAWorkerReachesTheCallerAndThePoolWorksOn() {
    Thread caller = Thread.currentThread();
    CountDownLatch workerFailed = new CountDownLatch(1);
    ParallelTask failing =
        new ParallelTask() {
          @Override
          void run(long from, long to, Scratch own) {
            if (Thread.currentThread() != caller) {
              workerFailed.countDown();
              throw new ArithmeticException("on purpose");
            }
            try {
              assertThat(workerFailed.await(30, TimeUnit.SECONDS)).isTrue();
            } catch (InterruptedException e) {
              throw new IllegalStateException(e);
            }
          }

          @Override
          void clear() {}
        };
    assertThatThrownBy(() -> pool.run(failing, 1000, WORTH_A_THREAD, scratch))
        .isInstanceOf(IllegalStateException.class)
        .hasRootCauseInstanceOf(ArithmeticException.class);
    everyUnitRunsOnce();
  }

  @Test
  void anInterruptIsKeptAndDoesNotStopTheTask() {
    Thread.currentThread().interrupt();
    Counting task = new Counting(100);
    pool.run(task, 100, WORTH_A_THREAD, scratch);
    assertThat(Thread.interrupted()).isTrue();
    task.assertEachOnce();
  }

  @Test
  void aClosedPoolRunsTasksOnTheCaller() {
    pool.close();
    Counting task = new Counting(100);
    pool.run(task, 100, WORTH_A_THREAD, scratch);
    task.assertEachOnce();
  }
}
