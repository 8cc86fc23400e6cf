// Products of bit matrices on the CUDA cores. Contracts: metaplast/binary.h.
#ifndef METAPLAST_KERNELS_XNOR_GEMM_SIMT_CUH_
#define METAPLAST_KERNELS_XNOR_GEMM_SIMT_CUH_

#include "runtime/cuda/bit_matrix.h"

namespace metaplast {
namespace simt {

// Differing bits of 64 rows of a and 64 rows of b. Eight words of every row are in shared memory, word by word; the next eight are on their way in
// registers meanwhile. The population count (16 a clock and multiprocessor) is the limit, so that nothing else is tuned.
struct XnorTile {
  static constexpr int kWords = 8;
  static constexpr int kPitch = kTileSide + 2;  // no two threads of a half-warp store to one bank
  static constexpr size_t kSharedBytes = 2 * kWords * kPitch * sizeof(uint64_t);

  // Up to 64 rows of one operand; those that do not exist read as 0.
  struct Rows {
    const uint64_t* p;
    int rows;
    unsigned row_words;  // at most 2^25

    METAPLAST_DEVICE Rows(const uint64_t* matrix, int64_t first, int64_t all, unsigned words)
        : p(matrix + first * words), rows(all - first < kTileSide ? static_cast<int>(all - first) : kTileSide), row_words(words) {}

    METAPLAST_DEVICE void fetch(unsigned word, uint64_t (&next)[2]) const {
      METAPLAST_UNROLL
      for (int h = 0; h < 2; ++h) {
        const int row = static_cast<int>(threadIdx.x / 8) + 32 * h;
        next[h] = row < rows ? p[static_cast<unsigned>(row) * row_words + word + (threadIdx.x & 7)] : 0;
      }
    }
  };

  static METAPLAST_DEVICE void keep(uint64_t* shared, const uint64_t (&next)[2]) {
    METAPLAST_UNROLL
    for (int h = 0; h < 2; ++h) shared[(threadIdx.x & 7) * kPitch + threadIdx.x / 8 + 32 * h] = next[h];
  }

  // differ[i][j] belongs to row y + 16i of a and row x + 16j of b.
  static METAPLAST_DEVICE void count(const Rows& a, const Rows& b, unsigned (&differ)[4][4]) {
    uint64_t* a_words = shared_memory<uint64_t>();
    uint64_t* b_words = a_words + kWords * kPitch;
    METAPLAST_UNROLL
    for (int i = 0; i < 4; ++i) {
      METAPLAST_UNROLL
      for (int j = 0; j < 4; ++j) differ[i][j] = 0;
    }
    uint64_t next_a[2] = {}, next_b[2] = {};
    if (a.row_words > 0) {
      a.fetch(0, next_a);
      b.fetch(0, next_b);
    }
    for (unsigned word = 0; word < a.row_words; word += kWords) {
      __syncthreads();
      keep(a_words, next_a);
      keep(b_words, next_b);
      __syncthreads();
      if (word + kWords < a.row_words) {
        a.fetch(word + kWords, next_a);
        b.fetch(word + kWords, next_b);
      }
      // Unrolled whole, it wants a few registers more than let four blocks share a multiprocessor.
      METAPLAST_UNROLL_BY(2)
      for (int w = 0; w < kWords; ++w) {
        uint64_t y[4];
        METAPLAST_UNROLL
        for (int j = 0; j < 4; ++j) y[j] = b_words[w * kPitch + tile_x() + 16 * j];
        METAPLAST_UNROLL
        for (int i = 0; i < 4; ++i) {
          const uint64_t x = a_words[w * kPitch + tile_y() + 16 * i];
          METAPLAST_UNROLL
          for (int j = 0; j < 4; ++j) differ[i][j] += static_cast<unsigned>(__popcll(x ^ y[j]));
        }
      }
    }
  }
};

// What becomes of the counts: put() an element, or bit() of an element that goes into a bit matrix.

struct XnorToI32 {
  static constexpr bool kPacks = false;
  int32_t* y;
  int64_t ldy;
  METAPLAST_DEVICE void put(int64_t row, int64_t col, unsigned k, unsigned differ) const {
    y[row * ldy + col] = static_cast<int32_t>(k - 2 * differ);
  }
};

struct XnorToF32 {
  static constexpr bool kPacks = false;
  float* y;
  int64_t ldy;
  const float *scale, *bias;  // of a column, or null
  METAPLAST_DEVICE void put(int64_t row, int64_t col, unsigned k, unsigned differ) const {
    float v = static_cast<float>(static_cast<int32_t>(k - 2 * differ));
    if (scale != nullptr) v = mul(scale[col], v);
    if (bias != nullptr) v = add(v, bias[col]);
    y[row * ldy + col] = v;
  }
};

struct XnorToBits {
  static constexpr bool kPacks = true;
  uint64_t* y;
  int64_t row_words;
  const int32_t *limit, *invert;
  METAPLAST_DEVICE bool bit(int64_t col, unsigned differ) const { return (static_cast<int32_t>(differ) <= limit[col]) != (invert[col] != 0); }
};

template <class Epilogue>
struct XnorGemm {
  static constexpr int kThreads = kTileThreads;
  static constexpr size_t kSharedBytes = XnorTile::kSharedBytes;

  struct Args {
    int64_t m, n;
    uint32_t k, column_tiles;
    const uint64_t *a, *b;
    Epilogue epilogue;
  };

  static METAPLAST_DEVICE void run(const Args& p) {
    const int64_t first_row = int64_t{blockIdx.x / p.column_tiles} * kTileSide;
    const int64_t first_column = int64_t{blockIdx.x % p.column_tiles} * kTileSide;
    const unsigned words = static_cast<unsigned>(bit_row_words(p.k));
    unsigned differ[4][4];
    XnorTile::count(XnorTile::Rows(p.a, first_row, p.m, words), XnorTile::Rows(p.b, first_column, p.n, words), differ);
    finish(p, first_row, first_column, differ);
  }

  static METAPLAST_DEVICE void finish(const Args& p, int64_t first_row, int64_t first_column, const unsigned (&differ)[4][4]) {
    if constexpr (Epilogue::kPacks) {
      METAPLAST_UNROLL
      for (int i = 0; i < 4; ++i) {
        // Tiles beyond n exist here: they write the pad words.
        bool bit[4];
        METAPLAST_UNROLL
        for (int j = 0; j < 4; ++j) {
          const int64_t col = first_column + tile_x() + 16 * j;
          bit[j] = col < p.n && p.epilogue.bit(col, differ[i][j]);
        }
        const uint64_t word = word_of_row(bit);
        const int64_t row = first_row + tile_y() + 16 * i;
        if (row < p.m && tile_x() == 0) p.epilogue.y[row * p.epilogue.row_words + first_column / 64] = word;
      }
    } else {
      METAPLAST_UNROLL
      for (int j = 0; j < 4; ++j) {
        METAPLAST_UNROLL
        for (int i = 0; i < 4; ++i) {
          const int64_t row = first_row + tile_y() + 16 * i, col = first_column + tile_x() + 16 * j;
          if (row < p.m && col < p.n) p.epilogue.put(row, col, p.k, differ[i][j]);
        }
      }
    }
  }
};

}  // namespace simt
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_XNOR_GEMM_SIMT_CUH_
