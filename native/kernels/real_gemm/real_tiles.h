// Packing and register tiles of the products of real matrices: real_gemm, kronecker_factor, and what is composed of them.
//
// Both operands of a product are packed the same way, into panels of kRealPanel columns, [k][kRealPanel], zeros past the last column. A panel
// serves as the column operand (loaded as vectors) and as the row operand (broadcast one by one) of a tile, so a matrix times its own transpose is
// packed once. One tile is a block of up to kRealBlock terms, fused multiply-adds from 0 in the order of k; blocks are added in order by the caller.
// The terms of an element and their order do not depend on where in a tile it lies: class B.
#ifndef METAPLAST_KERNELS_REAL_TILES_H_
#define METAPLAST_KERNELS_REAL_TILES_H_

#include "kernels/real_gemm/real_gemm.h"
#include "kernels/spd_inverse/spd_lanes.h"

namespace metaplast {
namespace METAPLAST_TIER {
namespace {

using RealVector = F32::V;
constexpr int64_t kLanes = F32::W;

// Tile of kTileRows rows and kTileVectors vectors of columns; both divide a panel.
#if defined(__AVX512F__)
constexpr int kTileRows = 8, kTileVectors = 3;
#elif defined(__AVX2__)
constexpr int kTileRows = 6, kTileVectors = 2;
#else
constexpr int kTileRows = 4, kTileVectors = 2;
#endif
constexpr int64_t kTileColumns = kTileVectors * kLanes;
constexpr int64_t kFetched = 8;  // rows of a panel ahead
static_assert(kRealPanel % kTileRows == 0 && kRealPanel % kTileColumns == 0, "whole tiles");

// kLanes elements of a row, or the first n of them and zeros; bf16 is widened.
METAPLAST_HD RealVector real_load(const float* p) { return F32::load(p); }
METAPLAST_HD RealVector real_load_n(const float* p, int64_t n) { return F32::load_n(p, n); }
#if defined(__AVX2__)
METAPLAST_HD RealVector real_load(const uint16_t* p) { return load_bf16(p); }
METAPLAST_HD RealVector real_load_n(const uint16_t* p, int64_t n) { return n >= kLanes ? load_bf16(p) : load_bf16_n(p, n); }
#else
METAPLAST_HD RealVector real_load_n(const uint16_t* p, int64_t n) {
  float x[kLanes] = {};
  for (int i = 0; i < kLanes && i < n; ++i) x[i] = load_bf16(p + i);
  return F32::load(x);
}
METAPLAST_HD RealVector real_load(const uint16_t* p) { return real_load_n(p, kLanes); }
#endif

// One panel of a matrix stored [k][columns]: to[p*kRealPanel + c] = x[p*ld + c], 0 for c >= columns.
template <class T>
METAPLAST_HD void pack_real_rows(const T* x, int64_t ld, int64_t depth, int64_t columns, float* to) {
  if (columns >= kRealPanel) {
    for (int64_t p = 0; p < depth; ++p, x += ld, to += kRealPanel) {
#pragma GCC unroll 16
      for (int64_t c = 0; c < kRealPanel; c += kLanes) F32::store(to + c, real_load(x + c));
    }
    return;
  }
  for (int64_t p = 0; p < depth; ++p, x += ld, to += kRealPanel) {
    for (int64_t c = 0; c < kRealPanel; c += kLanes) {
      F32::store(to + c, c + kLanes <= columns ? real_load(x + c) : c < columns ? real_load_n(x + c, columns - c) : F32::zero());
    }
  }
}

// One panel of a matrix stored [columns][k]: to[p*kRealPanel + c] = x[c*ld + p], 0 for c >= columns.
METAPLAST_HD void pack_real_columns(const float* x, int64_t ld, int64_t depth, int64_t columns, float* to) {
  RealVector t[kLanes];
  for (int64_t c = 0; c < kRealPanel; c += kLanes) {
    const int64_t rows = columns - c;
    for (int64_t p = 0; p < depth; p += kLanes) {
      const int64_t left = depth - p;
#pragma GCC unroll 16
      for (int64_t r = 0; r < kLanes; ++r) {
        const float* const from = x + (c + r) * ld + p;
        t[r] = r >= rows ? F32::zero() : left >= kLanes ? F32::load(from) : F32::load_n(from, left);
      }
      F32::transpose(t);
      float* const out = to + p * kRealPanel + c;
#pragma GCC unroll 16
      for (int64_t r = 0; r < kLanes; ++r) {
        if (r < left) F32::store(out + r * kRealPanel, t[r]);
      }
    }
  }
}

// sum[r][c] = sum over p < depth of a[p*kRealPanel + r] * b[p*kRealPanel + c]; depth <= kRealBlock.
template <int kRows, int kVectors>
METAPLAST_HD void real_tile(int64_t depth, const float* a, const float* b, RealVector (&sum)[kRows][kVectors]) {
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int c = 0; c < kVectors; ++c) sum[r][c] = F32::zero();
  }
  for (int64_t p = 0; p < depth; ++p, a += kRealPanel, b += kRealPanel) {
    RealVector x[kVectors];
#pragma GCC unroll 4
    for (int c = 0; c < kVectors; ++c) {
      x[c] = F32::load(b + c * kLanes);
      // On its way from the second-level cache.
      __builtin_prefetch(b + kFetched * kRealPanel + c * kLanes);
    }
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const RealVector y = F32::set(a[r]);
#pragma GCC unroll 4
      for (int c = 0; c < kVectors; ++c) sum[r][c] = F32::fma(y, x[c], sum[r][c]);
    }
  }
}

// sums[r*ld + c] (+)= that, assigned with `first`.
template <int kRows, int kVectors>
METAPLAST_HD void real_tile_to(int64_t depth, const float* a, const float* b, bool first, float* sums, int64_t ld) {
  RealVector sum[kRows][kVectors];
  real_tile<kRows, kVectors>(depth, a, b, sum);
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int c = 0; c < kVectors; ++c) {
      float* const to = sums + r * ld + c * kLanes;
      F32::store(to, first ? sum[r][c] : F32::add(F32::load(to), sum[r][c]));
    }
  }
}

// kTileRows rows by up to a panel of columns: sums[r*ld + c] (+)= the block of a and b, assigned with `first`. Columns are computed in whole vectors.
METAPLAST_HD void real_tile_row(int64_t columns, int64_t depth, const float* a, const float* b, bool first, float* sums, int64_t ld) {
  for (int64_t c = 0; c < columns; c += kTileColumns) {
    const int64_t left = columns - c;
    if (left > kTileColumns - kLanes) {
      real_tile_to<kTileRows, kTileVectors>(depth, a, b + c, first, sums + c, ld);
    } else if (kTileVectors == 3 && left > kLanes) {
      real_tile_to<kTileRows, 2>(depth, a, b + c, first, sums + c, ld);
    } else {
      real_tile_to<kTileRows, 1>(depth, a, b + c, first, sums + c, ld);
    }
  }
}

// Panel a times panel b, one block: rows up to the next multiple of kTileRows, columns up to whole vectors. sums has room for both.
METAPLAST_HD void real_panels(int64_t rows, int64_t columns, int64_t depth, const float* a, const float* b, bool first, float* sums, int64_t ld) {
  int64_t r = 0;
  // One vector of columns leaves registers for twice the rows, whose chains hide the latency of the multiply-add.
  for (; columns <= kLanes && r + kTileRows < rows; r += 2 * kTileRows) {
    real_tile_to<2 * kTileRows, 1>(depth, a + r, b, first, sums + r * ld, ld);
  }
  for (; r < rows; r += kTileRows) real_tile_row(columns, depth, a + r, b, first, sums + r * ld, ld);
}

// The lower triangle of a panel times itself, one block. Rows as above; columns are computed up to the end of the tile they are in.
METAPLAST_HD void real_panel_square(int64_t rows, int64_t depth, const float* a, bool first, float* sums, int64_t ld) {
  int64_t r = 0;
  for (; r + 2 * kTileRows <= kLanes && r + kTileRows < rows; r += 2 * kTileRows) {
    real_tile_to<2 * kTileRows, 1>(depth, a + r, a, first, sums + r * ld, ld);
  }
  for (; r < rows; r += kTileRows) {
    real_tile_row(r + kTileRows < rows ? r + kTileRows : rows, depth, a + r, a, first, sums + r * ld, ld);
  }
}

// One rounding for beta*c + t.
METAPLAST_HD RealVector real_fma(RealVector beta, RealVector c, RealVector t) {
#if defined(__AVX2__)
  return F32::fma(beta, c, t);
#else
  for (int i = 0; i < kLanes; ++i) t[i] = __builtin_fmaf(beta[i], c[i], t[i]);
  return t;
#endif
}

// c[i] = f32(alpha*sums[i]), or fma(beta, c[i], that) with beta != 0; n elements.
METAPLAST_HD void real_combine(int64_t n, float alpha, const float* sums, float beta, float* c) {
  const RealVector scale = F32::set(alpha), keep = F32::set(beta);
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const RealVector t = F32::mul(scale, F32::load(sums + i));
    F32::store(c + i, beta == 0.0f ? t : real_fma(keep, F32::load(c + i), t));
  }
  if (i < n) {
    const RealVector t = F32::mul(scale, F32::load_n(sums + i, n - i));
    F32::store_n(c + i, beta == 0.0f ? t : real_fma(keep, F32::load_n(c + i, n - i), t), n - i);
  }
}

}  // namespace
}  // namespace METAPLAST_TIER
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_REAL_TILES_H_
