#include "kernels/grad_accumulate/grad_accumulate_simt.cuh"

#include "runtime/cuda/tensor_table.h"

extern "C" metaplast_status_t metaplast_grad_accumulate_f32_cuda(metaplast_cuda_context_t* context, int32_t tensors, const int64_t* count,
                                                                 const uint32_t* tensor, int32_t samples, const void* const* dw,
                                                                 int32_t dw_type, const float* const* eps, uint64_t seed, uint32_t step,
                                                                 float scale, float* const* g_mu, float* const* g_sigma, void* stream) {
  using Kernel = metaplast::simt::GradAccumulate;
  using namespace metaplast::cuda_runtime;
  if (!valid_counts(tensors, count) || samples < 1 || samples > 256 || (dw_type != METAPLAST_F32 && dw_type != METAPLAST_BF16) ||
      (tensors > 0 && (tensor == nullptr || dw == nullptr || g_mu == nullptr || g_sigma == nullptr))) {
    return METAPLAST_E_ARGUMENT;
  }
  Launcher launcher(context, "grad_accumulate", stream);
  if (launcher.status() != METAPLAST_OK) return launcher.status();
  const int threads = threads_for(total_count(tensors, count), Kernel::kElementsPerThread, launcher.multiprocessors());
  const bool bf16 = dw_type == METAPLAST_BF16;
  const Kernel::Common common{seed, step, samples, scale, bf16};
  run_multi_tensor<Kernel>(&launcher, tensors, count, 1, threads, common, [=](int32_t t) {
    Kernel::Entry e = {};
    e.dw = dw[t];
    e.eps = eps == nullptr ? nullptr : eps[t];
    e.g_mu = g_mu[t];
    e.g_sigma = g_sigma[t];
    e.tensor = tensor[t];
    e.aligned = is_aligned(dw[t], bf16 ? 8 : 16) && (e.eps == nullptr || is_aligned(e.eps, 16)) && is_aligned(g_mu[t], 16) &&
                is_aligned(g_sigma[t], 16) && (samples == 1 || count[t] % 4 == 0);
    return e;
  });
  return launcher.status();
}
