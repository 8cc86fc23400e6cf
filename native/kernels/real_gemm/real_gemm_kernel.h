// Product of real matrices, one range: see real_gemm.h.
#include "kernels/real_gemm/real_tiles.h"
#include "runtime/kernel_table.h"

namespace metaplast {
namespace METAPLAST_TIER {
namespace {

int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

// `count` columns from `column` on of an operand, terms `first`.. of k: stored [k][columns], or [columns][k].
void pack_panel(bool by_rows, const float* x, int64_t ld, int64_t column, int64_t count, int64_t first, int64_t depth, float* to) {
  if (by_rows) {
    pack_real_rows(x + first * ld + column, ld, depth, count, to);
  } else {
    pack_real_columns(x + column * ld + first, ld, depth, count, to);
  }
}

}  // namespace

void real_gemm_pack(const RealGemm* gemm, const RealColumns* columns, int64_t panel_begin, int64_t panel_end) noexcept {
  const RealGemm& g = *gemm;
  for (int64_t panel = panel_begin; panel < panel_end; ++panel) {
    const int64_t column = columns->begin + panel * kRealPanel;
    float* const to = columns->packed + panel * g.inner * kRealPanel;
    for (int64_t p = 0; p < g.inner; p += kRealBlock) {
      pack_panel(!g.transpose_b, g.b, g.ldb, column, least(columns->end - column, kRealPanel), p, least(g.inner - p, kRealBlock),
                 to + p * kRealPanel);
    }
  }
}

void real_gemm(const RealGemm* gemm, const RealColumns* columns, int64_t m_begin, int64_t m_end, int64_t panel_begin, int64_t panel_end,
               float* scratch) noexcept {
  const RealGemm& g = *gemm;
  float* const rows = scratch;
  float* const sums = scratch + kRealRows * kRealBlock;
  const int64_t height = m_end - m_begin, first = columns->begin + panel_begin * kRealPanel;
  const int64_t width = least(columns->end, columns->begin + panel_end * kRealPanel) - first;
  for (int64_t p = 0; p < g.inner; p += kRealBlock) {
    const int64_t depth = least(g.inner - p, kRealBlock);
    for (int64_t i = 0; i < height; i += kRealPanel) {
      pack_panel(g.transpose_a, g.a, g.lda, m_begin + i, least(height - i, kRealPanel), p, depth, rows + i * kRealBlock);
    }
    for (int64_t j = 0; j < width; j += kRealPanel) {
      const float* const b = columns->packed + ((panel_begin + j / kRealPanel) * g.inner + p) * kRealPanel;
      for (int64_t i = 0; i < height; i += kRealPanel) {
        real_panels(least(height - i, kRealPanel), least(width - j, kRealPanel), depth, rows + i * kRealBlock, b, p == 0,
                    sums + i * kRealColumns + j, kRealColumns);
      }
    }
  }
  if (g.inner == 0) {
    for (int64_t i = 0; i < height * kRealColumns; ++i) sums[i] = 0.0f;
  }
  for (int64_t i = 0; i < height; ++i) {
    real_combine(width, g.alpha, sums + i * kRealColumns, g.beta, g.c + (m_begin + i) * g.ldc + first);
  }
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast
