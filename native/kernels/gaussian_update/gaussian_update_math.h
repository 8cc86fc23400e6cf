// The three update rules, on lanes; orders of operations as in metaplast/bayes.h. Shared by the CPU tiers, the host shim and CUDA.
#ifndef METAPLAST_KERNELS_GAUSSIAN_UPDATE_MATH_H_
#define METAPLAST_KERNELS_GAUSSIAN_UPDATE_MATH_H_

#include "metaplast/bayes.h"
#include "runtime/math/lanes.h"

namespace metaplast {
namespace METAPLAST_TIER {

// A rule row spread over the lanes. Switched-off limits become infinities, for which the limiting operations change no bit.
struct RuleLanes {
  F prior_mean, prior_pull, prior_variance, rate_mean, rate_sigma, clamp, ratio_max, second_order, sigma_min, sigma_max, mean_min, mean_max;
  bool clips, second_order_on;
};

METAPLAST_HD RuleLanes rule_lanes(const metaplast_rule_row_t& r) {
  const F infinity = set_bits(0x7f800000u);
  const F minus_infinity = set_bits(0xff800000u);
  RuleLanes l;
  l.prior_mean = set(r.prior_mean);
  l.prior_pull = set(r.prior_pull);
  l.prior_variance = set(r.prior_variance);
  l.rate_mean = set(r.rate_mean);
  l.rate_sigma = set(r.rate_sigma);
  l.clips = r.clamp > 0;
  l.clamp = set(r.clamp);
  l.ratio_max = set(r.ratio_max);
  l.second_order_on = r.second_order > 0;
  l.second_order = set(r.second_order);
  l.sigma_min = r.sigma_min > 0 ? set(r.sigma_min) : minus_infinity;
  l.sigma_max = r.sigma_min > 0 ? set(r.sigma_max) : infinity;
  const bool mean_range = r.mean_min < r.mean_max;
  l.mean_min = mean_range ? set(r.mean_min) : minus_infinity;
  l.mean_max = mean_range ? set(r.mean_max) : infinity;
  return l;
}

// Pull of the prior minus gradient, times sigma: s*a and s*q of both MESU rules. xs is s*gS.
template <bool kClips>
METAPLAST_HD void mesu_directions(const RuleLanes& r, F mu, F s, F g_mu, F g_sigma, F* a_out, F* q_out, F* xs_out) {
  F a = mul(sub(r.prior_mean, mu), r.prior_pull);
  a = mul(s, a);
  F xm = mul(s, g_mu);
  F xs = mul(s, g_sigma);
  if (kClips) {
    xm = clip_positive(xm, r.clamp);
    xs = clip_positive(xs, r.clamp);
  }
  a = sub(a, xm);
  *a_out = mul(s, a);
  F q = sub(r.prior_variance, mul(s, s));
  q = mul(q, r.prior_pull);
  q = sub(q, xs);
  *q_out = mul(s, q);
  *xs_out = xs;
}

template <bool kClips>
METAPLAST_HD void mesu_update(const RuleLanes& r, F* mu, F* sigma, F g_mu, F g_sigma) {
  F a, q, xs;
  const F s = *sigma;
  mesu_directions<kClips>(r, *mu, s, g_mu, g_sigma, &a, &q, &xs);
  *mu = add(*mu, mul(r.rate_mean, a));
  const F next = add(s, mul(r.rate_sigma, q));
  *sigma = at_least(next, r.sigma_min);
}

// With the low part of sigma, which keeps what rounding takes from s + q.
template <bool kClips>
METAPLAST_HD void mesu_update_compensated(const RuleLanes& r, F* mu, F* sigma, F* low, F g_mu, F g_sigma) {
  F a, q, xs;
  const F s = *sigma;
  mesu_directions<kClips>(r, *mu, s, g_mu, g_sigma, &a, &q, &xs);
  *mu = add(*mu, mul(r.rate_mean, a));
  const F y = add(mul(r.rate_sigma, q), *low);
  const F next = add(s, y);
  *low = sub(y, sub(next, s));
  *sigma = at_least(next, r.sigma_min);
}

METAPLAST_HD void mesu_ratio_update(const RuleLanes& r, F* mu, F* sigma, F g_mu, F g_sigma) {
  F a, q, xs;
  const F s = *sigma;
  mesu_directions<false>(r, *mu, s, g_mu, g_sigma, &a, &q, &xs);
  F dm = mul(r.rate_mean, a);
  F ds = mul(r.rate_sigma, q);
  if (r.second_order_on) {
    const F den = add(set(1.0f), mul(r.second_order, absolute(xs)));
    dm = div(dm, den);
    ds = div(ds, den);
  }
  const F limit = mul(r.ratio_max, s);
  *mu = range(add(*mu, clip(dm, limit)), r.mean_min, r.mean_max);
  *sigma = range(add(s, clip(ds, limit)), r.sigma_min, r.sigma_max);
}

METAPLAST_HD void bgd_update(const RuleLanes& r, F* mu, F* sigma, F e, F ee) {
  const F s = *sigma;
  F t = mul(s, e);
  t = mul(s, t);
  t = mul(r.rate_mean, t);
  *mu = sub(*mu, t);
  const F x = mul(set(0.5f), mul(s, ee));
  const F a = absolute(x);
  const F root = sqrt(add(set(1.0f), mul(a, a)));
  const F h = select(lt(a, set(1152921504606846976.0f)), root, a);  // 2^60
  const F d = add(a, h);
  *sigma = select(ge(x, set(0.0f)), div(s, d), mul(s, d));
}

// The rule of one call; kRule METAPLAST_RULE_*, kClips only for MESU.
template <int kRule, bool kClips>
METAPLAST_HD void gaussian_update_lanes(const RuleLanes& r, F* mu, F* sigma, F g_mu, F g_sigma) {
  if (kRule == METAPLAST_RULE_MESU) {
    mesu_update<kClips>(r, mu, sigma, g_mu, g_sigma);
  } else if (kRule == METAPLAST_RULE_MESU_RATIO) {
    mesu_ratio_update(r, mu, sigma, g_mu, g_sigma);
  } else {
    bgd_update(r, mu, sigma, g_mu, g_sigma);
  }
}

#if !defined(__CUDACC__)
// Lanes of the first `lanes` whose sigma is not > 0, NaN included.
METAPLAST_HD int64_t not_positive(F sigma, int64_t lanes) { return count(mask_and(first_lanes(lanes), mask_not(gt(sigma, set(0.0f))))); }
#endif

}  // namespace METAPLAST_TIER
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_GAUSSIAN_UPDATE_MATH_H_
