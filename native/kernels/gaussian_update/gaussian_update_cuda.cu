#include "kernels/gaussian_update/gaussian_update_simt.cuh"

#include "runtime/cuda/tensor_table.h"

namespace {

namespace simt = metaplast::simt;
using metaplast::cuda_runtime::is_aligned;
using metaplast::cuda_runtime::Launcher;
using metaplast::cuda_runtime::run_multi_tensor;
using metaplast::cuda_runtime::threads_for;
using metaplast::cuda_runtime::total_count;
using metaplast::cuda_runtime::valid_counts;

bool valid_type(int32_t type) { return type == METAPLAST_F32 || type == METAPLAST_BF16; }

bool valid_rule(int32_t rule, const metaplast_rule_row_t* rows, int32_t row_stride, float* const* lo) {
  return rule >= METAPLAST_RULE_MESU && rule <= METAPLAST_RULE_BGD && rows != nullptr && (row_stride == 0 || row_stride == 1) &&
         (lo == nullptr || rule == METAPLAST_RULE_MESU);
}

struct State {
  float *const *mu, *const *sigma, *const *lo;
  const metaplast_rule_row_t* rows;
  int32_t row_stride;

  // Fills what all update kernels have in common; true when it can be read and written in 16-byte accesses.
  bool fill(int32_t t, simt::UpdateEntry* e) const {
    e->mu = mu[t];
    e->sigma = sigma[t];
    e->low = lo == nullptr ? nullptr : lo[t];
    e->row = rows[static_cast<int64_t>(t) * row_stride];
    return is_aligned(e->mu, 16) && is_aligned(e->sigma, 16) && is_aligned(e->low, 16);
  }
};

struct Gradients {
  const void *const *g_mu, *const *g_sigma;
  bool bf16;

  bool aligned(int32_t t) const { return is_aligned(g_mu[t], bf16 ? 8 : 16) && is_aligned(g_sigma[t], bf16 ? 8 : 16); }
};

template <int kRule>
void update(Launcher* launcher, int32_t tensors, const int64_t* count, const State& state, const Gradients& gradients, bool gated,
            int64_t* report) {
  using Kernel = simt::GaussianUpdate<kRule>;
  const int threads = threads_for(total_count(tensors, count), Kernel::kElementsPerThread, launcher->multiprocessors());
  const typename Kernel::Common common{report, gated, gradients.bf16};
  run_multi_tensor<Kernel>(launcher, tensors, count, 1, threads, common, [&](int32_t t) {
    typename Kernel::Entry e = {};
    e.aligned = state.fill(t, &e) && gradients.aligned(t);
    e.g_mu = gradients.g_mu[t];
    e.g_sigma = gradients.g_sigma[t];
    return e;
  });
}

struct Samples {
  const uint32_t* tensor;
  int32_t samples;
  const void* const* dw;
  bool bf16;
  const float* const* eps;
  uint64_t seed;
  uint32_t step;
  float scale;
  uint32_t next_step;
  int32_t next_samples;
  float* const* w_next;
};

void update_from_samples(Launcher* launcher, int32_t rule, int32_t tensors, const int64_t* count, const State& state, const Samples& s,
                         int64_t* report) {
  using Kernel = simt::UpdateFromSamples;
  const int threads = threads_for(total_count(tensors, count), Kernel::kElementsPerThread, launcher->multiprocessors());
  const Kernel::Common common{s.seed, s.step, s.next_step, s.samples, s.next_samples, s.scale, s.bf16, rule, report};
  run_multi_tensor<Kernel>(launcher, tensors, count, 1, threads, common, [&](int32_t t) {
    Kernel::Entry e = {};
    e.dw = s.dw[t];
    e.eps = s.eps == nullptr ? nullptr : s.eps[t];
    e.w_next = s.next_samples > 0 ? s.w_next[t] : nullptr;
    e.tensor = s.tensor[t];
    e.aligned = state.fill(t, &e) && is_aligned(e.dw, s.bf16 ? 8 : 16) && is_aligned(e.eps, 16) && is_aligned(e.w_next, 16) &&
                ((s.samples == 1 && s.next_samples <= 1) || count[t] % 4 == 0);
    return e;
  });
}

}  // namespace

extern "C" metaplast_status_t metaplast_gaussian_update_f32_cuda(metaplast_cuda_context_t* context, int32_t rule, int32_t tensors,
                                                                 const int64_t* count, float* const* mu, float* const* sigma,
                                                                 float* const* lo, const void* const* g_mu, const void* const* g_sigma,
                                                                 int32_t grad_type, const metaplast_rule_row_t* rows, int32_t row_stride,
                                                                 int32_t gated, int64_t* report, void* stream) {
  if (!valid_counts(tensors, count) || !valid_type(grad_type) || !valid_rule(rule, rows, row_stride, lo) ||
      (gated != 0 && report == nullptr) || (tensors > 0 && (mu == nullptr || sigma == nullptr || g_mu == nullptr || g_sigma == nullptr))) {
    return METAPLAST_E_ARGUMENT;
  }
  Launcher launcher(context, "gaussian_update", stream);
  if (launcher.status() != METAPLAST_OK) return launcher.status();
  const State state{mu, sigma, lo, rows, row_stride};
  const Gradients gradients{g_mu, g_sigma, grad_type == METAPLAST_BF16};
  if (gated != 0) {
    using Scan = simt::GateScan;
    launcher.clear(report + METAPLAST_REPORT_GATE_OPEN, sizeof(int64_t));
    const int threads = threads_for(total_count(tensors, count), Scan::kElementsPerThread, launcher.multiprocessors());
    run_multi_tensor<Scan>(&launcher, tensors, count, 1, threads, Scan::Common{report, gradients.bf16}, [&](int32_t t) {
      Scan::Entry e = {};
      e.g_mu = g_mu[t];
      e.g_sigma = g_sigma[t];
      e.aligned = gradients.aligned(t);
      return e;
    });
  }
  if (rule == METAPLAST_RULE_MESU) {
    update<METAPLAST_RULE_MESU>(&launcher, tensors, count, state, gradients, gated != 0, report);
  } else if (rule == METAPLAST_RULE_MESU_RATIO) {
    update<METAPLAST_RULE_MESU_RATIO>(&launcher, tensors, count, state, gradients, gated != 0, report);
  } else {
    update<METAPLAST_RULE_BGD>(&launcher, tensors, count, state, gradients, gated != 0, report);
  }
  return launcher.status();
}

extern "C" metaplast_status_t metaplast_gaussian_update_from_samples_f32_cuda(
    metaplast_cuda_context_t* context, int32_t rule, int32_t tensors, const int64_t* count, const uint32_t* tensor, float* const* mu,
    float* const* sigma, float* const* lo, int32_t samples, const void* const* dw, int32_t dw_type, const float* const* eps, uint64_t seed,
    uint32_t step, float scale, const metaplast_rule_row_t* rows, int32_t row_stride, uint32_t next_step, int32_t next_samples,
    float* const* w_next, int64_t* report, void* stream) {
  if (!valid_counts(tensors, count) || !valid_type(dw_type) || !valid_rule(rule, rows, row_stride, lo) || samples < 1 || samples > 256 ||
      next_samples < 0 || next_samples > 256 || (next_samples > 0 && w_next == nullptr) ||
      (tensors > 0 && (tensor == nullptr || mu == nullptr || sigma == nullptr || dw == nullptr))) {
    return METAPLAST_E_ARGUMENT;
  }
  Launcher launcher(context, "gaussian_update_from_samples", stream);
  if (launcher.status() != METAPLAST_OK) return launcher.status();
  const State state{mu, sigma, lo, rows, row_stride};
  const Samples s{tensor, samples, dw, dw_type == METAPLAST_BF16, eps, seed, step, scale, next_step, next_samples, w_next};
  update_from_samples(&launcher, rule, tensors, count, state, s, report);
  return launcher.status();
}
