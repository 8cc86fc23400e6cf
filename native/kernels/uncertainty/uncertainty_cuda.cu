#include "kernels/uncertainty/uncertainty_simt.cuh"

#include "runtime/cuda/launch.h"

extern "C" metaplast_status_t metaplast_uncertainty_f32_cuda(metaplast_cuda_context_t* context, int32_t samples, int32_t batch,
                                                             int32_t classes, const float* input, int32_t from_logits, int32_t bits,
                                                             int32_t clamp, float inverse_samples, float* predictive, float* aleatoric,
                                                             float* epistemic, void* stream) {
  using Kernel = metaplast::simt::Uncertainty;
  if (samples < 1 || batch < 0 || classes < 1 ||
      (batch > 0 && (input == nullptr || predictive == nullptr || aleatoric == nullptr || epistemic == nullptr))) {
    return METAPLAST_E_ARGUMENT;
  }
  metaplast::cuda_runtime::Launcher launcher(context, "uncertainty", stream);
  const int threads = samples < Kernel::kThreads / 32 ? 32 * samples : Kernel::kThreads;
  Kernel::Args a = {};
  a.samples = samples;
  a.batch = batch;
  a.classes = classes;
  a.from_logits = from_logits;
  a.bits = bits;
  a.clamp = clamp;
  a.inverse_samples = inverse_samples;
  a.input = input;
  a.predictive = predictive;
  a.aleatoric = aleatoric;
  a.epistemic = epistemic;
  launcher.run<Kernel>(batch, 1, threads, Kernel::shared_bytes(threads), a);
  return launcher.status();
}
