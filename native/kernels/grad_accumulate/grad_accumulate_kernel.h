#include "runtime/kernel_table.h"
#include "runtime/math/gaussian.h"

namespace metaplast {
namespace METAPLAST_TIER {
namespace {

// One sample's share: assigned for the first sample, added for the others, scaled with the last.
METAPLAST_HD void accumulate(F dw, F eps, float* g_mu, float* g_sigma, int64_t lanes, bool first, bool last, F scale) {
  F a = dw, b = mul(dw, eps);
  if (!first) {
    a = add(load_lanes(g_mu, lanes), a);
    b = add(load_lanes(g_sigma, lanes), b);
  }
  if (last) {
    a = mul(a, scale);
    b = mul(b, scale);
  }
  store_lanes(g_mu, a, lanes);
  store_lanes(g_sigma, b, lanes);
}

// One sample of one block with regenerated epsilon. A function of its own with one generator in it, or the generator's constants are spilled; the
// gradients are read between the random numbers, which hides the memory behind them.
template <class Gradient>
__attribute__((noinline)) void accumulate_generated(const RandomStream& random, uint64_t from, int64_t n, const Gradient* dw, float* g_mu,
                                                    float* g_sigma, bool first, bool last, float scale) {
  const F s = set(scale);
  for_gaussians(random, from, n, [=](int64_t i, F z, int64_t lanes) {
    accumulate(load_lanes(dw + i, lanes), z, g_mu + i, g_sigma + i, lanes, first, last, s);
  });
}

template <class Gradient>
void accumulate_range(int32_t samples, const Gradient* dw, int64_t count, const float* eps, uint64_t seed, uint32_t tensor, uint32_t step,
                      int64_t begin, int64_t n, float scale, float* g_mu, float* g_sigma) {
  // The outputs serve as accumulators; a block of them stays in the L1 cache while the samples pass.
  constexpr int64_t kBlock = 2048;
  const F s = set(scale);
  for (int64_t o = 0; o < n; o += kBlock) {
    const int64_t length = n - o < kBlock ? n - o : kBlock;
    for (int32_t k = 0; k < samples; ++k) {
      const Gradient* d = dw + k * count + begin + o;
      const bool first = k == 0, last = k == samples - 1;
      if (eps == nullptr) {
        accumulate_generated(RandomStream{seed, tensor * 256 + static_cast<uint32_t>(k), step}, static_cast<uint64_t>(begin + o), length, d,
                             g_mu + o, g_sigma + o, first, last, scale);
      } else {
        const float* e = eps + k * count + begin + o;
        for_vectors(length, [=](int64_t i, int64_t lanes) {
          accumulate(load_lanes(d + i, lanes), load_lanes(e + i, lanes), g_mu + o + i, g_sigma + o + i, lanes, first, last, s);
        });
      }
    }
  }
}

}  // namespace

// dw and eps start at the tensor's sample 0; g_mu and g_sigma at element `begin`, of which n follow.
void grad_accumulate(int32_t samples, const void* dw, int32_t dw_type, int64_t count, const float* eps, uint64_t seed, uint32_t tensor,
                     uint32_t step, int64_t begin, int64_t n, float scale, float* g_mu, float* g_sigma) noexcept {
  if (dw_type == METAPLAST_BF16) {
    accumulate_range(samples, static_cast<const uint16_t*>(dw), count, eps, seed, tensor, step, begin, n, scale, g_mu, g_sigma);
  } else {
    accumulate_range(samples, static_cast<const float*>(dw), count, eps, seed, tensor, step, begin, n, scale, g_mu, g_sigma);
  }
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast
