// Products of real matrices with signs, and of real matrices along the batch, in the order of the CPU. Contracts: metaplast/binary.h.
#ifndef METAPLAST_KERNELS_SIGN_GEMM_SIMT_CUH_
#define METAPLAST_KERNELS_SIGN_GEMM_SIMT_CUH_

#include "runtime/cuda/bit_matrix.h"

namespace metaplast {
namespace simt {

// Adding the first term to -0 gives that term to the bit.
constexpr float kNoTermYet = -0.0f;

METAPLAST_DEVICE void clear_tile(float (&sum)[4][4], float value) {
  METAPLAST_UNROLL
  for (int i = 0; i < 4; ++i) {
    METAPLAST_UNROLL
    for (int j = 0; j < 4; ++j) sum[i][j] = value;
  }
}

// ---- along the packed axis ---------------------------------------------------------------------------------------------------------

// y = x sign(w)^T. A block has 64 columns of both operands in shared memory at a time: one word of every row of w. Set bits are minus there.
struct SignGemmNt {
  static constexpr int kThreads = kTileThreads;
  static constexpr int kDepth = 64;
  static constexpr int kPitch = kDepth + 4;  // rows of x stay aligned to 16 bytes
  static constexpr int kStepsOfBlock = 512 / kDepth;
  static constexpr size_t kSharedBytes = kTileSide * (kPitch * sizeof(float) + sizeof(uint64_t));

  struct Args {
    int64_t batch, out, in;
    uint32_t column_tiles;
    const float* x;
    int64_t ldx;
    const uint64_t* w;
    float* y;
    int64_t ldy;
  };

  static METAPLAST_DEVICE void fetch(const Args& a, int64_t first_row, int64_t first_column, int64_t step, float* x, uint64_t* minus) {
    const int64_t begin = step * kDepth;
    const int c = static_cast<int>(threadIdx.x) % kDepth;
    METAPLAST_UNROLL
    for (int p = 0; p < kTileSide * kDepth / kThreads; ++p) {
      const int r = static_cast<int>(threadIdx.x) / kDepth + p * (kThreads / kDepth);
      const bool there = first_row + r < a.batch && begin + c < a.in;
      x[r * kPitch + c] = there ? a.x[(first_row + r) * a.ldx + begin + c] : 0.0f;
    }
    if (threadIdx.x < kTileSide) {
      const int64_t o = first_column + threadIdx.x;
      // Columns that do not exist are +0.
      const uint64_t exist = a.in - begin >= kDepth ? ~uint64_t{0} : (uint64_t{1} << (a.in - begin)) - 1;
      minus[threadIdx.x] = o < a.out ? ~a.w[o * bit_row_words(a.in) + step] & exist : 0;
    }
  }

  static METAPLAST_DEVICE void run(const Args& a) {
    float* x = shared_memory<float>();
    uint64_t* minus = reinterpret_cast<uint64_t*>(x + kTileSide * kPitch);
    const int64_t first_row = int64_t{blockIdx.x / a.column_tiles} * kTileSide;
    const int64_t first_column = int64_t{blockIdx.x % a.column_tiles} * kTileSide;
    float total[4][4], sum[4][4];
    clear_tile(total, a.in == 0 ? 0.0f : kNoTermYet);
    clear_tile(sum, kNoTermYet);
    const int64_t steps = (a.in + kDepth - 1) / kDepth;
    for (int64_t step = 0; step < steps; ++step) {
      __syncthreads();
      fetch(a, first_row, first_column, step, x, minus);
      __syncthreads();
      const int64_t rest = a.in - step * kDepth;
      const int quads = rest >= kDepth ? kDepth / 4 : static_cast<int>((rest + 3) / 4);
      uint64_t word[4];
      METAPLAST_UNROLL
      for (int j = 0; j < 4; ++j) word[j] = minus[tile_x() + 16 * j];
      for (int g = 0; g < quads; ++g) {
        Four v[4];
        METAPLAST_UNROLL
        for (int i = 0; i < 4; ++i) v[i] = load4(x + (tile_y() + 16 * i) * kPitch + 4 * g);
        METAPLAST_UNROLL
        for (int j = 0; j < 4; ++j) {
          const uint32_t nibble = static_cast<uint32_t>(word[j]);
          word[j] >>= 4;
          METAPLAST_UNROLL
          for (int i = 0; i < 4; ++i) {
            const float q = add(add(negate_if(v[i].v[0], nibble << 31), negate_if(v[i].v[1], nibble >> 1 << 31)),
                                add(negate_if(v[i].v[2], nibble >> 2 << 31), negate_if(v[i].v[3], nibble >> 3 << 31)));
            sum[i][j] = add(sum[i][j], q);
          }
        }
      }
      if ((step + 1) % kStepsOfBlock == 0 || step + 1 == steps) {
        METAPLAST_UNROLL
        for (int i = 0; i < 4; ++i) {
          METAPLAST_UNROLL
          for (int j = 0; j < 4; ++j) total[i][j] = add(total[i][j], sum[i][j]);
        }
        clear_tile(sum, kNoTermYet);
      }
    }
    METAPLAST_UNROLL
    for (int i = 0; i < 4; ++i) {
      METAPLAST_UNROLL
      for (int j = 0; j < 4; ++j) {
        const int64_t row = first_row + tile_y() + 16 * i, col = first_column + tile_x() + 16 * j;
        if (row < a.batch && col < a.out) a.y[row * a.ldy + col] = total[i][j];
      }
    }
  }
};

// ---- along the rows of the right operand -------------------------------------------------------------------------------------------

// out[row][col] = sum over k of left(row, k)*right(k, col), in groups of Right::kTogether values of k: first the terms of a group, then the groups,
// both ascending and from the first one. The left operand is real, [rows][k], or transposed, [k][rows].
struct LeftOperand {
  const float* p;
  int64_t ld;
};

// Right operands: columns of a tile for kDepth values of k in shared memory.
constexpr int kProductDepth = 32;

struct RightBits {  // [k][cols]
  static constexpr int kTogether = 4;
  static constexpr int kFloats = 2 * kProductDepth;
  const uint64_t* bits;
  int64_t row_words;

  METAPLAST_DEVICE void fetch(float* shared, int64_t k, int depth, int64_t first_column, int64_t cols) const {
    if (static_cast<int>(threadIdx.x) < depth) {
      const uint64_t word = first_column < cols ? ~bits[(k + threadIdx.x) * row_words + (first_column >> 6)] : 0;
      reinterpret_cast<uint64_t*>(shared)[threadIdx.x] = word;
    }
  }
  // Shifted so that the sign of this thread's columns is on top.
  struct Row {
    uint32_t minus[4];
  };
  METAPLAST_DEVICE Row row(const float* shared, int k) const {
    const uint64_t word = reinterpret_cast<const uint64_t*>(shared)[k];
    const uint32_t low = static_cast<uint32_t>(word) >> tile_x(), high = static_cast<uint32_t>(word >> 32) >> tile_x();
    return {{low << 31, low >> 16 << 31, high << 31, high >> 16 << 31}};
  }
  static METAPLAST_DEVICE float term(float left, const Row& r, int j) { return negate_if(left, r.minus[j]); }
};

struct RightReal {  // [k][cols]
  static constexpr int kTogether = 1;
  static constexpr int kFloats = kProductDepth * kTileSide;
  const float* p;
  int64_t ld;

  METAPLAST_DEVICE void fetch(float* shared, int64_t k, int depth, int64_t first_column, int64_t cols) const {
    const int c = static_cast<int>(threadIdx.x) % kTileSide;
    METAPLAST_UNROLL
    for (int s = 0; s < kProductDepth * kTileSide / kTileThreads; ++s) {
      const int kk = static_cast<int>(threadIdx.x) / kTileSide + s * (kTileThreads / kTileSide);
      shared[kk * kTileSide + c] = kk < depth && first_column + c < cols ? p[(k + kk) * ld + first_column + c] : 0.0f;
    }
  }
  struct Row {
    float v[4];
  };
  METAPLAST_DEVICE Row row(const float* shared, int k) const {
    Row r;
    METAPLAST_UNROLL
    for (int j = 0; j < 4; ++j) r.v[j] = shared[k * kTileSide + tile_x() + 16 * j];
    return r;
  }
  static METAPLAST_DEVICE float term(float left, const Row& r, int j) { return mul(left, r.v[j]); }
};

template <bool kTransposed, class Right>
struct ProductTile {
  static constexpr int kPitch = kTileSide + 1;
  static constexpr size_t kSharedBytes = (kProductDepth * kPitch + Right::kFloats) * sizeof(float);

  static METAPLAST_DEVICE void fetch_left(const LeftOperand& a, float* shared, int64_t first_row, int64_t rows, int64_t k, int depth) {
    METAPLAST_UNROLL
    for (int s = 0; s < kProductDepth * kTileSide / kTileThreads; ++s) {
      const int i = static_cast<int>(threadIdx.x) + s * kTileThreads;
      // Threads that follow each other read what follows each other in memory.
      const int r = kTransposed ? i % kTileSide : i / kProductDepth, kk = kTransposed ? i / kTileSide : i % kProductDepth;
      const bool there = kk < depth && first_row + r < rows;
      const int64_t row = first_row + r;
      shared[kk * kPitch + r] = there ? a.p[kTransposed ? (k + kk) * a.ld + row : row * a.ld + k + kk] : 0.0f;
    }
  }

  static METAPLAST_DEVICE void run(const LeftOperand& left, const Right& right, int64_t first_row, int64_t rows, int64_t first_column,
                                   int64_t cols, int64_t length, float (&sum)[4][4]) {
    // The right operand first: its words want an address that is a multiple of 8.
    float* right_tile = shared_memory<float>();
    float* left_tile = right_tile + Right::kFloats;
    clear_tile(sum, length == 0 ? 0.0f : kNoTermYet);
    for (int64_t k = 0; k < length; k += kProductDepth) {
      const int depth = length - k < kProductDepth ? static_cast<int>(length - k) : kProductDepth;
      __syncthreads();
      fetch_left(left, left_tile, first_row, rows, k, depth);
      right.fetch(right_tile, k, depth, first_column, cols);
      __syncthreads();
      for (int kk = 0; kk < depth; kk += Right::kTogether) {
        float group[4][4];
        METAPLAST_UNROLL
        for (int u = 0; u < Right::kTogether; ++u) {
          if (u > 0 && kk + u >= depth) continue;  // terms that do not exist are left out
          const typename Right::Row r = right.row(right_tile, kk + u);
          METAPLAST_UNROLL
          for (int i = 0; i < 4; ++i) {
            const float l = left_tile[(kk + u) * kPitch + tile_y() + 16 * i];
            METAPLAST_UNROLL
            for (int j = 0; j < 4; ++j) {
              const float term = Right::term(l, r, j);
              group[i][j] = u == 0 ? term : add(group[i][j], term);
            }
          }
        }
        METAPLAST_UNROLL
        for (int i = 0; i < 4; ++i) {
          METAPLAST_UNROLL
          for (int j = 0; j < 4; ++j) sum[i][j] = add(sum[i][j], group[i][j]);
        }
      }
    }
  }
};

template <bool kTransposed, class Right>
struct Product {
  using Tile = ProductTile<kTransposed, Right>;
  static constexpr int kThreads = kTileThreads;
  static constexpr size_t kSharedBytes = Tile::kSharedBytes;

  struct Args {
    int64_t rows, cols, length;
    uint32_t column_tiles;
    LeftOperand left;
    Right right;
    float* y;
    int64_t ldy;
  };

  static METAPLAST_DEVICE void run(const Args& a) {
    const int64_t first_row = int64_t{blockIdx.x / a.column_tiles} * kTileSide;
    const int64_t first_column = int64_t{blockIdx.x % a.column_tiles} * kTileSide;
    float sum[4][4];
    Tile::run(a.left, a.right, first_row, a.rows, first_column, a.cols, a.length, sum);
    METAPLAST_UNROLL
    for (int i = 0; i < 4; ++i) {
      METAPLAST_UNROLL
      for (int j = 0; j < 4; ++j) {
        const int64_t row = first_row + tile_y() + 16 * i, col = first_column + tile_x() + 16 * j;
        if (row < a.rows && col < a.cols) a.y[row * a.ldy + col] = sum[i][j];
      }
    }
  }
};

}  // namespace simt
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_SIGN_GEMM_SIMT_CUH_
