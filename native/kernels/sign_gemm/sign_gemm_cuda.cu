#include "kernels/sign_gemm/sign_gemm_simt.cuh"

#include "metaplast/binary.h"
#include "runtime/cuda/row_groups.h"

namespace {

namespace simt = metaplast::simt;
using metaplast::cuda_runtime::ceil_div;
using metaplast::cuda_runtime::Launcher;
using metaplast::cuda_runtime::valid_matrix;

template <bool kTransposed, class Right>
metaplast_status_t product(metaplast_cuda_context_t* context, const char* name, void* stream, int64_t rows, int64_t cols, int64_t length,
                           const simt::LeftOperand& left, const Right& right, float* y, int64_t ldy) {
  using Kernel = simt::Product<kTransposed, Right>;
  Launcher launcher(context, name, stream);
  const int64_t column_tiles = ceil_div(cols, simt::kTileSide);
  launcher.template run<Kernel>(ceil_div(rows, simt::kTileSide) * column_tiles, 1, Kernel::kThreads, Kernel::kSharedBytes,
                                typename Kernel::Args{rows, cols, length, static_cast<uint32_t>(column_tiles), left, right, y, ldy});
  return launcher.status();
}

}  // namespace

extern "C" metaplast_status_t metaplast_sign_gemm_nt_f32_cuda(metaplast_cuda_context_t* context, int64_t batch, int64_t out, int64_t in,
                                                              const float* x, int64_t ldx, const uint64_t* w, float* y, int64_t ldy,
                                                              void* stream) {
  using Kernel = simt::SignGemmNt;
  if (!valid_matrix(x, batch, in, ldx) || !valid_matrix(w, out, in, in) || !valid_matrix(y, batch, out, ldy)) return METAPLAST_E_ARGUMENT;
  Launcher launcher(context, "sign_gemm_nt", stream);
  const int64_t column_tiles = ceil_div(out, simt::kTileSide);
  launcher.run<Kernel>(ceil_div(batch, simt::kTileSide) * column_tiles, 1, Kernel::kThreads, Kernel::kSharedBytes,
                       Kernel::Args{batch, out, in, static_cast<uint32_t>(column_tiles), x, ldx, w, y, ldy});
  return launcher.status();
}

extern "C" metaplast_status_t metaplast_sign_gemm_nn_f32_cuda(metaplast_cuda_context_t* context, int64_t batch, int64_t out, int64_t in,
                                                              const float* dy, int64_t lddy, const uint64_t* w, float* dx, int64_t lddx,
                                                              void* stream) {
  if (!valid_matrix(dy, batch, out, lddy) || !valid_matrix(w, out, in, in) || !valid_matrix(dx, batch, in, lddx)) {
    return METAPLAST_E_ARGUMENT;
  }
  return product<false>(context, "sign_gemm_nn", stream, batch, in, out, {dy, lddy}, simt::RightBits{w, simt::bit_row_words(in)}, dx, lddx);
}

extern "C" metaplast_status_t metaplast_sign_gemm_tn_f32_cuda(metaplast_cuda_context_t* context, int64_t batch, int64_t out, int64_t in,
                                                              const float* dy, int64_t lddy, const uint64_t* x, float* dw, int64_t lddw,
                                                              void* stream) {
  if (!valid_matrix(dy, batch, out, lddy) || !valid_matrix(x, batch, in, in) || !valid_matrix(dw, out, in, lddw)) {
    return METAPLAST_E_ARGUMENT;
  }
  return product<true>(context, "sign_gemm_tn", stream, out, in, batch, {dy, lddy}, simt::RightBits{x, simt::bit_row_words(in)}, dw, lddw);
}

extern "C" metaplast_status_t metaplast_gemm_tn_f32_cuda(metaplast_cuda_context_t* context, int64_t batch, int64_t out, int64_t in,
                                                         const float* dy, int64_t lddy, const float* x, int64_t ldx, float* dw, int64_t lddw,
                                                         void* stream) {
  if (!valid_matrix(dy, batch, out, lddy) || !valid_matrix(x, batch, in, ldx) || !valid_matrix(dw, out, in, lddw)) {
    return METAPLAST_E_ARGUMENT;
  }
  return product<true>(context, "gemm_tn", stream, out, in, batch, {dy, lddy}, simt::RightReal{x, ldx}, dw, lddw);
}
