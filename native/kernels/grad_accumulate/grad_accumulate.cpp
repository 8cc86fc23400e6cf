// Entry point: Monte-Carlo gradients of all tensors.
#include "runtime/multi_tensor.h"

extern "C" metaplast_status_t metaplast_grad_accumulate_f32(const metaplast_context_t* context, int32_t tensors, const int64_t* count,
                                                            const uint32_t* tensor, int32_t samples, const void* const* dw, int32_t dw_type,
                                                            const float* const* eps, uint64_t seed, uint32_t step, float scale,
                                                            float* const* g_mu, float* const* g_sigma) {
  if (context == nullptr || !metaplast::valid_counts(tensors, count) || samples < 1 || samples > 256 ||
      (dw_type != METAPLAST_F32 && dw_type != METAPLAST_BF16) ||
      (tensors > 0 && (tensor == nullptr || dw == nullptr || g_mu == nullptr || g_sigma == nullptr))) {
    return METAPLAST_E_ARGUMENT;
  }
  const metaplast::FpEnvironment environment;
  metaplast::parallel_tensors(context, tensors, count, 8192, [=](int32_t t, int64_t begin, int64_t end) {
    context->kernels.grad_accumulate(samples, dw[t], dw_type, count[t], eps == nullptr ? nullptr : eps[t], seed, tensor[t], step, begin,
                                     end - begin, scale, g_mu[t] + begin, g_sigma[t] + begin);
  });
  return METAPLAST_OK;
}
