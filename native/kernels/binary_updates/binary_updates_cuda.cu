#include "kernels/binary_updates/binary_updates_simt.cuh"

#include "runtime/cuda/row_groups.h"

namespace {

namespace simt = metaplast::simt;
using metaplast::cuda_runtime::ceil_div;
using metaplast::cuda_runtime::is_aligned;
using metaplast::cuda_runtime::Launcher;
using metaplast::cuda_runtime::run_row_groups;
using metaplast::cuda_runtime::threads_for;
using metaplast::cuda_runtime::valid_matrix;

// A flat kernel whose threads hold Kernel elements each.
template <class Kernel>
void run_flat(Launcher* launcher, int64_t n, int64_t per_thread, const typename Kernel::Args& args) {
  const int threads = threads_for(n, per_thread, launcher->multiprocessors());
  launcher->run<Kernel>(ceil_div(n, threads * per_thread), 1, threads, 0, args);
}

}  // namespace

extern "C" metaplast_status_t metaplast_binary_ewc_consolidate_f32_cuda(metaplast_cuda_context_t* context, int64_t rows, int64_t cols,
                                                                        const uint64_t* bits, const float* fisher, float* total,
                                                                        float* target, void* stream) {
  if (!valid_matrix(bits, rows, cols, cols) || !valid_matrix(fisher, rows, cols, cols) || !valid_matrix(total, rows, cols, cols) ||
      !valid_matrix(target, rows, cols, cols)) {
    return METAPLAST_E_ARGUMENT;
  }
  return run_row_groups(context, "binary_ewc_consolidate", stream, rows, cols,
                        simt::BinaryEwcConsolidate{cols, bits, fisher, total, target});
}

extern "C" metaplast_status_t metaplast_binary_ewc_grad_f32_cuda(metaplast_cuda_context_t* context, int64_t rows, int64_t cols,
                                                                 const uint64_t* bits, const float* total, const float* target, float lambda,
                                                                 float* g, void* stream) {
  if (!valid_matrix(bits, rows, cols, cols) || !valid_matrix(total, rows, cols, cols) || !valid_matrix(target, rows, cols, cols) ||
      !valid_matrix(g, rows, cols, cols)) {
    return METAPLAST_E_ARGUMENT;
  }
  return run_row_groups(context, "binary_ewc_grad", stream, rows, cols, simt::BinaryEwcGrad{cols, bits, total, target, lambda, g});
}

extern "C" metaplast_status_t metaplast_relaxed_sign_sample_f32_cuda(metaplast_cuda_context_t* context, uint64_t seed,
                                                                     uint32_t stream_number, uint32_t step, int64_t n, const float* l,
                                                                     float inverse_temperature, float* w, void* stream) {
  using Kernel = simt::RelaxedSignSample;
  if (!valid_matrix(l, 1, n, n) || !valid_matrix(w, 1, n, n)) return METAPLAST_E_ARGUMENT;
  Launcher launcher(context, "relaxed_sign_sample", stream);
  if (launcher.status() != METAPLAST_OK) return launcher.status();
  run_flat<Kernel>(&launcher, n, 4, Kernel::Args{{seed, stream_number, step}, n, l, inverse_temperature, w, is_aligned(l, 16) && is_aligned(w, 16)});
  return launcher.status();
}

extern "C" metaplast_status_t metaplast_bimu_step_f32_cuda(metaplast_cuda_context_t* context, int64_t n, float* l, const float* g,
                                                           float rate, float inverse_rate_max, float like, float kl, float inverse_window,
                                                           int32_t gated, int64_t* report, void* stream) {
  using Gate = simt::BimuGate;
  using Kernel = simt::BimuStep;
  if (!valid_matrix(l, 1, n, n) || !valid_matrix(g, 1, n, n) || (gated != 0 && report == nullptr)) return METAPLAST_E_ARGUMENT;
  Launcher launcher(context, "bimu_step", stream);
  if (launcher.status() != METAPLAST_OK) return launcher.status();
  if (gated != 0) {
    launcher.clear(report + METAPLAST_REPORT_GATE_OPEN, sizeof(int64_t));
    run_flat<Gate>(&launcher, n, Gate::kElementsPerThread, Gate::Args{n, g, report, is_aligned(g, 16)});
  }
  run_flat<Kernel>(&launcher, n, Kernel::kElementsPerThread,
                   Kernel::Args{n, l, g, rate, inverse_rate_max, like, kl, inverse_window, gated, report, is_aligned(l, 16) && is_aligned(g, 16)});
  return launcher.status();
}

extern "C" metaplast_status_t metaplast_bayes_binn_step_f32_cuda(metaplast_cuda_context_t* context, int64_t n, int32_t samples, float* l,
                                                                 float* mom, const float* w, const float* g, float inverse_temperature,
                                                                 float likelihood, float prior, float prior_weight, float momentum,
                                                                 float fresh, float rate, void* stream) {
  using Kernel = simt::BayesBinnStep;
  if (samples < 1 || !valid_matrix(l, 1, n, n) || !valid_matrix(mom, 1, n, n) || !valid_matrix(w, 1, n, n) || !valid_matrix(g, 1, n, n)) {
    return METAPLAST_E_ARGUMENT;
  }
  Launcher launcher(context, "bayes_binn_step", stream);
  if (launcher.status() != METAPLAST_OK) return launcher.status();
  const bool aligned = is_aligned(l, 16) && is_aligned(mom, 16) && is_aligned(w, 16) && is_aligned(g, 16) && (samples == 1 || n % 4 == 0);
  run_flat<Kernel>(&launcher, n, Kernel::kElementsPerThread,
                   Kernel::Args{n, l, mom, w, g, samples, inverse_temperature, likelihood, prior, prior_weight, momentum, fresh, rate, aligned});
  return launcher.status();
}
