// The update rules over all tensors, from gradients or from the gradients of samples. Contracts: metaplast/bayes.h.
#ifndef METAPLAST_KERNELS_GAUSSIAN_UPDATE_SIMT_CUH_
#define METAPLAST_KERNELS_GAUSSIAN_UPDATE_SIMT_CUH_

#include "kernels/gaussian_update/gaussian_update_math.h"
#include "kernels/grad_accumulate/grad_accumulate_simt.cuh"
#include "kernels/weight_sample/weight_sample_simt.cuh"
#include "runtime/cuda/simt.h"

namespace metaplast {
namespace simt {

// One group of four; low null, or its low parts (MESU only). Returns how many new sigmas are not > 0, NaN included.
template <int kRule>
METAPLAST_DEVICE int update_group(const RuleLanes& r, bool compensated, Four* mu, Four* sigma, Four* low, const Four& g_mu,
                                  const Four& g_sigma, int valid) {
  if (kRule == METAPLAST_RULE_MESU && compensated) {
    METAPLAST_UNROLL
    for (int j = 0; j < 4; ++j) mesu_update_compensated<true>(r, &mu->v[j], &sigma->v[j], &low->v[j], g_mu.v[j], g_sigma.v[j]);
  } else {
    METAPLAST_UNROLL
    for (int j = 0; j < 4; ++j) gaussian_update_lanes<kRule, true>(r, &mu->v[j], &sigma->v[j], g_mu.v[j], g_sigma.v[j]);
  }
  int bad = 0;
  METAPLAST_UNROLL
  for (int j = 0; j < 4; ++j) bad += j < valid && !(sigma->v[j] > 0.0f) ? 1 : 0;
  return bad;
}

// The rule of a row. The clip is never left out: with an infinite limit it changes no bit, and a second copy of every kernel would cost
// more.
METAPLAST_DEVICE RuleLanes rule_of(const metaplast_rule_row_t& row) {
  RuleLanes r = rule_lanes(row);
  if (!r.clips) r.clamp = set_bits(0x7f800000u);
  return r;
}

// The same with a rule that is known at run time only, for kernels that do much else: one copy of them serves all rules.
METAPLAST_DEVICE int update_group(int32_t rule, const RuleLanes& r, bool compensated, Four* mu, Four* sigma, Four* low, const Four& g_mu,
                                  const Four& g_sigma, int valid) {
  if (rule == METAPLAST_RULE_MESU) return update_group<METAPLAST_RULE_MESU>(r, compensated, mu, sigma, low, g_mu, g_sigma, valid);
  if (rule == METAPLAST_RULE_MESU_RATIO) return update_group<METAPLAST_RULE_MESU_RATIO>(r, false, mu, sigma, low, g_mu, g_sigma, valid);
  return update_group<METAPLAST_RULE_BGD>(r, false, mu, sigma, low, g_mu, g_sigma, valid);
}

// mu, sigma, low part of a tensor, and its rule.
struct UpdateEntry {
  int64_t count;
  float *mu, *sigma, *low;
  metaplast_rule_row_t row;
};

// ---- from gradients ----------------------------------------------------------------------------------------------------------------

// First phase of a gated call: does any gradient open the gate, how many are NaN?
struct GateScan {
  static constexpr int kThreads = 256;
  static constexpr int kElementsPerThread = 8;

  struct Common {
    int64_t* report;
    int32_t bf16;
  };
  struct Entry {
    int64_t count;
    const void *g_mu, *g_sigma;
    int32_t aligned;
  };

  static METAPLAST_DEVICE void tile(const Common& c, const Entry& e, int64_t tile) {
    constexpr int kGroups = kElementsPerThread / 4;
    const Tile<kGroups> t(tile, e.count, e.aligned != 0);
    const bool bf16 = c.bf16 != 0;
    Four g[2 * kGroups];
    METAPLAST_UNROLL
    for (int u = 0; u < kGroups; ++u) {
      g[2 * u] = load_gradient(t.whole, bf16, e.g_mu, t.element[u], t.valid[u]);
      g[2 * u + 1] = load_gradient(t.whole, bf16, e.g_sigma, t.element[u], t.valid[u]);
    }
    // Elements that are not valid were read as 0, which neither opens the gate nor is NaN.
    bool open = false;
    unsigned nans = 0;
    METAPLAST_UNROLL
    for (int u = 0; u < 2 * kGroups; ++u) {
      METAPLAST_UNROLL
      for (int j = 0; j < 4; ++j) {
        open = open || absolute(g[u].v[j]) > 0.0f;
        nans += is_nan(g[u].v[j]) ? 1u : 0u;
      }
    }
    if (__syncthreads_or(open ? 1 : 0) != 0 && threadIdx.x == 0) {
      atomicOr(reinterpret_cast<unsigned long long*>(c.report + METAPLAST_REPORT_GATE_OPEN), 1ull);
    }
    add_count(c.report + METAPLAST_REPORT_NAN_GRADIENTS, nans);
  }
};

template <int kRule>
struct GaussianUpdate {
  static constexpr int kThreads = 256;
  static constexpr int kElementsPerThread = 8;

  struct Common {
    int64_t* report;
    int32_t gated;
    int32_t bf16;
  };
  struct Entry : UpdateEntry {
    const void *g_mu, *g_sigma;
    int32_t aligned;
  };

  static METAPLAST_DEVICE void tile(const Common& c, const Entry& e, int64_t tile) {
    if (c.gated != 0 && c.report[METAPLAST_REPORT_GATE_OPEN] == 0) return;
    constexpr int kGroups = kElementsPerThread / 4;
    const Tile<kGroups> t(tile, e.count, e.aligned != 0);
    const RuleLanes r = rule_of(e.row);
    const bool compensated = kRule == METAPLAST_RULE_MESU && e.low != nullptr;
    Four mu[kGroups], sigma[kGroups], low[kGroups], g_mu[kGroups], g_sigma[kGroups];
    METAPLAST_UNROLL
    for (int u = 0; u < kGroups; ++u) {
      mu[u] = load_group(t.whole, e.mu + t.element[u], t.valid[u]);
      sigma[u] = load_group(t.whole, e.sigma + t.element[u], t.valid[u]);
      g_mu[u] = load_gradient(t.whole, c.bf16 != 0, e.g_mu, t.element[u], t.valid[u]);
      g_sigma[u] = load_gradient(t.whole, c.bf16 != 0, e.g_sigma, t.element[u], t.valid[u]);
      if (compensated) low[u] = load_group(t.whole, e.low + t.element[u], t.valid[u]);
    }
    int bad = 0;
    METAPLAST_UNROLL
    for (int u = 0; u < kGroups; ++u) {
      bad += update_group<kRule>(r, compensated, &mu[u], &sigma[u], &low[u], g_mu[u], g_sigma[u], t.valid[u]);
      store_group(t.whole, e.mu + t.element[u], mu[u], t.valid[u]);
      store_group(t.whole, e.sigma + t.element[u], sigma[u], t.valid[u]);
      if (compensated) store_group(t.whole, e.low + t.element[u], low[u], t.valid[u]);
    }
    if (c.report != nullptr) add_count(c.report + METAPLAST_REPORT_SIGMA_NOT_POSITIVE, static_cast<unsigned>(bad));
  }
};

// ---- from samples, optionally with the next step's samples -------------------------------------------------------------------------

struct UpdateFromSamples {
  static constexpr int kThreads = 256;
  static constexpr int kElementsPerThread = 4;

  struct Common {
    uint64_t seed;
    uint32_t step, next_step;
    int32_t samples, next_samples;
    float scale;
    int32_t bf16;
    int32_t rule;
    int64_t* report;
  };
  struct Entry : UpdateEntry {
    const void* dw;
    const float* eps;
    float* w_next;
    uint32_t tensor;
    int32_t aligned;
  };

  static METAPLAST_DEVICE void tile(const Common& c, const Entry& e, int64_t tile) {
    const Tile<1> t(tile, e.count, e.aligned != 0);
    const int64_t element = t.element[0];
    const int valid = t.valid[0];
    const RuleLanes r = rule_of(e.row);
    const bool compensated = e.low != nullptr;  // MESU only
    Four mu = load_group(t.whole, e.mu + element, valid);
    Four sigma = load_group(t.whole, e.sigma + element, valid);
    Four low = {};
    if (compensated) low = load_group(t.whole, e.low + element, valid);
    Four g_mu = {}, g_sigma = {};
    const SampleGradients g{e.dw, e.eps, e.count, c.seed, e.tensor * 256, c.step, c.samples, c.scale, c.bf16 != 0};
    accumulate_group(g, t.whole, element, valid, &g_mu, &g_sigma);
    const int bad = update_group(c.rule, r, compensated, &mu, &sigma, &low, g_mu, g_sigma, valid);
    store_group(t.whole, e.mu + element, mu, valid);
    store_group(t.whole, e.sigma + element, sigma, valid);
    if (compensated) store_group(t.whole, e.low + element, low, valid);
    for (int k = 0; k < c.next_samples; ++k) {
      const RandomStream stream{c.seed, e.tensor * 256 + static_cast<uint32_t>(k), c.next_step};
      sample_group(stream, t.whole, element, valid, mu, sigma, e.w_next + k * e.count);
    }
    if (c.report != nullptr) add_count(c.report + METAPLAST_REPORT_SIGMA_NOT_POSITIVE, static_cast<unsigned>(bad));
  }
};

}  // namespace simt
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_GAUSSIAN_UPDATE_SIMT_CUH_
