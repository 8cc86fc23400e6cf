#include "kernels/weight_sample/weight_sample_simt.cuh"

#include "runtime/cuda/tensor_table.h"

extern "C" metaplast_status_t metaplast_weight_sample_f32_cuda(metaplast_cuda_context_t* context, int32_t tensors, const int64_t* count,
                                                               const uint32_t* tensor, const float* const* mu, const float* const* sigma,
                                                               uint64_t seed, uint32_t step, int32_t first_sample, int32_t samples,
                                                               float* const* w, void* stream) {
  using Kernel = metaplast::simt::WeightSample;
  using namespace metaplast::cuda_runtime;
  if (!valid_counts(tensors, count) || first_sample < 0 || samples < 0 || first_sample > 256 - samples ||
      (tensors > 0 && (tensor == nullptr || mu == nullptr || sigma == nullptr || w == nullptr))) {
    return METAPLAST_E_ARGUMENT;
  }
  Launcher launcher(context, "weight_sample", stream);
  if (launcher.status() != METAPLAST_OK || samples == 0) return launcher.status();
  const int64_t total = total_count(tensors, count);
  const int threads = threads_for(total, Kernel::kElementsPerThread, launcher.multiprocessors());
  // Small weights: samples side by side instead of one after the other, until every multiprocessor has work.
  const int64_t tiles = total / (threads * Kernel::kElementsPerThread) + 1;
  int64_t shares = 4 * launcher.multiprocessors() / tiles;
  shares = shares < 1 ? 1 : shares > samples ? samples : shares;
  const int32_t per_block = static_cast<int32_t>((samples + shares - 1) / shares);
  const Kernel::Common common{seed, step, first_sample, samples, per_block};
  run_multi_tensor<Kernel>(&launcher, tensors, count, (samples + per_block - 1) / per_block, threads, common, [=](int32_t t) {
    Kernel::Entry e = {};
    e.mu = mu[t];
    e.sigma = sigma[t];
    e.w = w[t];
    e.tensor = tensor[t];
    e.aligned = is_aligned(mu[t], 16) && is_aligned(sigma[t], 16) && is_aligned(w[t], 16) && (samples == 1 || count[t] % 4 == 0);
    return e;
  });
  return launcher.status();
}
