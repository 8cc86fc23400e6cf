// Host shim, tests only: runs SIMT kernel bodies on the CPU, one block at a time, its threads as cooperative fibers on one OS thread.
//
// What it checks: shared memory has exactly the size that was asked for, starts as NaN, and is guarded on both sides; every thread of a
// block reaches the same barrier (else: divergence); every lane of a mask reaches the same warp operation. What it varies: the order in
// which threads run between barriers, and the order of blocks. A result that depends on that order is a missing barrier.
#ifndef METAPLAST_SHIM_SHIM_H_
#define METAPLAST_SHIM_SHIM_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace metaplast {
namespace shim {

struct Dim3 {
  unsigned x = 1, y = 1, z = 1;
};

// Orders of fibers and blocks: 0 forward, 1 reverse, 2 and above: a permutation drawn from the number.
void set_order(int order);

// Runs body(arguments) for every thread of the grid. Returns null, or what went wrong (valid until the next call on this thread).
const char* run(Dim3 grid, Dim3 block, std::size_t shared_bytes, void (*body)(const void*), const void* arguments);

// Counters over the life of the process, so that tests can see that what they mean to test happened.
struct Statistics {
  int64_t launches, blocks, barriers, warp_operations, waits;
};
Statistics statistics();

// ---- what kernel bodies see ----------------------------------------------------------------------------------------------------

struct Position {
  Dim3 thread, block, block_dim, grid_dim;
};
const Position& position();
void* shared_memory();
[[noreturn]] void fail(const char* message);
// A block waits for another one: a fault, as blocks run one after the other, unless a test runs blocks on several OS threads and says so.
void wait_for_block();
void allow_waiting(bool allowed);

enum class Reduce { kNone, kOr, kCount };
int barrier(Reduce reduce, int predicate, int line);
// Every lane of the mask hands in a value; afterwards all of them can read all values with `published`.
void warp_rendezvous(unsigned mask, uint64_t value, int line);
uint64_t published(int lane);
int lane();

template <class T>
T exchange(unsigned mask, T value, int source, int line) {
  static_assert(sizeof(T) <= 8, "one register");
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  warp_rendezvous(mask, bits, line);
  if (!(mask >> source & 1)) fail("a shuffle reads a lane outside its mask");
  bits = published(source);
  std::memcpy(&value, &bits, sizeof(T));
  return value;
}

template <class T>
const T* aligned(const T* p, std::size_t alignment) {
  if (reinterpret_cast<uintptr_t>(p) % alignment != 0) fail("a vector access is not aligned");
  return p;
}

}  // namespace shim
}  // namespace metaplast

#define threadIdx (::metaplast::shim::position().thread)
#define blockIdx (::metaplast::shim::position().block)
#define blockDim (::metaplast::shim::position().block_dim)
#define gridDim (::metaplast::shim::position().grid_dim)

inline void __syncthreads(int line = __builtin_LINE()) { metaplast::shim::barrier(metaplast::shim::Reduce::kNone, 0, line); }
inline int __syncthreads_or(int predicate, int line = __builtin_LINE()) {
  return metaplast::shim::barrier(metaplast::shim::Reduce::kOr, predicate, line);
}
inline void __syncwarp(unsigned mask = 0xffffffffu, int line = __builtin_LINE()) { metaplast::shim::warp_rendezvous(mask, 0, line); }

template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32, int line = __builtin_LINE()) {
  const int lane = metaplast::shim::lane();
  return metaplast::shim::exchange(mask, value, (lane & ~(width - 1)) | (source & (width - 1)), line);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, int line = __builtin_LINE()) {
  const int lane = metaplast::shim::lane();
  const int source = (lane & (width - 1)) + static_cast<int>(delta) < width ? lane + static_cast<int>(delta) : lane;
  return metaplast::shim::exchange(mask, value, source, line);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int flip, int width = 32, int line = __builtin_LINE()) {
  const int lane = metaplast::shim::lane();
  const int source = lane ^ flip;
  return metaplast::shim::exchange(mask, value, source / width > lane / width ? lane : source, line);
}

inline unsigned __ballot_sync(unsigned mask, int predicate, int line = __builtin_LINE()) {
  metaplast::shim::warp_rendezvous(mask, predicate != 0 ? 1 : 0, line);
  unsigned ballot = 0;
  for (int lane = 0; lane < 32; ++lane) {
    if (mask >> lane & 1 && metaplast::shim::published(lane) != 0) ballot |= 1u << lane;
  }
  return ballot;
}
inline void __threadfence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }

inline unsigned long long atomicAdd(unsigned long long* address, unsigned long long value) {
  return __atomic_fetch_add(address, value, __ATOMIC_RELAXED);
}
inline unsigned long long atomicMin(unsigned long long* address, unsigned long long value) {
  unsigned long long seen = __atomic_load_n(address, __ATOMIC_RELAXED);
  while (value < seen && !__atomic_compare_exchange_n(address, &seen, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
  return seen;
}
inline unsigned long long atomicOr(unsigned long long* address, unsigned long long value) {
  return __atomic_fetch_or(address, value, __ATOMIC_RELAXED);
}

#endif  // METAPLAST_SHIM_SHIM_H_
