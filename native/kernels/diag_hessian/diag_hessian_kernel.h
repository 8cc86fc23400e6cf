// Diagonal Hessian read off the standard deviation of the weights. Contract: metaplast/bayes.h.
#include "runtime/elementwise.h"
#include "runtime/kernel_table.h"

namespace metaplast {
namespace METAPLAST_TIER {

void diag_hessian(int64_t n, const float* sigma, float prior_precision, float inverse_window, float* h) noexcept {
  const F prior = set(prior_precision);
  const F inverse = set(inverse_window);
  elementwise(n, [=](int64_t i, auto lanes) {
    const F s = lanes.load(sigma + i);
    const F r = div(set(1.0f), mul(s, s));
    lanes.store(h + i, mul(sub(r, prior), inverse));
  });
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast
