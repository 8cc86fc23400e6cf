#include "kernels/baselines/baselines_simt.cuh"

#include "runtime/cuda/elementwise.h"

using metaplast::cuda_runtime::run_elementwise;
namespace simt = metaplast::simt;

extern "C" {

metaplast_status_t metaplast_sgd_step_f32_cuda(metaplast_cuda_context_t* context, int64_t n, float* theta, const float* g, float lr,
                                               void* stream) {
  return run_elementwise(context, "sgd_step", stream, n, simt::SgdStep{lr}, {theta, g});
}

metaplast_status_t metaplast_fisher_accumulate_f32_cuda(metaplast_cuda_context_t* context, int64_t n, const float* g, float* fisher,
                                                        void* stream) {
  return run_elementwise(context, "fisher_accumulate", stream, n, simt::FisherAccumulate{}, {fisher, g});
}

metaplast_status_t metaplast_fisher_merge_f32_cuda(metaplast_cuda_context_t* context, int64_t n, float inverse_items, float decay,
                                                   float* fisher, float* total, void* stream) {
  return run_elementwise(context, "fisher_merge", stream, n, simt::FisherMerge{inverse_items, decay}, {total, fisher});
}

metaplast_status_t metaplast_ewc_penalty_grad_f32_cuda(metaplast_cuda_context_t* context, int64_t n, const float* theta,
                                                       const float* anchor, const float* fisher, float lambda, float* g, void* stream) {
  return run_elementwise(context, "ewc_penalty_grad", stream, n, simt::PenaltyGrad{lambda}, {g, theta, anchor, fisher});
}

metaplast_status_t metaplast_si_path_f32_cuda(metaplast_cuda_context_t* context, int64_t n, const float* g, const float* theta_new,
                                              const float* theta_old, float* path, void* stream) {
  return run_elementwise(context, "si_path", stream, n, simt::SiPath{}, {path, g, theta_new, theta_old});
}

metaplast_status_t metaplast_si_consolidate_f32_cuda(metaplast_cuda_context_t* context, int64_t n, const float* theta, float xi,
                                                     float* path, float* anchor, float* omega, void* stream) {
  return run_elementwise(context, "si_consolidate", stream, n, simt::SiConsolidate{xi}, {path, anchor, omega, theta});
}

metaplast_status_t metaplast_si_penalty_grad_f32_cuda(metaplast_cuda_context_t* context, int64_t n, const float* theta, const float* anchor,
                                                      const float* omega, float two_c, float* g, void* stream) {
  return run_elementwise(context, "si_penalty_grad", stream, n, simt::PenaltyGrad{two_c}, {g, theta, anchor, omega});
}

}  // extern "C"
