package io.metaplast.internal.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.metaplast.Seeds;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

/** Nothing is freed while a call uses it, and everything that is closed is freed once. */
class CallUsesTest {
  private static final int PATIENCE_SECONDS = 120;

  private static final class Resource extends UseCounted {
    final AtomicInteger freed = new AtomicInteger();

    @Override
    protected void free() {
      freed.incrementAndGet();
    }

    boolean isFreed() {
      return freed.get() != 0;
    }
  }

  private static void await(BooleanSupplier condition, Runnable meanwhile) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
    while (!condition.getAsBoolean() && System.nanoTime() < end) {
      meanwhile.run();
      Thread.sleep(1);
    }
    assertThat(condition.getAsBoolean()).isTrue();
  }

  @Test
  void whatIsUsedIsFreedWhenTheCallEnds() {
    CallUses uses = new CallUses();
    Resource a = new Resource();
    Resource b = new Resource();
    uses.add(a);
    uses.add(b);
    assertThat(uses.publish()).isEqualTo(-1);
    assertThat(b.closeOnce()).isTrue();
    assertThat(b.closeOnce()).isFalse();
    assertThat(b.isClosed()).isTrue();
    assertThat(b.isFreed()).isFalse();
    uses.clear();
    assertThat(b.freed).hasValue(1);
    assertThat(a.isFreed()).isFalse();
    a.closeOnce();
    assertThat(a.freed).hasValue(1);
  }

  @Test
  void countedAndPublishedUsersAreBothWaitedFor() {
    CallUses uses = new CallUses();
    for (boolean countedFirst : new boolean[] {true, false}) {
      Resource r = new Resource();
      r.acquire("r");
      uses.add(r);
      assertThat(uses.publish()).isEqualTo(-1);
      r.closeOnce();
      assertThatThrownBy(() -> r.acquire("r")).isInstanceOf(IllegalStateException.class).hasMessage("r is closed");
      if (countedFirst) {
        r.release();
        assertThat(r.isFreed()).isFalse();
        uses.clear();
      } else {
        uses.clear();
        assertThat(r.isFreed()).isFalse();
        r.release();
      }
      assertThat(r.freed).hasValue(1);
    }
  }

  @Test
  void publishTellsTheFirstThatIsClosed() {
    CallUses uses = new CallUses();
    List<Resource> many = new ArrayList<>();
    for (int i = 0; i < 100; i++) { // more than there is room for at first
      many.add(new Resource());
      assertThat(uses.add(many.get(i))).isTrue();
      assertThat(uses.add(many.get(i))).as("the same once more").isFalse();
      assertThat(uses.count()).isEqualTo(i + 1);
    }
    assertThat(uses.publish()).isEqualTo(-1);
    many.get(99).closeOnce();
    many.get(57).closeOnce();
    assertThat(uses.publish()).isEqualTo(57);
    assertThat(many.get(57).isFreed()).isFalse();
    uses.clear();
    assertThat(many.get(57).freed).hasValue(1);
    assertThat(many.get(99).freed).hasValue(1);
    assertThat(uses.count()).isZero();
    assertThat(uses.add(many.get(0))).isTrue();
    assertThat(uses.publish()).as("a shorter call later").isEqualTo(-1);
    many.get(1).closeOnce();
    assertThat(many.get(1).freed).as("of the call before").hasValue(1);
    uses.clear();
  }

  @Test
  void aThreadThatEndedInACallHoldsNothing() throws Exception {
    Resource r = new Resource();
    Thread dying =
        new Thread(
            () -> {
              CallUses uses = new CallUses();
              uses.add(r);
              uses.publish();
            });
    dying.start();
    dying.join();
    r.closeOnce();
    await(r::isFreed, System::gc);
    assertThat(r.freed).hasValue(1);
  }

  @Test
  void endedThreadsAreForgotten() throws Exception {
    int before = CallUses.known();
    int threads = 500;
    for (int i = 0; i < threads; i++) {
      Thread t = new Thread(CallUses::new);
      t.start();
      t.join();
    }
    await(
        () -> {
          new CallUses(); // whoever comes clears away
          return CallUses.known() < before + threads / 2;
        },
        System::gc);
  }

  /**
   * Two threads, many resources, each used by one call while it is closed, as nearly at once as possible. Without the fence of publish, or
   * without its look at what is closed, some call runs on a resource that was freed.
   */
  @Test
  void nothingIsFreedInUse() throws Exception {
    int rounds = Seeds.rounds(400, 20_000);
    int batch = 1000;
    ExecutorService closer = Executors.newSingleThreadExecutor();
    CallUses uses = new CallUses();
    AtomicInteger turn = new AtomicInteger();
    int used = 0;
    int refused = 0;
    int delay = 100;
    try {
      for (int round = 0; round < rounds; round++) {
        Resource[] resources = new Resource[batch];
        for (int i = 0; i < batch; i++) {
          resources[i] = new Resource();
        }
        turn.set(-1);
        Future<?> closes =
            closer.submit(
                () -> {
                  for (int i = 0; i < batch; i++) {
                    awaitTurn(turn, i);
                    resources[i].closeOnce();
                  }
                });
        for (int i = 0; i < batch; i++) {
          turn.set(i);
          for (int d = 0; d < delay; d++) { // until the other thread has seen it; calls and closes shall come first equally often
            turn.getOpaque();
          }
          while (i == 0 && !resources[i].isClosed()) {
            Thread.onSpinWait(); // one of each batch is late, however busy the machine
          }
          uses.add(resources[i]);
          if (uses.publish() < 0) {
            boolean freed = false;
            for (int look = 0; look < 300 && !freed; look++) {
              freed = resources[i].isFreed();
            }
            uses.clear();
            assertThat(freed).as("freed in use").isFalse();
            used++;
            delay = Math.min(delay + 5, 20_000);
          } else {
            uses.clear();
            refused++;
            delay = Math.max(delay - 5, 0);
          }
        }
        closes.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        for (Resource r : resources) {
          assertThat(r.freed).as("freed, however it came out").hasValue(1);
        }
      }
    } finally {
      closer.shutdownNow();
    }
    assertThat(used).as("calls that ran").isPositive();
    assertThat(refused).as("calls that came too late").isPositive();
  }

  private static void awaitTurn(AtomicInteger turn, int i) {
    for (int spins = 1; turn.get() < i && !Thread.currentThread().isInterrupted(); spins++) {
      if (spins % 10_000 == 0) {
        Thread.yield();
      }
    }
  }

  /** Several callers of the same resources, several closers: each is freed once, and when all have gone nothing waits. */
  @Test
  void manyCallersAndClosersFreeOnce() throws Exception {
    int threads = 4;
    int count = Seeds.rounds(2000, 50_000);
    List<Resource> resources = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      resources.add(new Resource());
    }
    ExecutorService pool = Executors.newFixedThreadPool(2 * threads);
    CountDownLatch start = new CountDownLatch(2 * threads);
    AtomicInteger firstCloses = new AtomicInteger();
    try {
      List<Future<?>> all = new ArrayList<>();
      for (int t = 0; t < threads; t++) {
        int seed = t;
        all.add(
            pool.submit(
                () -> {
                  CallUses uses = new CallUses();
                  meet(start);
                  for (int i = 0; i + 3 < count; i++) {
                    for (int j = 0; j < 3; j++) {
                      uses.add(resources.get(i + (j + seed) % 3));
                    }
                    if (uses.publish() < 0) {
                      for (int j = 0; j < 3; j++) {
                        assertThat(resources.get(i + j).isFreed()).isFalse();
                      }
                    }
                    uses.clear();
                  }
                }));
        all.add(
            pool.submit(
                () -> {
                  meet(start);
                  for (Resource r : resources) {
                    if (r.closeOnce()) {
                      firstCloses.incrementAndGet();
                    }
                  }
                }));
      }
      for (Future<?> f : all) {
        f.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
      }
    } finally {
      pool.shutdownNow();
    }
    assertThat(firstCloses).hasValue(count);
    await(() -> resources.stream().allMatch(Resource::isFreed), () -> {});
    assertThat(resources).allMatch(r -> r.freed.get() == 1);
    await(() -> !UseCounted.anyWaiting(), () -> {});
  }

  private static void meet(CountDownLatch start) {
    start.countDown();
    try {
      start.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
