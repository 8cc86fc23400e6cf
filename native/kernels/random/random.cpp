// Entry points: words, uniforms, Gaussians of one random stream.
#include "runtime/context.h"

namespace {

// Elements from which a second thread pays.
constexpr int64_t kGrain = 8192;

template <class Kernel, class T>
metaplast_status_t fill(const metaplast_context_t* context, uint64_t first, int64_t n, T* out, Kernel kernel) {
  const bool wraps = n > 0 && first + static_cast<uint64_t>(n) - 1 < first;
  if (context == nullptr || n < 0 || (out == nullptr && n > 0) || wraps) {
    return METAPLAST_E_ARGUMENT;
  }
  const metaplast::FpEnvironment environment;
  metaplast::parallel_range(context, n, kGrain, [=](int64_t begin, int64_t end) {
    kernel(first + static_cast<uint64_t>(begin), end - begin, out + begin);
  });
  return METAPLAST_OK;
}

}  // namespace

extern "C" metaplast_status_t metaplast_philox_u32(const metaplast_context_t* context, uint64_t seed, uint32_t stream, uint32_t step,
                                                   uint64_t first, int64_t n, uint32_t* out) {
  return fill(context, first, n, out,
              [=](uint64_t from, int64_t count, uint32_t* to) { context->kernels.philox_words(seed, stream, step, from, count, to); });
}

extern "C" metaplast_status_t metaplast_uniform_f32(const metaplast_context_t* context, uint64_t seed, uint32_t stream, uint32_t step,
                                                    uint64_t first, int64_t n, float* out) {
  return fill(context, first, n, out,
              [=](uint64_t from, int64_t count, float* to) { context->kernels.uniform(seed, stream, step, from, count, to); });
}

extern "C" metaplast_status_t metaplast_gaussian_f32(const metaplast_context_t* context, uint64_t seed, uint32_t stream, uint32_t step,
                                                     uint64_t first, int64_t n, float* out) {
  return fill(context, first, n, out,
              [=](uint64_t from, int64_t count, float* to) { context->kernels.gaussian(seed, stream, step, from, count, to); });
}
