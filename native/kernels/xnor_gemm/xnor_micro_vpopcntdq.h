// AVX-512 with VPOPCNTDQ: an outer product. Eight columns of the panel lie in the lanes of a vector, 64 bits of each; a word of a row of a is
// broadcast against them. Three operations count 512 bits: xor, vpopcntq, add. No sum across lanes is ever needed.
#ifndef METAPLAST_KERNELS_XNOR_MICRO_VPOPCNTDQ_H_
#define METAPLAST_KERNELS_XNOR_MICRO_VPOPCNTDQ_H_

#include <immintrin.h>

#include "kernels/xnor_gemm/xnor_row_packer.h"
#include "runtime/math/bit_words.h"

#define METAPLAST_XNOR_PANELS 1
#define METAPLAST_XNOR_PACKS 1
#define METAPLAST_XNOR_DIRECT 1

namespace metaplast {
namespace METAPLAST_TIER {
namespace {

constexpr int64_t kCols = 40;
constexpr int64_t kPanelWords = 128;  // 40 KiB
constexpr int64_t kTileRows = 240;    // a multiple of every row group
// Rows up to which single dot products are faster than packing a panel.
constexpr int64_t few_rows_of(int64_t words) { return words >= 32 ? 10 : 4; }

// Where a block of int32 results goes that does not pass through a tile of counts: y = k - 2 * count.
struct DirectRows {
  uint32_t k;
  uint32_t* y;
  int64_t ldy;
  int64_t cols;
};

// Lanes 0..n-1 of 16.
METAPLAST_HD __mmask16 first_lanes(int64_t n) { return static_cast<__mmask16>(n >= 16 ? 0xffffu : n <= 0 ? 0u : (1u << n) - 1); }

// kRows x kVectors accumulators: counts of kRows rows of a against 8*kVectors columns. kPack: packs a share of another row meanwhile. NaN, -inf and
// negative numbers have no bit; telling them by their class needs no register for a constant, which there is none left for.
template <int kRows, int kVectors, bool kAccumulate, bool kPack = false, bool kDirect = false>
void count_block(const uint64_t* panel, int64_t words, const uint64_t* a, int64_t stride, uint32_t* tile, const PackShare* share = nullptr,
                 const DirectRows* direct = nullptr) noexcept {
  constexpr int kNoSign = 0x01 | 0x10 | 0x40 | 0x80;
  const float* x = kPack ? share->x : nullptr;
  const float* ahead = kPack ? share->ahead : nullptr;
  unsigned char* bits = kPack ? reinterpret_cast<unsigned char*>(share->row) + 2 * share->first : nullptr;
  __m512i counts[kRows][kVectors];
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) counts[r][v] = _mm512_setzero_si512();
  }
  for (int64_t w = 0; w < words; ++w) {
    if (kPack) {
      _mm_prefetch(reinterpret_cast<const char*>(ahead + w * 16), _MM_HINT_T0);
      const uint16_t signs = static_cast<uint16_t>(~_mm512_fpclass_ps_mask(_mm512_loadu_ps(x + w * 16), kNoSign));
      memcpy(bits + 2 * w, &signs, 2);
    }
    __m512i b[kVectors];
    for (int v = 0; v < kVectors; ++v) b[v] = _mm512_load_si512(panel + (w * kVectors + v) * 8);
    for (int r = 0; r < kRows; ++r) {
      const __m512i word = _mm512_set1_epi64(static_cast<int64_t>(a[r * stride + w]));
      for (int v = 0; v < kVectors; ++v) {
        counts[r][v] = _mm512_add_epi64(counts[r][v], _mm512_popcnt_epi64(_mm512_xor_si512(word, b[v])));
      }
    }
  }
  // To 32 bits, two vectors at a time.
  const __m512i low_halves = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  if (kDirect) {
    const __m512i k = _mm512_set1_epi32(static_cast<int32_t>(direct->k));
    uint32_t* y = direct->y;
    const int64_t ldy = direct->ldy;
    __mmask16 lanes[(kVectors + 1) / 2];
    for (int v = 0; v < kVectors; v += 2) lanes[v / 2] = first_lanes(direct->cols - v * 8);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 3
      for (int v = 0; v < kVectors; v += 2) {
        const __m512i narrow = _mm512_permutex2var_epi32(counts[r][v], low_halves, counts[r][v + 1 < kVectors ? v + 1 : v]);
        _mm512_mask_storeu_epi32(y + r * ldy + v * 8, lanes[v / 2], _mm512_sub_epi32(k, _mm512_add_epi32(narrow, narrow)));
      }
    }
    return;
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 3
    for (int v = 0; v < kVectors; v += 2) {
      uint32_t* out = tile + r * kCols + v * 8;
      if (v + 1 < kVectors) {
        __m512i narrow = _mm512_permutex2var_epi32(counts[r][v], low_halves, counts[r][v + 1]);
        if (kAccumulate) narrow = _mm512_add_epi32(narrow, _mm512_loadu_si512(out));
        _mm512_storeu_si512(out, narrow);
      } else {
        __m256i narrow = _mm512_cvtepi64_epi32(counts[r][v]);
        if (kAccumulate) narrow = _mm256_add_epi32(narrow, _mm256_load_si256(reinterpret_cast<__m256i*>(out)));
        _mm256_store_si256(reinterpret_cast<__m256i*>(out), narrow);
      }
    }
  }
}

class Panel {
 public:
  // Columns of this panel; how many rows of a count() takes at once.
  int64_t begin(int64_t cols) noexcept {
    cols_ = cols;
    vectors_ = (cols + 7) / 8;
    return vectors_ == 5 ? 5 : vectors_ == 4 ? 6 : 8;
  }

  // Words w.. of the columns.
  void pack(const uint64_t* b, int64_t stride, int64_t first, int64_t words) noexcept {
    words_ = words;
    for (int64_t v = 0; v < vectors_; ++v) {
      const uint64_t* rows[8];
      // Columns that are not there: the last one again, for results that nobody reads.
      for (int64_t c = 0; c < 8; ++c) rows[c] = b + (v * 8 + c < cols_ ? v * 8 + c : cols_ - 1) * stride + first;
      if (words > 0 && words <= 4) {
        pack_four(rows, v);
        continue;
      }
      for (int64_t w = 0; w < words; w += 8) {
        __m512i lanes[8];
        for (int c = 0; c < 8; ++c) lanes[c] = _mm512_loadu_si512(rows[c] + w);
        transpose_lanes(lanes);
        for (int i = 0; i < 8; ++i) _mm512_store_si512(data_ + ((w + i) * vectors_ + v) * 8, lanes[i]);
      }
    }
  }

  // A tile of this size packs a share of another row on its way.
  bool full(int64_t rows) const noexcept { return rows == 5 && vectors_ == 5; }
  void count_and_pack(const uint64_t* a, int64_t stride, uint32_t* tile, const PackShare& share) const noexcept {
    count_block<5, 5, false, true>(data_, words_, a, stride, tile, &share);
  }

  // Narrow panels are short work, of which the way through a tile would be a good part.
  bool direct() const noexcept { return vectors_ <= 3; }
  // int32 results of all rows of a, without a tile.
  void count_direct(const uint64_t* a, int64_t stride, int64_t rows, DirectRows out) const noexcept {
    if (vectors_ == 3) {
      rows_direct<3>(a, stride, rows, out);
    } else if (vectors_ == 2) {
      rows_direct<2>(a, stride, rows, out);
    } else {
      rows_direct<1>(a, stride, rows, out);
    }
  }

  void count(const uint64_t* a, int64_t stride, int64_t rows, uint32_t* tile, bool accumulate) const noexcept {
    if (accumulate) {
      count_vectors<true>(a, stride, rows, tile);
    } else {
      count_vectors<false>(a, stride, rows, tile);
    }
  }

 private:
  template <bool kAccumulate>
  METAPLAST_HD void count_vectors(const uint64_t* a, int64_t stride, int64_t rows, uint32_t* tile) const noexcept {
    switch (vectors_) {
      case 5:
        return count_rows<5, kAccumulate>(a, stride, rows, tile);
      case 4:
        return count_rows<4, kAccumulate>(a, stride, rows, tile);
      case 3:
        return count_rows<3, kAccumulate>(a, stride, rows, tile);
      case 2:
        return count_rows<2, kAccumulate>(a, stride, rows, tile);
      default:
        return count_rows<1, kAccumulate>(a, stride, rows, tile);
    }
  }

  template <int kVectors, bool kAccumulate>
  METAPLAST_HD void count_rows(const uint64_t* a, int64_t stride, int64_t rows, uint32_t* tile) const noexcept {
    constexpr int kGroup = kVectors == 5 ? 5 : kVectors == 4 ? 6 : 8;
    if (rows == kGroup) {
      count_block<kGroup, kVectors, kAccumulate>(data_, words_, a, stride, tile);
      return;
    }
    for (; rows >= 4; rows -= 4, a += 4 * stride, tile += 4 * kCols) {
      count_block<4, kVectors, kAccumulate>(data_, words_, a, stride, tile);
    }
    for (; rows >= 2; rows -= 2, a += 2 * stride, tile += 2 * kCols) {
      count_block<2, kVectors, kAccumulate>(data_, words_, a, stride, tile);
    }
    if (rows > 0) count_block<1, kVectors, kAccumulate>(data_, words_, a, stride, tile);
  }

  // Four words of eight columns: half a transposition.
  METAPLAST_HD void pack_four(const uint64_t* const (&rows)[8], int64_t v) noexcept {
    __m512i pairs[4];
    for (int c = 0; c < 4; ++c) {
      const __m512i low = _mm512_castsi256_si512(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows[c])));
      pairs[c] = _mm512_inserti64x4(low, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows[c + 4])), 1);
    }
    const __m512i even = _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13);
    const __m512i odd = _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15);
    const __m512i a = _mm512_unpacklo_epi64(pairs[0], pairs[1]);
    const __m512i b = _mm512_unpackhi_epi64(pairs[0], pairs[1]);
    const __m512i c = _mm512_unpacklo_epi64(pairs[2], pairs[3]);
    const __m512i d = _mm512_unpackhi_epi64(pairs[2], pairs[3]);
    _mm512_store_si512(data_ + v * 8, _mm512_permutex2var_epi64(a, even, c));
    _mm512_store_si512(data_ + (vectors_ + v) * 8, _mm512_permutex2var_epi64(b, even, d));
    _mm512_store_si512(data_ + (2 * vectors_ + v) * 8, _mm512_permutex2var_epi64(a, odd, c));
    _mm512_store_si512(data_ + (3 * vectors_ + v) * 8, _mm512_permutex2var_epi64(b, odd, d));
  }

  template <int kVectors>
  void rows_direct(const uint64_t* a, int64_t stride, int64_t rows, DirectRows out) const noexcept {
    for (; rows >= 8; rows -= 8) block_direct<8, kVectors>(&a, stride, &out);
    if (rows >= 4) {
      block_direct<4, kVectors>(&a, stride, &out);
      rows -= 4;
    }
    if (rows >= 2) {
      block_direct<2, kVectors>(&a, stride, &out);
      rows -= 2;
    }
    if (rows > 0) block_direct<1, kVectors>(&a, stride, &out);
  }

  template <int kRows, int kVectors>
  METAPLAST_HD void block_direct(const uint64_t** a, int64_t stride, DirectRows* out) const noexcept {
    count_block<kRows, kVectors, false, false, true>(data_, words_, *a, stride, nullptr, nullptr, out);
    *a += kRows * stride;
    out->y += kRows * out->ldy;
  }

  int64_t cols_, vectors_, words_;
  alignas(64) uint64_t data_[kPanelWords * kCols];
};

// Sums of the lanes of four or eight vectors, in as many lanes: a transposition that adds on its way.
template <int kVectors>
METAPLAST_HD __m512i sums_of_lanes(const __m512i (&v)[kVectors]) {
  __m512i t[kVectors / 2];
  for (int i = 0; i < kVectors / 2; ++i) {
    t[i] = _mm512_add_epi64(_mm512_unpacklo_epi64(v[2 * i], v[2 * i + 1]), _mm512_unpackhi_epi64(v[2 * i], v[2 * i + 1]));
  }
  __m512i u[kVectors / 4];
  for (int i = 0; i < kVectors / 4; ++i) {
    u[i] = _mm512_add_epi64(_mm512_shuffle_i64x2(t[2 * i], t[2 * i + 1], 0x88), _mm512_shuffle_i64x2(t[2 * i], t[2 * i + 1], 0xdd));
  }
  const __m512i last = u[kVectors / 4 - 1];
  return _mm512_add_epi64(_mm512_shuffle_i64x2(u[0], last, 0x88), _mm512_shuffle_i64x2(u[0], last, 0xdd));
}

METAPLAST_HD __m512i sums_of_lanes(const __m512i (&v)[2]) {
  __m512i t = _mm512_add_epi64(_mm512_unpacklo_epi64(v[0], v[1]), _mm512_unpackhi_epi64(v[0], v[1]));
  t = _mm512_add_epi64(t, _mm512_shuffle_i64x2(t, t, 0x4e));
  return _mm512_add_epi64(t, _mm512_shuffle_i64x2(t, t, 0xb1));
}

// Counts of x against kRows rows, in the low kRows lanes; rows from `last` on are that one again.
template <int kRows>
METAPLAST_HD __m256i differing_bits(const uint64_t* x, const uint64_t* rows, int64_t stride, int64_t last) {
  __m512i counts[kRows];
  const uint64_t* row[kRows];
  for (int r = 0; r < kRows; ++r) row[r] = rows + (r < last ? r : last) * stride;
  for (int r = 0; r < kRows; ++r) counts[r] = _mm512_setzero_si512();
  for (int64_t w = 0; w < stride; w += 8) {
    const __m512i word = _mm512_loadu_si512(x + w);
    for (int r = 0; r < kRows; ++r) {
      counts[r] = _mm512_add_epi64(counts[r], _mm512_popcnt_epi64(_mm512_xor_si512(word, _mm512_loadu_si512(row[r] + w))));
    }
  }
  return _mm512_cvtepi64_epi32(sums_of_lanes(counts));
}

// Counts of x against rows 0..here-1, here <= 8, in the low lanes.
METAPLAST_HD __m256i differing_bits_of(const uint64_t* x, const uint64_t* rows, int64_t stride, int64_t here) {
  if (here > 4) return differing_bits<8>(x, rows, stride, here - 1);
  return here > 2 ? differing_bits<4>(x, rows, stride, here - 1) : differing_bits<2>(x, rows, stride, here - 1);
}

// out[i*step] = popcount(x xor rows[i]), i = 0..n-1. Rows are a multiple of 8 words; bits past the columns are 0 in both.
METAPLAST_HD void dots(const uint64_t* x, const uint64_t* rows, int64_t stride, int64_t n, uint32_t* out, int64_t step) {
  for (int64_t i = 0; i < n; i += 8) {
    const int64_t here = n - i < 8 ? n - i : 8;
    const __m256i sums = differing_bits_of(x, rows + i * stride, stride, here);
    if (step == 1) {
      _mm256_mask_storeu_epi32(out + i, static_cast<__mmask8>((1u << here) - 1), sums);
    } else {
      alignas(32) uint32_t all[8];
      _mm256_store_si256(reinterpret_cast<__m256i*>(all), sums);
      for (int64_t r = 0; r < here; ++r) out[(i + r) * step] = all[r];
    }
  }
}

// y[i] = k - 2 * popcount(x xor rows[i]): dots() whose sums become int32 results without leaving the register.
METAPLAST_HD void differences(const uint64_t* x, const uint64_t* rows, int64_t stride, int64_t n, uint32_t k, uint32_t* y) {
  const __m256i all = _mm256_set1_epi32(static_cast<int32_t>(k));
  for (int64_t i = 0; i < n; i += 8) {
    const int64_t here = n - i < 8 ? n - i : 8;
    const __m256i sums = differing_bits_of(x, rows + i * stride, stride, here);
    _mm256_mask_storeu_epi32(y + i, static_cast<__mmask8>((1u << here) - 1), _mm256_sub_epi32(all, _mm256_add_epi32(sums, sums)));
  }
}

}  // namespace
}  // namespace METAPLAST_TIER
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_XNOR_MICRO_VPOPCNTDQ_H_
