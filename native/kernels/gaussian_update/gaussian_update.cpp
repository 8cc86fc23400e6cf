// Entry points: one update of all weights, from gradients or from the gradients of Monte-Carlo samples.
#include "kernels/gaussian_update/gaussian_update.h"
#include "runtime/multi_tensor.h"

namespace {

bool valid_rule(int32_t rule) { return rule >= METAPLAST_RULE_MESU && rule <= METAPLAST_RULE_BGD; }
bool valid_type(int32_t type) { return type == METAPLAST_F32 || type == METAPLAST_BF16; }

const void* element(const void* base, int32_t type, int64_t i) {
  return static_cast<const char*>(base) + i * (type == METAPLAST_BF16 ? 2 : 4);
}

// Element-wise work at memory speed: a second thread pays from some microseconds on.
constexpr int64_t kUpdateGrain = 16384;
constexpr int64_t kSampledGrain = 8192;
// What the kernels of an update from samples take at a time where each is one of its own: 16 bytes a parameter in the L1 cache.
constexpr int64_t kSeparatePiece = 2048;
static_assert(kSeparatePiece <= metaplast::kSampledPiece, "the gradients of a piece have one size");

}  // namespace

extern "C" metaplast_status_t metaplast_gaussian_update_f32(const metaplast_context_t* context, int32_t rule, int32_t tensors,
                                                            const int64_t* count, float* const* mu, float* const* sigma, float* const* lo,
                                                            const void* const* g_mu, const void* const* g_sigma, int32_t grad_type,
                                                            const metaplast_rule_row_t* rows, int32_t row_stride, int32_t gated,
                                                            int64_t* report) {
  if (context == nullptr || !valid_rule(rule) || !metaplast::valid_counts(tensors, count) || !valid_type(grad_type) || rows == nullptr ||
      (row_stride != 0 && row_stride != 1) || (lo != nullptr && rule != METAPLAST_RULE_MESU) || (gated != 0 && report == nullptr) ||
      (tensors > 0 && (mu == nullptr || sigma == nullptr || g_mu == nullptr || g_sigma == nullptr))) {
    return METAPLAST_E_ARGUMENT;
  }
  const metaplast::FpEnvironment environment;
  if (gated != 0) {
    int32_t any = 0;
    metaplast::parallel_tensors(context, tensors, count, kUpdateGrain, [&](int32_t t, int64_t begin, int64_t end) {
      bool open = false;
      int64_t nans = 0;
      context->kernels.gate_scan(end - begin, element(g_mu[t], grad_type, begin), grad_type, &open, &nans);
      context->kernels.gate_scan(end - begin, element(g_sigma[t], grad_type, begin), grad_type, &open, &nans);
      if (open) __atomic_store_n(&any, 1, __ATOMIC_RELAXED);
      metaplast::add_to_report(report, METAPLAST_REPORT_NAN_GRADIENTS, nans);
    });
    report[METAPLAST_REPORT_GATE_OPEN] = any;
    if (any == 0) return METAPLAST_OK;
  }
  metaplast::parallel_tensors(context, tensors, count, kUpdateGrain, [=](int32_t t, int64_t begin, int64_t end) {
    int64_t bad = 0;
    context->kernels.gaussian_update(rule, end - begin, mu[t] + begin, sigma[t] + begin, lo == nullptr ? nullptr : lo[t] + begin,
                                     element(g_mu[t], grad_type, begin), element(g_sigma[t], grad_type, begin), grad_type,
                                     rows + t * row_stride, &bad);
    metaplast::add_to_report(report, METAPLAST_REPORT_SIGMA_NOT_POSITIVE, bad);
  });
  return METAPLAST_OK;
}

extern "C" metaplast_status_t metaplast_gaussian_update_from_samples_f32(
    const metaplast_context_t* context, int32_t rule, int32_t tensors, const int64_t* count, const uint32_t* tensor, float* const* mu,
    float* const* sigma, float* const* lo, int32_t samples, const void* const* dw, int32_t dw_type, const float* const* eps, uint64_t seed,
    uint32_t step, float scale, const metaplast_rule_row_t* rows, int32_t row_stride, uint32_t next_step, int32_t next_samples,
    float* const* w_next, int64_t* report) {
  if (context == nullptr || !valid_rule(rule) || !metaplast::valid_counts(tensors, count) || !valid_type(dw_type) || rows == nullptr ||
      samples < 1 || samples > 256 || next_samples < 0 || next_samples > 256 || (row_stride != 0 && row_stride != 1) ||
      (lo != nullptr && rule != METAPLAST_RULE_MESU) || (next_samples > 0 && w_next == nullptr) ||
      (tensors > 0 && (tensor == nullptr || mu == nullptr || sigma == nullptr || dw == nullptr))) {
    return METAPLAST_E_ARGUMENT;
  }
  const metaplast::FpEnvironment environment;
  // The common case has a kernel in which gradient, update and next sample stay in registers.
  const bool in_registers = eps == nullptr && lo == nullptr && dw_type == METAPLAST_F32;
  metaplast::parallel_tensors(context, tensors, count, kSampledGrain, [=](int32_t t, int64_t begin, int64_t end) {
    // Gradient, update and next sample of one piece follow each other while the piece is in the cache: memory sees one pass.
    const int64_t length = in_registers ? metaplast::kSampledPiece : kSeparatePiece;
    float g_mu[metaplast::kSampledPiece], g_sigma[metaplast::kSampledPiece];
    int64_t bad = 0;
    for (int64_t i = begin; i < end; i += length) {
      const int64_t n = end - i < length ? end - i : length;
      int32_t sampled = 0;
      if (in_registers) {
        const int32_t last = samples - 1;
        if (last > 0) {
          context->kernels.grad_accumulate(last, dw[t], dw_type, count[t], nullptr, seed, tensor[t], step, i, n, 1.0f, g_mu, g_sigma);
        }
        sampled = next_samples > 0 ? 1 : 0;
        context->kernels.gaussian_update_from_sample(rule, seed, tensor[t] * 256 + static_cast<uint32_t>(last), step,
                                                     static_cast<uint64_t>(i), n, mu[t] + i, sigma[t] + i,
                                                     static_cast<const float*>(dw[t]) + last * count[t] + i, last > 0 ? g_mu : nullptr,
                                                     g_sigma, scale, rows + t * row_stride, tensor[t] * 256, next_step,
                                                     sampled > 0 ? w_next[t] + i : nullptr, &bad);
      } else {
        context->kernels.grad_accumulate(samples, dw[t], dw_type, count[t], eps == nullptr ? nullptr : eps[t], seed, tensor[t], step, i, n,
                                         scale, g_mu, g_sigma);
        context->kernels.gaussian_update(rule, n, mu[t] + i, sigma[t] + i, lo == nullptr ? nullptr : lo[t] + i, g_mu, g_sigma,
                                         METAPLAST_F32, rows + t * row_stride, &bad);
      }
      for (int32_t k = sampled; k < next_samples; ++k) {
        context->kernels.weight_sample(seed, tensor[t] * 256 + static_cast<uint32_t>(k), next_step, static_cast<uint64_t>(i), n, mu[t] + i,
                                       sigma[t] + i, w_next[t] + k * count[t] + i);
      }
    }
    metaplast::add_to_report(report, METAPLAST_REPORT_SIGMA_NOT_POSITIVE, bad);
  });
  return METAPLAST_OK;
}
