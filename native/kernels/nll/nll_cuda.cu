#include "kernels/nll/nll_simt.cuh"

#include "kernels/reduce_sum/reduce_sum_simt.cuh"
#include "runtime/cuda/launch.h"

extern "C" metaplast_status_t metaplast_nll_mean_log_softmax_f32_cuda(metaplast_cuda_context_t* context, int32_t samples, int32_t batch,
                                                                      int32_t classes, const float* logits, const int32_t* labels,
                                                                      float inverse_samples, float grad_scale, float* item_loss,
                                                                      float* loss, float* dlogits, void* stream) {
  using Kernel = metaplast::simt::NllMeanLogSoftmax;
  using metaplast::simt::BlockSum;
  if (samples < 1 || batch < 0 || classes < 1 || loss == nullptr ||
      (batch > 0 && (logits == nullptr || labels == nullptr || item_loss == nullptr))) {
    return METAPLAST_E_ARGUMENT;
  }
  metaplast::cuda_runtime::Launcher launcher(context, "nll_mean_log_softmax", stream);
  const int threads = samples < Kernel::kThreads / 32 ? 32 * samples : Kernel::kThreads;
  Kernel::Args a = {};
  a.samples = samples;
  a.batch = batch;
  a.classes = classes;
  a.inverse_samples = inverse_samples;
  a.grad_scale = grad_scale;
  a.logits = logits;
  a.labels = labels;
  a.item_loss = item_loss;
  a.dlogits = dlogits;
  a.loss = batch == 1 ? loss : nullptr;
  launcher.run<Kernel>(batch, 1, threads, Kernel::shared_bytes(threads), a);
  if (batch != 1) launcher.run<BlockSum>(1, 1, BlockSum::kThreads, BlockSum::kSharedBytes, BlockSum::Args{item_loss, batch, loss});
  return launcher.status();
}
