// Persistent worker threads of one context.
//
// A region hands out chunks 0..chunks-1 of a function. Each participant (the caller and the workers) owns a contiguous block of the
// chunks, the same one in every region with the same number of chunks, so that a range of weights stays in the cache of one core;
// a participant that has finished its block takes chunks from the others. The caller returns when every chunk is done; it does not
// wait for workers that have not woken up yet, so an overloaded machine costs speed only.
//
// After a region the workers wait actively for about 30 microseconds (a training step is a chain of short regions), then block.
#ifndef METAPLAST_RUNTIME_THREAD_POOL_H_
#define METAPLAST_RUNTIME_THREAD_POOL_H_

#include <atomic>
#include <cstdint>

namespace metaplast {

class ThreadPool {
 public:
  using ChunkFunction = void (*)(void* argument, int64_t chunk);

  static constexpr int32_t kMaxThreads = 1024;
  static constexpr int64_t kMaxChunks = 0xFFFFFFFF;

  // `threads` participants, the caller of run() included; null when memory or threads cannot be had.
  static ThreadPool* create(int32_t threads) noexcept;
  // Waits for the workers to end. No region may be running.
  ~ThreadPool();

  int32_t threads() const noexcept { return threads_; }

  // Calls function(argument, chunk) once for every chunk, on any participant and in any order; returns when all are done.
  // Runs everything on the calling thread when the pool is busy with a region of another thread, or when called inside a region.
  // 0 <= chunks <= kMaxChunks.
  void run(int64_t chunks, ChunkFunction function, void* argument) noexcept;

  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

 private:
  struct Worker;
  // The next unclaimed chunk of one participant's block: region number in the upper half, chunk in the lower.
  struct alignas(64) Block {
    std::atomic<uint64_t> ticket{0};
  };

  ThreadPool() = default;
  static void* worker_main(void* worker);
  void work(uint32_t region, int32_t participant, int64_t chunks) noexcept;
  void wait_until_done(uint32_t chunks) noexcept;

  int32_t threads_ = 1;
  int32_t started_ = 0;  // workers to join
  Worker* workers_ = nullptr;
  Block* blocks_ = nullptr;

  // Written by the caller before a region is published, after the tickets of the last one have been withdrawn. A worker that arrives late may read
  // them while the next region is being set up; its claim then fails because the tickets carry another region number, and the values are not used.
  alignas(64) std::atomic<uint32_t> region_{0};  // also what idle workers block on
  std::atomic<ChunkFunction> function_{nullptr};
  std::atomic<void*> argument_{nullptr};
  std::atomic<uint32_t> chunks_{0};
  std::atomic<bool> stopping_{false};
  alignas(64) std::atomic<uint32_t> done_{0};  // chunks finished; what a waiting caller blocks on
  std::atomic<uint32_t> caller_blocked_{0};
  alignas(64) std::atomic<uint32_t> sleepers_{0};
  alignas(64) std::atomic<bool> busy_{false};
};

}  // namespace metaplast

#endif  // METAPLAST_RUNTIME_THREAD_POOL_H_
