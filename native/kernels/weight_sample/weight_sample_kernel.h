#include "runtime/kernel_table.h"
#include "runtime/math/gaussian.h"

namespace metaplast {
namespace METAPLAST_TIER {

void weight_sample(uint64_t seed, uint32_t stream, uint32_t step, uint64_t first, int64_t n, const float* mu, const float* sigma,
                   float* w) noexcept {
  for_gaussians(RandomStream{seed, stream, step}, first, n, [=](int64_t i, F z, int64_t lanes) {
    store_lanes(w + i, add(load_lanes(mu + i, lanes), mul(load_lanes(sigma + i, lanes), z)), lanes);
  });
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast
