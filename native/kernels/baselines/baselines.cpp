// Entry points of the baseline kernels: validate, split, run.
#include "runtime/context.h"

namespace {

// Elements from which a second thread pays: about 4 microseconds of work.
constexpr int64_t kGrain = 32768;

}  // namespace

extern "C" metaplast_status_t metaplast_sgd_step_f32(const metaplast_context_t* context, int64_t n, float* theta, const float* g, float lr) {
  if (context == nullptr || n < 0 || theta == nullptr || g == nullptr) {
    return METAPLAST_E_ARGUMENT;
  }
  const metaplast::FpEnvironment environment;
  metaplast::parallel_range(context, n, kGrain, [=](int64_t begin, int64_t end) {
    context->kernels.sgd_step(end - begin, theta + begin, g + begin, lr);
  });
  return METAPLAST_OK;
}
