// Metaplastic Adam on lanes; order of operations as in metaplast/binary.h. Shared by the CPU tiers, the host shim and CUDA.
#ifndef METAPLAST_KERNELS_META_ADAM_MATH_H_
#define METAPLAST_KERNELS_META_ADAM_MATH_H_

#include "metaplast/binary.h"
#include "runtime/math/elementary.h"

namespace metaplast {
namespace METAPLAST_TIER {

// Constants of a step spread over the lanes.
struct AdamLanes {
  F alpha, beta1, fresh1, beta2, fresh2, epsilon, weight_decay, meta;
};

METAPLAST_HD AdamLanes adam_lanes(const metaplast_adam_row_t& r) {
  AdamLanes l;
  l.alpha = set(r.alpha);
  l.beta1 = set(r.beta1);
  l.fresh1 = set(r.fresh1);
  l.beta2 = set(r.beta2);
  l.fresh2 = set(r.fresh2);
  l.epsilon = set(r.epsilon);
  l.weight_decay = set(r.weight_decay);
  l.meta = set(r.meta);
  return l;
}

// f of a weight of magnitude x/meta: 4e/(1+e)^2, e = exp32(-2*x), which is 1 - tanh(x)^2 without its cancellation.
METAPLAST_HD F metaplastic_factor(F x) {
  const F e = exp32(mul(set(-2.0f), x));
  const F a = add(set(1.0f), e);
  return div(mul(set(4.0f), e), mul(a, a));
}

// One step; returns the new weight, whose bit is w >= 0.
template <bool kDecays>
METAPLAST_HD F meta_adam_lanes(const AdamLanes& r, F w, F g, F* m, F* v) {
  const F zero = set(0.0f);
  if (kDecays) g = add(g, mul(r.weight_decay, w));
  const F mean = add(mul(r.beta1, *m), mul(r.fresh1, g));
  const F square = mul(r.fresh2, mul(g, g));
  const F variance = add(mul(r.beta2, *v), square);
  *m = mean;
  *v = variance;
  const F d = add(sqrt(variance), r.epsilon);
  const M shrink = mask_or(mask_and(gt(w, zero), gt(mean, zero)), mask_and(lt(w, zero), lt(mean, zero)));
  const F f = metaplastic_factor(mul(r.meta, absolute(w)));
  const F u = select(shrink, mul(mean, f), mean);
  return sub(w, mul(r.alpha, div(u, d)));
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_META_ADAM_MATH_H_
