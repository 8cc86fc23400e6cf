// Outer products of items, products rounded before they are added: multiplier and adder each do half of what a fused unit would, side by side.
// Tiles of accumulators over blocks of items; both operands are copied first into pieces without a pitch, which would map to few sets of the cache.
#include "kernels/gemm_tn/gemm_tn.h"
#include "runtime/kernel_table.h"
#include "runtime/math/lanes.h"

namespace metaplast {
namespace METAPLAST_TIER {
namespace {

constexpr int64_t kItems = 128;   // items of a block
constexpr int64_t kRows = 48;     // outputs of a block: 24 KiB of dy
constexpr int64_t kColumns = 64;  // inputs of a block: 32 KiB of x

#if defined(__AVX512F__)
constexpr int kTileRows = 6;
constexpr int kTileVectors = 4;
#elif defined(__AVX2__)
constexpr int kTileRows = 6;
constexpr int kTileVectors = 2;
#else
constexpr int kTileRows = 3;
constexpr int kTileVectors = 4;
#endif
static_assert(kRows % kTileRows == 0 && kColumns % (kTileVectors * W) == 0, "whole tiles");

// One tile: dy [item][kRows], x [item][kColumns]. Stores the first `rows` rows and `columns` columns; `continued` adds to what dw holds.
void outer_tile(int64_t items, const float* dy, const float* x, bool continued, int64_t rows, int64_t columns, float* dw, int64_t lddw) {
  F acc[kTileRows][kTileVectors];
#pragma GCC unroll 16
  for (int r = 0; r < kTileRows; ++r) {
#pragma GCC unroll 8
    for (int j = 0; j < kTileVectors; ++j) {
      // Adding to -0 gives the first product to the bit.
      acc[r][j] = continued && r < rows && j * W < columns ? load_lanes(dw + r * lddw + j * W, columns - j * W) : set(-0.0f);
    }
  }
  for (int64_t b = 0; b < items; ++b) {
    F xs[kTileVectors];
#pragma GCC unroll 8
    for (int j = 0; j < kTileVectors; ++j) xs[j] = load(x + b * kColumns + j * W);
#pragma GCC unroll 16
    for (int r = 0; r < kTileRows; ++r) {
      const F d = set(dy[b * kRows + r]);
#pragma GCC unroll 8
      for (int j = 0; j < kTileVectors; ++j) acc[r][j] = add(acc[r][j], mul(d, xs[j]));
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kTileRows; ++r) {
#pragma GCC unroll 8
    for (int j = 0; j < kTileVectors; ++j) {
      if (r < rows && j * W < columns) store_lanes(dw + r * lddw + j * W, acc[r][j], columns - j * W);
    }
  }
}

// `count` <= kWidth columns of some rows, without their pitch and filled up with zeros.
template <int64_t kWidth>
void copy_piece(int64_t rows, int64_t count, const float* from, int64_t pitch, float* to) {
  for (int64_t r = 0; r < rows; ++r) {
    const float* row = from + r * pitch;
#pragma GCC unroll 8
    for (int64_t c = 0; c < kWidth; c += W) store(to + r * kWidth + c, c < count ? load_lanes(row + c, count - c) : set(0.0f));
  }
}

}  // namespace

// Rows o_begin..o_end-1, columns i_begin..i_end-1 of dw.
void gemm_tn(const GemmTn* gemm, int64_t o_begin, int64_t o_end, int64_t i_begin, int64_t i_end) noexcept {
  const GemmTn& g = *gemm;
  alignas(64) float dy[kItems * kRows];
  alignas(64) float x[kItems * kColumns];
  for (int64_t b = 0; b < g.batch; b += kItems) {
    const int64_t items = g.batch - b < kItems ? g.batch - b : kItems;
    for (int64_t o = o_begin; o < o_end; o += kRows) {
      const int64_t rows = o_end - o < kRows ? o_end - o : kRows;
      copy_piece<kRows>(items, rows, g.dy + b * g.lddy + o, g.lddy, dy);
      for (int64_t i = i_begin; i < i_end; i += kColumns) {
        const int64_t columns = i_end - i < kColumns ? i_end - i : kColumns;
        copy_piece<kColumns>(items, columns, g.x + b * g.ldx + i, g.ldx, x);
        for (int64_t r = 0; r < rows; r += kTileRows) {
          for (int64_t c = 0; c < columns; c += kTileVectors * W) {
            outer_tile(items, dy + r, x + c, b > 0, rows - r, columns - c, g.dw + (o + r) * g.lddw + i + c, g.lddw);
          }
        }
      }
    }
  }
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast
