// Entry point of the diagonal Hessian.
#include "runtime/entry.h"

extern "C" metaplast_status_t metaplast_diag_hessian_f32(const metaplast_context_t* context, int64_t n, const float* sigma,
                                                         float prior_precision, float inverse_window, float* h) {
  return metaplast::run_elementwise(
      context, n, metaplast::present(sigma, h), [=](const metaplast::KernelTable& kernels, int64_t begin, int64_t end) {
        kernels.diag_hessian(end - begin, sigma + begin, prior_precision, inverse_window, h + begin);
      });
}
