// Entry point of the loss over samples.
#include "kernels/reduce_sum/reduce_sum.h"
#include "runtime/entry.h"

namespace {

// Exponentials from which a second thread pays.
constexpr int64_t kGrain = 16384;

}  // namespace

extern "C" metaplast_status_t metaplast_nll_mean_log_softmax_f32(const metaplast_context_t* context, int32_t samples, int32_t batch,
                                                                 int32_t classes, const float* logits, const int32_t* labels,
                                                                 float inverse_samples, float grad_scale, float* item_loss, float* loss,
                                                                 float* dlogits) {
  if (context == nullptr || samples < 1 || batch < 0 || classes < 1 || loss == nullptr) {
    return METAPLAST_E_ARGUMENT;
  }
  if (batch > 0 && !metaplast::present(logits, labels, item_loss)) {
    return METAPLAST_E_ARGUMENT;
  }
  for (int32_t b = 0; b < batch; ++b) {
    if (labels[b] < 0 || labels[b] >= classes) {
      return METAPLAST_E_ARGUMENT;
    }
  }
  const metaplast::FpEnvironment environment;
  metaplast::parallel_items(context, batch, static_cast<int64_t>(samples) * classes, kGrain, [=](int64_t begin, int64_t end) {
    context->kernels.nll_items(begin, end, samples, batch, classes, logits, labels, inverse_samples, grad_scale, item_loss, dlogits);
  });
  loss[0] = metaplast::reduce_sum(context, batch, item_loss);
  return METAPLAST_OK;
}
