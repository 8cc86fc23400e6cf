// Integer counts behind ROC AUC. Contract: metaplast/bayes.h.
#include "runtime/kernel_table.h"
#include "runtime/math/lanes.h"

namespace metaplast {
namespace METAPLAST_TIER {
namespace {

// Vectors of in-distribution scores that one pass over the out-of-distribution scores serves.
constexpr int kBlockVectors = 4;

}  // namespace

// Adds the pairs (a, b), a among n, b among m, to counts: [0] a < b, [1] a == b. Every pair is compared: no sorting, hence no scratch
// memory, and the compares run at vector speed.
void roc_pairs(int64_t n, const float* in_dist, int64_t m, const float* ood, int64_t* counts) noexcept {
  int64_t below = 0;
  int64_t not_above = 0;
  for (int64_t i = 0; i < n; i += kBlockVectors * W) {
    F a[kBlockVectors];
    M valid[kBlockVectors];
    for (int v = 0; v < kBlockVectors; ++v) {
      const int64_t left = n - i - v * W < 0 ? 0 : n - i - v * W < W ? n - i - v * W : W;
      a[v] = left == W ? load(in_dist + i + v * W) : left > 0 ? load_n(in_dist + i + v * W, left) : set(0.0f);
      valid[v] = first_lanes(left);
    }
    for (int64_t j = 0; j < m; ++j) {
      const F b = set(ood[j]);
      for (int v = 0; v < kBlockVectors; ++v) {
        below += count(mask_and(valid[v], lt(a[v], b)));
        not_above += count(mask_and(valid[v], ge(b, a[v])));
      }
    }
  }
  counts[0] += below;
  counts[1] += not_above - below;
}

// counts[j] = number of x below scale*fractions[j], begin <= j < end.
void count_below(int64_t n, const float* x, float scale, const float* fractions, int64_t begin, int64_t end, int64_t* counts) noexcept {
  for (int64_t j = begin; j < end; ++j) {
    const F threshold = set(scale * fractions[j]);
    int64_t below = 0;
    int64_t i = 0;
    for (; i + W <= n; i += W) {
      below += count(lt(load(x + i), threshold));
    }
    if (i < n) {
      below += count(mask_and(first_lanes(n - i), lt(load_n(x + i, n - i), threshold)));
    }
    counts[j] = below;
  }
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast
