// Entry points: one metaplastic Adam step of all tensors, and of one layer straight from its gradient product.
#include "metaplast/binary.h"
#include "runtime/entry.h"
#include "runtime/multi_tensor.h"

namespace {

// The update runs at memory speed: a second thread pays from some microseconds on.
constexpr int64_t kStepGrain = 16384;

// Items up to which a tile of the product is complete when it leaves the registers.
constexpr int64_t kItemsAtOnce = 512;
// Rows of a range of the step that takes tiles; tables are made for six of them at a time.
constexpr int64_t kTileRows = 48;
// Otherwise: weights whose gradient is formed at a time, 48 KiB of it; a stretch of 512 columns has its own words of the bit matrix.
constexpr int64_t kPieceRows = 24;
constexpr int64_t kPieceColumns = 512;
// Products from which a range of pieces pays for a thread of its own.
constexpr int64_t kProductGrain = 1 << 19;

int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

// First element from e on at which a word of the bit matrix begins, so that no two ranges write one word.
int64_t word_boundary(int64_t e, int64_t cols) {
  const int64_t column = e % cols;
  if (column % 64 == 0) return e;
  const int64_t up = (column + 63) / 64 * 64;
  return e - column + (up < cols ? up : cols);
}

bool valid_tensors(int32_t tensors, const int64_t* rows, const int64_t* cols, float* const* w, const float* const* g, float* const* m,
                   float* const* v) {
  for (int32_t t = 0; t < tensors; ++t) {
    if (rows[t] < 0 || cols[t] < 0) return false;
    if (rows[t] > 0 && cols[t] > 0 && (w[t] == nullptr || g[t] == nullptr || m[t] == nullptr || v[t] == nullptr)) return false;
  }
  return true;
}

}  // namespace

extern "C" metaplast_status_t metaplast_meta_adam_step_f32(const metaplast_context_t* context, int32_t tensors, const int64_t* rows,
                                                           const int64_t* cols, float* const* w, const float* const* g, float* const* m,
                                                           float* const* v, uint64_t* const* bits, const metaplast_adam_row_t* params,
                                                           int32_t row_stride) {
  if (context == nullptr || tensors < 0 || params == nullptr || (row_stride != 0 && row_stride != 1) ||
      (tensors > 0 && (rows == nullptr || cols == nullptr || w == nullptr || g == nullptr || m == nullptr || v == nullptr)) ||
      !valid_tensors(tensors, rows, cols, w, g, m, v)) {
    return METAPLAST_E_ARGUMENT;
  }
  const metaplast::FpEnvironment environment;
  metaplast::parallel_tensors(
      context, tensors, [=](int32_t t) { return rows[t] * cols[t]; }, kStepGrain, [=](int32_t t, int64_t begin, int64_t end) {
        uint64_t* const words = bits == nullptr ? nullptr : bits[t];
        if (words != nullptr) {
          begin = word_boundary(begin, cols[t]);
          end = word_boundary(end, cols[t]);
        }
        context->kernels.meta_adam_step(begin, end, cols[t], w[t], g[t], m[t], v[t], words, params + t * row_stride);
      });
  return METAPLAST_OK;
}

extern "C" metaplast_status_t metaplast_meta_adam_step_from_product_f32(const metaplast_context_t* context, int64_t batch, int64_t out,
                                                                        int64_t in, const float* dy, int64_t lddy, const float* x,
                                                                        int64_t ldx, const uint64_t* xbits, float* w, float* m, float* v,
                                                                        uint64_t* bits, const metaplast_adam_row_t* params) {
  if (context == nullptr || batch < 0 || out < 0 || in < 0 || lddy < out || (x != nullptr && ldx < in) || params == nullptr) {
    return METAPLAST_E_ARGUMENT;
  }
  if (out == 0 || in == 0) return METAPLAST_OK;
  if (!metaplast::present(w, m, v) || (batch > 0 && (dy == nullptr || (x == nullptr && xbits == nullptr)))) return METAPLAST_E_ARGUMENT;
  const metaplast::FpEnvironment environment;
  const int64_t row_words = metaplast_bit_row_words(in);
  if (x == nullptr && batch > 0 && batch <= kItemsAtOnce) {
    const metaplast::SignGemm product = {batch, dy, 1, lddy, false, xbits, row_words, nullptr, 0};
    const int64_t row_groups = (out + kTileRows - 1) / kTileRows, column_groups = (in + kPieceColumns - 1) / kPieceColumns;
    if (row_groups >= context->pool->threads()) {
      metaplast::parallel_items(context, row_groups, kTileRows * in * batch, kProductGrain, [=, &product](int64_t begin, int64_t end) {
        context->kernels.meta_adam_step_from_signs(&product, in, begin * kTileRows, least(end * kTileRows, out), 0, in, w, m, v, bits, params);
      });
    } else {
      metaplast::parallel_items(context, column_groups, out * kPieceColumns * batch, kProductGrain, [=, &product](int64_t begin, int64_t end) {
        context->kernels.meta_adam_step_from_signs(&product, in, 0, out, begin * kPieceColumns, least(end * kPieceColumns, in), w, m, v, bits,
                                                   params);
      });
    }
    return METAPLAST_OK;
  }
  const int64_t row_pieces = (out + kPieceRows - 1) / kPieceRows, column_pieces = (in + kPieceColumns - 1) / kPieceColumns;
  const int64_t work = kPieceRows * kPieceColumns * (batch + 1);
  metaplast::parallel_items(context, row_pieces * column_pieces, work, kProductGrain, [=](int64_t begin, int64_t end) {
    // The gradient of a piece stays in the cache until the step has used it.
    alignas(64) float g[kPieceRows * kPieceColumns];
    for (int64_t piece = begin; piece < end; ++piece) {
      const int64_t o = piece / column_pieces * kPieceRows, i = piece % column_pieces * kPieceColumns;
      const int64_t rows = least(kPieceRows, out - o), columns = least(kPieceColumns, in - i);
      if (batch == 0) {
        for (float& value : g) value = 0.0f;
      } else if (x != nullptr) {
        const metaplast::GemmTn product = {batch, dy + o, lddy, x + i, ldx, g, kPieceColumns};
        context->kernels.gemm_tn(&product, 0, rows, 0, columns);
      } else {
        const metaplast::SignGemm product = {batch, dy + o, 1, lddy, false, xbits + i / 64, row_words, g, kPieceColumns};
        context->kernels.sign_gemm(&product, 0, rows, 0, columns);
      }
      for (int64_t r = 0; r < rows; ++r) {
        const int64_t first = (o + r) * in + i;
        context->kernels.meta_adam_step(0, columns, columns, w + first, g + r * kPieceColumns, m + first, v + first,
                                        bits == nullptr ? nullptr : bits + (o + r) * row_words + i / 64, params);
      }
    }
  });
  return METAPLAST_OK;
}
