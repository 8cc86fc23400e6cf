// Entry points: Gram matrix of sign rows, and its running average.
#include "kernels/xnor_gemm/xnor_gemm.h"
#include "kernels/sign_pack/sign_pack_split.h"
#include "runtime/entry.h"

namespace {

using metaplast::present;
using metaplast::XnorGemm;
using metaplast::XnorOutput;

// A tile of the triangle, on the stack: it is added to both of its places while it is in the cache.
constexpr int64_t kRows = 120;
constexpr int64_t kColumns = 128;
// Words of one column against another from which a second thread pays.
constexpr int64_t kGrain = int64_t{1} << 18;
// Elements of the running average from which a second thread pays.
constexpr int64_t kElements = 32768;

}  // namespace

extern "C" {

metaplast_status_t metaplast_xnor_syrk_i32(const metaplast_context_t* context, int64_t batch, int64_t in, const uint64_t* x,
                                           int32_t accumulate, int32_t* s, int64_t lds, void* workspace, int64_t workspace_bytes) {
  if (context == nullptr || batch < 0 || batch > INT32_MAX || in < 0 || lds < in ||
      workspace_bytes < metaplast_xnor_syrk_workspace_bytes(batch, in) || (in > 0 && s == nullptr) ||
      (in > 0 && batch > 0 && !present(x, workspace))) {
    return METAPLAST_E_ARGUMENT;
  }
  if (in == 0) return METAPLAST_OK;
  uint64_t* columns = static_cast<uint64_t*>(workspace);
  metaplast::transpose_bits(context, batch, in, x, columns);
  const int64_t stride = metaplast_bit_row_words(batch);
  // A column of tiles down to the diagonal.
  const auto tiles = [=](int64_t column_tile) {
    const int64_t j = column_tile * kColumns;
    const int64_t cols = in - j < kColumns ? in - j : kColumns;
    for (int64_t i = 0; i < j + cols; i += kRows) {
      const int64_t rows = j + cols - i < kRows ? j + cols - i : kRows;
      alignas(64) int32_t tile[kRows * kColumns];
      const XnorGemm g{rows,  cols,     batch,   columns + i * stride, columns + j * stride, XnorOutput::kInt32,
                       tile,  kColumns, nullptr, nullptr,              nullptr,              nullptr};
      context->kernels.xnor_gemm(&g, 0, rows, 0, cols);
      context->kernels.add_symmetric(rows, cols, tile, kColumns, i, j, accumulate != 0, s, lds);
    }
  };
  const int64_t count = (in + kColumns - 1) / kColumns;
  if (context->pool->threads() == 1 || in * ((batch + 63) / 64 + 1) * in / 2 < kGrain) {
    for (int64_t tile = 0; tile < count; ++tile) tiles(tile);
    return METAPLAST_OK;
  }
  // Long columns of tiles first: what is left at the end is small.
  metaplast::parallel_chunks(context, count, [=](int64_t chunk) { tiles(count - 1 - chunk); });
  return METAPLAST_OK;
}

metaplast_status_t metaplast_factor_moving_average_f32(const metaplast_context_t* context, int64_t rows, int64_t cols, const int32_t* s,
                                                       int64_t lds, float inverse_batch, float decay, float fresh, float* a, int64_t lda) {
  if (context == nullptr || rows < 0 || cols < 0 || lds < cols || lda < cols || (rows > 0 && cols > 0 && !present(s, a))) {
    return METAPLAST_E_ARGUMENT;
  }
  const metaplast::FpEnvironment environment;
  metaplast::parallel_items(context, rows, cols, kElements, [=](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      context->kernels.factor_moving_average(cols, s + r * lds, inverse_batch, decay, fresh, a + r * lda);
    }
  });
  return METAPLAST_OK;
}

}  // extern "C"
