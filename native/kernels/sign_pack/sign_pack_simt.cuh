// Signs to bits and back, transposed bits, the straight-through mask. Contracts: metaplast/binary.h.
#ifndef METAPLAST_KERNELS_SIGN_PACK_SIMT_CUH_
#define METAPLAST_KERNELS_SIGN_PACK_SIMT_CUH_

#include "runtime/cuda/bit_matrix.h"

namespace metaplast {
namespace simt {

template <bool kMask>
struct SignPack {
  static constexpr int kBits = kMask ? 2 : 1;
  using Values = float;
  const float* x;
  int64_t ldx;
  uint64_t *sign, *mask;

  METAPLAST_DEVICE uint64_t* bits(int b) const { return b == 0 ? sign : mask; }
  METAPLAST_DEVICE void load(int64_t row, int64_t col, float* v) const { *v = x[row * ldx + col]; }
  METAPLAST_DEVICE unsigned apply(float* v) const { return (*v >= 0.0f ? 1u : 0u) | (absolute(*v) > 1.0f ? 0u : 2u); }
  METAPLAST_DEVICE void store(int64_t, int64_t, float) const {}
};

template <class T>
struct SignUnpack {
  static constexpr int kBits = 0;
  using Values = bool;
  const uint64_t* packed;
  int64_t row_words;
  T* x;
  int64_t ldx;
  T plus, minus;

  METAPLAST_DEVICE uint64_t* bits(int) const { return nullptr; }
  METAPLAST_DEVICE void load(int64_t row, int64_t col, bool* v) const { *v = bit_at(packed, row_words, row, col); }
  METAPLAST_DEVICE unsigned apply(bool*) const { return 0; }
  METAPLAST_DEVICE void store(int64_t row, int64_t col, bool v) const { x[row * ldx + col] = v ? plus : minus; }
};

struct SteBackward {
  static constexpr int kBits = 0;
  using Values = float;
  const uint64_t* mask;
  int64_t row_words;
  const float* dout;
  int64_t ldout;
  float* da;
  int64_t lda;

  METAPLAST_DEVICE uint64_t* bits(int) const { return nullptr; }
  METAPLAST_DEVICE void load(int64_t row, int64_t col, float* v) const {
    const float d = dout[row * ldout + col];
    *v = bit_at(mask, row_words, row, col) ? d : 0.0f;
  }
  METAPLAST_DEVICE unsigned apply(float*) const { return 0; }
  METAPLAST_DEVICE void store(int64_t row, int64_t col, float v) const { da[row * lda + col] = v; }
};

// Transposition: a block turns 512 rows and some columns into one group of eight words for each of these columns; warp w forms word w.
constexpr int kTransposedRows = 512;

// Words [column][word of the group] of a block to memory: 64 contiguous bytes of each output row.
METAPLAST_DEVICE void store_transposed(const uint64_t* words, int columns, int pitch, int64_t first_column, int64_t cols, int64_t row_words,
                                       int64_t group, uint64_t* out) {
  for (int i = static_cast<int>(threadIdx.x); i < columns * 8; i += static_cast<int>(blockDim.x)) {
    const int64_t column = first_column + i / 8;
    if (column < cols) out[column * row_words + group * kGroupWords + i % 8] = words[i / 8 * pitch + i % 8];
  }
}

struct SignPackTransposed {
  static constexpr int kThreads = 256;
  static constexpr int kColumns = 32;
  static constexpr int kPitch = 9;
  static constexpr size_t kSharedBytes = kColumns * kPitch * sizeof(uint64_t);

  struct Args {
    int64_t rows, cols;
    const float* x;
    int64_t ldx;
    uint64_t* out;
  };

  static METAPLAST_DEVICE void run(const Args& a) {
    const int warp = static_cast<int>(threadIdx.x / 32), lane = static_cast<int>(threadIdx.x & 31);
    uint64_t* words = shared_memory<uint64_t>();
    const int64_t column_blocks = (a.cols + kColumns - 1) / kColumns;
    const int64_t group = blockIdx.x / column_blocks;
    const int64_t first_column = (blockIdx.x - group * column_blocks) * kColumns;
    const int64_t column = first_column + lane;
    const int64_t first_row = group * kTransposedRows + warp * 64;
    uint64_t word = 0;
    if (column < a.cols) {
      const int rows = a.rows - first_row >= 64 ? 64 : a.rows > first_row ? static_cast<int>(a.rows - first_row) : 0;
      const float* x = a.x + first_row * a.ldx + column;
      for (int r = 0; r < rows; ++r) word |= static_cast<uint64_t>(x[r * a.ldx] >= 0.0f ? 1 : 0) << r;
    }
    words[lane * kPitch + warp] = word;
    __syncthreads();
    store_transposed(words, kColumns, kPitch, first_column, a.cols, bit_row_words(a.rows), group, a.out);
  }
};

// Bits of 512 rows and 64 columns: lane l of a warp has row l of 32; the ballot over bit c of their words is a piece of output row c.
struct BitsTranspose {
  static constexpr int kThreads = 256;
  static constexpr int kColumns = 64;
  static constexpr int kPitch = 9;
  static constexpr size_t kSharedBytes = kColumns * kPitch * sizeof(uint64_t);

  struct Args {
    int64_t rows, cols;
    const uint64_t* bits;
    uint64_t* out;
  };

  static METAPLAST_DEVICE void run(const Args& a) {
    const int warp = static_cast<int>(threadIdx.x / 32), lane = static_cast<int>(threadIdx.x & 31);
    uint64_t* words = shared_memory<uint64_t>();
    const int64_t column_blocks = (a.cols + kColumns - 1) / kColumns;
    const int64_t group = blockIdx.x / column_blocks;
    const int64_t column_block = blockIdx.x - group * column_blocks;
    const int64_t row = group * kTransposedRows + warp * 64 + lane;
    const int64_t row_words = bit_row_words(a.cols);
    const uint64_t low = row < a.rows ? a.bits[row * row_words + column_block] : 0;
    const uint64_t high = row + 32 < a.rows ? a.bits[(row + 32) * row_words + column_block] : 0;
    METAPLAST_UNROLL
    for (int h = 0; h < 2; ++h) {
      uint64_t mine = 0;  // of output row 32h + lane
      for (int c = 0; c < 32; ++c) {
        const unsigned first = __ballot_sync(kFullMask, static_cast<int>(low >> (32 * h + c) & 1));
        const unsigned second = __ballot_sync(kFullMask, static_cast<int>(high >> (32 * h + c) & 1));
        if (lane == c) mine = first | static_cast<uint64_t>(second) << 32;
      }
      words[(32 * h + lane) * kPitch + warp] = mine;
    }
    __syncthreads();
    store_transposed(words, kColumns, kPitch, column_block * kColumns, a.cols, bit_row_words(a.rows), group, a.out);
  }
};

}  // namespace simt
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_SIGN_PACK_SIMT_CUH_
