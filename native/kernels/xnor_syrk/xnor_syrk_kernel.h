#include "runtime/kernel_table.h"
#include "runtime/math/lanes.h"

namespace metaplast {
namespace METAPLAST_TIER {

void factor_moving_average(int64_t n, const int32_t* s, float inverse_batch, float decay, float fresh, float* a) noexcept {
  const int32_t* __restrict__ sums = s;
  float* __restrict__ average = a;
  for (int64_t i = 0; i < n; ++i) {
    float t = static_cast<float>(sums[i]);
    t = t * inverse_batch;
    t = fresh * t;
    const float old = decay * average[i];
    average[i] = old + t;
  }
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast
