// Baselines of the experiments: SGD, elastic weight consolidation, synaptic intelligence. Contracts: metaplast/bayes.h.
#include "runtime/kernel_table.h"
#include "runtime/math/lanes.h"

namespace metaplast {
namespace METAPLAST_TIER {

void sgd_step(int64_t n, float* theta, const float* g, float lr) noexcept {
  const F rate = set(lr);
  int64_t i = 0;
  for (; i + W <= n; i += W) {
    store(theta + i, sub(load(theta + i), mul(rate, load(g + i))));
  }
  if (i < n) {
    store_n(theta + i, sub(load_n(theta + i, n - i), mul(rate, load_n(g + i, n - i))), n - i);
  }
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast
