// Entry point of the elementary functions.
#include "runtime/context.h"

extern "C" metaplast_status_t metaplast_elementary_f32(const metaplast_context_t* context, int32_t function, int64_t n, const float* x,
                                                       float* y, float* y2) {
  const bool two = function == METAPLAST_FN_SINCOS2PI;
  if (context == nullptr || function < METAPLAST_FN_LN || function > METAPLAST_FN_TANH || n < 0 ||
      (n > 0 && (x == nullptr || y == nullptr || two != (y2 != nullptr)))) {
    return METAPLAST_E_ARGUMENT;
  }
  const metaplast::FpEnvironment environment;
  metaplast::parallel_range(context, n, 16384, [=](int64_t begin, int64_t end) {
    context->kernels.elementary(function, end - begin, x + begin, y + begin, two ? y2 + begin : nullptr);
  });
  return METAPLAST_OK;
}
