#include "kernels/batch_norm_merge/batch_norm_merge_simt.cuh"

namespace {

namespace simt = metaplast::simt;
using metaplast::cuda_runtime::Launcher;

template <class... Pointers>
bool all(Pointers... p) {
  return (... && (p != nullptr));
}

void check_channels(Launcher* launcher, int64_t out, const float* var, float eps, int64_t* bad) {
  launcher->fill(bad, 0xFF, sizeof(int64_t));
  launcher->run<simt::MergeCheck>((out + 255) / 256, 1, simt::MergeCheck::kThreads, 0, {out, var, eps, bad});
}

}  // namespace

extern "C" {

metaplast_status_t metaplast_merge_batch_norm_f32_cuda(metaplast_cuda_context_t* context, int64_t out, int64_t in, const float* w, int64_t ldw,
                                                       const float* b, const float* gamma, const float* beta, const float* mu,
                                                       const float* var, float eps, float* what, int64_t ldwhat, float* bhat, int64_t* bad,
                                                       void* stream) {
  if (context == nullptr || bad == nullptr || out < 0 || in < 0 || ldw < in || ldwhat < in ||
      (out > 0 && !all(gamma, beta, mu, var, bhat)) || (out > 0 && in > 0 && !all(w, what))) {
    return METAPLAST_E_ARGUMENT;
  }
  Launcher launcher(context, "merge_batch_norm", stream);
  check_channels(&launcher, out, var, eps, bad);
  launcher.run<simt::MergeBatchNorm>((out + 7) / 8, 1, simt::MergeBatchNorm::kThreads, 0,
                                     {out, in, w, ldw, b, gamma, beta, mu, var, eps, what, ldwhat, bhat, bad});
  return launcher.status();
}

metaplast_status_t metaplast_merge_batch_norm_backward_f32_cuda(metaplast_cuda_context_t* context, int64_t out, int64_t in, const float* w,
                                                                int64_t ldw, const float* b, const float* gamma, const float* mu,
                                                                const float* var, float eps, const float* gw, int64_t ldgw, const float* gb,
                                                                float* dw, int64_t lddw, float* db, float* dgamma, float* dbeta, float* dmu,
                                                                float* dvar, int64_t* bad, void* stream) {
  if (context == nullptr || bad == nullptr || out < 0 || in < 0 || ldw < in || ldgw < in || lddw < in || (dmu == nullptr) != (dvar == nullptr) ||
      (out > 0 && !all(gamma, mu, var, gb, dgamma, dbeta)) || (out > 0 && in > 0 && !all(w, gw, dw))) {
    return METAPLAST_E_ARGUMENT;
  }
  Launcher launcher(context, "merge_batch_norm_backward", stream);
  check_channels(&launcher, out, var, eps, bad);
  launcher.run<simt::MergeBatchNormBackward>(
      (out + 7) / 8, 1, simt::MergeBatchNormBackward::kThreads, 0,
      {out, in, w, ldw, b, gamma, mu, var, eps, gw, ldgw, gb, dw, lddw, db, dgamma, dbeta, dmu, dvar, bad});
  return launcher.status();
}

}  // extern "C"
