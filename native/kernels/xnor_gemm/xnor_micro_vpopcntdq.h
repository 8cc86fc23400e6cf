// AVX-512 with VPOPCNTDQ: an outer product. Eight columns of the panel lie in the lanes of a vector, 64 bits of each; a word of a row of a is
// broadcast against them. Three operations count 512 bits: xor, vpopcntq, add. No sum across lanes is ever needed.
#ifndef METAPLAST_KERNELS_XNOR_MICRO_VPOPCNTDQ_H_
#define METAPLAST_KERNELS_XNOR_MICRO_VPOPCNTDQ_H_

#include <immintrin.h>

#include "runtime/math/bit_words.h"

#define METAPLAST_XNOR_PANELS 1

namespace metaplast {
namespace METAPLAST_TIER {
namespace {

constexpr int64_t kCols = 40;
constexpr int64_t kPanelWords = 128;  // 40 KiB
constexpr int64_t kTileRows = 240;    // a multiple of every row group
constexpr int64_t kFewRows = 3;

// kRows x kVectors accumulators: counts of kRows rows of a against 8*kVectors columns.
template <int kRows, int kVectors>
void count_block(const uint64_t* panel, int64_t words, const uint64_t* a, int64_t stride, uint32_t* tile, bool accumulate) noexcept {
  __m512i counts[kRows][kVectors];
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) counts[r][v] = _mm512_setzero_si512();
  }
  for (int64_t w = 0; w < words; ++w) {
    __m512i b[kVectors];
    for (int v = 0; v < kVectors; ++v) b[v] = _mm512_load_si512(panel + (w * kVectors + v) * 8);
    for (int r = 0; r < kRows; ++r) {
      const __m512i word = _mm512_set1_epi64(static_cast<int64_t>(a[r * stride + w]));
      for (int v = 0; v < kVectors; ++v) {
        counts[r][v] = _mm512_add_epi64(counts[r][v], _mm512_popcnt_epi64(_mm512_xor_si512(word, b[v])));
      }
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) {
      __m256i* out = reinterpret_cast<__m256i*>(tile + r * kCols + v * 8);
      const __m256i narrow = _mm512_cvtepi64_epi32(counts[r][v]);
      _mm256_store_si256(out, accumulate ? _mm256_add_epi32(narrow, _mm256_load_si256(out)) : narrow);
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
      for (int64_t w = 0; w < words; w += 8) {
        __m512i lanes[8];
        for (int c = 0; c < 8; ++c) lanes[c] = _mm512_loadu_si512(rows[c] + w);
        transpose_lanes(lanes);
        for (int i = 0; i < 8; ++i) _mm512_store_si512(data_ + ((w + i) * vectors_ + v) * 8, lanes[i]);
      }
    }
  }

  void count(const uint64_t* a, int64_t stride, int64_t rows, uint32_t* tile, bool accumulate) const noexcept {
    switch (vectors_) {
      case 5:
        return count_rows<5>(a, stride, rows, tile, accumulate);
      case 4:
        return count_rows<4>(a, stride, rows, tile, accumulate);
      case 3:
        return count_rows<3>(a, stride, rows, tile, accumulate);
      case 2:
        return count_rows<2>(a, stride, rows, tile, accumulate);
      default:
        return count_rows<1>(a, stride, rows, tile, accumulate);
    }
  }

 private:
  template <int kVectors>
  void count_rows(const uint64_t* a, int64_t stride, int64_t rows, uint32_t* tile, bool accumulate) const noexcept {
    constexpr int kGroup = kVectors == 5 ? 5 : kVectors == 4 ? 6 : 8;
    if (rows == kGroup) {
      count_block<kGroup, kVectors>(data_, words_, a, stride, tile, accumulate);
      return;
    }
    for (; rows >= 4; rows -= 4, a += 4 * stride, tile += 4 * kCols) {
      count_block<4, kVectors>(data_, words_, a, stride, tile, accumulate);
    }
    for (; rows >= 2; rows -= 2, a += 2 * stride, tile += 2 * kCols) {
      count_block<2, kVectors>(data_, words_, a, stride, tile, accumulate);
    }
    if (rows > 0) count_block<1, kVectors>(data_, words_, a, stride, tile, accumulate);
  }

  int64_t cols_, vectors_, words_;
  alignas(64) uint64_t data_[kPanelWords * kCols];
};

// Sums of the lanes of eight vectors.
METAPLAST_HD __m512i sums_of_lanes(__m512i (&v)[8]) {
  transpose_lanes(v);
  for (int h = 4; h > 0; h /= 2) {
    for (int i = 0; i < h; ++i) v[i] = _mm512_add_epi64(v[i], v[i + h]);
  }
  return v[0];
}

// out[i*step] = popcount(x xor rows[i]), i = 0..n-1. Rows are a multiple of 8 words; bits past the columns are 0 in both.
METAPLAST_HD void dots(const uint64_t* x, const uint64_t* rows, int64_t stride, int64_t n, uint32_t* out, int64_t step) {
  for (int64_t i = 0; i < n; i += 8) {
    const int64_t here = n - i < 8 ? n - i : 8;
    const uint64_t* row[8];
    for (int r = 0; r < 8; ++r) row[r] = rows + (r < here ? i + r : n - 1) * stride;
    __m512i counts[8];
    for (int r = 0; r < 8; ++r) counts[r] = _mm512_setzero_si512();
    for (int64_t w = 0; w < stride; w += 8) {
      const __m512i word = _mm512_loadu_si512(x + w);
      for (int r = 0; r < 8; ++r) {
        counts[r] = _mm512_add_epi64(counts[r], _mm512_popcnt_epi64(_mm512_xor_si512(word, _mm512_loadu_si512(row[r] + w))));
      }
    }
    alignas(32) uint32_t sums[8];
    _mm256_store_si256(reinterpret_cast<__m256i*>(sums), _mm512_cvtepi64_epi32(sums_of_lanes(counts)));
    for (int64_t r = 0; r < here; ++r) out[(i + r) * step] = sums[r];
  }
}

}  // namespace
}  // namespace METAPLAST_TIER
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_XNOR_MICRO_VPOPCNTDQ_H_
