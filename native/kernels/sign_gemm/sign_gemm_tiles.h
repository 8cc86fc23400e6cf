// Four sign bits select one of the sixteen signed sums of four terms: a table of 64 bytes for every row and quad, looked up by a permutation for
// sixteen columns at a time. One lookup and one addition stand for four multiplications and additions.
//
// Block by block of 512 terms: the sign bits of all columns of a panel become words of 32 terms for each column (an index is the low four bits, a
// shift brings up the next quad); then, for every tile of rows, its tables are made and run over the columns of the panel.
//
// Where a tile goes is the business of a sink: the result matrix, or an update that uses it up at once.
#ifndef METAPLAST_KERNELS_SIGN_GEMM_TILES_H_
#define METAPLAST_KERNELS_SIGN_GEMM_TILES_H_

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
constexpr int64_t kStaged = 6144;                        // 24 KiB of a whose terms do not lie side by side
constexpr int64_t kPanelTile = 64;                       // columns that lie side by side in a panel
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

// acc += the sums of `quads` quads, for kRows rows and kVecs vectors of columns. tables: [quad][kRows][16]; panel: [word][kPanelTile].
template <int kRows, int kVecs>
METAPLAST_HD void add_quads(int64_t quads, const float* tables, const uint32_t* panel, F (&acc)[kRows][kVecs]) {
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
    panel += kPanelTile;
  }
}

enum class Start { kFresh, kContinue };      // from nothing, or from what y holds
enum class Finish { kStore, kAddToStored };

template <int kRows, int kVecs>
__attribute__((noinline)) void tile(int64_t quads, const float* tables, const uint32_t* panel, Start start, Finish finish, int64_t columns,
                                    float* y, int64_t ldy) {
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
  add_quads<kRows, kVecs>(quads, tables, panel, acc);
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

// The panel: [tile of 64 columns][word][column]; a word has the bits of 32 terms of its column, lowest first.
struct Panel {
  uint32_t* words;
  int64_t words_of_column;

  uint32_t* at(int64_t word, int64_t column) const {
    return words + column / kPanelTile * kPanelTile * words_of_column + word * kPanelTile + column % kPanelTile;
  }
};

// to(c)[r] = from[r][c] for 16 x 16 words.
template <class To>
METAPLAST_HD void transpose16(const uint32_t* from, To to) {
#if defined(__AVX512F__)
  __m512i a[16], b[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) a[i] = _mm512_load_si512(from + i * 16);
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
    _mm512_store_si512(to(c), _mm512_shuffle_i32x4(low0, low1, 0x88));
    _mm512_store_si512(to(4 + c), _mm512_shuffle_i32x4(low0, low1, 0xDD));
    _mm512_store_si512(to(8 + c), _mm512_shuffle_i32x4(high0, high1, 0x88));
    _mm512_store_si512(to(12 + c), _mm512_shuffle_i32x4(high0, high1, 0xDD));
  }
#else
  for (int c = 0; c < 16; ++c) {
    for (int r = 0; r < 16; ++r) to(c)[r] = from[r * 16 + c];
  }
#endif
}

// The words of 16 columns from `column` on, whose bits lie in rows of a bit matrix; only `columns` of them exist, the others are 0.
void panel_from_rows(const uint64_t* bits, int64_t words_of_row, int64_t columns, const Panel& panel, int64_t column) {
  static_assert(kBlockWords == 16, "sixteen words of sixteen columns are turned at a time");
  alignas(64) uint32_t rows[16][16];
  alignas(64) uint32_t turned[16][16];
  for (int64_t c = 0; c < columns; ++c) memcpy(rows[c], bits + c * words_of_row, sizeof rows[c]);
  if (columns < 16) memset(rows[columns], 0, static_cast<size_t>(16 - columns) * sizeof rows[0]);
  transpose16(rows[0], [&](int word) { return turned[word]; });
  for (int64_t word = 0; word < panel.words_of_column; ++word) memcpy(panel.at(word, column), turned[word], sizeof turned[word]);
}

// One step of sixteen transpositions of 32 x 32 bits side by side.
template <int kShift>
METAPLAST_HD void swap_bits(uint32_t (&t)[kWordTerms][16]) {
  const I mask = iset(0xffffffffu / ((1u << kShift) + 1));
#pragma GCC unroll 16
  for (int i = 0; i < kWordTerms; i = (i + kShift + 1) & ~kShift) {
    for (int lane = 0; lane < 16; lane += W) {
      const I low = iload(&t[i][lane]), high = iload(&t[i + kShift][lane]);
      const I swapped = iand(ixor(shr<kShift>(low), high), mask);
      istore(&t[i + kShift][lane], ixor(high, swapped));
      istore(&t[i][lane], ixor(low, shl<kShift>(swapped)));
    }
  }
}

// Word `word` of the 512 columns from `column` on, whose bits lie in `terms` <= 32 rows of a bit matrix.
void panel_from_columns(const uint64_t* bits, int64_t words_of_row, int64_t terms, const Panel& panel, int64_t word, int64_t column) {
  static_assert(kBitGroup == 16 * kWordTerms, "sixteen lanes of 32 columns");
  alignas(64) uint32_t t[kWordTerms][16];
  for (int64_t k = 0; k < terms; ++k) memcpy(t[k], bits + k * words_of_row, sizeof t[k]);
  if (terms < kWordTerms) memset(t[terms], 0, static_cast<size_t>(kWordTerms - terms) * sizeof t[0]);
  swap_bits<16>(t);
  swap_bits<8>(t);
  swap_bits<4>(t);
  swap_bits<2>(t);
  swap_bits<1>(t);  // now t[c][lane] is the word of column 32*lane + c
  transpose16(t[0], [&](int lane) { return panel.at(word, column + lane * kWordTerms); });
  transpose16(t[16], [&](int lane) { return panel.at(word, column + lane * kWordTerms + 16); });
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

#if defined(__AVX512F__)
// Four tables of sixteen terms that lie side by side: the sums of the first two terms of all four quads are formed at once.
template <bool kForward>
METAPLAST_HD void make_four_tables(const float* terms, float* tables, int64_t pitch) {
  const __m512 low = _mm512_load_ps(kSigns[0]), high = _mm512_load_ps(kSigns[1]);  // -+-+ and --++
  const __m512i entry = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512 x = _mm512_loadu_ps(terms);
  const __m512 t01 = _mm512_add_ps(_mm512_xor_ps(_mm512_permute_ps(x, 0x00), low), _mm512_xor_ps(_mm512_permute_ps(x, 0x55), high));
  const __m512 first[4] = {_mm512_shuffle_f32x4(t01, t01, 0x00), _mm512_shuffle_f32x4(t01, t01, 0x55),
                           _mm512_shuffle_f32x4(t01, t01, 0xAA), _mm512_shuffle_f32x4(t01, t01, 0xFF)};
  if (kForward) {
    const __m512 t23 = _mm512_add_ps(_mm512_xor_ps(_mm512_permute_ps(x, 0xAA), low), _mm512_xor_ps(_mm512_permute_ps(x, 0xFF), high));
    const __m512i spread = _mm512_srli_epi32(entry, 2);
#pragma GCC unroll 4
    for (int q = 0; q < 4; ++q) {
      const __m512i lanes = _mm512_add_epi32(spread, _mm512_set1_epi32(4 * q));
      _mm512_store_ps(tables + q * pitch, _mm512_add_ps(first[q], _mm512_permutexvar_ps(lanes, t23)));
    }
  } else {
    const __m512 both = _mm512_xor_ps(_mm512_permute_ps(x, 0xFA), low);  // -t2, +t2, -t3, +t3
    const __m512i spread2 = _mm512_and_si512(_mm512_srli_epi32(entry, 2), _mm512_set1_epi32(1));
    const __m512i spread3 = _mm512_add_epi32(_mm512_srli_epi32(entry, 3), _mm512_set1_epi32(2));
#pragma GCC unroll 4
    for (int q = 0; q < 4; ++q) {
      const __m512i offset = _mm512_set1_epi32(4 * q);
      const __m512 t2 = _mm512_permutexvar_ps(_mm512_add_epi32(spread2, offset), both);
      const __m512 t3 = _mm512_permutexvar_ps(_mm512_add_epi32(spread3, offset), both);
      _mm512_store_ps(tables + q * pitch, _mm512_add_ps(_mm512_add_ps(first[q], t2), t3));
    }
  }
}
#endif

// Tables of `terms` terms of one row; pitch: floats from one quad to the next.
template <bool kForward>
void make_tables(int64_t terms, const float* a, int64_t stride, float* tables, int64_t pitch) {
  int64_t k = 0;
#if defined(__AVX512F__)
  if (stride == 1) {
    for (; k + 4 * kQuad <= terms; k += 4 * kQuad, tables += 4 * pitch) make_four_tables<kForward>(a + k, tables, pitch);
  }
#endif
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
  Panel panel;
  int64_t columns;
  Start start;
  Finish finish;
};

// Rows of the real matrix: element (m, k) is first[m*row_stride + k*term_stride].
struct Rows {
  const float* first;
  int64_t row_stride, term_stride;
};

// Puts tiles where they belong in the result.
struct StoreSink {
  float* y;
  int64_t pitch;

  StoreSink rows_from(int64_t m) const { return {y + m * pitch, pitch}; }
  float* target(int64_t n) const { return y + n; }
  int64_t ld() const { return pitch; }
  void complete(int, int64_t, int64_t) const {}
};

template <int kRows, class Sink>
void row_tile(const SignGemm& g, const Block& b, const Rows& a, float* tables, const Sink& sink) {
  for (int r = 0; r < kRows; ++r) {
    if (g.forward) {
      make_tables<true>(b.terms, a.first + r * a.row_stride, a.term_stride, tables + r * kTable, kRows * kTable);
    } else {
      make_tables<false>(b.terms, a.first + r * a.row_stride, a.term_stride, tables + r * kTable, kRows * kTable);
    }
  }
  const int64_t quads = (b.terms + kQuad - 1) / kQuad;
  for (int64_t begin = 0; begin < b.columns; begin += kPanelTile) {
    const int64_t end = b.columns - begin < kPanelTile ? b.columns : begin + kPanelTile;
    int64_t n = begin;
    for (; n + (kVectors - 1) * W < end; n += kVectors * W) {
      tile<kRows, kVectors>(quads, tables, b.panel.at(0, n), b.start, b.finish, end - n, sink.target(n), sink.ld());
    }
    for (; n < end; n += W) tile<kRows, 1>(quads, tables, b.panel.at(0, n), b.start, b.finish, end - n, sink.target(n), sink.ld());
    sink.complete(kRows, begin, end);
  }
}

template <int kRows, class Sink>
void last_rows(int64_t rows, const SignGemm& g, const Block& b, const Rows& a, float* tables, const Sink& sink) {
  if (rows == kRows) {
    row_tile<kRows>(g, b, a, tables, sink);
  } else if constexpr (kRows > 1) {
    last_rows<kRows - 1>(rows, g, b, a, tables, sink);
  }
}

template <class Sink>
void all_rows(int64_t rows, const SignGemm& g, const Block& b, const Rows& a, float* tables, const Sink& sink) {
  int64_t m = 0;
  const auto from = [&] { return Rows{a.first + m * a.row_stride, a.row_stride, a.term_stride}; };
  for (; m + kRowTile <= rows; m += kRowTile) row_tile<kRowTile>(g, b, from(), tables, sink.rows_from(m));
  if (m < rows) last_rows<kRowTile - 1>(rows - m, g, b, from(), tables, sink.rows_from(m));
}

// A column of a matrix with a pitch of many cache lines maps to few sets of the cache: what the tables of some rows need is copied first, line by
// line, instead of being fetched again for every row.
template <class Sink>
void all_rows_staged(int64_t rows, const SignGemm& g, const Block& b, const Rows& a, float* tables, const Sink& sink) {
  alignas(64) float staged[kStaged];
  const int64_t most = kStaged / b.terms / kRowTile * kRowTile;
  for (int64_t m = 0; m < rows; m += most) {
    const int64_t here = rows - m < most ? rows - m : most;
    for (int64_t k = 0; k < b.terms; ++k) {
      memcpy(staged + k * here, a.first + m * a.row_stride + k * a.term_stride, static_cast<size_t>(here) * sizeof(float));
    }
    all_rows(here, g, b, {staged, 1, here}, tables, sink.rows_from(m));
  }
}

void make_panel(const SignGemm& g, int64_t k, int64_t terms, int64_t n, int64_t columns, const Panel& panel) {
  if (g.forward) {
    for (int64_t c = 0; c < columns; c += 16) {
      panel_from_rows(g.bits + (n + c) * g.words_of_row + k / 64, g.words_of_row, columns - c < 16 ? columns - c : 16, panel, c);
    }
    return;
  }
  for (int64_t word = 0; word < panel.words_of_column; ++word) {
    const int64_t first = word * kWordTerms;
    const int64_t here = terms - first < kWordTerms ? terms - first : kWordTerms;
    for (int64_t c = 0; c < columns; c += kBitGroup) {
      panel_from_columns(g.bits + (k + first) * g.words_of_row + (n + c) / 64, g.words_of_row, here, panel, word, c);
    }
  }
}

// Rows m_begin..m_end-1, columns n_begin..n_end-1; n_begin is a multiple of 512. sink_of(n): sink of row m_begin and column n on.
template <class SinkOf>
METAPLAST_HD void run_sign_gemm(const SignGemm& g, int64_t m_begin, int64_t m_end, int64_t n_begin, int64_t n_end, SinkOf sink_of) {
  alignas(64) uint32_t panel_words[kPanelWords];
  alignas(64) float tables[kBlockQuads * kRowTile * kTable];
  const int64_t most_words = ((g.terms < kBlock ? g.terms : kBlock) + kWordTerms - 1) / kWordTerms;
  const int64_t most_columns = kPanelWords / most_words / kBitGroup * kBitGroup;
  for (int64_t n = n_begin; n < n_end; n += most_columns) {
    const int64_t columns = n_end - n < most_columns ? n_end - n : most_columns;
    for (int64_t k = 0; k < g.terms; k += kBlock) {
      const int64_t terms = g.terms - k < kBlock ? g.terms - k : kBlock;
      const bool first = k == 0;
      const Block b = {terms,
                       {panel_words, (terms + kWordTerms - 1) / kWordTerms},
                       columns,
                       first || g.forward ? Start::kFresh : Start::kContinue,
                       !first && g.forward ? Finish::kAddToStored : Finish::kStore};
      make_panel(g, k, terms, n, columns, b.panel);
      const Rows a = {g.a + m_begin * g.row_stride + k * g.term_stride, g.row_stride, g.term_stride};
      if (g.row_stride == 1 && g.term_stride != 1) {
        all_rows_staged(m_end - m_begin, g, b, a, tables, sink_of(n));
      } else {
        all_rows(m_end - m_begin, g, b, a, tables, sink_of(n));
      }
    }
  }
}

}  // namespace
}  // namespace METAPLAST_TIER
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_SIGN_GEMM_TILES_H_
