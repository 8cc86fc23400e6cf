#include "runtime/kernel_table.h"
#include "runtime/math/elementary.h"

namespace metaplast {
namespace METAPLAST_TIER {

void elementary(int32_t function, int64_t n, const float* x, float* y, float* y2) noexcept {
  // Lanes beyond the tail hold 1/2, which is in the domain of ln and sincos.
  const auto input = [=](int64_t i, int64_t lanes) { return lanes == W ? load(x + i) : load_n(x + i, lanes, 0.5f); };
  switch (function) {
    case METAPLAST_FN_LN:
      for_vectors(n, [=](int64_t i, int64_t lanes) { store_lanes(y + i, ln32(input(i, lanes)), lanes); });
      break;
    case METAPLAST_FN_SINCOS2PI:
      for_vectors(n, [=](int64_t i, int64_t lanes) {
        F s, c;
        sincos2pi(input(i, lanes), &s, &c);
        store_lanes(y + i, s, lanes);
        store_lanes(y2 + i, c, lanes);
      });
      break;
    case METAPLAST_FN_EXP:
      for_vectors(n, [=](int64_t i, int64_t lanes) { store_lanes(y + i, exp32(input(i, lanes)), lanes); });
      break;
    default:
      for_vectors(n, [=](int64_t i, int64_t lanes) { store_lanes(y + i, tanh32(input(i, lanes)), lanes); });
  }
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast
