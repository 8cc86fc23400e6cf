// Entry points: EWC on binary weights, relaxed samples, BiMU, BayesBiNN.
#include "metaplast/binary.h"
#include "runtime/entry.h"
#include "runtime/multi_tensor.h"

using metaplast::KernelTable;
using metaplast::present;
using metaplast::run_elementwise;

extern "C" metaplast_status_t metaplast_binary_ewc_consolidate_f32(const metaplast_context_t* context, int64_t rows, int64_t cols,
                                                                   const uint64_t* bits, const float* fisher, float* total, float* target) {
  if (rows < 0 || cols < 0) return METAPLAST_E_ARGUMENT;
  return run_elementwise(context, rows * cols, present(bits, fisher, total, target),
                         [=](const KernelTable& kernels, int64_t begin, int64_t end) {
                           kernels.binary_ewc_consolidate(begin, end, cols, bits, fisher, total, target);
                         });
}

extern "C" metaplast_status_t metaplast_binary_ewc_grad_f32(const metaplast_context_t* context, int64_t rows, int64_t cols,
                                                            const uint64_t* bits, const float* total, const float* target, float lambda,
                                                            float* g) {
  if (rows < 0 || cols < 0) return METAPLAST_E_ARGUMENT;
  return run_elementwise(context, rows * cols, present(bits, total, target, g), [=](const KernelTable& kernels, int64_t begin, int64_t end) {
    kernels.binary_ewc_grad(begin, end, cols, bits, total, target, lambda, g);
  });
}

extern "C" metaplast_status_t metaplast_relaxed_sign_sample_f32(const metaplast_context_t* context, uint64_t seed, uint32_t stream,
                                                                uint32_t step, int64_t n, const float* l, float inverse_temperature,
                                                                float* w) {
  return run_elementwise(context, n, present(l, w), [=](const KernelTable& kernels, int64_t begin, int64_t end) {
    kernels.relaxed_sign_sample(seed, stream, step, static_cast<uint64_t>(begin), end - begin, l + begin, inverse_temperature, w + begin);
  });
}

extern "C" metaplast_status_t metaplast_bimu_step_f32(const metaplast_context_t* context, int64_t n, float* l, const float* g, float rate,
                                                      float inverse_rate_max, float like, float kl, float inverse_window, int32_t gated,
                                                      int64_t* report) {
  if (context == nullptr || (gated != 0 && report == nullptr)) return METAPLAST_E_ARGUMENT;
  if (gated != 0) {
    int32_t any = 0;
    const metaplast_status_t status = run_elementwise(context, n, present(l, g), [&](const KernelTable& kernels, int64_t begin, int64_t end) {
      bool open = false;
      int64_t nans = 0;
      kernels.gate_scan(end - begin, g + begin, METAPLAST_F32, &open, &nans);
      if (open) __atomic_store_n(&any, 1, __ATOMIC_RELAXED);
      metaplast::add_to_report(report, METAPLAST_REPORT_NAN_GRADIENTS, nans);
    });
    if (status != METAPLAST_OK) return status;
    report[METAPLAST_REPORT_GATE_OPEN] = any;
    if (any == 0) return METAPLAST_OK;
  }
  return run_elementwise(context, n, present(l, g), [=](const KernelTable& kernels, int64_t begin, int64_t end) {
    int64_t bad = 0;
    kernels.bimu_step(end - begin, l + begin, g + begin, rate, inverse_rate_max, like, kl, inverse_window, &bad);
    metaplast::add_to_report(report, METAPLAST_REPORT_SIGMA_NOT_POSITIVE, bad);
  });
}

extern "C" metaplast_status_t metaplast_bayes_binn_step_f32(const metaplast_context_t* context, int64_t n, int32_t samples, float* l,
                                                            float* mom, const float* w, const float* g, float inverse_temperature,
                                                            float likelihood, float prior, float prior_weight, float momentum, float fresh,
                                                            float rate) {
  if (samples < 1) return METAPLAST_E_ARGUMENT;
  return run_elementwise(context, n, present(l, mom, w, g), [=](const KernelTable& kernels, int64_t begin, int64_t end) {
    kernels.bayes_binn_step(end - begin, samples, n, l + begin, mom + begin, w + begin, g + begin, inverse_temperature, likelihood, prior,
                            prior_weight, momentum, fresh, rate);
  });
}
