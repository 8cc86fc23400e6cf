#include "kernels/xnor_gemm/xnor_gemm_simt.cuh"

#include "metaplast/binary.h"
#include "runtime/cuda/row_groups.h"

namespace {

namespace simt = metaplast::simt;
using metaplast::cuda_runtime::ceil_div;
using metaplast::cuda_runtime::Launcher;
using metaplast::cuda_runtime::valid_matrix;

bool valid_operands(int64_t m, int64_t n, int64_t k, const uint64_t* a, const uint64_t* b) {
  return k >= 0 && k <= 0x7fffffff && valid_matrix(a, m, k, k) && valid_matrix(b, n, k, k);
}

template <class Epilogue>
metaplast_status_t xnor_gemm(metaplast_cuda_context_t* context, const char* name, void* stream, int64_t m, int64_t n, int64_t k,
                             const uint64_t* a, const uint64_t* b, const Epilogue& epilogue) {
  using Kernel = simt::XnorGemm<Epilogue>;
  Launcher launcher(context, name, stream);
  // A tile is as wide as a word; the words of bits that do not exist are written too.
  const int64_t column_tiles = Epilogue::kPacks ? simt::bit_row_words(n) : ceil_div(n, simt::kTileSide);
  launcher.template run<Kernel>(ceil_div(m, simt::kTileSide) * column_tiles, 1, Kernel::kThreads, Kernel::kSharedBytes,
                                typename Kernel::Args{m, n, static_cast<uint32_t>(k), static_cast<uint32_t>(column_tiles), a, b, epilogue});
  return launcher.status();
}

}  // namespace

extern "C" metaplast_status_t metaplast_xnor_gemm_i32_cuda(metaplast_cuda_context_t* context, int64_t m, int64_t n, int64_t k,
                                                           const uint64_t* a, const uint64_t* b, int32_t* y, int64_t ldy, void* stream) {
  if (!valid_operands(m, n, k, a, b) || !valid_matrix(y, m, n, ldy)) return METAPLAST_E_ARGUMENT;
  return xnor_gemm(context, "xnor_gemm_i32", stream, m, n, k, a, b, simt::XnorToI32{y, ldy});
}

extern "C" metaplast_status_t metaplast_xnor_gemm_f32_cuda(metaplast_cuda_context_t* context, int64_t m, int64_t n, int64_t k,
                                                           const uint64_t* a, const uint64_t* b, const float* scale, const float* bias,
                                                           float* y, int64_t ldy, void* stream) {
  if (!valid_operands(m, n, k, a, b) || k > (1 << 24) || !valid_matrix(y, m, n, ldy)) return METAPLAST_E_ARGUMENT;
  return xnor_gemm(context, "xnor_gemm_f32", stream, m, n, k, a, b, simt::XnorToF32{y, ldy, scale, bias});
}

extern "C" metaplast_status_t metaplast_xnor_gemm_bits_cuda(metaplast_cuda_context_t* context, int64_t m, int64_t n, int64_t k,
                                                            const uint64_t* a, const uint64_t* b, const int32_t* limit,
                                                            const int32_t* invert, uint64_t* y, void* stream) {
  if (!valid_operands(m, n, k, a, b) || !valid_matrix(y, m, n, n) || (n > 0 && (limit == nullptr || invert == nullptr))) {
    return METAPLAST_E_ARGUMENT;
  }
  return xnor_gemm(context, "xnor_gemm_bits", stream, m, n, k, a, b, simt::XnorToBits{y, limit, invert});
}
