// Four sign bits select one of the sixteen signed sums of four terms: a table of 64 bytes for every row and quad, looked up by a permutation for
// sixteen columns at a time. One lookup and one addition stand for four multiplications and additions.
//
// Block by block of 512 terms: the sign bits of all columns of a panel become words of 32 terms for each column (an index is the low four bits, a
// shift brings up the next quad); then, for every tile of rows, its tables are made and run over the columns of the panel.
#include "kernels/sign_gemm/sign_gemm.h"
#include "runtime/kernel_table.h"
#include "runtime/math/lanes.h"

namespace metaplast {
namespace METAPLAST_TIER {
namespace {

constexpr int kTable = 16;                               // entries of a table
constexpr int kQuad = 4;                                 // terms of a lookup
constexpr int kWordTerms = 32;                           // terms of a panel word
constexpr int kWordQuads = kWordTerms / kQuad;
constexpr int64_t kBlock = 512;                          // terms of a block
constexpr int64_t kBlockWords = kBlock / kWordTerms;
constexpr int64_t kBlockQuads = kBlock / kQuad;
constexpr int64_t kBitGroup = 512;                       // columns whose bits are turned at a time: one padded stretch of a bit matrix
constexpr int64_t kPanelWords = 16384;                   // 64 KiB: all words of 1024 columns, or fewer words of more columns

// Tile of accumulators: rows x vectors of columns.
#if defined(__AVX512F__)
constexpr int kRowTile = 6;
constexpr int kVectors = 4;
#elif defined(__AVX2__)
constexpr int kRowTile = 4;
constexpr int kVectors = 2;
#else
constexpr int kRowTile = 4;
constexpr int kVectors = 1;
#endif

// ---- lookup ----------------------------------------------------------------------------------------------------------------------

#if defined(__AVX512F__)
using Table = __m512;
METAPLAST_HD Table load_table(const float* t) { return _mm512_load_ps(t); }
METAPLAST_HD F lookup(Table t, I index) { return _mm512_permutexvar_ps(index, t); }  // looks at four bits of the index
#elif defined(__AVX2__)
// Two halves of eight. A mirrored table of eight would do with one permutation and a sign, but for sums that are +0 with either sign.
struct Table {
  __m256 low, high;
};
METAPLAST_HD Table load_table(const float* t) { return {_mm256_load_ps(t), _mm256_load_ps(t + 8)}; }
METAPLAST_HD F lookup(const Table& t, I index) {
  const __m256 bit3 = _mm256_castsi256_ps(_mm256_slli_epi32(index, 28));
  return _mm256_blendv_ps(_mm256_permutevar8x32_ps(t.low, index), _mm256_permutevar8x32_ps(t.high, index), bit3);
}
#else
using Table = const float*;
METAPLAST_HD Table load_table(const float* t) { return t; }
METAPLAST_HD F lookup(Table t, I index) { return t[index & 15]; }
#endif

// acc += the sums of `quads` quads, for kRows rows and kVecs vectors of columns. tables: [quad][kRows][16]; panel: [word][pitch].
template <int kRows, int kVecs>
METAPLAST_HD void add_quads(int64_t quads, const float* tables, const uint32_t* panel, int64_t pitch, F (&acc)[kRows][kVecs]) {
  for (int64_t first = 0; first < quads; first += kWordQuads) {
    I index[kVecs];
#pragma GCC unroll 8
    for (int j = 0; j < kVecs; ++j) index[j] = iload(panel + j * W);
    const int64_t here = quads - first < kWordQuads ? quads - first : kWordQuads;
    for (int64_t q = 0; q < here; ++q) {
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) {
        const Table t = load_table(tables + r * kTable);
#pragma GCC unroll 8
        for (int j = 0; j < kVecs; ++j) acc[r][j] = add(acc[r][j], lookup(t, index[j]));
      }
#pragma GCC unroll 8
      for (int j = 0; j < kVecs; ++j) index[j] = shr<kQuad>(index[j]);
      tables += kRows * kTable;
    }
    panel += pitch;
  }
}

enum class Start { kFresh, kContinue };      // from nothing, or from what y holds
enum class Finish { kStore, kAddToStored };

template <int kRows, int kVecs>
void tile(int64_t quads, const float* tables, const uint32_t* panel, int64_t pitch, Start start, Finish finish, int64_t columns, float* y,
          int64_t ldy) {
  F acc[kRows][kVecs];
  if (start == Start::kContinue) {
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
      for (int j = 0; j < kVecs; ++j) acc[r][j] = load_lanes(y + r * ldy + j * W, columns - j * W);
    }
  } else {
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
      for (int j = 0; j < kVecs; ++j) acc[r][j] = set(-0.0f);  // adding to -0 gives the first quad to the bit
    }
  }
  add_quads<kRows, kVecs>(quads, tables, panel, pitch, acc);
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (int j = 0; j < kVecs; ++j) {
      float* p = y + r * ldy + j * W;
      const int64_t lanes = columns - j * W;
      if (finish == Finish::kAddToStored) acc[r][j] = add(load_lanes(p, lanes), acc[r][j]);
      store_lanes(p, acc[r][j], lanes);
    }
  }
}

// ---- panel of sign words ---------------------------------------------------------------------------------------------------------

// to[c][r] = from[r][c] for 16 x 16 words.
METAPLAST_HD void transpose16(const uint32_t* from, int64_t from_pitch, uint32_t* to, int64_t to_pitch) {
#if defined(__AVX512F__)
  __m512i a[16], b[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) a[i] = _mm512_loadu_si512(from + i * from_pitch);
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    b[i] = _mm512_unpacklo_epi32(a[i], a[i + 1]);
    b[i + 1] = _mm512_unpackhi_epi32(a[i], a[i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {  // a[i + c]: columns c, 4+c, 8+c, 12+c of rows i..i+3
    a[i] = _mm512_unpacklo_epi64(b[i], b[i + 2]);
    a[i + 1] = _mm512_unpackhi_epi64(b[i], b[i + 2]);
    a[i + 2] = _mm512_unpacklo_epi64(b[i + 1], b[i + 3]);
    a[i + 3] = _mm512_unpackhi_epi64(b[i + 1], b[i + 3]);
  }
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c) {
    const __m512i low0 = _mm512_shuffle_i32x4(a[c], a[4 + c], 0x44), high0 = _mm512_shuffle_i32x4(a[c], a[4 + c], 0xEE);
    const __m512i low1 = _mm512_shuffle_i32x4(a[8 + c], a[12 + c], 0x44), high1 = _mm512_shuffle_i32x4(a[8 + c], a[12 + c], 0xEE);
    _mm512_storeu_si512(to + c * to_pitch, _mm512_shuffle_i32x4(low0, low1, 0x88));
    _mm512_storeu_si512(to + (4 + c) * to_pitch, _mm512_shuffle_i32x4(low0, low1, 0xDD));
    _mm512_storeu_si512(to + (8 + c) * to_pitch, _mm512_shuffle_i32x4(high0, high1, 0x88));
    _mm512_storeu_si512(to + (12 + c) * to_pitch, _mm512_shuffle_i32x4(high0, high1, 0xDD));
  }
#else
  for (int c = 0; c < 16; ++c) {
    for (int r = 0; r < 16; ++r) to[c * to_pitch + r] = from[r * from_pitch + c];
  }
#endif
}

// Words of 16 columns whose bits lie in `columns` <= 16 rows of a bit matrix; panel[word][column].
void panel_from_rows(const uint64_t* bits, int64_t words_of_row, int64_t columns, int64_t words, uint32_t* panel, int64_t pitch) {
  alignas(64) uint32_t rows[16][kBlockWords] = {};
  alignas(64) uint32_t turned[kBlockWords][16];
  for (int64_t c = 0; c < columns; ++c) memcpy(rows[c], bits + c * words_of_row, sizeof rows[c]);
  transpose16(rows[0], kBlockWords, turned[0], 16);
  for (int64_t word = 0; word < words; ++word) memcpy(panel + word * pitch, turned[word], sizeof turned[word]);
}

// The 512 words, of 32 terms each, of 512 columns whose bits lie in `terms` <= 32 rows of a bit matrix.
void panel_from_columns(const uint64_t* bits, int64_t words_of_row, int64_t terms, uint32_t* panel) {
  constexpr int kLanes = kBitGroup / kWordTerms;
  alignas(64) uint32_t t[kWordTerms][kLanes] = {};
  for (int64_t k = 0; k < terms; ++k) memcpy(t[k], bits + k * words_of_row, sizeof t[k]);
  // Sixteen transpositions of 32 x 32 bits side by side: bit k of t[c][lane] becomes the bit of term k and column 32*lane + c.
  uint32_t mask = 0x0000ffffu;
  for (int s = 16; s > 0; s >>= 1, mask ^= mask << s) {
    for (int i = 0; i < kWordTerms; i = (i + s + 1) & ~s) {
      for (int lane = 0; lane < kLanes; ++lane) {
        const uint32_t swapped = ((t[i][lane] >> s) ^ t[i + s][lane]) & mask;
        t[i + s][lane] ^= swapped;
        t[i][lane] ^= swapped << s;
      }
    }
  }
  transpose16(t[0], kLanes, panel, kWordTerms);
  transpose16(t[16], kLanes, panel + 16, kWordTerms);
}

// ---- tables ----------------------------------------------------------------------------------------------------------------------

// Sign bits of term t in the entries of a table: negative where bit t of the entry's number is clear.
alignas(64) constexpr float kSigns[kQuad][kTable] = {
    {-0.0f, 0.0f, -0.0f, 0.0f, -0.0f, 0.0f, -0.0f, 0.0f, -0.0f, 0.0f, -0.0f, 0.0f, -0.0f, 0.0f, -0.0f, 0.0f},
    {-0.0f, -0.0f, 0.0f, 0.0f, -0.0f, -0.0f, 0.0f, 0.0f, -0.0f, -0.0f, 0.0f, 0.0f, -0.0f, -0.0f, 0.0f, 0.0f},
    {-0.0f, -0.0f, -0.0f, -0.0f, 0.0f, 0.0f, 0.0f, 0.0f, -0.0f, -0.0f, -0.0f, -0.0f, 0.0f, 0.0f, 0.0f, 0.0f},
    {-0.0f, -0.0f, -0.0f, -0.0f, -0.0f, -0.0f, -0.0f, -0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f}};

METAPLAST_HD F signed_term(float x, int t, int entry) { return as_float(ixor(as_int(set(x)), as_int(load(&kSigns[t][entry])))); }

template <bool kForward>
METAPLAST_HD void make_table(const float (&x)[kQuad], float* table) {
#pragma GCC unroll 16
  for (int e = 0; e < kTable; e += W) {
    const F t01 = add(signed_term(x[0], 0, e), signed_term(x[1], 1, e));
    const F t2 = signed_term(x[2], 2, e), t3 = signed_term(x[3], 3, e);
    store(table + e, kForward ? add(t01, add(t2, t3)) : add(add(t01, t2), t3));
  }
}

// Tables of `terms` terms of one row; pitch: floats from one quad to the next.
template <bool kForward>
void make_tables(int64_t terms, const float* a, int64_t stride, float* tables, int64_t pitch) {
  int64_t k = 0;
  for (; k + kQuad <= terms; k += kQuad, tables += pitch) {
    make_table<kForward>({a[k * stride], a[(k + 1) * stride], a[(k + 2) * stride], a[(k + 3) * stride]}, tables);
  }
  if (k < terms) {
    // Absent terms have clear bits, which negate them: to +0 as the forward product wants it, to -0, which adds nothing, for the others.
    float x[kQuad];
    for (int t = 0; t < kQuad; ++t) x[t] = k + t < terms ? a[(k + t) * stride] : kForward ? -0.0f : 0.0f;
    make_table<kForward>(x, tables);
  }
}

// ---- loops -----------------------------------------------------------------------------------------------------------------------

struct Block {
  int64_t terms;
  const uint32_t* panel;
  int64_t pitch, columns;
  Start start;
  Finish finish;
};

template <int kRows>
void row_tile(const SignGemm& g, const Block& b, const float* a, float* tables, float* y) {
  for (int r = 0; r < kRows; ++r) {
    if (g.forward) {
      make_tables<true>(b.terms, a + r * g.row_stride, g.term_stride, tables + r * kTable, kRows * kTable);
    } else {
      make_tables<false>(b.terms, a + r * g.row_stride, g.term_stride, tables + r * kTable, kRows * kTable);
    }
  }
  const int64_t quads = (b.terms + kQuad - 1) / kQuad;
  int64_t n = 0;
  for (; n + (kVectors - 1) * W < b.columns; n += kVectors * W) {
    tile<kRows, kVectors>(quads, tables, b.panel + n, b.pitch, b.start, b.finish, b.columns - n, y + n, g.ldy);
  }
  for (; n < b.columns; n += W) tile<kRows, 1>(quads, tables, b.panel + n, b.pitch, b.start, b.finish, b.columns - n, y + n, g.ldy);
}

template <int kRows>
void last_rows(int64_t rows, const SignGemm& g, const Block& b, const float* a, float* tables, float* y) {
  if (rows == kRows) {
    row_tile<kRows>(g, b, a, tables, y);
  } else if constexpr (kRows > 1) {
    last_rows<kRows - 1>(rows, g, b, a, tables, y);
  }
}

void make_panel(const SignGemm& g, int64_t k, int64_t terms, int64_t n, int64_t columns, uint32_t* panel, int64_t pitch) {
  const int64_t words = (terms + kWordTerms - 1) / kWordTerms;
  if (g.forward) {
    for (int64_t c = 0; c < columns; c += 16) {
      panel_from_rows(g.bits + (n + c) * g.words_of_row + k / 64, g.words_of_row, columns - c < 16 ? columns - c : 16, words, panel + c, pitch);
    }
    return;
  }
  for (int64_t word = 0; word < words; ++word) {
    const int64_t first = word * kWordTerms;
    const int64_t here = terms - first < kWordTerms ? terms - first : kWordTerms;
    for (int64_t c = 0; c < columns; c += kBitGroup) {
      panel_from_columns(g.bits + (k + first) * g.words_of_row + (n + c) / 64, g.words_of_row, here, panel + word * pitch + c);
    }
  }
}

}  // namespace

// Rows m_begin..m_end-1, columns n_begin..n_end-1 of y; n_begin is a multiple of 512.
void sign_gemm(const SignGemm* gemm, int64_t m_begin, int64_t m_end, int64_t n_begin, int64_t n_end) noexcept {
  const SignGemm& g = *gemm;
  alignas(64) uint32_t panel[kPanelWords];
  alignas(64) float tables[kBlockQuads * kRowTile * kTable];
  const int64_t words = ((g.terms < kBlock ? g.terms : kBlock) + kWordTerms - 1) / kWordTerms;
  const int64_t pitch = kPanelWords / words / kBitGroup * kBitGroup;
  for (int64_t n = n_begin; n < n_end; n += pitch) {
    const int64_t columns = n_end - n < pitch ? n_end - n : pitch;
    for (int64_t k = 0; k < g.terms; k += kBlock) {
      const int64_t terms = g.terms - k < kBlock ? g.terms - k : kBlock;
      const bool first = k == 0;
      const Block b = {terms,
                       panel,
                       pitch,
                       columns,
                       first || g.forward ? Start::kFresh : Start::kContinue,
                       !first && g.forward ? Finish::kAddToStored : Finish::kStore};
      make_panel(g, k, terms, n, columns, panel, pitch);
      int64_t m = m_begin;
      const auto a = [&] { return g.a + m * g.row_stride + k * g.term_stride; };
      for (; m + kRowTile <= m_end; m += kRowTile) row_tile<kRowTile>(g, b, a(), tables, g.y + m * g.ldy + n);
      if (m < m_end) last_rows<kRowTile - 1>(m_end - m, g, b, a(), tables, g.y + m * g.ldy + n);
    }
  }
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast
