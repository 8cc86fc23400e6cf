#include "runtime/thread_pool.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <climits>
#include <new>

#include "runtime/fp_environment.h"

namespace metaplast {
namespace {

constexpr int64_t kActiveWaitNanos = 30000;
// Pauses between two looks at the clock: about a microsecond.
constexpr int kPausesPerClock = 16;
constexpr size_t kWorkerStackBytes = 1 << 20;

static_assert(sizeof(std::atomic<uint32_t>) == 4, "a futex is a plain 32-bit word");

void futex_wait(std::atomic<uint32_t>* word, uint32_t expected) {
  // Interrupted and spurious returns are fine: every caller looks at the word again.
  syscall(SYS_futex, reinterpret_cast<uint32_t*>(word), FUTEX_WAIT_PRIVATE, expected, nullptr, nullptr, 0);
}

void futex_wake(std::atomic<uint32_t>* word, int count) {
  syscall(SYS_futex, reinterpret_cast<uint32_t*>(word), FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
}

void cpu_pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

int64_t now_nanos() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<int64_t>(t.tv_sec) * 1000000000 + t.tv_nsec;
}

// Waits actively until condition() holds, for about kActiveWaitNanos; false when it still does not.
template <class Condition>
bool wait_actively(Condition condition) {
  int64_t deadline = 0;
  for (;;) {
    for (int i = 0; i < kPausesPerClock; ++i) {
      if (condition()) {
        return true;
      }
      cpu_pause();
    }
    const int64_t now = now_nanos();
    if (deadline == 0) {
      deadline = now + kActiveWaitNanos;
    } else if (now >= deadline) {
      return condition();
    }
  }
}

constexpr uint64_t ticket_of(uint32_t region, uint32_t chunk) { return (static_cast<uint64_t>(region) << 32) | chunk; }

// First chunk of a participant's block; participant == threads gives the end of the last block.
uint32_t block_begin(int64_t chunks, int32_t participant, int32_t threads) {
  return static_cast<uint32_t>(chunks * participant / threads);
}

}  // namespace

struct ThreadPool::Worker {
  ThreadPool* pool = nullptr;
  int32_t participant = 0;
  pthread_t thread{};
};

ThreadPool* ThreadPool::create(int32_t threads) noexcept {
  if (threads < 1 || threads > kMaxThreads) {
    return nullptr;
  }
  ThreadPool* pool = new (std::nothrow) ThreadPool;
  if (pool == nullptr) {
    return nullptr;
  }
  pool->threads_ = threads;
  if (threads == 1) {
    return pool;
  }
  pool->blocks_ = new (std::nothrow) Block[static_cast<size_t>(threads)];
  pool->workers_ = new (std::nothrow) Worker[static_cast<size_t>(threads)];
  pthread_attr_t attributes;
  if (pool->blocks_ == nullptr || pool->workers_ == nullptr || pthread_attr_init(&attributes) != 0) {
    delete pool;
    return nullptr;
  }
  pthread_attr_setstacksize(&attributes, kWorkerStackBytes);
  // Workers inherit this mask: signals sent to the process go to the host's threads. Faults stay deliverable, the JVM reports them.
  sigset_t blocked;
  sigset_t previous;
  sigfillset(&blocked);
  const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT};
  for (int fault : faults) {
    sigdelset(&blocked, fault);
  }
  pthread_sigmask(SIG_SETMASK, &blocked, &previous);
  bool complete = true;
  for (int32_t i = 1; i < threads && complete; ++i) {
    Worker& worker = pool->workers_[i];
    worker.pool = pool;
    worker.participant = i;
    complete = pthread_create(&worker.thread, &attributes, worker_main, &worker) == 0;
    if (complete) {
      pool->started_ = i;
    }
  }
  pthread_sigmask(SIG_SETMASK, &previous, nullptr);
  pthread_attr_destroy(&attributes);
  if (!complete) {
    delete pool;
    return nullptr;
  }
  return pool;
}

ThreadPool::~ThreadPool() {
  stopping_.store(true, std::memory_order_relaxed);
  region_.fetch_add(1, std::memory_order_seq_cst);
  futex_wake(&region_, INT_MAX);
  for (int32_t i = 1; i <= started_; ++i) {
    pthread_join(workers_[i].thread, nullptr);
  }
  delete[] workers_;
  delete[] blocks_;
}

void* ThreadPool::worker_main(void* argument) {
  const Worker& worker = *static_cast<Worker*>(argument);
  ThreadPool& pool = *worker.pool;
  const FpEnvironment environment;
#if defined(__linux__)
  pthread_setname_np(pthread_self(), "metaplast");
#endif
  uint32_t seen = 0;
  for (;;) {
    const auto published = [&pool, seen] { return pool.region_.load(std::memory_order_acquire) != seen; };
    if (!wait_actively(published)) {
      // The caller increments region_ and then looks at sleepers_; this thread increments sleepers_ and then (in the kernel) looks at
      // region_. Both are sequentially consistent, so one of them sees the other.
      pool.sleepers_.fetch_add(1, std::memory_order_seq_cst);
      while (pool.region_.load(std::memory_order_seq_cst) == seen) {
        futex_wait(&pool.region_, seen);
      }
      pool.sleepers_.fetch_sub(1, std::memory_order_relaxed);
    }
    seen = pool.region_.load(std::memory_order_acquire);
    if (pool.stopping_.load(std::memory_order_relaxed)) {
      return nullptr;
    }
    pool.work(seen, worker.participant, pool.chunks_.load(std::memory_order_acquire));
  }
}

void ThreadPool::work(uint32_t region, int32_t participant, int64_t chunks) noexcept {
  // What the caller wrote of the next region is seen only together with the tickets it withdrew before (run()).
  const ChunkFunction function = function_.load(std::memory_order_acquire);
  void* const argument = argument_.load(std::memory_order_acquire);
  for (int32_t i = 0; i < threads_; ++i) {
    const int32_t owner = participant + i < threads_ ? participant + i : participant + i - threads_;
    const uint32_t end = block_begin(chunks, owner + 1, threads_);
    std::atomic<uint64_t>& ticket = blocks_[owner].ticket;
    uint64_t current = ticket.load(std::memory_order_acquire);
    while (static_cast<uint32_t>(current >> 32) == region && static_cast<uint32_t>(current) < end) {
      // A successful exchange means that the ticket has this region's number, hence that no value of the next one was read above.
      if (!ticket.compare_exchange_weak(current, current + 1, std::memory_order_acq_rel, std::memory_order_acquire)) {
        continue;
      }
      function(argument, static_cast<int64_t>(static_cast<uint32_t>(current)));
      const uint32_t done = done_.fetch_add(1, std::memory_order_seq_cst) + 1;
      if (done == static_cast<uint32_t>(chunks) && caller_blocked_.load(std::memory_order_seq_cst) != 0) {
        futex_wake(&done_, 1);
      }
      current = ticket.load(std::memory_order_acquire);
    }
  }
}

void ThreadPool::wait_until_done(uint32_t chunks) noexcept {
  const auto finished = [this, chunks] { return done_.load(std::memory_order_acquire) == chunks; };
  if (wait_actively(finished)) {
    return;
  }
  caller_blocked_.store(1, std::memory_order_seq_cst);
  for (uint32_t done = done_.load(std::memory_order_seq_cst); done != chunks; done = done_.load(std::memory_order_seq_cst)) {
    futex_wait(&done_, done);
  }
  caller_blocked_.store(0, std::memory_order_relaxed);
}

void ThreadPool::run(int64_t chunks, ChunkFunction function, void* argument) noexcept {
  if (threads_ == 1 || chunks <= 1 || busy_.exchange(true, std::memory_order_acquire)) {
    for (int64_t chunk = 0; chunk < chunks; ++chunk) {
      function(argument, chunk);
    }
    return;
  }
  const uint32_t region = region_.load(std::memory_order_relaxed) + 1;
  // First of all the tickets of the last region are withdrawn. They are used up as far as that region goes, but a late worker of it may read the new,
  // larger number of chunks.
  for (int32_t i = 0; i < threads_; ++i) {
    blocks_[i].ticket.store(ticket_of(region, UINT32_MAX), std::memory_order_relaxed);
  }
  function_.store(function, std::memory_order_release);
  argument_.store(argument, std::memory_order_release);
  chunks_.store(static_cast<uint32_t>(chunks), std::memory_order_release);
  done_.store(0, std::memory_order_relaxed);
  for (int32_t i = 0; i < threads_; ++i) {
    blocks_[i].ticket.store(ticket_of(region, block_begin(chunks, i, threads_)), std::memory_order_release);
  }
  region_.store(region, std::memory_order_seq_cst);
  if (sleepers_.load(std::memory_order_seq_cst) != 0) {
    futex_wake(&region_, INT_MAX);
  }
  work(region, 0, chunks);
  wait_until_done(static_cast<uint32_t>(chunks));
  busy_.store(false, std::memory_order_release);
}

}  // namespace metaplast
