// Bit matrices (metaplast/binary.h) on the device: element-wise kernels over rows whose results or operands are bits, and bits of output tiles.
#ifndef METAPLAST_RUNTIME_CUDA_BIT_MATRIX_H_
#define METAPLAST_RUNTIME_CUDA_BIT_MATRIX_H_

#include "runtime/cuda/simt.h"

namespace metaplast {
namespace simt {

// A row of a bit matrix is whole groups of 512 columns: eight words, 64 bytes.
constexpr int64_t kGroupColumns = 512;
constexpr int64_t kGroupWords = 8;

METAPLAST_HD int64_t bit_row_groups(int64_t cols) { return (cols + kGroupColumns - 1) / kGroupColumns; }
METAPLAST_HD int64_t bit_row_words(int64_t cols) { return bit_row_groups(cols) * kGroupWords; }

METAPLAST_DEVICE bool bit_at(const uint64_t* bits, int64_t row_words, int64_t row, int64_t col) {
  return (bits[row * row_words + (col >> 6)] >> (col & 63) & 1) != 0;
}

// +x where the bit is set, else -x.
METAPLAST_DEVICE float signed_by(bool bit, float x) { return negate_if(x, bit ? 0u : 0x80000000u); }

// One group of one row by one warp: lane l has the columns l, l + 32, ... An Op has
//   Values                            what an element needs and gives
//   kBits                             bit matrices that it writes; bits(b) is matrix b of the same shape, or null
//   void load(row, col, Values*)      reads; four elements are read before the first is written
//   unsigned apply(Values*)           the element; bit b of the result belongs into matrix b
//   void store(row, col, Values)      writes
// Words of columns that do not exist become 0.
template <class Op>
METAPLAST_DEVICE void row_group(const Op& op, int64_t row, int64_t group, int64_t cols) {
  constexpr int kAtOnce = 4;
  const int lane = static_cast<int>(threadIdx.x & 31);
  const int64_t first = group * kGroupColumns;
  const int columns = cols - first < kGroupColumns ? static_cast<int>(cols - first) : static_cast<int>(kGroupColumns);
  uint64_t word[Op::kBits > 0 ? Op::kBits : 1] = {};
  for (int step = 0; step < 16 && step * 32 < columns; step += kAtOnce) {
    typename Op::Values values[kAtOnce];
    METAPLAST_UNROLL
    for (int u = 0; u < kAtOnce; ++u) {
      const int c = (step + u) * 32 + lane;
      if (c < columns) op.load(row, first + c, &values[u]);
    }
    METAPLAST_UNROLL
    for (int u = 0; u < kAtOnce; ++u) {
      const int c = (step + u) * 32 + lane;
      unsigned flags = 0;
      if (c < columns) {
        flags = op.apply(&values[u]);
        op.store(row, first + c, values[u]);
      }
      METAPLAST_UNROLL
      for (int b = 0; b < Op::kBits; ++b) {
        const unsigned ballot = __ballot_sync(kFullMask, static_cast<int>(flags >> b & 1));
        if (lane == (step + u) / 2) word[b] |= static_cast<uint64_t>(ballot) << ((step + u) % 2 * 32);
      }
    }
  }
  METAPLAST_UNROLL
  for (int b = 0; b < Op::kBits; ++b) {
    uint64_t* bits = op.bits(b);
    if (bits != nullptr && lane < kGroupWords) bits[(row * bit_row_groups(cols) + group) * kGroupWords + lane] = word[b];
  }
}

// An element-wise kernel over a row-major matrix, a warp each group of a row.
template <class Op>
struct RowGroups {
  static constexpr int kThreads = 256;

  struct Args {
    int64_t rows, cols;
    Op op;
  };

  static METAPLAST_DEVICE void run(const Args& a) {
    const int64_t groups = bit_row_groups(a.cols);
    const int64_t index = static_cast<int64_t>(blockIdx.x) * (blockDim.x / 32) + threadIdx.x / 32;
    const int64_t row = index / groups;
    if (row < a.rows) row_group(a.op, row, index - row * groups, a.cols);
  }
};

// Tiles of 64 x 64 outputs by 256 threads: thread (x, y) has the rows y + 16i and the columns x + 16j, i, j < 4.
constexpr int kTileSide = 64;
constexpr int kTileThreads = 256;
METAPLAST_DEVICE int tile_x() { return static_cast<int>(threadIdx.x & 15); }
METAPLAST_DEVICE int tile_y() { return static_cast<int>(threadIdx.x >> 4); }

// The word of 64 columns of one of this thread's rows; bit[j] belongs to column x + 16j. All threads of a warp take part, those of a half get
// the word of their row.
METAPLAST_DEVICE uint64_t word_of_row(const bool (&bit)[4]) {
  uint64_t word = 0;
  METAPLAST_UNROLL
  for (int j = 0; j < 4; ++j) {
    const unsigned ballot = __ballot_sync(kFullMask, bit[j] ? 1 : 0);
    const unsigned half = (threadIdx.x & 16) != 0 ? ballot >> 16 : ballot & 0xffffu;
    word |= static_cast<uint64_t>(half) << (16 * j);
  }
  return word;
}

}  // namespace simt
}  // namespace metaplast

#endif  // METAPLAST_RUNTIME_CUDA_BIT_MATRIX_H_
