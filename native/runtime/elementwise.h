// The loop of element-wise kernels: whole vectors, then one masked vector for the tail.
//
//   elementwise(n, [&](int64_t i, auto lanes) { lanes.store(y + i, add(lanes.load(x + i), lanes.load(y + i))); });
#ifndef METAPLAST_RUNTIME_ELEMENTWISE_H_
#define METAPLAST_RUNTIME_ELEMENTWISE_H_

#include "runtime/math/lanes.h"

namespace metaplast {
namespace METAPLAST_TIER {

struct AllLanes {
  METAPLAST_HD F load(const float* p) const { return metaplast::METAPLAST_TIER::load(p); }
  METAPLAST_HD void store(float* p, F x) const { metaplast::METAPLAST_TIER::store(p, x); }
};

// The first n lanes, 0 < n < W: memory behind them is neither read nor written, the others read as 0.
struct FirstLanes {
  int64_t n;
  METAPLAST_HD F load(const float* p) const { return load_n(p, n); }
  METAPLAST_HD void store(float* p, F x) const { store_n(p, x, n); }
};

template <class Body>
METAPLAST_HD void elementwise(int64_t n, const Body& body) {
  int64_t i = 0;
  for (; i + W <= n; i += W) {
    body(i, AllLanes{});
  }
  if (i < n) {
    body(i, FirstLanes{n - i});
  }
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast

#endif  // METAPLAST_RUNTIME_ELEMENTWISE_H_
