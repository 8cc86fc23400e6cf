#include "kernels/linear_batch1/linear_batch1_simt.cuh"

#include "runtime/cuda/launch.h"

namespace {

namespace simt = metaplast::simt;
using metaplast::cuda_runtime::is_aligned;
using metaplast::cuda_runtime::Launcher;

bool invalid(int32_t out, int32_t in, uint32_t tensor, const float* mu, const float* sigma, const float* x, int64_t x_stride,
             int32_t samples) {
  const bool empty = out == 0 || in == 0;
  return out < 0 || in < 0 || tensor >= (1u << 24) || samples < 1 || samples > 256 || (x_stride != 0 && x_stride != in) ||
         (!empty && (mu == nullptr || sigma == nullptr || x == nullptr));
}

}  // namespace

extern "C" metaplast_status_t metaplast_linear_forward_batch1_f32_cuda(metaplast_cuda_context_t* context, int32_t out, int32_t in,
                                                                       uint32_t tensor, const float* mu, const float* sigma, const float* x,
                                                                       int64_t x_stride, int32_t samples, uint64_t seed, uint32_t step,
                                                                       int32_t relu, float* eps, float* y, void* stream) {
  using Kernel = simt::LinearForward;
  if (invalid(out, in, tensor, mu, sigma, x, x_stride, samples) || (out > 0 && y == nullptr)) return METAPLAST_E_ARGUMENT;
  Launcher launcher(context, "linear_forward_batch1", stream);
  Kernel::Args a = {};
  a.out = out;
  a.in = in;
  a.mu = mu;
  a.sigma = sigma;
  a.x = x;
  a.x_stride = x_stride;
  a.seed = seed;
  a.tensor = tensor;
  a.step = step;
  a.samples = samples;
  a.relu = relu;
  a.aligned = in % 4 == 0 && is_aligned(mu, 16) && is_aligned(sigma, 16) && is_aligned(x, 16) && is_aligned(eps, 16);
  a.eps = eps;
  a.y = y;
  const int64_t outputs = static_cast<int64_t>(out) * samples;
  launcher.run<Kernel>((outputs + Kernel::kWarps - 1) / Kernel::kWarps, 1, Kernel::kThreads, Kernel::kSharedBytes, a);
  return launcher.status();
}

extern "C" metaplast_status_t metaplast_linear_step_batch1_f32_cuda(metaplast_cuda_context_t* context, int32_t rule, int32_t out,
                                                                    int32_t in, uint32_t tensor, float* mu, float* sigma, float* lo,
                                                                    const float* x, int64_t x_stride, const float* delta,
                                                                    const float* active, int32_t samples, const float* eps, uint64_t seed,
                                                                    uint32_t step, const metaplast_rule_row_t* row, float* dx,
                                                                    int64_t* report, void* stream) {
  if (invalid(out, in, tensor, mu, sigma, x, x_stride, samples) || rule < METAPLAST_RULE_MESU || rule > METAPLAST_RULE_BGD ||
      (out > 0 && delta == nullptr) || row == nullptr || (lo != nullptr && rule != METAPLAST_RULE_MESU)) {
    return METAPLAST_E_ARGUMENT;
  }
  using Kernel = simt::LinearStep;
  Launcher launcher(context, "linear_step_batch1", stream);
  if (launcher.status() != METAPLAST_OK || in == 0) return launcher.status();
  if (out == 0) {
    if (dx != nullptr) launcher.clear(dx, sizeof(float) * static_cast<size_t>(samples) * static_cast<size_t>(in));
    return launcher.status();
  }
  Kernel::Args a = {};
  a.out = out;
  a.in = in;
  a.mu = mu;
  a.sigma = sigma;
  a.low = lo;
  a.x = x;
  a.x_stride = x_stride;
  a.delta = delta;
  a.active = active;
  a.eps = eps;
  a.seed = seed;
  a.tensor = tensor;
  a.step = step;
  a.samples = samples;
  a.rule = rule;
  a.aligned = in % 4 == 0 && is_aligned(mu, 16) && is_aligned(sigma, 16) && is_aligned(lo, 16) && is_aligned(x, 16) && is_aligned(eps, 16);
  a.dx = dx;
  a.report = report;
  a.row = *row;
  // With dx a block sees all rows of its columns, many at a time; without, rows are shared out among small blocks.
  int threads = 64;
  if (dx != nullptr) {
    while (threads < Kernel::kThreads && threads / Kernel::kGroups < out) threads *= 2;
  }
  int64_t shares = 1;
  if (dx == nullptr) {
    const int64_t rows = threads / Kernel::kGroups;
    shares = (out + rows - 1) / rows;
    shares = shares > 65535 ? 65535 : shares;
  }
  a.rows_per_block = (out + shares - 1) / shares;
  launcher.run<Kernel>((in + Kernel::kColumns - 1) / Kernel::kColumns, (out + a.rows_per_block - 1) / a.rows_per_block, threads,
                       Kernel::shared_bytes(threads, dx != nullptr), a);
  return launcher.status();
}
