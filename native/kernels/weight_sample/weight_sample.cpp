// Entry point: K samples of all weights.
#include "runtime/multi_tensor.h"

extern "C" metaplast_status_t metaplast_weight_sample_f32(const metaplast_context_t* context, int32_t tensors, const int64_t* count,
                                                          const uint32_t* tensor, const float* const* mu, const float* const* sigma,
                                                          uint64_t seed, uint32_t step, int32_t first_sample, int32_t samples,
                                                          float* const* w) {
  if (context == nullptr || !metaplast::valid_counts(tensors, count) || first_sample < 0 || samples < 0 || first_sample + samples > 256 ||
      (tensors > 0 && (tensor == nullptr || mu == nullptr || sigma == nullptr || w == nullptr))) {
    return METAPLAST_E_ARGUMENT;
  }
  const metaplast::FpEnvironment environment;
  metaplast::parallel_tensors(context, tensors, count, 8192, [=](int32_t t, int64_t begin, int64_t end) {
    // Pieces of mu and sigma that stay in the L1 cache for all samples.
    constexpr int64_t kPiece = 4096;
    for (int64_t i = begin; i < end; i += kPiece) {
      const int64_t n = end - i < kPiece ? end - i : kPiece;
      for (int32_t k = 0; k < samples; ++k) {
        context->kernels.weight_sample(seed, tensor[t] * 256 + static_cast<uint32_t>(first_sample + k), step, static_cast<uint64_t>(i), n,
                                       mu[t] + i, sigma[t] + i, w[t] + k * count[t] + i);
      }
    }
  });
  return METAPLAST_OK;
}
