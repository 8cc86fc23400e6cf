package io.metaplast.fault;

import static org.assertj.core.api.Assertions.assertThat;

import io.metaplast.Backend;
import io.metaplast.BitMatrix;
import io.metaplast.Coverage;
import io.metaplast.Data.Profile;
import io.metaplast.F32Buffer;
import io.metaplast.I32Buffer;
import io.metaplast.I32Matrix;
import io.metaplast.Metaplast;
import io.metaplast.Seeds;
import io.metaplast.Stream;
import io.metaplast.TestBackends.Target;
import io.metaplast.contract.Case;
import io.metaplast.contract.Contracts;
import io.metaplast.contract.Mode;
import io.metaplast.contract.Run;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Many callers at once, closes while kernels run, interrupts: results stay those of a quiet machine, or the call says that its operand is closed. */
class ConcurrencyTest {
  private static final int PATIENCE_SECONDS = 120;

  private record Task(Mode mode, Case theCase, long hash) {}

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#all")
  void concurrentCallersGetTheBitsOfOneCaller(Target target) throws Exception {
    SplittableRandom random = Seeds.random("concurrent callers", 0);
    List<Mode> modes = Contracts.all().stream().flatMap(c -> c.modes().stream()).toList();
    List<Task> tasks = new ArrayList<>();
    for (int i = 0; i < 3 * modes.size(); i++) {
      int n = i % 7 == 0 ? random.nextInt(20_000, 40_000) : random.nextInt(2000);
      Case c = new Case(500_000 + i, n, random.nextInt(16), Profile.values()[i % 4], false);
      try (Run run = Run.of(modes.get(i % modes.size()), c, target.backend())) {
        tasks.add(new Task(modes.get(i % modes.size()), c, run.hash()));
      }
    }
    for (int callers : new int[] {2, 4, 16}) {
      int calls = Seeds.rounds(400, 10_000) / callers + 1;
      ExecutorService pool = Executors.newFixedThreadPool(callers);
      try {
        CyclicBarrier start = new CyclicBarrier(callers);
        List<Future<?>> done = new ArrayList<>();
        for (int caller = 0; caller < callers; caller++) {
          SplittableRandom order = random.split();
          done.add(
              pool.submit(
                  () -> {
                    start.await();
                    for (int call = 0; call < calls; call++) {
                      Task task = tasks.get(order.nextInt(tasks.size()));
                      try (Run run = Run.of(task.mode(), task.theCase(), target.backend())) {
                        assertThat(run.hash()).as("%s, %s with %d callers", task.mode(), task.theCase(), callers).isEqualTo(task.hash());
                      }
                    }
                    return null;
                  }));
        }
        for (Future<?> f : done) {
          f.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        }
        Coverage.checked("concurrent callers", target.name(), (long) calls * callers);
      } finally {
        pool.shutdownNow();
      }
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void closingDuringACallGivesTheResultOrSaysClosed(Target target) throws Exception {
    Backend backend = target.backend();
    long before = backend.allocatedBytes();
    ExecutorService caller = Executors.newSingleThreadExecutor();
    int refused = 0;
    int completed = 0;
    try {
      for (int round = 0; round < Seeds.rounds(2000, 100_000); round++) {
        F32Buffer x = backend.allocate(20_000);
        F32Buffer y = backend.allocate(20_000);
        int seed = round;
        Future<Boolean> call =
            caller.submit(
                () -> {
                  try {
                    backend.bayes().gaussian(seed, 0, 0, 0, x, backend.defaultStream());
                    backend.bayes().sgdStep(y, x, 0.5, backend.defaultStream());
                    return true;
                  } catch (IllegalStateException e) {
                    assertThat(e).hasMessageContaining("closed");
                    return false;
                  }
                });
        LockSupport.parkNanos(ThreadLocalRandom.current().nextInt(1, 100_000)); // where it hits is up to the machine; nothing is replayed from it
        x.close();
        y.close();
        if (call.get(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
          completed++;
        } else {
          refused++;
        }
      }
    } finally {
      caller.shutdownNow();
    }
    assertThat(completed + refused).isEqualTo(Seeds.rounds(2000, 100_000));
    assertThat(backend.allocatedBytes()).as("bytes still allocated").isEqualTo(before);
    Coverage.checked("close during a call", target.name(), completed + refused);
  }

  /** Calls as short as they get, of several threads on the same operands, which other threads close and replace all the time. */
  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void sharedOperandsClosedUnderShortCallsGiveTheResultOrSayClosed(Target target) throws Exception {
    Backend backend = target.backend();
    long before = backend.allocatedBytes();
    int callers = 3;
    int replacements = Seeds.rounds(3000, 200_000);
    AtomicReference<BitMatrix> shared = new AtomicReference<>(ones(backend));
    AtomicBoolean stop = new AtomicBoolean();
    AtomicLong completed = new AtomicLong();
    AtomicLong refused = new AtomicLong();
    ExecutorService pool = Executors.newFixedThreadPool(callers + 1);
    try {
      List<Future<?>> done = new ArrayList<>();
      for (int caller = 0; caller < callers; caller++) {
        done.add(
            pool.submit(
                () -> {
                  try (BitMatrix a = ones(backend);
                      I32Buffer out = backend.allocateI32(1)) {
                    I32Matrix y = I32Matrix.of(out, 1, 1);
                    while (!stop.get()) {
                      out.upload(0, new int[] {-1}, 0, 1);
                      try {
                        backend.binary().xnorGemm(a, shared.get(), y, backend.defaultStream());
                        completed.incrementAndGet();
                        assertThat(out.toArray()).containsExactly(COLUMNS);
                      } catch (IllegalStateException e) {
                        assertThat(e).hasMessage("b is closed");
                        refused.incrementAndGet();
                      }
                    }
                    return null;
                  }
                }));
      }
      done.add(
          pool.submit(
              () -> {
                try {
                  for (int i = 0; i < replacements || completed.get() == 0; i++) {
                    BitMatrix old = shared.get();
                    old.close(); // the callers still find it
                    shared.set(ones(backend));
                  }
                } finally {
                  stop.set(true);
                }
                return null;
              }));
      for (Future<?> f : done) {
        f.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
      }
    } finally {
      stop.set(true);
      pool.shutdownNow();
    }
    shared.get().close();
    assertThat(backend.allocatedBytes()).as("bytes still allocated").isEqualTo(before);
    Coverage.checked("close during a call", target.name(), completed.get() + refused.get());
  }

  private static final int COLUMNS = 64;

  /** One row of +1. */
  private static BitMatrix ones(Backend backend) {
    BitMatrix bits = backend.allocateBits(1, COLUMNS);
    bits.upload(0, new long[] {-1}, 0, 1);
    return bits;
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void closingTheBackendDuringACallGivesTheResultOrSaysClosed(Target target) throws Exception {
    ExecutorService caller = Executors.newSingleThreadExecutor();
    try (LogCapture log = new LogCapture()) {
      for (int round = 0; round < Seeds.rounds(100, 1000); round++) {
        Backend backend = Metaplast.open(target.options());
        F32Buffer x = backend.allocate(30_000);
        Future<?> call =
            caller.submit(
                () -> {
                  try {
                    backend.bayes().gaussian(1, 0, 0, 0, x, backend.defaultStream());
                  } catch (IllegalStateException e) {
                    assertThat(e).hasMessageContaining("closed");
                  }
                });
        LockSupport.parkNanos(ThreadLocalRandom.current().nextInt(1, 200_000));
        backend.close();
        call.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        x.close();
        assertThat(backend.allocatedBytes()).isZero();
        assertThat(log.messages()).as("the buffer that was still open").anyMatch(m -> m.contains(backend + " was closed with 120000 bytes"));
        Coverage.checked("close during a call", target.name(), 1);
      }
    } finally {
      caller.shutdownNow();
    }
  }

  @ParameterizedTest
  @MethodSource("io.metaplast.TestBackends#kinds")
  void interruptsAreKeptAndDoNotStopACall(Target target) throws InterruptedException, TimeoutException {
    Backend backend = target.backend();
    try (F32Buffer x = backend.allocate(50_000);
        F32Buffer y = backend.allocate(50_000);
        Stream stream = backend.newStream()) {
      backend.bayes().gaussian(3, 0, 0, 0, y, stream);
      float[] expected = y.toArray();
      boolean[] flag = new boolean[1];
      Throwable[] thrown = new Throwable[1];
      for (int round = 0; round < Seeds.rounds(200, 10_000); round++) {
        x.fill(0f);
        boolean early = round % 2 == 0; // the flag is up before the call; else it comes during the call or after it
        Thread caller =
            new Thread(
                () -> {
                  if (early) {
                    Thread.currentThread().interrupt();
                  }
                  backend.bayes().gaussian(3, 0, 0, 0, x, stream);
                  stream.synchronize();
                  flag[0] = Thread.currentThread().isInterrupted();
                });
        caller.setUncaughtExceptionHandler((t, e) -> thrown[0] = e);
        caller.start();
        if (!early) {
          caller.interrupt();
        }
        caller.join(1000L * PATIENCE_SECONDS);
        if (caller.isAlive()) {
          throw new TimeoutException("an interrupted call did not end");
        }
        assertThat(thrown[0]).isNull();
        assertThat(x.toArray()).isEqualTo(expected);
        assertThat(flag[0] || !early).as("the interrupt flag after the call").isTrue();
      }
    }
  }
}
