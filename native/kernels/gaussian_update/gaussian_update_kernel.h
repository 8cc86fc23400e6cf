#include "kernels/gaussian_update/gaussian_update.h"
#include "kernels/gaussian_update/gaussian_update_math.h"
#include "runtime/kernel_table.h"
#include "runtime/math/gaussian.h"

namespace metaplast {
namespace METAPLAST_TIER {
namespace {

template <int kRule, bool kClips, bool kCompensated, class Gradient>
int64_t update_range(int64_t n, float* mu, float* sigma, float* low, const Gradient* g_mu, const Gradient* g_sigma,
                     const metaplast_rule_row_t* row) {
  const RuleLanes r = rule_lanes(*row);
  // Sigmas that are not positive are rare: the loop only notes that there are some, and a piece that has any is counted afterwards.
  constexpr int64_t kPiece = 4096;
  int64_t bad = 0;
  for (int64_t o = 0; o < n; o += kPiece) {
    const int64_t length = n - o < kPiece ? n - o : kPiece;
    M any = lt(set(0.0f), set(0.0f));
    for_vectors(length, [&](int64_t i, int64_t lanes) {
      const int64_t e = o + i;
      F m = load_lanes(mu + e, lanes);
      F s = load_lanes(sigma + e, lanes);
      const F gm = load_lanes(g_mu + e, lanes);
      const F gs = load_lanes(g_sigma + e, lanes);
      if (kCompensated) {
        F lo = load_lanes(low + e, lanes);
        mesu_update_compensated<kClips>(r, &m, &s, &lo, gm, gs);
        store_lanes(low + e, lo, lanes);
      } else {
        gaussian_update_lanes<kRule, kClips>(r, &m, &s, gm, gs);
      }
      store_lanes(mu + e, m, lanes);
      store_lanes(sigma + e, s, lanes);
      if (W == 1) {
        bad += not_positive(s, lanes);  // a sum, which the compiler vectorises
        return;
      }
      const M bad_lanes = mask_not(gt(s, set(0.0f)));
      any = mask_or(any, lanes == W ? bad_lanes : mask_and(first_lanes(lanes), bad_lanes));
    });
    if (count(any) > 0) {
      for_vectors(length, [&](int64_t i, int64_t lanes) { bad += not_positive(load_lanes(sigma + o + i, lanes), lanes); });
    }
  }
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

// Epsilon of a piece. Memory would idle while random numbers are made, so this also fetches what the update behind it reads and writes: for every
// line of random numbers one of each of two streams. A function of its own, or the compiler spills the generator's constants.
__attribute__((noinline)) void normals_fetching(const RandomStream& random, uint64_t from, int64_t n, float* z, const float* fetch_a,
                                                const float* fetch_b) {
  for_gaussians(random, from, n, [=](int64_t i, F value, int64_t lanes) {
    __builtin_prefetch(fetch_a + i, 1);
    __builtin_prefetch(fetch_b + i, 1);
    store_lanes(z + i, value, lanes);
  });
}

// Operands of a piece of the update from samples.
struct SampledPiece {
  int64_t n;
  float *mu, *sigma;
  const float *dw, *z;
  const float *g_mu, *g_sigma;  // sums over the samples before the last one; null: there are none
  float scale;
  const float* z_next;  // null, or epsilon of the next sample
  float* w_next;
};

// Gradient of the last sample, accumulation, scaling, update and next sample, register to register.
template <int kRule, bool kClips>
int64_t update_with_normals(const SampledPiece& piece, const metaplast_rule_row_t* row) {
  const SampledPiece p = piece;
  const RuleLanes r = rule_lanes(*row);
  const F scaling = set(p.scale);
  M any = lt(set(0.0f), set(0.0f));
  for_vectors(p.n, [&](int64_t i, int64_t lanes) {
    F a = load_lanes(p.dw + i, lanes);
    F b = mul(a, load_lanes(p.z + i, lanes));
    if (p.g_mu != nullptr) {
      a = add(load_lanes(p.g_mu + i, lanes), a);
      b = add(load_lanes(p.g_sigma + i, lanes), b);
    }
    F m = load_lanes(p.mu + i, lanes);
    F s = load_lanes(p.sigma + i, lanes);
    gaussian_update_lanes<kRule, kClips>(r, &m, &s, mul(a, scaling), mul(b, scaling));
    store_lanes(p.mu + i, m, lanes);
    store_lanes(p.sigma + i, s, lanes);
    if (p.z_next != nullptr) store_lanes(p.w_next + i, add(m, mul(s, load_lanes(p.z_next + i, lanes))), lanes);
    const M bad_lanes = mask_not(gt(s, set(0.0f)));
    any = mask_or(any, lanes == W ? bad_lanes : mask_and(first_lanes(lanes), bad_lanes));
  });
  int64_t bad = 0;
  if (count(any) > 0) {
    for_vectors(p.n, [&](int64_t i, int64_t lanes) { bad += not_positive(load_lanes(p.sigma + i, lanes), lanes); });
  }
  return bad;
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

// gaussian_update of a piece with the gradients of its last sample: dw and epsilon of that sample, added to g_mu and g_sigma (null: the only sample).
// w_next: null, or where the sample next_stream, next_step of the updated piece goes.
void gaussian_update_from_sample(int32_t rule, uint64_t seed, uint32_t stream, uint32_t step, uint64_t from, int64_t n, float* mu,
                                 float* sigma, const float* dw, const float* g_mu, const float* g_sigma, float scale,
                                 const metaplast_rule_row_t* row, uint32_t next_stream, uint32_t next_step, float* w_next,
                                 int64_t* not_positive_count) noexcept {
  float z[kSampledPiece], z_next[kSampledPiece];
  normals_fetching(RandomStream{seed, stream, step}, from, n, z, mu, sigma);
  if (w_next != nullptr) normals_fetching(RandomStream{seed, next_stream, next_step}, from, n, z_next, dw, w_next);
  const SampledPiece piece{n, mu, sigma, dw, z, g_mu, g_sigma, scale, w_next != nullptr ? z_next : nullptr, w_next};
  int64_t bad;
  if (rule == METAPLAST_RULE_MESU_RATIO) {
    bad = update_with_normals<METAPLAST_RULE_MESU_RATIO, false>(piece, row);
  } else if (rule == METAPLAST_RULE_BGD) {
    bad = update_with_normals<METAPLAST_RULE_BGD, false>(piece, row);
  } else if (row->clamp > 0) {
    bad = update_with_normals<METAPLAST_RULE_MESU, true>(piece, row);
  } else {
    bad = update_with_normals<METAPLAST_RULE_MESU, false>(piece, row);
  }
  *not_positive_count += bad;
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
