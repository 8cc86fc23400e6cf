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

template <class Gradient>
void accumulate_range(int32_t samples, const Gradient* dw, int64_t count, const float* eps, uint64_t seed, uint32_t tensor, uint32_t step,
                      int64_t begin, int64_t n, float scale, float* g_mu, float* g_sigma) {
  // The outputs serve as accumulators; a block of them stays in the L1 cache while the samples pass.
  constexpr int64_t kBlock = 1024;
  const F s = set(scale);
  for (int64_t o = 0; o < n; o += kBlock) {
    const int64_t length = n - o < kBlock ? n - o : kBlock;
    for (int32_t k = 0; k < samples; ++k) {
      const Gradient* d = dw + k * count + begin + o;
      const bool first = k == 0, last = k == samples - 1;
      if (eps != nullptr) {
        const float* e = eps + k * count + begin + o;
        for_vectors(length, [=](int64_t i, int64_t lanes) {
          accumulate(load_lanes(d + i, lanes), load_lanes(e + i, lanes), g_mu + o + i, g_sigma + o + i, lanes, first, last, s);
        });
      } else {
        for_gaussians(RandomStream{seed, tensor * 256 + static_cast<uint32_t>(k), step}, static_cast<uint64_t>(begin + o), length,
                      [=](int64_t i, F z, int64_t lanes) {
                        accumulate(load_lanes(d + i, lanes), z, g_mu + o + i, g_sigma + o + i, lanes, first, last, s);
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
