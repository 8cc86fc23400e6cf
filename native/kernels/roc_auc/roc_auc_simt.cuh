// Integer counts behind ROC AUC. Contracts: metaplast/bayes.h.
#ifndef METAPLAST_KERNELS_ROC_AUC_SIMT_CUH_
#define METAPLAST_KERNELS_ROC_AUC_SIMT_CUH_

#include "runtime/cuda/softmax_simt.h"

namespace metaplast {
namespace simt {

METAPLAST_DEVICE unsigned long long sum_of_warp(unsigned long long x) {
  METAPLAST_UNROLL
  for (int h = 16; h > 0; h >>= 1) x += __shfl_down_sync(kFullMask, x, static_cast<unsigned>(h));
  return x;
}

// Every pair is compared: a thread holds one in-distribution score, the out-of-distribution scores pass through shared memory.
struct RocPairs {
  static constexpr int kThreads = 256;
  static constexpr int kTile = 1024;
  static constexpr size_t kSharedBytes = kTile * sizeof(float);

  struct Args {
    int64_t n, m;
    int64_t share;  // out-of-distribution scores of a blockIdx.y
    const float *in_dist, *ood;
    int64_t* counts;
  };

  static METAPLAST_DEVICE void run(const Args& a) {
    float* tile = shared_memory<float>();
    const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    const bool valid = i < a.n;
    const float x = valid ? a.in_dist[i] : 0.0f;
    const int64_t begin = static_cast<int64_t>(blockIdx.y) * a.share;
    const int64_t end = begin + a.share < a.m ? begin + a.share : a.m;
    unsigned long long below = 0, equal = 0;
    for (int64_t first = begin; first < end; first += kTile) {
      const int count = static_cast<int>(end - first < kTile ? end - first : kTile);
      for (int j = static_cast<int>(threadIdx.x); j < count; j += static_cast<int>(blockDim.x)) tile[j] = a.ood[first + j];
      __syncthreads();
      unsigned below_here = 0, equal_here = 0;
      for (int j = 0; j < count; ++j) {
        below_here += x < tile[j] ? 1u : 0u;
        equal_here += x == tile[j] ? 1u : 0u;
      }
      below += valid ? below_here : 0u;
      equal += valid ? equal_here : 0u;
      __syncthreads();
    }
    below = sum_of_warp(below);
    equal = sum_of_warp(equal);
    if ((threadIdx.x & 31) == 0) {
      add_count(a.counts, below);
      add_count(a.counts + 1, equal);
    }
  }
};

// A block a threshold. The largest score is found by every block anew, which needs no memory and no second launch.
struct RocThresholds {
  static constexpr int kThreads = 256;
  static constexpr int kWarps = kThreads / 32;
  static constexpr size_t kSharedBytes = 2 * kWarps * sizeof(unsigned long long);

  struct Args {
    int64_t n, m;
    int32_t thresholds;
    const float *in_dist, *ood, *fractions;
    int64_t* counts;
  };

  static METAPLAST_DEVICE unsigned long long below(const float* x, int64_t n, float threshold) {
    unsigned long long count = 0;
    for (int64_t i = threadIdx.x; i < n; i += blockDim.x) count += x[i] < threshold ? 1u : 0u;
    return sum_of_warp(count);
  }

  static METAPLAST_DEVICE void run(const Args& a) {
    unsigned long long* counts = shared_memory<unsigned long long>();
    float* maxima = shared_memory<float>();  // used before the counts are
    const int warp = static_cast<int>(threadIdx.x / 32);
    const bool leader = (threadIdx.x & 31) == 0;
    const Maximum m = maximum_of_warp(maximum_of_thread(a.ood, a.m, threadIdx.x, blockDim.x));
    if (leader) maxima[warp] = m.index >= 0 ? m.value : a.ood[0];  // without a candidate: all NaN
    __syncthreads();
    float largest = a.ood[0];  // NaN stays, nothing is greater
    for (int w = 0; w < kWarps; ++w) largest = maxima[w] > largest ? maxima[w] : largest;
    __syncthreads();
    const float threshold = mul(largest, a.fractions[blockIdx.x]);
    const unsigned long long of_in = below(a.in_dist, a.n, threshold);
    const unsigned long long of_ood = below(a.ood, a.m, threshold);
    if (leader) {
      counts[2 * warp] = of_in;
      counts[2 * warp + 1] = of_ood;
    }
    __syncthreads();
    if (threadIdx.x < 2) {
      unsigned long long sum = 0;
      for (int w = 0; w < kWarps; ++w) sum += counts[2 * w + static_cast<int>(threadIdx.x)];
      a.counts[static_cast<int64_t>(threadIdx.x) * a.thresholds + blockIdx.x] = static_cast<int64_t>(sum);
    }
  }
};

}  // namespace simt
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_ROC_AUC_SIMT_CUH_
