// Diagonal Hessian read off sigma. Contract: metaplast/bayes.h.
#ifndef METAPLAST_KERNELS_DIAG_HESSIAN_SIMT_CUH_
#define METAPLAST_KERNELS_DIAG_HESSIAN_SIMT_CUH_

#include "runtime/cuda/simt.h"

namespace metaplast {
namespace simt {

struct DiagHessian {  // h, sigma
  static constexpr int kArrays = 2, kRead = 2, kWrite = 1;
  float prior_precision, inverse_window;
  METAPLAST_DEVICE void apply(float* x) const { x[0] = mul(sub(div(1.0f, mul(x[1], x[1])), prior_precision), inverse_window); }
};

}  // namespace simt
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_DIAG_HESSIAN_SIMT_CUH_
