// Entry points of the counts behind ROC AUC.
#include <atomic>

#include "runtime/entry.h"

namespace {

// Comparisons from which a second thread pays.
constexpr int64_t kGrain = 262144;

}  // namespace

extern "C" {

metaplast_status_t metaplast_roc_pairs_f32(const metaplast_context_t* context, int64_t n, const float* in_dist, int64_t m,
                                           const float* ood, int64_t* counts) {
  if (context == nullptr || n < 0 || m < 0 || counts == nullptr || (n > 0 && in_dist == nullptr) || (m > 0 && ood == nullptr)) {
    return METAPLAST_E_ARGUMENT;
  }
  const metaplast::FpEnvironment environment;
  std::atomic<int64_t> below{0};
  std::atomic<int64_t> equal{0};
  metaplast::parallel_items(context, n, m, kGrain, [&](int64_t begin, int64_t end) {
    int64_t part[2] = {0, 0};
    context->kernels.roc_pairs(end - begin, in_dist + begin, m, ood, part);
    below.fetch_add(part[0], std::memory_order_relaxed);
    equal.fetch_add(part[1], std::memory_order_relaxed);
  });
  counts[0] = below.load(std::memory_order_relaxed);
  counts[1] = equal.load(std::memory_order_relaxed);
  return METAPLAST_OK;
}

metaplast_status_t metaplast_roc_thresholds_f32(const metaplast_context_t* context, int64_t n, const float* in_dist, int64_t m,
                                                const float* ood, int32_t thresholds, const float* fractions, int64_t* counts) {
  if (context == nullptr || n < 0 || m < 1 || thresholds < 0 || ood == nullptr || (n > 0 && in_dist == nullptr) ||
      (thresholds > 0 && !metaplast::present(fractions, counts))) {
    return METAPLAST_E_ARGUMENT;
  }
  const metaplast::FpEnvironment environment;
  float ood_max = ood[0];
  for (int64_t i = 1; i < m; ++i) {
    ood_max = ood[i] > ood_max ? ood[i] : ood_max;
  }
  metaplast::parallel_items(context, thresholds, n + m, kGrain, [=](int64_t begin, int64_t end) {
    context->kernels.count_below(n, in_dist, ood_max, fractions, begin, end, counts);
    context->kernels.count_below(m, ood, ood_max, fractions, begin, end, counts + thresholds);
  });
  return METAPLAST_OK;
}

}  // extern "C"
