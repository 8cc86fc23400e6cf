// Entry points of the baseline kernels.
#include "runtime/entry.h"

using metaplast::KernelTable;
using metaplast::present;
using metaplast::run_elementwise;

extern "C" {

metaplast_status_t metaplast_sgd_step_f32(const metaplast_context_t* context, int64_t n, float* theta, const float* g, float lr) {
  return run_elementwise(context, n, present(theta, g), [=](const KernelTable& kernels, int64_t begin, int64_t end) {
    kernels.sgd_step(end - begin, theta + begin, g + begin, lr);
  });
}

metaplast_status_t metaplast_fisher_accumulate_f32(const metaplast_context_t* context, int64_t n, const float* g, float* fisher) {
  return run_elementwise(context, n, present(g, fisher), [=](const KernelTable& kernels, int64_t begin, int64_t end) {
    kernels.fisher_accumulate(end - begin, g + begin, fisher + begin);
  });
}

metaplast_status_t metaplast_fisher_merge_f32(const metaplast_context_t* context, int64_t n, float inverse_items, float decay,
                                              float* fisher, float* total) {
  return run_elementwise(context, n, present(fisher, total), [=](const KernelTable& kernels, int64_t begin, int64_t end) {
    kernels.fisher_merge(end - begin, inverse_items, decay, fisher + begin, total + begin);
  });
}

metaplast_status_t metaplast_ewc_penalty_grad_f32(const metaplast_context_t* context, int64_t n, const float* theta, const float* anchor,
                                                  const float* fisher, float lambda, float* g) {
  return run_elementwise(context, n, present(theta, anchor, fisher, g), [=](const KernelTable& kernels, int64_t begin, int64_t end) {
    kernels.penalty_grad(end - begin, theta + begin, anchor + begin, fisher + begin, lambda, g + begin);
  });
}

metaplast_status_t metaplast_si_path_f32(const metaplast_context_t* context, int64_t n, const float* g, const float* theta_new,
                                         const float* theta_old, float* path) {
  return run_elementwise(context, n, present(g, theta_new, theta_old, path), [=](const KernelTable& kernels, int64_t begin, int64_t end) {
    kernels.si_path(end - begin, g + begin, theta_new + begin, theta_old + begin, path + begin);
  });
}

metaplast_status_t metaplast_si_consolidate_f32(const metaplast_context_t* context, int64_t n, const float* theta, float xi, float* path,
                                                float* anchor, float* omega) {
  return run_elementwise(context, n, present(theta, path, anchor, omega), [=](const KernelTable& kernels, int64_t begin, int64_t end) {
    kernels.si_consolidate(end - begin, theta + begin, xi, path + begin, anchor + begin, omega + begin);
  });
}

metaplast_status_t metaplast_si_penalty_grad_f32(const metaplast_context_t* context, int64_t n, const float* theta, const float* anchor,
                                                 const float* omega, float two_c, float* g) {
  return run_elementwise(context, n, present(theta, anchor, omega, g), [=](const KernelTable& kernels, int64_t begin, int64_t end) {
    kernels.penalty_grad(end - begin, theta + begin, anchor + begin, omega + begin, two_c, g + begin);
  });
}

}  // extern "C"
