#include "kernels/roc_auc/roc_auc_simt.cuh"

#include "runtime/cuda/launch.h"

extern "C" metaplast_status_t metaplast_roc_pairs_f32_cuda(metaplast_cuda_context_t* context, int64_t n, const float* in_dist, int64_t m,
                                                           const float* ood, int64_t* counts, void* stream) {
  using Kernel = metaplast::simt::RocPairs;
  if (n < 0 || m < 0 || counts == nullptr || (n > 0 && in_dist == nullptr) || (m > 0 && ood == nullptr)) return METAPLAST_E_ARGUMENT;
  metaplast::cuda_runtime::Launcher launcher(context, "roc_pairs", stream);
  launcher.clear(counts, 2 * sizeof(int64_t));
  if (launcher.status() != METAPLAST_OK || n == 0 || m == 0) return launcher.status();
  const int64_t blocks = (n + Kernel::kThreads - 1) / Kernel::kThreads;
  // Enough blocks for the device, but no share below one tile.
  int64_t shares = 8 * launcher.multiprocessors() / blocks + 1;
  const int64_t tiles = (m + Kernel::kTile - 1) / Kernel::kTile;
  shares = shares > tiles ? tiles : shares;
  const int64_t share = (tiles + shares - 1) / shares * Kernel::kTile;
  launcher.run<Kernel>(blocks, (m + share - 1) / share, Kernel::kThreads, Kernel::kSharedBytes,
                       Kernel::Args{n, m, share, in_dist, ood, counts});
  return launcher.status();
}

extern "C" metaplast_status_t metaplast_roc_thresholds_f32_cuda(metaplast_cuda_context_t* context, int64_t n, const float* in_dist,
                                                                int64_t m, const float* ood, int32_t thresholds, const float* fractions,
                                                                int64_t* counts, void* stream) {
  using Kernel = metaplast::simt::RocThresholds;
  if (n < 0 || m < 1 || thresholds < 0 || ood == nullptr || (n > 0 && in_dist == nullptr) ||
      (thresholds > 0 && (fractions == nullptr || counts == nullptr))) {
    return METAPLAST_E_ARGUMENT;
  }
  metaplast::cuda_runtime::Launcher launcher(context, "roc_thresholds", stream);
  launcher.run<Kernel>(thresholds, 1, Kernel::kThreads, Kernel::kSharedBytes,
                       Kernel::Args{n, m, thresholds, in_dist, ood, fractions, counts});
  return launcher.status();
}
