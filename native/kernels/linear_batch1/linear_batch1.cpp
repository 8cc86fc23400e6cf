// Entry points of the batch-1 Bayesian linear layer.
#include "runtime/multi_tensor.h"

namespace {

// Random numbers from which a second thread pays.
constexpr int64_t kParallelNormals = 16384;

bool invalid(const metaplast_context_t* context, int32_t out, int32_t in, uint32_t tensor, const float* mu, const float* sigma,
             const float* x, int64_t x_stride, int32_t samples) {
  const bool empty = out == 0 || in == 0;
  return context == nullptr || out < 0 || in < 0 || tensor >= (1u << 24) || samples < 1 || samples > 256 ||
         (x_stride != 0 && x_stride != in) || (!empty && (mu == nullptr || sigma == nullptr || x == nullptr));
}

}  // namespace

extern "C" metaplast_status_t metaplast_linear_forward_batch1_f32(const metaplast_context_t* context, int32_t out, int32_t in,
                                                                  uint32_t tensor, const float* mu, const float* sigma, const float* x,
                                                                  int64_t x_stride, int32_t samples, uint64_t seed, uint32_t step,
                                                                  int32_t relu, float* eps, float* y) {
  if (invalid(context, out, in, tensor, mu, sigma, x, x_stride, samples) || (out > 0 && y == nullptr)) {
    return METAPLAST_E_ARGUMENT;
  }
  const metaplast::FpEnvironment environment;
  const auto rows = [=](int64_t begin, int64_t end) {
    context->kernels.linear_forward(out, in, begin, end, tensor, mu, sigma, x, x_stride, samples, seed, step, relu != 0, eps, y);
  };
  const int64_t normals = static_cast<int64_t>(out) * in * samples;
  if (context->pool->threads() == 1 || normals < kParallelNormals) {
    rows(0, out);
    return METAPLAST_OK;
  }
  const int64_t block = metaplast::linear_block_rows(in, metaplast::kLinearChunkWeights);
  metaplast::parallel_chunks(context, (out + block - 1) / block, [=](int64_t chunk) {
    rows(chunk * block, (chunk + 1) * block < out ? (chunk + 1) * block : out);
  });
  return METAPLAST_OK;
}

extern "C" metaplast_status_t metaplast_linear_step_batch1_f32(const metaplast_context_t* context, int32_t rule, int32_t out, int32_t in,
                                                               uint32_t tensor, float* mu, float* sigma, float* lo, const float* x,
                                                               int64_t x_stride, const float* delta, const float* active, int32_t samples,
                                                               const float* eps, uint64_t seed, uint32_t step,
                                                               const metaplast_rule_row_t* row, float* dx, int64_t* report) {
  if (invalid(context, out, in, tensor, mu, sigma, x, x_stride, samples) || rule < METAPLAST_RULE_MESU || rule > METAPLAST_RULE_BGD ||
      (out > 0 && delta == nullptr) || row == nullptr || (lo != nullptr && rule != METAPLAST_RULE_MESU)) {
    return METAPLAST_E_ARGUMENT;
  }
  const metaplast::FpEnvironment environment;
  const metaplast::LinearStep l{rule,  out,    in,      tensor, mu,   sigma, lo,  x,  x_stride,
                                delta, active, samples, eps,    seed, step,  row, dx};
  if (dx != nullptr) {
    for (int64_t i = 0; i < static_cast<int64_t>(samples) * in; ++i) dx[i] = 0.0f;
  }
  const auto block = [&l, context, report](int64_t row_begin, int64_t row_end, int64_t column_begin, int64_t column_end) {
    int64_t bad = 0;
    context->kernels.linear_step(&l, row_begin, row_end, column_begin, column_end, &bad);
    metaplast::add_to_report(report, METAPLAST_REPORT_SIGMA_NOT_POSITIVE, bad);
  };
  const int64_t threads = context->pool->threads();
  if (threads == 1 || static_cast<int64_t>(out) * in * samples < kParallelNormals) {
    block(0, out, 0, in);
  } else if (dx == nullptr) {
    // The blocks of rows of the forward pass, so that the weights and the epsilon of a block are in the cache of the core that takes it.
    const int64_t rows = metaplast::linear_block_rows(in, metaplast::kLinearChunkWeights);
    metaplast::parallel_chunks(context, (out + rows - 1) / rows,
                               [&](int64_t chunk) { block(chunk * rows, (chunk + 1) * rows < out ? (chunk + 1) * rows : out, 0, in); });
  } else {
    // dx adds over rows in ascending order, so threads take columns.
    const int64_t columns = ((in + threads - 1) / threads + 63) / 64 * 64;
    metaplast::parallel_chunks(context, (in + columns - 1) / columns, [&](int64_t chunk) {
      block(0, out, chunk * columns, (chunk + 1) * columns < in ? (chunk + 1) * columns : in);
    });
  }
  return METAPLAST_OK;
}
