// Entry points: packing of signs, unpacking, transposition, straight-through backward pass.
#include "kernels/sign_pack/sign_pack_split.h"
#include "runtime/entry.h"

namespace {

// Elements from which a second thread pays.
constexpr int64_t kGrain = 65536;

using metaplast::KernelTable;
using metaplast::present;

bool valid_shape(const metaplast_context_t* context, int64_t rows, int64_t cols) {
  return context != nullptr && rows >= 0 && cols >= 0;
}

// Calls body(row, rows, column, columns) on parts of a matrix: ranges of rows, or, of few long rows, ranges of columns that begin at
// multiples of 512, so that a word of bits belongs to one thread.
template <class Body>
void parallel_parts(const metaplast_context_t* context, int64_t rows, int64_t cols, const Body& body) {
  if (rows == 0 || cols == 0) return;
  if (rows >= context->pool->threads() * metaplast::kRangesPerThread || cols < 2 * kGrain) {
    metaplast::parallel_items(context, rows, cols, kGrain,
                              [&](int64_t begin, int64_t end) { body(begin, end - begin, int64_t{0}, cols); });
    return;
  }
  metaplast::parallel_range(context, cols, kGrain / rows, [&](int64_t begin, int64_t end) { body(int64_t{0}, rows, begin, end - begin); });
}

}  // namespace

extern "C" {

metaplast_status_t metaplast_sign_pack_f32(const metaplast_context_t* context, int64_t rows, int64_t cols, const float* x, int64_t ldx,
                                           uint64_t* bits, uint64_t* mask) {
  if (!valid_shape(context, rows, cols) || ldx < cols || (rows > 0 && cols > 0 && !present(x, bits))) {
    return METAPLAST_E_ARGUMENT;
  }
  const metaplast::FpEnvironment environment;
  const int64_t stride = metaplast_bit_row_words(cols);
  parallel_parts(context, rows, cols, [=](int64_t row, int64_t n, int64_t column, int64_t width) {
    const int64_t word = row * stride + column / 64;
    context->kernels.sign_pack(n, width, x + row * ldx + column, ldx, bits + word, mask == nullptr ? nullptr : mask + word, stride);
  });
  return METAPLAST_OK;
}

metaplast_status_t metaplast_sign_pack_transposed_f32(const metaplast_context_t* context, int64_t rows, int64_t cols, const float* x,
                                                      int64_t ldx, uint64_t* bits) {
  if (!valid_shape(context, rows, cols) || ldx < cols || (rows > 0 && cols > 0 && !present(x, bits))) {
    return METAPLAST_E_ARGUMENT;
  }
  const metaplast::FpEnvironment environment;
  const int64_t stride = metaplast_bit_row_words(rows);
  metaplast::parallel_transposed_blocks(context, rows, cols, [=](int64_t row, int64_t n, int64_t column, int64_t width) {
    context->kernels.sign_pack_transposed(n, width, x + row * ldx + column, ldx, bits + column * stride + row / 64, stride);
  });
  return METAPLAST_OK;
}

metaplast_status_t metaplast_sign_unpack(const metaplast_context_t* context, int64_t rows, int64_t cols, const uint64_t* bits, int32_t type,
                                         void* x, int64_t ldx) {
  if (!valid_shape(context, rows, cols) || (type != METAPLAST_F32 && type != METAPLAST_BF16) || ldx < cols ||
      (rows > 0 && cols > 0 && !present(bits, x))) {
    return METAPLAST_E_ARGUMENT;
  }
  const int64_t stride = metaplast_bit_row_words(cols);
  const int64_t size = type == METAPLAST_F32 ? 4 : 2;
  parallel_parts(context, rows, cols, [=](int64_t row, int64_t n, int64_t column, int64_t width) {
    context->kernels.sign_unpack(n, width, bits + row * stride + column / 64, stride, type,
                                 static_cast<unsigned char*>(x) + (row * ldx + column) * size, ldx);
  });
  return METAPLAST_OK;
}

metaplast_status_t metaplast_bits_transpose(const metaplast_context_t* context, int64_t rows, int64_t cols, const uint64_t* bits,
                                            uint64_t* out) {
  if (!valid_shape(context, rows, cols) || (rows > 0 && cols > 0 && !present(bits, out))) {
    return METAPLAST_E_ARGUMENT;
  }
  metaplast::transpose_bits(context, rows, cols, bits, out);
  return METAPLAST_OK;
}

metaplast_status_t metaplast_ste_backward_f32(const metaplast_context_t* context, int64_t rows, int64_t cols, const uint64_t* mask,
                                              const float* dout, int64_t ldout, float* da, int64_t lda) {
  if (!valid_shape(context, rows, cols) || ldout < cols || lda < cols || (rows > 0 && cols > 0 && !present(mask, dout, da))) {
    return METAPLAST_E_ARGUMENT;
  }
  const int64_t stride = metaplast_bit_row_words(cols);
  parallel_parts(context, rows, cols, [=](int64_t row, int64_t n, int64_t column, int64_t width) {
    context->kernels.ste_backward(n, width, mask + row * stride + column / 64, stride, dout + row * ldout + column, ldout,
                                  da + row * lda + column, lda);
  });
  return METAPLAST_OK;
}

}  // extern "C"
