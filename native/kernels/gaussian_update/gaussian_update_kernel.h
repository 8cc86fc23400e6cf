#include "kernels/gaussian_update/gaussian_update_math.h"
#include "runtime/kernel_table.h"

namespace metaplast {
namespace METAPLAST_TIER {
namespace {

template <int kRule, bool kClips, bool kCompensated, class Gradient>
int64_t update_range(int64_t n, float* mu, float* sigma, float* low, const Gradient* g_mu, const Gradient* g_sigma,
                     const metaplast_rule_row_t* row) {
  const RuleLanes r = rule_lanes(*row);
  int64_t bad = 0;
  for_vectors(n, [&](int64_t i, int64_t lanes) {
    F m = load_lanes(mu + i, lanes);
    F s = load_lanes(sigma + i, lanes);
    const F gm = load_lanes(g_mu + i, lanes);
    const F gs = load_lanes(g_sigma + i, lanes);
    if (kCompensated) {
      F lo = load_lanes(low + i, lanes);
      mesu_update_compensated<kClips>(r, &m, &s, &lo, gm, gs);
      store_lanes(low + i, lo, lanes);
    } else {
      gaussian_update_lanes<kRule, kClips>(r, &m, &s, gm, gs);
    }
    store_lanes(mu + i, m, lanes);
    store_lanes(sigma + i, s, lanes);
    bad += not_positive(s, lanes);
  });
  return bad;
}

template <class Gradient>
int64_t update_by_rule(int32_t rule, int64_t n, float* mu, float* sigma, float* low, const Gradient* g_mu, const Gradient* g_sigma,
                       const metaplast_rule_row_t* row) {
  if (rule == METAPLAST_RULE_MESU_RATIO) {
    return update_range<METAPLAST_RULE_MESU_RATIO, false, false>(n, mu, sigma, low, g_mu, g_sigma, row);
  }
  if (rule == METAPLAST_RULE_BGD) return update_range<METAPLAST_RULE_BGD, false, false>(n, mu, sigma, low, g_mu, g_sigma, row);
  const bool clips = row->clamp > 0;
  if (low != nullptr) {
    return clips ? update_range<METAPLAST_RULE_MESU, true, true>(n, mu, sigma, low, g_mu, g_sigma, row)
                 : update_range<METAPLAST_RULE_MESU, false, true>(n, mu, sigma, low, g_mu, g_sigma, row);
  }
  return clips ? update_range<METAPLAST_RULE_MESU, true, false>(n, mu, sigma, low, g_mu, g_sigma, row)
               : update_range<METAPLAST_RULE_MESU, false, false>(n, mu, sigma, low, g_mu, g_sigma, row);
}

template <class Gradient>
void scan_gate(int64_t n, const Gradient* g, bool* open, int64_t* nans) {
  int64_t moving = 0, nan = 0;
  for_vectors(n, [&](int64_t i, int64_t lanes) {
    const F x = load_lanes(g + i, lanes);  // lanes beyond the tail are 0
    moving += count(gt(absolute(x), set(0.0f)));
    nan += count(is_nan(x));
  });
  *open = *open || moving > 0;
  *nans += nan;
}

}  // namespace

void gaussian_update(int32_t rule, int64_t n, float* mu, float* sigma, float* low, const void* g_mu, const void* g_sigma, int32_t grad_type,
                     const metaplast_rule_row_t* row, int64_t* not_positive_count) noexcept {
  if (grad_type == METAPLAST_BF16) {
    *not_positive_count +=
        update_by_rule(rule, n, mu, sigma, low, static_cast<const uint16_t*>(g_mu), static_cast<const uint16_t*>(g_sigma), row);
  } else {
    *not_positive_count += update_by_rule(rule, n, mu, sigma, low, static_cast<const float*>(g_mu), static_cast<const float*>(g_sigma), row);
  }
}

// Sets *open if some |g| > 0; adds the NaN among n gradients to *nans.
void gate_scan(int64_t n, const void* g, int32_t grad_type, bool* open, int64_t* nans) noexcept {
  if (grad_type == METAPLAST_BF16) {
    scan_gate(n, static_cast<const uint16_t*>(g), open, nans);
  } else {
    scan_gate(n, static_cast<const float*>(g), open, nans);
  }
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast
