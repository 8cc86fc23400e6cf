// The loops around the micro-kernels, and the epilogues.
//
// A panel holds up to kCols rows of b (columns of the result), re-laid for the micro-kernel, for a block of K; it is packed on the stack and serves
// all rows of a. Counts of differing bits go to a tile of 32-bit numbers, from which the epilogue makes the output while the tile is in the L1
// cache. Where one side has only a few rows, packing does not pay: then single dot products run along the rows as they lie in memory.
#include "kernels/xnor_gemm/xnor_gemm.h"
#include "runtime/kernel_table.h"
#include "runtime/math/bit_words.h"

#if defined(__AVX512VPOPCNTDQ__)
#include "kernels/xnor_gemm/xnor_micro_vpopcntdq.h"
#elif defined(__AVX2__)
#include "kernels/xnor_gemm/xnor_micro_table.h"
#else
#include "kernels/xnor_gemm/xnor_micro_scalar.h"
#endif

namespace metaplast {
namespace METAPLAST_TIER {
namespace {

// ---- epilogues: counts [rows][kCols] of result rows i.., columns j.. -----------------------------------------------------------------

METAPLAST_HD int32_t difference(uint32_t k, uint32_t count) { return static_cast<int32_t>(k - 2 * count); }

METAPLAST_HD void store_int32(const XnorGemm& g, const uint32_t* counts, int64_t i, int64_t rows, int64_t j, int64_t cols) {
  const uint32_t k = static_cast<uint32_t>(g.k);
  for (int64_t r = 0; r < rows; ++r) {
    const uint32_t* __restrict__ p = counts + r * kCols;
    int32_t* __restrict__ y = static_cast<int32_t*>(g.y) + (i + r) * g.ldy + j;
    for (int64_t c = 0; c < cols; ++c) y[c] = difference(k, p[c]);
  }
}

METAPLAST_HD void store_float(const XnorGemm& g, const uint32_t* counts, int64_t i, int64_t rows, int64_t j, int64_t cols) {
  const uint32_t k = static_cast<uint32_t>(g.k);
  for (int64_t r = 0; r < rows; ++r) {
    const uint32_t* __restrict__ p = counts + r * kCols;
    float* __restrict__ y = static_cast<float*>(g.y) + (i + r) * g.ldy + j;
    for (int64_t c = 0; c < cols; ++c) y[c] = static_cast<float>(difference(k, p[c]));
    if (g.scale != nullptr) {
      for (int64_t c = 0; c < cols; ++c) y[c] = g.scale[j + c] * y[c];
    }
    if (g.bias != nullptr) {
      for (int64_t c = 0; c < cols; ++c) y[c] = y[c] + g.bias[j + c];
    }
  }
}

// Bit c: (p[c] <= limit[c]) xor invert[c], for n <= 8 columns.
METAPLAST_HD uint8_t threshold_byte(const uint32_t* p, const int32_t* limit, const int32_t* invert, int64_t n) {
  uint32_t bits = 0;
  for (int64_t c = 0; c < n; ++c) {
    bits |= static_cast<uint32_t>((static_cast<int32_t>(p[c]) <= limit[c]) != (invert[c] != 0)) << c;
  }
  return static_cast<uint8_t>(bits);
}

// j is a multiple of 8. Bytes after the last column are written as 0 with it.
METAPLAST_HD void store_bits(const XnorGemm& g, const uint32_t* counts, int64_t i, int64_t rows, int64_t j, int64_t cols) {
  const int32_t* limit = g.limit + j;
  const int32_t* invert = g.invert + j;
  for (int64_t r = 0; r < rows; ++r) {
    const uint32_t* p = counts + r * kCols;
    unsigned char* row = static_cast<unsigned char*>(g.y) + (i + r) * g.ldy * 8;
    unsigned char* y = row + j / 8;
    int64_t c = 0;
#if defined(__AVX512F__)
    for (; c + 16 <= cols; c += 16) {
      const __mmask16 below = _mm512_cmple_epi32_mask(_mm512_loadu_si512(p + c), _mm512_loadu_si512(limit + c));
      const __m512i inverted = _mm512_loadu_si512(invert + c);
      const uint16_t bits = static_cast<uint16_t>(below ^ _mm512_test_epi32_mask(inverted, inverted));
      memcpy(y + c / 8, &bits, 2);
    }
    if (c + 8 <= cols) {
      const __mmask8 below = _mm256_cmple_epi32_mask(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + c)),
                                                     _mm256_loadu_si256(reinterpret_cast<const __m256i*>(limit + c)));
      const __m256i inverted = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(invert + c));
      y[c / 8] = static_cast<unsigned char>(below ^ _mm256_test_epi32_mask(inverted, inverted));
      c += 8;
    }
#elif defined(__AVX2__)
    for (; c + 8 <= cols; c += 8) {
      const __m256i above = _mm256_cmpgt_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + c)),
                                               _mm256_loadu_si256(reinterpret_cast<const __m256i*>(limit + c)));
      const __m256i upright =
          _mm256_cmpeq_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(invert + c)), _mm256_setzero_si256());
      y[c / 8] = static_cast<unsigned char>(_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_xor_si256(above, upright))));
    }
#endif
    for (; c < cols; c += 8) y[c / 8] = threshold_byte(p + c, limit + c, invert + c, cols - c < 8 ? cols - c : 8);
    if (j + cols == g.n) memset(row + (g.n + 7) / 8, 0, static_cast<size_t>(g.ldy * 8 - (g.n + 7) / 8));
  }
}

METAPLAST_HD void store_symmetric(const XnorGemm& g, const uint32_t* counts, int64_t i, int64_t rows, int64_t j, int64_t cols) {
  const uint32_t k = static_cast<uint32_t>(g.k);
  int32_t* s = static_cast<int32_t*>(g.y);
  int32_t values[kCols];
  for (int64_t r = 0; r < rows; ++r) {
    const uint32_t* p = counts + r * kCols;
    int32_t* row = s + (i + r) * g.ldy + j;
    const int64_t first = i + r > j ? i + r - j : 0;
    if (g.accumulate) {
      for (int64_t c = first; c < cols; ++c) values[c] = row[c] + difference(k, p[c]);
    } else {
      for (int64_t c = first; c < cols; ++c) values[c] = difference(k, p[c]);
    }
    for (int64_t c = first; c < cols; ++c) row[c] = values[c];
    for (int64_t c = first; c < cols; ++c) s[(j + c) * g.ldy + i + r] = values[c];
  }
}

void store(const XnorGemm& g, const uint32_t* counts, int64_t i, int64_t rows, int64_t j, int64_t cols) noexcept {
  switch (g.output) {
    case XnorOutput::kInt32:
      store_int32(g, counts, i, rows, j, cols);
      break;
    case XnorOutput::kFloat:
      store_float(g, counts, i, rows, j, cols);
      break;
    case XnorOutput::kBits:
      store_bits(g, counts, i, rows, j, cols);
      break;
    case XnorOutput::kSymmetric:
      store_symmetric(g, counts, i, rows, j, cols);
      break;
  }
}

// ---- loops ---------------------------------------------------------------------------------------------------------------------------

constexpr int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

// Rows of a against panels of eight or so rows of b, or the other way round.
void few_rows(const XnorGemm& g, int64_t i0, int64_t i1, int64_t j0, int64_t j1) noexcept {
  constexpr int64_t kRowsAtOnce = 64;
  alignas(64) uint32_t tile[kRowsAtOnce * kCols];
  const int64_t stride = metaplast_bit_row_words(g.k);
  for (int64_t j = j0; j < j1; j += kCols) {
    const int64_t cols = smaller(kCols, j1 - j);
    const int64_t end = g.output == XnorOutput::kSymmetric ? smaller(i1, j + cols) : i1;
    for (int64_t i = i0; i < end; i += kRowsAtOnce) {
      const int64_t rows = smaller(kRowsAtOnce, end - i);
      if (cols < rows) {
        for (int64_t c = 0; c < cols; ++c) dots(g.b + (j + c) * stride, g.a + i * stride, stride, rows, tile + c, kCols);
      } else {
        for (int64_t r = 0; r < rows; ++r) dots(g.a + (i + r) * stride, g.b + j * stride, stride, cols, tile + r * kCols, 1);
      }
      store(g, tile, i, rows, j, cols);
    }
  }
}

#if defined(METAPLAST_XNOR_PANELS)
void panels(const XnorGemm& g, int64_t i0, int64_t i1, int64_t j0, int64_t j1) noexcept {
  Panel panel;
  alignas(64) uint32_t tile[kTileRows * kCols];
  const int64_t stride = metaplast_bit_row_words(g.k);
  const int64_t words = (g.k + 63) / 64;
  for (int64_t j = j0; j < j1; j += kCols) {
    const int64_t cols = smaller(kCols, j1 - j);
    const int64_t end = g.output == XnorOutput::kSymmetric ? smaller(i1, j + cols) : i1;
    const int64_t group = panel.begin(cols);
    if (words <= kPanelWords) {
      panel.pack(g.b + j * stride, stride, 0, words);
      for (int64_t i = i0; i < end; i += group) {
        const int64_t rows = smaller(group, end - i);
        panel.count(g.a + i * stride, stride, rows, tile, false);
        store(g, tile, i, rows, j, cols);
      }
      continue;
    }
    for (int64_t i = i0; i < end; i += kTileRows) {
      const int64_t rows = smaller(kTileRows, end - i);
      for (int64_t w = 0; w < words; w += kPanelWords) {
        panel.pack(g.b + j * stride, stride, w, smaller(kPanelWords, words - w));
        for (int64_t r = 0; r < rows; r += group) {
          panel.count(g.a + (i + r) * stride + w, stride, smaller(group, rows - r), tile + r * kCols, w > 0);
        }
      }
      store(g, tile, i, rows, j, cols);
    }
  }
}
#endif

}  // namespace
}  // namespace METAPLAST_TIER

namespace METAPLAST_VARIANT {

// Result rows i0..i1-1, columns j0..j1-1; j0 a multiple of 64 for kBits.
void xnor_gemm(const XnorGemm* g, int64_t i0, int64_t i1, int64_t j0, int64_t j1) noexcept {
#if defined(METAPLAST_XNOR_PANELS)
  if (i1 - i0 > METAPLAST_TIER::kFewRows && j1 - j0 > METAPLAST_TIER::kFewRows) {
    METAPLAST_TIER::panels(*g, i0, i1, j0, j1);
    return;
  }
#endif
  METAPLAST_TIER::few_rows(*g, i0, i1, j0, j1);
}

}  // namespace METAPLAST_VARIANT
}  // namespace metaplast
