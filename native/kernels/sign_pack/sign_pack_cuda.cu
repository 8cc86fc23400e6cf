#include "kernels/sign_pack/sign_pack_simt.cuh"

#include "metaplast/binary.h"
#include "runtime/cuda/row_groups.h"

namespace simt = metaplast::simt;
using metaplast::cuda_runtime::ceil_div;
using metaplast::cuda_runtime::Launcher;
using metaplast::cuda_runtime::run_row_groups;
using metaplast::cuda_runtime::valid_matrix;

namespace {

bool valid_bits(const uint64_t* bits, int64_t rows, int64_t cols) { return valid_matrix(bits, rows, cols, cols); }

}  // namespace

extern "C" metaplast_status_t metaplast_sign_pack_f32_cuda(metaplast_cuda_context_t* context, int64_t rows, int64_t cols, const float* x,
                                                           int64_t ldx, uint64_t* bits, uint64_t* mask, void* stream) {
  if (!valid_matrix(x, rows, cols, ldx) || !valid_bits(bits, rows, cols)) return METAPLAST_E_ARGUMENT;
  if (mask != nullptr) return run_row_groups(context, "sign_pack", stream, rows, cols, simt::SignPack<true>{x, ldx, bits, mask});
  return run_row_groups(context, "sign_pack", stream, rows, cols, simt::SignPack<false>{x, ldx, bits, nullptr});
}

extern "C" metaplast_status_t metaplast_sign_pack_transposed_f32_cuda(metaplast_cuda_context_t* context, int64_t rows, int64_t cols,
                                                                      const float* x, int64_t ldx, uint64_t* bits, void* stream) {
  using Kernel = simt::SignPackTransposed;
  if (!valid_matrix(x, rows, cols, ldx) || !valid_bits(bits, rows, cols)) return METAPLAST_E_ARGUMENT;
  Launcher launcher(context, "sign_pack_transposed", stream);
  launcher.run<Kernel>(ceil_div(cols, Kernel::kColumns) * simt::bit_row_groups(rows), 1, Kernel::kThreads, Kernel::kSharedBytes,
                       Kernel::Args{rows, cols, x, ldx, bits});
  return launcher.status();
}

extern "C" metaplast_status_t metaplast_sign_unpack_cuda(metaplast_cuda_context_t* context, int64_t rows, int64_t cols,
                                                         const uint64_t* bits, int32_t type, void* x, int64_t ldx, void* stream) {
  if (!valid_matrix(x, rows, cols, ldx) || !valid_bits(bits, rows, cols)) return METAPLAST_E_ARGUMENT;
  const int64_t words = simt::bit_row_words(cols);
  if (type == METAPLAST_F32) {
    return run_row_groups(context, "sign_unpack", stream, rows, cols,
                          simt::SignUnpack<float>{bits, words, static_cast<float*>(x), ldx, 1.0f, -1.0f});
  }
  if (type != METAPLAST_BF16) return METAPLAST_E_ARGUMENT;
  return run_row_groups(context, "sign_unpack", stream, rows, cols,
                        simt::SignUnpack<uint16_t>{bits, words, static_cast<uint16_t*>(x), ldx, 0x3f80, 0xbf80});
}

extern "C" metaplast_status_t metaplast_bits_transpose_cuda(metaplast_cuda_context_t* context, int64_t rows, int64_t cols,
                                                            const uint64_t* bits, uint64_t* out, void* stream) {
  using Kernel = simt::BitsTranspose;
  if (!valid_bits(bits, rows, cols) || !valid_bits(out, cols, rows)) return METAPLAST_E_ARGUMENT;
  Launcher launcher(context, "bits_transpose", stream);
  launcher.run<Kernel>(ceil_div(cols, Kernel::kColumns) * simt::bit_row_groups(rows), 1, Kernel::kThreads, Kernel::kSharedBytes,
                       Kernel::Args{rows, cols, bits, out});
  return launcher.status();
}

extern "C" metaplast_status_t metaplast_ste_backward_f32_cuda(metaplast_cuda_context_t* context, int64_t rows, int64_t cols,
                                                              const uint64_t* mask, const float* dout, int64_t ldout, float* da,
                                                              int64_t lda, void* stream) {
  if (!valid_matrix(dout, rows, cols, ldout) || !valid_matrix(da, rows, cols, lda) || !valid_bits(mask, rows, cols)) {
    return METAPLAST_E_ARGUMENT;
  }
  return run_row_groups(context, "ste_backward", stream, rows, cols,
                        simt::SteBackward{mask, simt::bit_row_words(cols), dout, ldout, da, lda});
}
