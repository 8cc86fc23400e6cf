// Entry point of the uncertainty split.
#include "runtime/entry.h"

namespace {

// Exponentials from which a second thread pays.
constexpr int64_t kGrain = 16384;

}  // namespace

extern "C" metaplast_status_t metaplast_uncertainty_f32(const metaplast_context_t* context, int32_t samples, int32_t batch,
                                                        int32_t classes, const float* input, int32_t from_logits, int32_t bits,
                                                        int32_t clamp, float inverse_samples, float* predictive, float* aleatoric,
                                                        float* epistemic) {
  if (context == nullptr || samples < 1 || batch < 0 || classes < 1) {
    return METAPLAST_E_ARGUMENT;
  }
  if (batch > 0 && !metaplast::present(input, predictive, aleatoric, epistemic)) {
    return METAPLAST_E_ARGUMENT;
  }
  const metaplast::FpEnvironment environment;
  metaplast::parallel_items(context, batch, static_cast<int64_t>(samples) * classes, kGrain, [=](int64_t begin, int64_t end) {
    context->kernels.uncertainty_items(begin, end, samples, batch, classes, input, from_logits, bits, clamp, inverse_samples, predictive,
                                       aleatoric, epistemic);
  });
  return METAPLAST_OK;
}
