// K samples of all weights. Contract: metaplast/bayes.h.
#ifndef METAPLAST_KERNELS_WEIGHT_SAMPLE_SIMT_CUH_
#define METAPLAST_KERNELS_WEIGHT_SAMPLE_SIMT_CUH_

#include "runtime/cuda/simt.h"

namespace metaplast {
namespace simt {

// w = mu + sigma*z for the group of four that begins at an element.
METAPLAST_DEVICE void sample_group(const RandomStream& stream, bool whole, int64_t element, int valid, const Four& mu, const Four& sigma,
                                   float* w) {
  const Four z = gaussians_of_block(stream, static_cast<uint64_t>(element) >> 2);
  Four x;
  METAPLAST_UNROLL
  for (int j = 0; j < 4; ++j) x.v[j] = add(mu.v[j], mul(sigma.v[j], z.v[j]));
  store_group(whole, w + element, x, valid);
}

struct WeightSample {
  static constexpr int kThreads = 256;
  static constexpr int kElementsPerThread = 8;

  struct Common {
    uint64_t seed;
    uint32_t step;
    int32_t first_sample, samples;
    int32_t samples_per_block;  // blockIdx.y takes its share of the samples
  };
  struct Entry {
    int64_t count;
    const float *mu, *sigma;
    float* w;
    uint32_t tensor;
    int32_t aligned;
  };

  static METAPLAST_DEVICE void tile(const Common& c, const Entry& e, int64_t tile) {
    constexpr int kGroups = kElementsPerThread / 4;
    const Tile<kGroups> t(tile, e.count, e.aligned != 0);
    Four mu[kGroups], sigma[kGroups];
    METAPLAST_UNROLL
    for (int u = 0; u < kGroups; ++u) {
      mu[u] = load_group(t.whole, e.mu + t.element[u], t.valid[u]);
      sigma[u] = load_group(t.whole, e.sigma + t.element[u], t.valid[u]);
    }
    const int begin = static_cast<int>(blockIdx.y) * c.samples_per_block;
    const int end = begin + c.samples_per_block < c.samples ? begin + c.samples_per_block : c.samples;
    for (int k = begin; k < end; ++k) {
      const RandomStream stream{c.seed, e.tensor * 256 + static_cast<uint32_t>(c.first_sample + k), c.step};
      METAPLAST_UNROLL
      for (int u = 0; u < kGroups; ++u) sample_group(stream, t.whole, t.element[u], t.valid[u], mu[u], sigma[u], e.w + k * e.count);
    }
  }
};

}  // namespace simt
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_WEIGHT_SAMPLE_SIMT_CUH_
