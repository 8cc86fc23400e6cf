// The elementary functions, element by element. Contract: metaplast/bayes.h.
#ifndef METAPLAST_KERNELS_ELEMENTARY_SIMT_CUH_
#define METAPLAST_KERNELS_ELEMENTARY_SIMT_CUH_

#include "metaplast/bayes.h"
#include "runtime/cuda/simt.h"

namespace metaplast {
namespace simt {

template <int kFunction>
struct Elementary {  // y, x: in place when they are the same array
  static constexpr int kArrays = 2, kRead = 2, kWrite = 1;
  METAPLAST_DEVICE void apply(float* x) const {
    if (kFunction == METAPLAST_FN_LN) {
      x[0] = ln32(x[1]);
    } else if (kFunction == METAPLAST_FN_EXP) {
      x[0] = exp32(x[1]);
    } else {
      x[0] = tanh32(x[1]);
    }
  }
};

struct SinCos {  // y, y2, x
  static constexpr int kArrays = 3, kRead = 4, kWrite = 3;
  METAPLAST_DEVICE void apply(float* x) const { sincos2pi(x[2], &x[0], &x[1]); }
};

}  // namespace simt
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_ELEMENTARY_SIMT_CUH_
