// Baselines of the experiments: SGD, elastic weight consolidation, synaptic intelligence. Contracts: metaplast/bayes.h.
#include "runtime/elementwise.h"
#include "runtime/kernel_table.h"

namespace metaplast {
namespace METAPLAST_TIER {

void sgd_step(int64_t n, float* theta, const float* g, float lr) noexcept {
  const F rate = set(lr);
  elementwise(n, [=](int64_t i, auto lanes) {
    const F t = mul(rate, lanes.load(g + i));
    lanes.store(theta + i, sub(lanes.load(theta + i), t));
  });
}

void fisher_accumulate(int64_t n, const float* g, float* fisher) noexcept {
  elementwise(n, [=](int64_t i, auto lanes) {
    const F gradient = lanes.load(g + i);
    lanes.store(fisher + i, add(lanes.load(fisher + i), mul(gradient, gradient)));
  });
}

void fisher_merge(int64_t n, float inverse_items, float decay, float* fisher, float* total) noexcept {
  const F inverse = set(inverse_items);
  const F keep = set(decay);
  elementwise(n, [=](int64_t i, auto lanes) {
    const F m = mul(lanes.load(fisher + i), inverse);
    lanes.store(total + i, add(mul(keep, lanes.load(total + i)), m));
    lanes.store(fisher + i, set(0.0f));
  });
}

// EWC and SI differ only in what the importance is.
void penalty_grad(int64_t n, const float* theta, const float* anchor, const float* importance, float strength, float* g) noexcept {
  const F factor = set(strength);
  elementwise(n, [=](int64_t i, auto lanes) {
    const F d = sub(lanes.load(theta + i), lanes.load(anchor + i));
    F t = mul(lanes.load(importance + i), d);
    t = mul(factor, t);
    lanes.store(g + i, add(lanes.load(g + i), t));
  });
}

void si_path(int64_t n, const float* g, const float* theta_new, const float* theta_old, float* path) noexcept {
  elementwise(n, [=](int64_t i, auto lanes) {
    const F d = sub(lanes.load(theta_new + i), lanes.load(theta_old + i));
    const F t = mul(lanes.load(g + i), d);
    lanes.store(path + i, sub(lanes.load(path + i), t));
  });
}

void si_consolidate(int64_t n, const float* theta, float xi, float* path, float* anchor, float* omega) noexcept {
  const F damping = set(xi);
  const F zero = set(0.0f);
  elementwise(n, [=](int64_t i, auto lanes) {
    const F weight = lanes.load(theta + i);
    const F d = sub(weight, lanes.load(anchor + i));
    const F q = add(mul(d, d), damping);
    const F r = div(lanes.load(path + i), q);
    lanes.store(omega + i, add(lanes.load(omega + i), select(lt(r, zero), zero, r)));
    lanes.store(path + i, zero);
    lanes.store(anchor + i, weight);
  });
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast
