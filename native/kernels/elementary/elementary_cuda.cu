#include "kernels/elementary/elementary_simt.cuh"

#include "runtime/cuda/elementwise.h"

using metaplast::cuda_runtime::run_elementwise;
namespace simt = metaplast::simt;

extern "C" metaplast_status_t metaplast_elementary_f32_cuda(metaplast_cuda_context_t* context, int32_t function, int64_t n, const float* x,
                                                            float* y, float* y2, void* stream) {
  switch (function) {
    case METAPLAST_FN_LN:
      return run_elementwise(context, "elementary", stream, n, simt::Elementary<METAPLAST_FN_LN>{}, {y, x});
    case METAPLAST_FN_SINCOS2PI:
      return run_elementwise(context, "elementary", stream, n, simt::SinCos{}, {y, y2, x});
    case METAPLAST_FN_EXP:
      return run_elementwise(context, "elementary", stream, n, simt::Elementary<METAPLAST_FN_EXP>{}, {y, x});
    case METAPLAST_FN_TANH:
      return run_elementwise(context, "elementary", stream, n, simt::Elementary<METAPLAST_FN_TANH>{}, {y, x});
    default:
      return METAPLAST_E_ARGUMENT;
  }
}
