#include "kernels/diag_hessian/diag_hessian_simt.cuh"

#include "runtime/cuda/elementwise.h"

extern "C" metaplast_status_t metaplast_diag_hessian_f32_cuda(metaplast_cuda_context_t* context, int64_t n, const float* sigma,
                                                              float prior_precision, float inverse_window, float* h, void* stream) {
  return metaplast::cuda_runtime::run_elementwise(context, "diag_hessian", stream, n,
                                                  metaplast::simt::DiagHessian{prior_precision, inverse_window}, {h, sigma});
}
