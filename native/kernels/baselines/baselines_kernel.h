// Baselines of the experiments: SGD, elastic weight consolidation, synaptic intelligence. Contracts: metaplast/bayes.h.
#include "runtime/kernel_table.h"
#include "runtime/math/lanes.h"

namespace metaplast {
namespace METAPLAST_TIER {

void sgd_step(int64_t n, float* theta, const float* g, float lr) noexcept {
  const F rate = set(lr);
  for_vectors(n, [=](int64_t i, int64_t lanes) {
    const F t = mul(rate, load_lanes(g + i, lanes));
    store_lanes(theta + i, sub(load_lanes(theta + i, lanes), t), lanes);
  });
}

void fisher_accumulate(int64_t n, const float* g, float* fisher) noexcept {
  for_vectors(n, [=](int64_t i, int64_t lanes) {
    const F gradient = load_lanes(g + i, lanes);
    store_lanes(fisher + i, add(load_lanes(fisher + i, lanes), mul(gradient, gradient)), lanes);
  });
}

void fisher_merge(int64_t n, float inverse_items, float decay, float* fisher, float* total) noexcept {
  const F inverse = set(inverse_items);
  const F keep = set(decay);
  for_vectors(n, [=](int64_t i, int64_t lanes) {
    const F m = mul(load_lanes(fisher + i, lanes), inverse);
    store_lanes(total + i, add(mul(keep, load_lanes(total + i, lanes)), m), lanes);
    store_lanes(fisher + i, set(0.0f), lanes);
  });
}

// EWC and SI differ only in what the importance is.
void penalty_grad(int64_t n, const float* theta, const float* anchor, const float* importance, float strength, float* g) noexcept {
  const F factor = set(strength);
  for_vectors(n, [=](int64_t i, int64_t lanes) {
    const F d = sub(load_lanes(theta + i, lanes), load_lanes(anchor + i, lanes));
    F t = mul(load_lanes(importance + i, lanes), d);
    t = mul(factor, t);
    store_lanes(g + i, add(load_lanes(g + i, lanes), t), lanes);
  });
}

void si_path(int64_t n, const float* g, const float* theta_new, const float* theta_old, float* path) noexcept {
  for_vectors(n, [=](int64_t i, int64_t lanes) {
    const F d = sub(load_lanes(theta_new + i, lanes), load_lanes(theta_old + i, lanes));
    const F t = mul(load_lanes(g + i, lanes), d);
    store_lanes(path + i, sub(load_lanes(path + i, lanes), t), lanes);
  });
}

void si_consolidate(int64_t n, const float* theta, float xi, float* path, float* anchor, float* omega) noexcept {
  const F damping = set(xi);
  const F zero = set(0.0f);
  for_vectors(n, [=](int64_t i, int64_t lanes) {
    const F weight = load_lanes(theta + i, lanes);
    const F d = sub(weight, load_lanes(anchor + i, lanes));
    const F q = add(mul(d, d), damping);
    const F r = div(load_lanes(path + i, lanes), q);
    store_lanes(omega + i, add(load_lanes(omega + i, lanes), select(lt(r, zero), zero, r)), lanes);
    store_lanes(path + i, zero, lanes);
    store_lanes(anchor + i, weight, lanes);
  });
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast
