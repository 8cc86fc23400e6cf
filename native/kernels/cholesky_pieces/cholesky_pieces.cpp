// Entry points: damped Cholesky factor, inverse of a triangle, triangular systems.
#include "kernels/cholesky_pieces/cholesky_pieces.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "metaplast/kfac.h"
#include "runtime/entry.h"

namespace metaplast {
namespace {

constexpr int64_t kAlign = 64;
constexpr int64_t kBlock = kTriangleBlock;
// Rows or columns of a range of its own; ranges do not change what an element is computed from.
constexpr int64_t kRange = 96;
// Multiply-adds from which a second thread pays.
constexpr int64_t kGrain = int64_t{1} << 18;

constexpr int64_t round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

// body(begin, end) over ranges of 0..n-1 that begin at multiples of kRange.
template <class Body>
void over_ranges(const metaplast_context_t* context, int64_t n, int64_t work, const Body& body) {
  if (context->pool->threads() == 1 || work < 2 * kGrain || n <= kRange) {
    if (n > 0) body(int64_t{0}, n);
    return;
  }
  parallel_chunks(context, (n + kRange - 1) / kRange, [=, &body](int64_t chunk) { body(chunk * kRange, std::min(n, (chunk + 1) * kRange)); });
}

// Order of the first diagonal element that is 0 or not finite, or 0.
int32_t first_unusable(int64_t n, const float* l, int64_t ld) {
  for (int64_t i = 0; i < n; ++i) {
    const float d = l[i * ld + i];
    if (d == 0 || !std::isfinite(d)) return static_cast<int32_t>(i + 1);
  }
  return 0;
}

// c = -(x c) for lower triangles x [m][m], columns begin..end-1 of c.
void multiply_left(const metaplast_context_t* context, int64_t m, const float* x, int64_t ldx, float* c, int64_t ldc, int64_t begin, int64_t end) {
  alignas(kAlign) float copy[kBlock * kBlock];
  for (int64_t j = begin; j < end; j += kBlock) {
    const int64_t cols = std::min(end - j, kBlock);
    // Upwards: the rows above are still what they were.
    for (int64_t i = (m - 1) / kBlock * kBlock; i >= 0; i -= kBlock) {
      const int64_t rows = std::min(m - i, kBlock);
      float* const to = c + i * ldc + j;
      for (int64_t r = 0; r < rows; ++r) {
        std::memcpy(copy + r * kBlock, to + r * ldc, static_cast<size_t>(cols) * 4);
        std::memset(to + r * ldc, 0, static_cast<size_t>(cols) * 4);
      }
      const BlockProduct above{false, false, rows, cols, i, -1, x + i * ldx, ldx, c + j, ldc, to, ldc};
      const BlockProduct here{false, false, rows, cols, rows, -1, x + i * ldx + i, ldx, copy, kBlock, to, ldc};
      context->kernels.block_product(&above);
      context->kernels.block_product(&here);
    }
  }
}

// c = c x for a lower triangle x [m][m], rows begin..end-1 of c.
void multiply_right(const metaplast_context_t* context, int64_t m, const float* x, int64_t ldx, float* c, int64_t ldc, int64_t begin, int64_t end) {
  alignas(kAlign) float copy[kBlock * kBlock];
  for (int64_t i = begin; i < end; i += kBlock) {
    const int64_t rows = std::min(end - i, kBlock);
    // Rightwards: the columns behind are still what they were.
    for (int64_t j = 0; j < m; j += kBlock) {
      const int64_t cols = std::min(m - j, kBlock), behind = j + cols;
      float* const to = c + i * ldc + j;
      for (int64_t r = 0; r < rows; ++r) {
        std::memcpy(copy + r * kBlock, to + r * ldc, static_cast<size_t>(cols) * 4);
        std::memset(to + r * ldc, 0, static_cast<size_t>(cols) * 4);
      }
      const BlockProduct here{false, false, rows, cols, cols, 1, copy, kBlock, x + j * ldx + j, ldx, to, ldc};
      const BlockProduct rest{false, false, rows, cols, m - behind, 1, c + i * ldc + behind, ldc, x + behind * ldx + j, ldx, to, ldc};
      context->kernels.block_product(&here);
      context->kernels.block_product(&rest);
    }
  }
}

// Inverse of a lower triangle in place, zeros above it: halves first, then what is below the first and left of the second.
void invert(const metaplast_context_t* context, int64_t n, float* l, int64_t ld) {
  if (n <= kBlock) {
    context->kernels.triangle_inverse(n, l, ld);
    return;
  }
  const int64_t upper = round_up(n / 2, kBlock), lower = n - upper;
  invert(context, upper, l, ld);
  invert(context, lower, l + upper * ld + upper, ld);
  float* const corner = l + upper * ld;
  over_ranges(context, upper, lower * lower * upper / 2, [=](int64_t begin, int64_t end) {
    multiply_left(context, lower, l + upper * ld + upper, ld, corner, ld, begin, end);
  });
  over_ranges(context, lower, upper * upper * lower / 2,
              [=](int64_t begin, int64_t end) { multiply_right(context, upper, l, ld, corner, ld, begin, end); });
}

// Cholesky factor in place of a matrix whose lower triangle is given; order of the failing pivot, or 0.
int64_t factor(const metaplast_context_t* context, int64_t n, float* a, int64_t ld, const float* diagonal, float* pivot) {
  for (int64_t j = 0; j < n; j += kBlock) {
    const int64_t cols = std::min(n - j, kBlock), rows = n - j - cols;
    float* const block = a + j * ld + j;
    float* const below = block + cols * ld;
    int64_t failed = 0;
    context->kernels.cholesky_block(cols, block, ld, diagonal + j, &failed, pivot);
    if (failed > 0) return j + failed;
    over_ranges(context, rows, rows * cols * cols / 2,
                [=](int64_t begin, int64_t end) { context->kernels.cholesky_rows(cols, block, ld, end - begin, below + begin * ld, ld); });
    // Lower triangle by rows of blocks, long ones first; a row of blocks ends behind the diagonal.
    const int64_t ranges = (rows + kRange - 1) / kRange;
    const auto update = [=](int64_t chunk) {
      const int64_t begin = (ranges - 1 - chunk) * kRange, end = std::min(rows, begin + kRange);
      const BlockProduct product{false,        true,  end - begin, end, cols, -1, below + begin * ld, ld, below, ld,
                                 below + begin * ld + cols, ld};
      context->kernels.block_product(&product);
    };
    if (context->pool->threads() == 1 || rows * rows * cols / 2 < 2 * kGrain) {
      for (int64_t chunk = 0; chunk < ranges; ++chunk) update(chunk);
    } else {
      parallel_chunks(context, ranges, update);
    }
  }
  return 0;
}

}  // namespace
}  // namespace metaplast

extern "C" {

metaplast_status_t metaplast_damped_cholesky_f32(const metaplast_context_t* context, int64_t n, const float* m, int64_t ldm, double damping,
                                                 float* l, int64_t ldl, int32_t* status, double* pivot, int64_t* index, void* workspace,
                                                 int64_t workspace_bytes) {
  if (context == nullptr || !metaplast::present(status, pivot, index)) return METAPLAST_E_ARGUMENT;
  if (n < 0 || ldm < n || ldl < n || !(damping >= 0) || !std::isfinite(damping) || (n > 0 && !metaplast::present(m, l))) {
    *status = METAPLAST_SPD_ARGUMENT;
    *pivot = 0;
    *index = 0;
    return METAPLAST_OK;
  }
  if (n > 0 && (workspace == nullptr || workspace_bytes < n * n * 4 + 64 * n + 4096 ||
                reinterpret_cast<uintptr_t>(workspace) % metaplast::kAlign != 0)) {
    return METAPLAST_E_ARGUMENT;
  }
  const metaplast::FpEnvironment environment;
  *status = METAPLAST_SPD_OK;
  *pivot = 0;
  *index = 0;
  const int64_t ld = metaplast::round_up(n, 15 <= n ? 16 : 1);
  float* const a = static_cast<float*>(workspace);
  float* const diagonal = a + n * ld;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j <= i; ++j) {
      const float x = m[i * ldm + j], damped = i == j ? static_cast<float>(static_cast<double>(x) + damping) : x;
      if (!std::isfinite(x) || !std::isfinite(damped)) {
        *status = METAPLAST_SPD_NOT_FINITE;
        *index = i * n + j;
        return METAPLAST_OK;
      }
      a[i * ld + j] = damped;
    }
    std::fill(a + i * ld + i + 1, a + (i + 1) * ld, 0.0f);
    diagonal[i] = a[i * ld + i];
  }
  float failing = 0;
  const int64_t failed = metaplast::factor(context, n, a, ld, diagonal, &failing);
  if (failed > 0) {
    *status = static_cast<int32_t>(failed);
    *pivot = static_cast<double>(failing);
    return METAPLAST_OK;
  }
  for (int64_t i = 0; i < n; ++i) {
    std::memcpy(l + i * ldl, a + i * ld, static_cast<size_t>(i + 1) * 4);
    std::fill(l + i * ldl + i + 1, l + i * ldl + n, 0.0f);
  }
  return METAPLAST_OK;
}

metaplast_status_t metaplast_triangular_inverse_f32(const metaplast_context_t* context, int64_t n, const float* l, int64_t ldl, float* out,
                                                    int64_t ldo, int32_t* status) {
  if (context == nullptr || n < 0 || ldl < n || ldo < n || status == nullptr || (n > 0 && !metaplast::present(l, out)) ||
      (l == out && ldl != ldo)) {
    return METAPLAST_E_ARGUMENT;
  }
  const metaplast::FpEnvironment environment;
  *status = metaplast::first_unusable(n, l, ldl);
  if (*status != 0) return METAPLAST_OK;
  for (int64_t i = 0; i < n; ++i) {
    std::memmove(out + i * ldo, l + i * ldl, static_cast<size_t>(i + 1) * 4);
    std::fill(out + i * ldo + i + 1, out + i * ldo + n, 0.0f);
  }
  if (n > 0) metaplast::invert(context, n, out, ldo);
  return METAPLAST_OK;
}

metaplast_status_t metaplast_triangular_solve_f32(const metaplast_context_t* context, int64_t n, int64_t columns, int32_t transposed,
                                                  const float* l, int64_t ldl, float* b, int64_t ldb, int32_t* status) {
  if (context == nullptr || n < 0 || columns < 0 || ldl < n || ldb < columns || status == nullptr ||
      (n > 0 && (l == nullptr || (columns > 0 && b == nullptr)))) {
    return METAPLAST_E_ARGUMENT;
  }
  const metaplast::FpEnvironment environment;
  *status = metaplast::first_unusable(n, l, ldl);
  if (*status != 0 || columns == 0) return METAPLAST_OK;
  const int64_t blocks = (n + metaplast::kBlock - 1) / metaplast::kBlock;
  // Columns are independent from end to end.
  metaplast::over_ranges(context, columns, n * n / 2 * columns, [=](int64_t begin, int64_t end) {
    for (int64_t step = 0; step < blocks; ++step) {
      const int64_t i = (transposed != 0 ? blocks - 1 - step : step) * metaplast::kBlock;
      const int64_t rows = std::min(n - i, metaplast::kBlock);
      float* const to = b + i * ldb + begin;
      if (transposed != 0) {
        const int64_t behind = i + rows;
        const metaplast::BlockProduct product{true, false, rows, end - begin, n - behind, -1, l + behind * ldl + i, ldl, b + behind * ldb + begin, ldb,
                                              to, ldb};
        context->kernels.block_product(&product);
      } else {
        const metaplast::BlockProduct product{false, false, rows, end - begin, i, -1, l + i * ldl, ldl, b + begin, ldb, to, ldb};
        context->kernels.block_product(&product);
      }
      context->kernels.triangle_solve(rows, end - begin, transposed, l + i * ldl + i, ldl, to, ldb);
    }
  });
  return METAPLAST_OK;
}

}  // extern "C"
