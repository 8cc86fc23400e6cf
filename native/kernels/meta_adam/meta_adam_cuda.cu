#include "kernels/meta_adam/meta_adam_simt.cuh"

#include "runtime/cuda/row_groups.h"
#include "runtime/cuda/tensor_table.h"

namespace {

namespace simt = metaplast::simt;
using metaplast::cuda_runtime::ceil_div;
using metaplast::cuda_runtime::Launcher;
using metaplast::cuda_runtime::run_multi_tensor_counted;
using metaplast::cuda_runtime::threads_for;
using metaplast::cuda_runtime::valid_counts;
using metaplast::cuda_runtime::valid_matrix;

// Elements of a tensor and of the columns that fill up its groups.
int64_t padded_count(int64_t rows, int64_t cols) { return rows * simt::bit_row_groups(cols) * simt::kGroupColumns; }

template <class Right>
metaplast_status_t from_product(metaplast_cuda_context_t* context, void* stream, int64_t batch, int64_t out, int64_t in,
                                const simt::LeftOperand& dy, const Right& x, float* w, float* m, float* v, uint64_t* bits,
                                const metaplast_adam_row_t& row) {
  using Kernel = simt::MetaAdamFromProduct<Right>;
  Launcher launcher(context, "meta_adam_step_from_product", stream);
  // With bits the tiles go on to the last word of a row.
  const int64_t column_tiles = bits != nullptr ? simt::bit_row_words(in) : ceil_div(in, simt::kTileSide);
  launcher.template run<Kernel>(ceil_div(out, simt::kTileSide) * column_tiles, 1, Kernel::kThreads, Kernel::kSharedBytes,
                                typename Kernel::Args{batch, out, in, static_cast<uint32_t>(column_tiles), dy, x, w, m, v, bits, row});
  return launcher.status();
}

}  // namespace

extern "C" metaplast_status_t metaplast_meta_adam_step_f32_cuda(metaplast_cuda_context_t* context, int32_t tensors, const int64_t* rows,
                                                                const int64_t* cols, float* const* w, const float* const* g,
                                                                float* const* m, float* const* v, uint64_t* const* bits,
                                                                const metaplast_adam_row_t* params, int32_t row_stride, void* stream) {
  using Kernel = simt::MetaAdam;
  if (!valid_counts(tensors, rows) || !valid_counts(tensors, cols) || params == nullptr || (row_stride != 0 && row_stride != 1) ||
      (tensors > 0 && (w == nullptr || g == nullptr || m == nullptr || v == nullptr))) {
    return METAPLAST_E_ARGUMENT;
  }
  Launcher launcher(context, "meta_adam_step", stream);
  if (launcher.status() != METAPLAST_OK) return launcher.status();
  const auto count = [=](int32_t t) { return padded_count(rows[t], cols[t]); };
  int64_t total = 0;
  for (int32_t t = 0; t < tensors; ++t) total += count(t);
  const int threads = threads_for(total, Kernel::kElementsPerThread, launcher.multiprocessors());
  run_multi_tensor_counted<Kernel>(&launcher, tensors, count, 1, threads, Kernel::Common{}, [=](int32_t t) {
    Kernel::Entry e = {};
    e.cols = cols[t];
    e.w = w[t];
    e.g = g[t];
    e.m = m[t];
    e.v = v[t];
    e.sign = bits == nullptr ? nullptr : bits[t];
    e.row = params[static_cast<int64_t>(t) * row_stride];
    return e;
  });
  return launcher.status();
}

extern "C" metaplast_status_t metaplast_meta_adam_step_from_product_f32_cuda(metaplast_cuda_context_t* context, int64_t batch, int64_t out,
                                                                             int64_t in, const float* dy, int64_t lddy, const float* x,
                                                                             int64_t ldx, const uint64_t* xbits, float* w, float* m, float* v,
                                                                             uint64_t* bits, const metaplast_adam_row_t* params,
                                                                             void* stream) {
  const bool real = x != nullptr;
  if (params == nullptr || !valid_matrix(dy, batch, out, lddy) || !valid_matrix(w, out, in, in) || !valid_matrix(m, out, in, in) ||
      !valid_matrix(v, out, in, in) || (real ? !valid_matrix(x, batch, in, ldx) : !valid_matrix(xbits, batch, in, in))) {
    return METAPLAST_E_ARGUMENT;
  }
  if (real) return from_product(context, stream, batch, out, in, {dy, lddy}, simt::RightReal{x, ldx}, w, m, v, bits, *params);
  return from_product(context, stream, batch, out, in, {dy, lddy}, simt::RightBits{xbits, simt::bit_row_words(in)}, w, m, v, bits, *params);
}
