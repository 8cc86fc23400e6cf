// Diagonal Hessian read off the standard deviation of the weights. Contract: metaplast/bayes.h.
#include "runtime/kernel_table.h"
#include "runtime/math/lanes.h"

namespace metaplast {
namespace METAPLAST_TIER {

void diag_hessian(int64_t n, const float* sigma, float prior_precision, float inverse_window, float* h) noexcept {
  const F prior = set(prior_precision);
  const F inverse = set(inverse_window);
  for_vectors(n, [=](int64_t i, int64_t lanes) {
    const F s = load_lanes(sigma + i, lanes);
    const F r = div(set(1.0f), mul(s, s));
    store_lanes(h + i, mul(sub(r, prior), inverse), lanes);
  });
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast
