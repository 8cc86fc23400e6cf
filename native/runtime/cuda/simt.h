// What every SIMT kernel body includes. Bodies compile as CUDA, and as plain C++ against the host shim, where METAPLAST_TIER is scalar.
//
// A kernel is a struct with `Args` (passed by value as the kernel parameter), kThreads (the most threads a block may have) and
// `static METAPLAST_DEVICE void run(const Args&)`.
#ifndef METAPLAST_RUNTIME_CUDA_SIMT_H_
#define METAPLAST_RUNTIME_CUDA_SIMT_H_

#include <cstdint>

#include "runtime/math/gaussian.h"

#if defined(__CUDACC__)
#define METAPLAST_DEVICE __device__ __forceinline__
#define METAPLAST_UNROLL _Pragma("unroll")
#define METAPLAST_PRAGMA_(text) _Pragma(#text)
#define METAPLAST_UNROLL_BY(n) METAPLAST_PRAGMA_(unroll n)
#else
#include "shim/shim.h"
#define METAPLAST_DEVICE inline
#define METAPLAST_UNROLL
#define METAPLAST_UNROLL_BY(n)
#endif

namespace metaplast {
namespace simt {

using namespace METAPLAST_TIER;

// Dynamic shared memory of the block, 16-byte aligned.
template <class T>
METAPLAST_DEVICE T* shared_memory() {
#if defined(__CUDACC__)
  extern __shared__ __align__(16) unsigned char metaplast_shared[];
  return reinterpret_cast<T*>(metaplast_shared);
#else
  return static_cast<T*>(shim::shared_memory());
#endif
}

constexpr unsigned kFullMask = 0xffffffffu;

// Four consecutive elements: what one Philox block and one 16-byte access hold.
struct Four {
  float v[4];
};

// p is 16-byte aligned.
METAPLAST_DEVICE Four load4(const float* p) {
  Four x;
#if defined(__CUDACC__)
  const float4 q = *reinterpret_cast<const float4*>(p);
  x.v[0] = q.x;
  x.v[1] = q.y;
  x.v[2] = q.z;
  x.v[3] = q.w;
#else
  std::memcpy(&x, shim::aligned(p, 16), sizeof(x));
#endif
  return x;
}
METAPLAST_DEVICE void store4(float* p, const Four& x) {
#if defined(__CUDACC__)
  *reinterpret_cast<float4*>(p) = make_float4(x.v[0], x.v[1], x.v[2], x.v[3]);
#else
  shim::aligned(p, 16);
  std::memcpy(p, &x, sizeof(x));
#endif
}
// bf16, 8-byte aligned.
METAPLAST_DEVICE Four load4(const uint16_t* p) {
  Four x;
#if defined(__CUDACC__)
  const ushort4 q = *reinterpret_cast<const ushort4*>(p);
  const uint16_t bits[4] = {q.x, q.y, q.z, q.w};
#else
  uint16_t bits[4];
  std::memcpy(bits, shim::aligned(p, 8), sizeof(bits));
#endif
  METAPLAST_UNROLL
  for (int j = 0; j < 4; ++j) x.v[j] = load_bf16(bits + j);
  return x;
}

METAPLAST_DEVICE float load1(const float* p) { return *p; }
METAPLAST_DEVICE float load1(const uint16_t* p) { return load_bf16(p); }

// Elements [0, valid) of a group of four. whole: all four, in one aligned access; the same for all threads of a block wherever speed matters.
// Elements that are not valid read as 0.
template <class T>
METAPLAST_DEVICE Four load_group(bool whole, const T* p, int valid) {
  if (whole) return load4(p);
  Four x;
  METAPLAST_UNROLL
  for (int j = 0; j < 4; ++j) x.v[j] = j < valid ? load1(p + j) : 0.0f;
  return x;
}
METAPLAST_DEVICE void store_group(bool whole, float* p, const Four& x, int valid) {
  if (whole) {
    store4(p, x);
    return;
  }
  METAPLAST_UNROLL
  for (int j = 0; j < 4; ++j) {
    if (j < valid) p[j] = x.v[j];
  }
}

// A gradient of either type; element counts from the start of the array.
METAPLAST_DEVICE Four load_gradient(bool whole, bool bf16, const void* p, int64_t element, int valid) {
  return bf16 ? load_group(whole, static_cast<const uint16_t*>(p) + element, valid)
              : load_group(whole, static_cast<const float*>(p) + element, valid);
}

METAPLAST_DEVICE Four gaussians_of_words(const uint32_t word[4]) {
  Four z;
  gaussian_pair(word[0], word[1], &z.v[0], &z.v[1]);
  gaussian_pair(word[2], word[3], &z.v[2], &z.v[3]);
  return z;
}

// The Gaussians of one Philox block.
METAPLAST_DEVICE Four gaussians_of_block(const RandomStream& r, uint64_t block) {
  uint32_t word[4];
  philox_block(r, block, word);
  return gaussians_of_words(word);
}

// The Gaussians of elements e .. e+3, which may straddle two blocks.
METAPLAST_DEVICE Four gaussians_at(const RandomStream& r, uint64_t e) {
  const int skip = static_cast<int>(e & 3);
  const Four low = gaussians_of_block(r, e >> 2);
  if (skip == 0) return low;
  const Four high = gaussians_of_block(r, (e >> 2) + 1);
  Four z;
  METAPLAST_UNROLL
  for (int j = 0; j < 4; ++j) {
    // Selected with constant indices, so that nothing lands in local memory.
    float value = 0.0f;
    METAPLAST_UNROLL
    for (int s = 1; s < 4; ++s) {
      if (skip == s) value = j + s < 4 ? low.v[(j + s) & 3] : high.v[(j + s) & 3];
    }
    z.v[j] = value;
  }
  return z;
}

// Tiles: a block of threads handles blockDim.x groups of four, kGroups times over. Every thread has its kGroups groups in flight at once;
// group u of a thread begins at element tile*blockDim.x*4*kGroups + (u*blockDim.x + threadIdx.x)*4, so that a warp's accesses are
// contiguous.
template <int kGroups>
struct Tile {
  int64_t element[kGroups];
  int valid[kGroups];
  bool whole;  // every group of the block is complete and aligned: one branch for the block decides

  METAPLAST_DEVICE Tile(int64_t tile, int64_t n, bool aligned) {
    const int64_t length = static_cast<int64_t>(blockDim.x) * 4 * kGroups;
    const int64_t begin = tile * length;
    whole = aligned && begin + length <= n;
    METAPLAST_UNROLL
    for (int u = 0; u < kGroups; ++u) {
      element[u] = begin + (static_cast<int64_t>(u) * blockDim.x + threadIdx.x) * 4;
      const int64_t rest = n - element[u];
      valid[u] = rest >= 4 ? 4 : rest > 0 ? static_cast<int>(rest) : 0;
    }
  }
};

METAPLAST_DEVICE void add_count(int64_t* counter, unsigned long long n) {
  if (n != 0) atomicAdd(reinterpret_cast<unsigned long long*>(counter), n);
}

// What one thread of a block publishes for other blocks of the launch, behind a barrier of its block: all that the block wrote before.
METAPLAST_DEVICE void publish(unsigned long long* counter) {
  __threadfence();
  atomicAdd(counter, 1ull);
}
// Reads such a counter. What was published is there for the whole block after its next barrier.
METAPLAST_DEVICE unsigned long long published_count(const unsigned long long* counter) {
  const unsigned long long count = *const_cast<const volatile unsigned long long*>(counter);
  __threadfence();
  return count;
}

// Lets other blocks run for a moment.
METAPLAST_DEVICE void pause() {
#if defined(__CUDA_ARCH__)
  __nanosleep(100);
#elif defined(METAPLAST_SHIM)
  shim::wait_for_block();
#endif
}
// Ends the kernel with an error that every later call reports.
METAPLAST_DEVICE void give_up() {
#if defined(__CUDA_ARCH__)
  __trap();
#elif defined(METAPLAST_SHIM)
  shim::fail("a kernel gave up");
#endif
}

}  // namespace simt
}  // namespace metaplast

#endif  // METAPLAST_RUNTIME_CUDA_SIMT_H_
