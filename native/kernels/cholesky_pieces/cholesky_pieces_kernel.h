// Products of blocks on the packing and tiles of real_gemm, and the diagonal blocks of triangular matrices.
#include "kernels/cholesky_pieces/cholesky_pieces.h"
#include "kernels/real_gemm/real_tiles.h"
#include "runtime/kernel_table.h"

namespace metaplast {
namespace METAPLAST_TIER {
namespace {

constexpr int64_t kDepth = 128;  // terms of a packed block: two panels on the stack stay in the L1 cache

void pack(bool by_columns, const float* x, int64_t ld, int64_t k, int64_t at, int64_t depth, int64_t columns, float* to) {
  if (by_columns) {
    pack_real_columns(x + at * ld + k, ld, depth, columns, to);
  } else {
    pack_real_rows(x + k * ld + at, ld, depth, columns, to);
  }
}

}  // namespace

void block_product(const BlockProduct* product) noexcept {
  const BlockProduct& p = *product;
  alignas(64) float a[kDepth * kRealPanel], b[kDepth * kRealPanel], sums[kRealPanel * kRealPanel];
  const F32::V sign = F32::set(p.sign);
  for (int64_t k = 0; k < p.depth; k += kDepth) {
    const int64_t depth = p.depth - k < kDepth ? p.depth - k : kDepth;
    for (int64_t j = 0; j < p.cols; j += kRealPanel) {
      const int64_t cols = p.cols - j < kRealPanel ? p.cols - j : kRealPanel;
      pack(p.transpose_b, p.b, p.ldb, k, j, depth, cols, b);
      for (int64_t i = 0; i < p.rows; i += kRealPanel) {
        const int64_t rows = p.rows - i < kRealPanel ? p.rows - i : kRealPanel;
        pack(!p.transpose_a, p.a, p.lda, k, i, depth, rows, a);
        real_panels(rows, cols, depth, a, b, true, sums, kRealPanel);
        for (int64_t r = 0; r < rows; ++r) {
          float* const c = p.c + (i + r) * p.ldc + j;
          const float* const s = sums + r * kRealPanel;
          int64_t x = 0;
          for (; x + F32::W <= cols; x += F32::W) F32::store(c + x, F32::fma(sign, F32::load(s + x), F32::load(c + x)));
          if (x < cols) F32::store_n(c + x, F32::fma(sign, F32::load(s + x), F32::load_n(c + x, cols - x)), cols - x);
        }
      }
    }
  }
}

// Cholesky factor of a block in place, its lower triangle; *failed: order of the first pivot p with !(p > 8 u a_jj), *pivot that pivot.
void cholesky_block(int64_t n, float* a, int64_t ld, const float* diagonal, int64_t* failed, float* pivot) noexcept {
  float column[kTriangleBlock];
  for (int64_t j = 0; j < n; ++j) {
    const float p = a[j * ld + j];
    if (!(p > 0x1p-21f * diagonal[j])) {
      *failed = j + 1;
      *pivot = p;
      return;
    }
    const float root = __builtin_sqrtf(p);
    a[j * ld + j] = root;
    for (int64_t i = j + 1; i < n; ++i) column[i] = a[i * ld + j] /= root;
    for (int64_t i = j + 1; i < n; ++i) {
      float* __restrict const row = a + i * ld;
      const float x = column[i];
      for (int64_t c = j + 1; c <= i; ++c) row[c] -= x * column[c];
    }
  }
  *failed = 0;
}

// x = x L^-T for rows x [rows][n], L [n][n] lower.
void cholesky_rows(int64_t n, const float* l, int64_t ldl, int64_t rows, float* x, int64_t ldx) noexcept {
  constexpr int64_t kRows = 4;
  alignas(64) float columns[kTriangleBlock * kTriangleBlock];  // [j][i] = l_ij for i > j, else 0
  for (int64_t j = 0; j < n; ++j) {
    for (int64_t i = 0; i < kTriangleBlock; ++i) columns[j * kTriangleBlock + i] = i > j && i < n ? l[i * ldl + j] : 0.0f;
  }
  for (int64_t r = 0; r < rows; r += kRows) {
    const int64_t here = rows - r < kRows ? rows - r : kRows;
    alignas(64) float left[kRows][kTriangleBlock] = {};
    for (int64_t i = 0; i < here; ++i) {
      for (int64_t c = 0; c < n; ++c) left[i][c] = x[(r + i) * ldx + c];
    }
    for (int64_t j = 0; j < n; ++j) {
      const float d = l[j * ldl + j];
      float done[kRows];
      for (int64_t i = 0; i < kRows; ++i) done[i] = left[i][j] / d;
      for (int64_t i = 0; i < kRows; ++i) {
        for (int64_t c = 0; c < kTriangleBlock; ++c) left[i][c] -= done[i] * columns[j * kTriangleBlock + c];
      }
      for (int64_t i = 0; i < here; ++i) x[(r + i) * ldx + j] = done[i];
    }
  }
}

// b = L^-1 b, or L^-T b where transposed, for b [n][cols].
void triangle_solve(int64_t n, int64_t cols, int32_t transposed, const float* l, int64_t ldl, float* b, int64_t ldb) noexcept {
  for (int64_t step = 0; step < n; ++step) {
    const int64_t i = transposed != 0 ? n - 1 - step : step;
    float* __restrict const row = b + i * ldb;
    const int64_t begin = transposed != 0 ? i + 1 : 0, end = transposed != 0 ? n : i;
    for (int64_t k = begin; k < end; ++k) {
      const float f = transposed != 0 ? l[k * ldl + i] : l[i * ldl + k];
      const float* __restrict const other = b + k * ldb;
      for (int64_t c = 0; c < cols; ++c) row[c] -= f * other[c];
    }
    const float d = l[i * ldl + i];
    for (int64_t c = 0; c < cols; ++c) row[c] /= d;
  }
}

// Inverse of a lower triangle in place.
void triangle_inverse(int64_t n, float* l, int64_t ld) noexcept {
  float row[kTriangleBlock];
  for (int64_t i = 0; i < n; ++i) {
    float* const to = l + i * ld;
    for (int64_t c = 0; c < i; ++c) row[c] = 0;
    for (int64_t k = 0; k < i; ++k) {
      const float f = to[k];
      const float* const other = l + k * ld;
      for (int64_t c = 0; c <= k; ++c) row[c] += f * other[c];
    }
    const float d = to[i];
    for (int64_t c = 0; c < i; ++c) to[c] = -row[c] / d;
    to[i] = 1 / d;
  }
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast
