#include "runtime/thread_pool.h"

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "testing/testing.h"

using metaplast::ThreadPool;
using namespace metaplast::testing;  // NOLINT: a test of these names

namespace {

struct Counts {
  std::vector<std::atomic<int>> calls;
  explicit Counts(int64_t chunks) : calls(static_cast<size_t>(chunks)) {}
  static void count(void* self, int64_t chunk) { ++static_cast<Counts*>(self)->calls[static_cast<size_t>(chunk)]; }
  bool all_once() const {
    for (const auto& c : calls) {
      if (c.load() != 1) {
        return false;
      }
    }
    return true;
  }
};

double process_cpu_seconds() {
  timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

struct Nested {
  ThreadPool* pool;
  Counts counts{40};
  std::atomic<int> outer{0};
};

}  // namespace

int main() {
  expect(ThreadPool::create(0) == nullptr, "no pool of 0 threads");
  expect(ThreadPool::create(ThreadPool::kMaxThreads + 1) == nullptr, "no pool past the limit");

  // Every chunk once, for fewer and more chunks than threads.
  for (int32_t threads : {1, 2, 3, 4, 7, 16}) {
    const std::unique_ptr<ThreadPool> pool(ThreadPool::create(threads));
    expect(pool->threads() == threads, "a pool of %d threads", threads);
    for (int64_t chunks : {0, 1, 2, 3, 5, 16, 17, 1000}) {
      for (int round = 0; round < 50; ++round) {
        Counts counts(chunks);
        pool->run(chunks, Counts::count, &counts);
        expect(counts.all_once(), "%d threads, %lld chunks: not every chunk ran once", threads, static_cast<long long>(chunks));
      }
    }
  }

  // Short regions back to back, with pauses around the length of the active wait, so that workers are caught falling asleep.
  {
    const std::unique_ptr<ThreadPool> pool(ThreadPool::create(4));
    for (int round = 0; round < 20000; ++round) {
      Counts counts(4);
      pool->run(4, Counts::count, &counts);
      expect(counts.all_once(), "round %d", round);
      if (round % 64 == 0) {
        usleep(static_cast<useconds_t>(round / 64 % 60));
      }
    }
  }

  // Long regions behind short ones, on more threads than cores: a worker that comes late to the short one must take nothing of the long one with the
  // short one's number. What it took would be counted on top, and the caller would wait for ever: alarm() ends the test.
  {
    alarm(120);
    const std::unique_ptr<ThreadPool> pool(ThreadPool::create(8));
    Counts counts[2] = {Counts(8), Counts(400)};
    for (int round = 1; round <= 40000; ++round) {
      for (Counts& c : counts) {
        pool->run(static_cast<int64_t>(c.calls.size()), Counts::count, &c);
        for (const auto& calls : c.calls) {
          if (calls.load() != round) return expect(false, "round %d: a chunk ran %d times", round, calls.load()), finish("thread_pool_test");
        }
      }
    }
    alarm(0);
  }

  // A region inside a region, and several callers at once: the later ones run on their own threads.
  {
    const std::unique_ptr<ThreadPool> pool(ThreadPool::create(3));
    Nested nested{pool.get()};
    pool->run(
        6,
        [](void* argument, int64_t) {
          Nested& n = *static_cast<Nested*>(argument);
          Counts counts(40);
          n.pool->run(40, Counts::count, &counts);
          if (counts.all_once()) {
            ++n.outer;
          }
        },
        &nested);
    expect(nested.outer == 6, "nested regions");

    std::atomic<int> good{0};
    std::vector<std::thread> callers;
    for (int t = 0; t < 4; ++t) {
      callers.emplace_back([&] {
        for (int round = 0; round < 2000; ++round) {
          Counts counts(7);
          pool->run(7, Counts::count, &counts);
          good += counts.all_once() ? 1 : 0;
        }
      });
    }
    for (std::thread& caller : callers) {
      caller.join();
    }
    expect(good == 8000, "%d of 8000 concurrent regions were complete", good.load());
  }

  // Idle workers do not burn CPU.
  {
    const std::unique_ptr<ThreadPool> pool(ThreadPool::create(4));
    Counts counts(4);
    pool->run(4, Counts::count, &counts);
    usleep(20000);
    const double before = process_cpu_seconds();
    usleep(200000);
    const double burnt = process_cpu_seconds() - before;
    expect(burnt < 0.02, "idle workers used %.3f s of CPU in 0.2 s", burnt);
  }

  // Created and destroyed with workers in every state.
  for (int round = 0; round < 300; ++round) {
    const std::unique_ptr<ThreadPool> pool(ThreadPool::create(3));
    if (round % 3 != 0) {
      Counts counts(3);
      pool->run(3, Counts::count, &counts);
      expect(counts.all_once(), "a fresh pool");
    }
    if (round % 3 == 2) {
      usleep(100);
    }
  }
  return finish("thread_pool_test");
}
