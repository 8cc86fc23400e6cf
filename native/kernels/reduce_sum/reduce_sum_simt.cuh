// Sum of many elements in the order R16. Contract: metaplast/bayes.h.
#ifndef METAPLAST_KERNELS_REDUCE_SUM_SIMT_CUH_
#define METAPLAST_KERNELS_REDUCE_SUM_SIMT_CUH_

#include "runtime/cuda/r16_simt.h"

namespace metaplast {
namespace simt {

// One lane's share of a chunk of n <= 4096 elements.
METAPLAST_DEVICE float r16_lane_of_chunk(const float* x, int64_t n) {
  float lane = kR16Start;
  int64_t i = r16_lane();
  // Sixteen loads in flight; the additions stay in order.
  for (; i + 240 < n; i += 256) {
    float v[16];
    METAPLAST_UNROLL
    for (int u = 0; u < 16; ++u) v[u] = x[i + 16 * u];
    METAPLAST_UNROLL
    for (int u = 0; u < 16; ++u) lane = add(lane, v[u]);
  }
  for (; i < n; i += 16) lane = add(lane, x[i]);
  return lane;
}

METAPLAST_DEVICE int64_t r16_chunk_length(int64_t n, int64_t chunk) {
  const int64_t rest = n - chunk * kR16Chunk;
  return rest < 0 ? 0 : rest < kR16Chunk ? rest : kR16Chunk;
}

// sums[c] = sum of chunk c; a half-warp takes a chunk.
struct ChunkSums {
  static constexpr int kThreads = 256;
  static constexpr int kChunksPerBlock = kThreads / 16;

  struct Args {
    const float* x;
    int64_t n;
    float* sums;
  };

  static METAPLAST_DEVICE void run(const Args& a) {
    const int64_t chunk = static_cast<int64_t>(blockIdx.x) * kChunksPerBlock + threadIdx.x / 16;
    const int64_t n = r16_chunk_length(a.n, chunk);
    const float sum = r16_fold(n > 0 ? r16_lane_of_chunk(a.x + chunk * kR16Chunk, n) : 0.0f, n);
    if (n > 0 && r16_lane() == 0) a.sums[chunk] = sum;
  }
};

// R16 of n elements by one block, for n small enough that one block is quick: its half-warps take a chunk each, its first warp adds the
// sums up.
struct BlockSum {
  static constexpr int kThreads = 256;
  static constexpr int kChunksPerRound = kThreads / 16;
  static constexpr size_t kSharedBytes = kChunksPerRound * sizeof(float);

  struct Args {
    const float* x;
    int64_t n;
    float* out;
  };

  static METAPLAST_DEVICE void run(const Args& a) {
    float* sums = shared_memory<float>();
    const int64_t chunks = (a.n + kR16Chunk - 1) / kR16Chunk;
    R16Sums total;
    for (int64_t first = 0; first < chunks; first += kChunksPerRound) {
      const int64_t chunk = first + threadIdx.x / 16;
      const int64_t n = r16_chunk_length(a.n, chunk);
      const float sum = r16_fold(n > 0 ? r16_lane_of_chunk(a.x + chunk * kR16Chunk, n) : 0.0f, n);
      if (r16_lane() == 0) sums[threadIdx.x / 16] = sum;
      __syncthreads();
      if (threadIdx.x < 32) {
        for (int c = 0; c < kChunksPerRound && first + c < chunks; ++c) total.push(sums[c]);
      }
      __syncthreads();
    }
    if (threadIdx.x < 32) {
      const float sum = total.finish();
      if (threadIdx.x == 0) a.out[0] = sum;
    }
  }
};

}  // namespace simt
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_REDUCE_SUM_SIMT_CUH_
