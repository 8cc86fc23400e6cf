// The loops around the micro-kernels, and the epilogues.
//
// A panel holds up to kCols rows of b (columns of the result), re-laid for the micro-kernel, for a block of K; it is packed on the stack and serves
// all rows of a. Counts of differing bits go to a tile of 32-bit numbers, from which the epilogue makes the output while the tile is in the L1
// cache. Where one side has only a few rows, packing does not pay: then single dot products run along the rows as they lie in memory.
#include "kernels/xnor_gemm/xnor_gemm.h"
#include "kernels/xnor_gemm/xnor_row_packer.h"
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

METAPLAST_HD uint32_t difference(uint32_t k, uint32_t count) { return k - 2 * count; }
METAPLAST_HD I difference(I k, const uint32_t* counts) { return isub(k, shl<1>(iload(counts))); }

// Full tiles are left to the compiler's vectoriser: their 40 columns end with half a vector, and a masked store of it, which crosses a cache line
// more often than not, costs a third of a product with short K. The tail of a matrix is masked; vectors of counts may be read past the end of a
// row, into the next one or the spare vector behind the tile.
METAPLAST_HD void store_int32(const XnorGemm& g, const uint32_t* counts, int64_t i, int64_t rows, int64_t j, int64_t cols) {
  const uint32_t k = static_cast<uint32_t>(g.k);
  for (int64_t r = 0; r < rows; ++r) {
    const uint32_t* __restrict__ p = counts + r * kCols;
    uint32_t* __restrict__ y = static_cast<uint32_t*>(g.y) + (i + r) * g.ldy + j;
    if (cols == kCols) {
      for (int64_t c = 0; c < kCols; ++c) y[c] = difference(k, p[c]);
    } else {
      for_vectors(cols, [=](int64_t c, int64_t lanes) { store_lanes(y + c, difference(iset(k), p + c), lanes); });
    }
  }
}

template <bool kScale, bool kBias>
METAPLAST_HD void store_float(const XnorGemm& g, const uint32_t* counts, int64_t i, int64_t rows, int64_t j, int64_t cols) {
  const uint32_t k = static_cast<uint32_t>(g.k);
  const float* __restrict__ scale = kScale ? g.scale + j : nullptr;
  const float* __restrict__ bias = kBias ? g.bias + j : nullptr;
  for (int64_t r = 0; r < rows; ++r) {
    const uint32_t* __restrict__ p = counts + r * kCols;
    float* __restrict__ y = static_cast<float*>(g.y) + (i + r) * g.ldy + j;
    if (cols == kCols) {
      for (int64_t c = 0; c < kCols; ++c) {
        float value = static_cast<float>(static_cast<int32_t>(difference(k, p[c])));
        if (kScale) value = scale[c] * value;
        if (kBias) value = value + bias[c];
        y[c] = value;
      }
    } else {
      for_vectors(cols, [=](int64_t c, int64_t lanes) {
        F value = to_float(difference(iset(k), p + c));
        if (kScale) value = mul(load_lanes(scale + c, lanes), value);
        if (kBias) value = add(value, load_lanes(bias + c, lanes));
        store_lanes(y + c, value, lanes);
      });
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

// j is a multiple of 8. Bytes after the last column are written as 0 with it. Columns outside, rows inside: limits stay in registers.
METAPLAST_HD void store_bits(const XnorGemm& g, const uint32_t* counts, int64_t i, int64_t rows, int64_t j, int64_t cols) {
  const int32_t* limit = g.limit + j;
  const int32_t* invert = g.invert + j;
  const int64_t row_bytes = g.ldy * 8;
  unsigned char* first = static_cast<unsigned char*>(g.y) + i * row_bytes;
  unsigned char* y = first + j / 8;
  int64_t c = 0;
#if defined(__AVX512F__)
  for (; c + 16 <= cols; c += 16) {
    const __m512i limits = _mm512_loadu_si512(limit + c);
    const __m512i inverted = _mm512_loadu_si512(invert + c);
    const uint32_t flips = _mm512_test_epi32_mask(inverted, inverted);
    for (int64_t r = 0; r < rows; ++r) {
      const uint16_t bits = static_cast<uint16_t>(_mm512_cmple_epi32_mask(_mm512_loadu_si512(counts + r * kCols + c), limits) ^ flips);
      memcpy(y + r * row_bytes + c / 8, &bits, 2);
    }
  }
  if (c < cols) {
    const __mmask16 valid = static_cast<__mmask16>((1u << (cols - c)) - 1);
    const __m512i limits = _mm512_maskz_loadu_epi32(valid, limit + c);
    const __m512i inverted = _mm512_maskz_loadu_epi32(valid, invert + c);
    const uint32_t flips = _mm512_test_epi32_mask(inverted, inverted);
    const size_t bytes = static_cast<size_t>(cols - c + 7) / 8;
    for (int64_t r = 0; r < rows; ++r) {
      const __m512i p = _mm512_maskz_loadu_epi32(valid, counts + r * kCols + c);
      const uint16_t bits = static_cast<uint16_t>(valid & (_mm512_cmple_epi32_mask(p, limits) ^ flips));
      y[r * row_bytes + c / 8] = static_cast<unsigned char>(bits);
      if (bytes == 2) y[r * row_bytes + c / 8 + 1] = static_cast<unsigned char>(bits >> 8);
    }
    c = cols;
  }
#elif defined(__AVX2__)
  for (; c + 8 <= cols; c += 8) {
    const __m256i limits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(limit + c));
    const __m256i upright = _mm256_cmpeq_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(invert + c)), _mm256_setzero_si256());
    for (int64_t r = 0; r < rows; ++r) {
      const __m256i p = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(counts + r * kCols + c));
      const __m256i bits = _mm256_xor_si256(_mm256_cmpgt_epi32(p, limits), upright);
      y[r * row_bytes + c / 8] = static_cast<unsigned char>(_mm256_movemask_ps(_mm256_castsi256_ps(bits)));
    }
  }
#endif
  for (; c < cols; c += 8) {
    for (int64_t r = 0; r < rows; ++r) {
      y[r * row_bytes + c / 8] = threshold_byte(counts + r * kCols + c, limit + c, invert + c, cols - c < 8 ? cols - c : 8);
    }
  }
  if (j + cols == g.n) {
    const int64_t used = (g.n + 7) / 8;
    for (int64_t r = 0; r < rows; ++r) memset(first + r * row_bytes + used, 0, static_cast<size_t>(row_bytes - used));
  }
}

void store(const XnorGemm& g, const uint32_t* counts, int64_t i, int64_t rows, int64_t j, int64_t cols) noexcept {
  switch (g.output) {
    case XnorOutput::kInt32:
      store_int32(g, counts, i, rows, j, cols);
      break;
    case XnorOutput::kFloat:
      if (g.scale != nullptr && g.bias != nullptr) {
        store_float<true, true>(g, counts, i, rows, j, cols);
      } else if (g.scale != nullptr) {
        store_float<true, false>(g, counts, i, rows, j, cols);
      } else if (g.bias != nullptr) {
        store_float<false, true>(g, counts, i, rows, j, cols);
      } else {
        store_float<false, false>(g, counts, i, rows, j, cols);
      }
      break;
    case XnorOutput::kBits:
      store_bits(g, counts, i, rows, j, cols);
      break;
  }
}

// ---- loops ---------------------------------------------------------------------------------------------------------------------------

constexpr int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

// Single dot products along K.
void few_rows(const XnorGemm& g, int64_t i0, int64_t i1, int64_t j0, int64_t j1) noexcept {
  constexpr int64_t kRowsAtOnce = 64;
  alignas(64) uint32_t tile[kRowsAtOnce * kCols + 16];
  const int64_t stride = metaplast_bit_row_words(g.k);
  for (int64_t j = j0; j < j1; j += kCols) {
    const int64_t cols = smaller(kCols, j1 - j);
    for (int64_t i = i0; i < i1; i += kRowsAtOnce) {
      const int64_t rows = smaller(kRowsAtOnce, i1 - i);
#if defined(METAPLAST_XNOR_DIRECT)
      if (g.output == XnorOutput::kInt32 && !(cols <= 2 && cols < rows)) {
        uint32_t* y = static_cast<uint32_t*>(g.y) + i * g.ldy + j;
        for (int64_t r = 0; r < rows; ++r) differences(g.a + (i + r) * stride, g.b + j * stride, stride, cols, static_cast<uint32_t>(g.k), y + r * g.ldy);
        continue;
      }
#endif
      if (cols <= 2 && cols < rows) {
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
  alignas(64) uint32_t tile[kTileRows * kCols + 16];
  const int64_t stride = metaplast_bit_row_words(g.k);
  const int64_t words = (g.k + 63) / 64;
  for (int64_t j = j0; j < j1; j += kCols) {
    const int64_t cols = smaller(kCols, j1 - j);
    const int64_t group = panel.begin(cols);
    if (words <= kPanelWords) {
      panel.pack(g.b + j * stride, stride, 0, words);
#if defined(METAPLAST_XNOR_DIRECT)
      if (g.output == XnorOutput::kInt32 && panel.direct()) {
        panel.count_direct(g.a + i0 * stride, stride, i1 - i0,
                           {static_cast<uint32_t>(g.k), static_cast<uint32_t*>(g.y) + i0 * g.ldy + j, g.ldy, cols});
        continue;
      }
#endif
      for (int64_t i = i0; i < i1; i += group) {
        const int64_t rows = smaller(group, i1 - i);
        panel.count(g.a + i * stride, stride, rows, tile, false);
        store(g, tile, i, rows, j, cols);
      }
      continue;
    }
    for (int64_t i = i0; i < i1; i += kTileRows) {
      const int64_t rows = smaller(kTileRows, i1 - i);
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

#if defined(METAPLAST_XNOR_PACKS)
// The rows of the next panel, fetched while the tiles of this one run: panels are packed once for each block of rows.
class PanelAhead {
 public:
  PanelAhead(const uint64_t* rows, int64_t count, int64_t stride, int64_t tiles) noexcept
      : next_(reinterpret_cast<const char*>(rows)), lines_(count * stride / 8), share_((lines_ + tiles - 1) / tiles) {}

  void step() noexcept {
    const int64_t n = smaller(share_, lines_);
    for (int64_t i = 0; i < n; ++i) __builtin_prefetch(next_ + i * 64);
    next_ += n * 64;
    lines_ -= n;
  }

 private:
  const char* next_;
  int64_t lines_, share_;
};

// The product where rows of a are still to be packed: in blocks that grow, so that only the first is waited for. While one runs, its full tiles
// pack the next.
void panels_and_rows(const XnorGemm& g, int64_t i0, int64_t i1, int64_t j0, int64_t j1) noexcept {
  constexpr int64_t kFirstBlock = 40;
  Panel panel;
  RowPacker packer(g);
  alignas(64) uint32_t tile[kTileRows * kCols + 16];
  const int64_t stride = metaplast_bit_row_words(g.k);
  const int64_t words = (g.k + 63) / 64;
  int64_t length = smaller(kFirstBlock, i1 - i0);
  packer.pack(i0, i0 + length);
  int64_t next = 0;
  for (int64_t begin = i0; begin < i1; begin += length, length = next) {
    const int64_t end = begin + length;
    // As many rows as the full tiles of this block have shares for; where there are few columns, more, lest there be too many blocks.
    const int64_t shares = (j1 - j0) / kCols * (length / 5) / RowPacker::kShares / 5 * 5;
    next = smaller(shares > 2 * length ? shares : 2 * length, i1 - end);
    packer.start(end, end + next);
    for (int64_t j = j0; j < j1; j += kCols) {
      const int64_t cols = smaller(kCols, j1 - j);
      const int64_t group = panel.begin(cols);
      panel.pack(g.b + j * stride, stride, 0, words);
      PanelAhead ahead(g.b + (j + cols) * stride, smaller(kCols, j1 - j - cols), stride, (length + group - 1) / group);
      for (int64_t i = begin; i < end; i += group) {
        const int64_t rows = smaller(group, end - i);
        ahead.step();
        if (!packer.done() && panel.full(rows)) {
          panel.count_and_pack(g.a + i * stride, stride, tile, packer.next());
        } else {
          panel.count(g.a + i * stride, stride, rows, tile, false);
        }
        store(g, tile, i, rows, j, cols);
      }
    }
    packer.finish();
  }
}
#endif

}  // namespace
}  // namespace METAPLAST_TIER

namespace METAPLAST_VARIANT {

// Result rows i0..i1-1, columns j0..j1-1; j0 a multiple of 64 for kBits. With x: all columns, because the call packs its rows of a.
void xnor_gemm(const XnorGemm* g, int64_t i0, int64_t i1, int64_t j0, int64_t j1) noexcept {
#if defined(METAPLAST_XNOR_PANELS)
  const int64_t words = (g->k + 63) / 64;
  const int64_t few = METAPLAST_TIER::few_rows_of(words);
#endif
#if defined(METAPLAST_XNOR_PACKS)
  if (g->x != nullptr && i1 - i0 > few && j1 - j0 > few && g->k >= 16 && words <= METAPLAST_TIER::kPanelWords) {
    METAPLAST_TIER::panels_and_rows(*g, i0, i1, j0, j1);
    return;
  }
#endif
  if (g->x != nullptr) METAPLAST_TIER::RowPacker(*g).pack(i0, i1);
#if defined(METAPLAST_XNOR_PANELS)
  if (i1 - i0 > few && j1 - j0 > few) {
    METAPLAST_TIER::panels(*g, i0, i1, j0, j1);
    return;
  }
#endif
  METAPLAST_TIER::few_rows(*g, i0, i1, j0, j1);
}

}  // namespace METAPLAST_VARIANT
}  // namespace metaplast
