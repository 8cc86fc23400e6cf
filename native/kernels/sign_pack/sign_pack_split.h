// Transpositions of bit matrices over the threads of a context.
#ifndef METAPLAST_KERNELS_SIGN_PACK_SPLIT_H_
#define METAPLAST_KERNELS_SIGN_PACK_SPLIT_H_

#include "metaplast/binary.h"
#include "runtime/context.h"

namespace metaplast {

// Calls body(row, rows, column, columns) on blocks of at most 512x512: outputs of a transposition are then written in whole cache lines.
template <class Body>
void parallel_transposed_blocks(const metaplast_context* context, int64_t rows, int64_t cols, const Body& body) noexcept {
  constexpr int64_t kBlock = 512;
  constexpr int64_t kGrain = 65536;
  const int64_t across = (cols + kBlock - 1) / kBlock;
  parallel_items(context, (rows + kBlock - 1) / kBlock * across, kBlock * kBlock / 8, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const int64_t row = block / across * kBlock;
      const int64_t column = block % across * kBlock;
      body(row, rows - row < kBlock ? rows - row : kBlock, column, cols - column < kBlock ? cols - column : kBlock);
    }
  });
}

// out [cols][rows] = transposed bits [rows][cols].
inline void transpose_bits(const metaplast_context* context, int64_t rows, int64_t cols, const uint64_t* bits, uint64_t* out) noexcept {
  const int64_t stride = metaplast_bit_row_words(cols);
  const int64_t out_stride = metaplast_bit_row_words(rows);
  parallel_transposed_blocks(context, rows, cols, [=](int64_t row, int64_t n, int64_t column, int64_t width) {
    context->kernels.bits_transpose(n, width, bits + row * stride + column / 64, stride, out + column * out_stride + row / 64, out_stride);
  });
}

}  // namespace metaplast

#endif  // METAPLAST_KERNELS_SIGN_PACK_SPLIT_H_
