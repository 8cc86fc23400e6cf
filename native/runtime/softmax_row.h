// One row of a softmax: maximum, exponentials and their sum in the order of metaplast/bayes.h. Exponentials and entropy terms are
// formed in vectors, a tile of classes at a time; the sums over classes run through them in ascending order.
#ifndef METAPLAST_RUNTIME_SOFTMAX_ROW_H_
#define METAPLAST_RUNTIME_SOFTMAX_ROW_H_

#include "runtime/math/elementary.h"

namespace metaplast {
namespace METAPLAST_TIER {

constexpr int32_t kClassTile = 256;

// Maximum by ascending ">". The order in which lanes are compared does not reach the result of a softmax: a NaN makes all of the row's
// outputs NaN wherever it stands, and which of two zeros wins disappears in exp32.
METAPLAST_HD float row_maximum(int32_t classes, const float* row) {
  F best = set(row[0]);
  int32_t c = 0;
  for (; c + W <= classes; c += W) {
    const F x = load(row + c);
    best = select(gt(x, best), x, best);
  }
  if (c < classes) {
    const F x = load_n(row + c, classes - c, row[0]);
    best = select(gt(x, best), x, best);
  }
  float lane[W];
  store(lane, best);
  float m = lane[0];
  for (int j = 1; j < W; ++j) {
    m = lane[j] > m ? lane[j] : m;
  }
  return m;
}

// sum + x[0] + x[1] + ..., or x[0] + x[1] + ... for the first tile of a row.
METAPLAST_HD float add_ascending(bool first, float sum, int32_t n, const float* x) {
  int32_t c = 0;
  if (first) {
    sum = x[0];
    c = 1;
  }
  for (; c < n; ++c) {
    sum = sum + x[c];
  }
  return sum;
}

METAPLAST_HD int32_t tile_length(int32_t classes, int32_t begin) {
  return classes - begin < kClassTile ? classes - begin : kClassTile;
}

// e[c] = exp32(row[c] - maximum) for one tile; e may be row.
METAPLAST_HD void exponentials(int32_t n, const float* row, float maximum, float* e) {
  const F m = set(maximum);
  for_vectors(n, [=](int64_t c, int64_t lanes) { store_lanes(e + c, exp32(sub(load_lanes(row + c, lanes), m)), lanes); });
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast

#endif  // METAPLAST_RUNTIME_SOFTMAX_ROW_H_
