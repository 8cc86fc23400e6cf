// AVX2, and AVX-512 without VPOPCNTDQ: counting by table. Four bits of a choose one of 16 tables, popcount(those bits xor index); vpshufb
// looks up the same four bits of as many columns of b as a vector has bytes. Two operations, vpshufb and vpaddb, count four bits of each
// column: the usual nibble popcount takes eight for twice as many.
#ifndef METAPLAST_KERNELS_XNOR_MICRO_TABLE_H_
#define METAPLAST_KERNELS_XNOR_MICRO_TABLE_H_

#include <immintrin.h>

#include "runtime/math/bit_words.h"

#define METAPLAST_XNOR_PANELS 1

namespace metaplast {
namespace METAPLAST_TIER {
namespace {

#if defined(__AVX512F__)
using B = __m512i;
constexpr int kMostRows = 8;
METAPLAST_HD B load_bytes(const void* p) { return _mm512_load_si512(p); }
METAPLAST_HD B load_bytes_unaligned(const void* p) { return _mm512_loadu_si512(p); }
METAPLAST_HD void store_bytes(void* p, B x) { _mm512_store_si512(p, x); }
METAPLAST_HD B zero_bytes() { return _mm512_setzero_si512(); }
METAPLAST_HD B low_bytes() { return _mm512_set1_epi16(0x00ff); }
METAPLAST_HD B low_nibbles() { return _mm512_set1_epi8(0x0f); }
METAPLAST_HD B and_bits(B a, B b) { return _mm512_and_si512(a, b); }
METAPLAST_HD B xor_bits(B a, B b) { return _mm512_xor_si512(a, b); }
METAPLAST_HD B add_bytes(B a, B b) { return _mm512_add_epi8(a, b); }
METAPLAST_HD B add_pairs(B a, B b) { return _mm512_add_epi16(a, b); }
METAPLAST_HD B add_words(B a, B b) { return _mm512_add_epi64(a, b); }
template <int kBits>
METAPLAST_HD B shift_pairs(B a) {
  return _mm512_srli_epi16(a, kBits);
}
METAPLAST_HD B look_up(B table, B index) { return _mm512_shuffle_epi8(table, index); }
METAPLAST_HD B interleave_low(B even, B odd) { return _mm512_unpacklo_epi16(even, odd); }
METAPLAST_HD B interleave_high(B even, B odd) { return _mm512_unpackhi_epi16(even, odd); }
METAPLAST_HD B sums_of_words(B bytes) { return _mm512_sad_epu8(bytes, _mm512_setzero_si512()); }
METAPLAST_HD B repeat16(__m128i x) { return _mm512_broadcast_i32x4(x); }
METAPLAST_HD uint64_t sum_of_words(B x) {
  return static_cast<uint64_t>(_mm512_reduce_add_epi64(x));
}
#else
using B = __m256i;
constexpr int kMostRows = 4;
METAPLAST_HD B load_bytes(const void* p) { return _mm256_load_si256(static_cast<const __m256i*>(p)); }
METAPLAST_HD B load_bytes_unaligned(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
METAPLAST_HD void store_bytes(void* p, B x) { _mm256_store_si256(static_cast<__m256i*>(p), x); }
METAPLAST_HD B zero_bytes() { return _mm256_setzero_si256(); }
METAPLAST_HD B low_bytes() { return _mm256_set1_epi16(0x00ff); }
METAPLAST_HD B low_nibbles() { return _mm256_set1_epi8(0x0f); }
METAPLAST_HD B and_bits(B a, B b) { return _mm256_and_si256(a, b); }
METAPLAST_HD B xor_bits(B a, B b) { return _mm256_xor_si256(a, b); }
METAPLAST_HD B add_bytes(B a, B b) { return _mm256_add_epi8(a, b); }
METAPLAST_HD B add_pairs(B a, B b) { return _mm256_add_epi16(a, b); }
METAPLAST_HD B add_words(B a, B b) { return _mm256_add_epi64(a, b); }
template <int kBits>
METAPLAST_HD B shift_pairs(B a) {
  return _mm256_srli_epi16(a, kBits);
}
METAPLAST_HD B look_up(B table, B index) { return _mm256_shuffle_epi8(table, index); }
METAPLAST_HD B interleave_low(B even, B odd) { return _mm256_unpacklo_epi16(even, odd); }
METAPLAST_HD B interleave_high(B even, B odd) { return _mm256_unpackhi_epi16(even, odd); }
METAPLAST_HD B sums_of_words(B bytes) { return _mm256_sad_epu8(bytes, _mm256_setzero_si256()); }
METAPLAST_HD B repeat16(__m128i x) { return _mm256_broadcastsi128_si256(x); }
METAPLAST_HD uint64_t sum_of_words(B x) {
  const __m128i half = _mm_add_epi64(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
  return static_cast<uint64_t>(_mm_cvtsi128_si64(half)) + static_cast<uint64_t>(_mm_extract_epi64(half, 1));
}
#endif

// GCC 12 would keep one of the eight counters in memory, through which then every step waits for the step before: half the speed.
#if defined(__AVX512F__)
#define METAPLAST_IN_REGISTER(x) __asm__("" : "+v"(x))
#else
#define METAPLAST_IN_REGISTER(x) __asm__("" : "+x"(x))
#endif

constexpr int kBytes = sizeof(B);
constexpr int kMostVectors = 2;
constexpr int64_t kCols = kMostVectors * kBytes;
constexpr int64_t kPanelWords = 72;
constexpr int64_t kTileRows = 64;
constexpr int64_t kByteWords = 3;  // words after which the byte counters are widened: 16 nibbles of at most 4 each, below 256
constexpr int kNibbles = 16;       // of a word

// Rows up to which single dot products are faster than packing a panel.
constexpr int64_t few_rows_of(int64_t) { return 8; }

// Table t at index i: popcount(t xor i), repeated over the vector.
struct Tables {
  alignas(64) uint8_t bytes[16][kBytes];
};

METAPLAST_HD void fill_tables(Tables* tables) {
  const __m128i index = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m128i popcounts = _mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  for (int t = 0; t < 16; ++t) {
    store_bytes(tables->bytes[t], repeat16(_mm_shuffle_epi8(popcounts, _mm_xor_si128(index, _mm_set1_epi8(static_cast<char>(t))))));
  }
}

// kRows rows of a against kVectors vectors of columns.
template <int kRows, int kVectors>
void count_block(const Tables& tables, const uint8_t* panel, int64_t words, const uint64_t* a, int64_t stride, uint32_t* tile,
                 bool accumulate) noexcept {
  // Even and odd columns in 16 bits; 72 words have 4,608 bits. In memory: they are used once in 48 steps, and the byte counters need the registers.
  alignas(64) uint8_t wide[kRows][kVectors][2][kBytes];
  memset(wide, 0, sizeof wide);
  for (int64_t begin = 0; begin < words; begin += kByteWords) {
    const int64_t end = words - begin < kByteWords ? words : begin + kByteWords;
    B counts[kRows][kVectors];
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < kVectors; ++v) counts[r][v] = zero_bytes();
    }
    for (int64_t w = begin; w < end; ++w) {
      // Offsets of tables, by nibble: the nibble at the position that the scale 8 of an address turns into a multiple of kBytes.
      constexpr uint64_t kMask = 0x0101010101010101u * (kBytes / 8 * 15);
      alignas(16) uint8_t offsets[kRows][kNibbles];
      for (int r = 0; r < kRows; ++r) {
        const uint64_t word = a[r * stride + w];
        const uint64_t low = _pdep_u64(word, kMask);
        const uint64_t high = _pdep_u64(word >> 32, kMask);
        memcpy(&offsets[r][0], &low, 8);
        memcpy(&offsets[r][8], &high, 8);
      }
      const uint8_t* b = panel + w * kNibbles * kVectors * kBytes;
#pragma GCC unroll 4
      for (int i = 0; i < kNibbles; ++i) {
        B index[kVectors];
        for (int v = 0; v < kVectors; ++v) index[v] = load_bytes(b + (i * kVectors + v) * kBytes);
        for (int r = 0; r < kRows; ++r) {
          const B table = load_bytes(&tables.bytes[0][0] + size_t{offsets[r][i]} * 8);
          for (int v = 0; v < kVectors; ++v) {
            counts[r][v] = add_bytes(counts[r][v], look_up(table, index[v]));
            METAPLAST_IN_REGISTER(counts[r][v]);
          }
        }
      }
    }
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < kVectors; ++v) {
        store_bytes(wide[r][v][0], add_pairs(load_bytes(wide[r][v][0]), and_bits(counts[r][v], low_bytes())));
        store_bytes(wide[r][v][1], add_pairs(load_bytes(wide[r][v][1]), shift_pairs<8>(counts[r][v])));
      }
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) {
      // 16 columns of every 128 bits, in order.
      alignas(64) uint16_t low[kBytes / 2], high[kBytes / 2];
      const B even = load_bytes(wide[r][v][0]);
      const B odd = load_bytes(wide[r][v][1]);
      store_bytes(low, interleave_low(even, odd));
      store_bytes(high, interleave_high(even, odd));
      for (int lane = 0; lane < kBytes / 16; ++lane) {
        for (int half = 0; half < 2; ++half) {
          const uint16_t* from = (half == 0 ? low : high) + lane * 8;
          uint32_t* out = tile + r * kCols + v * kBytes + lane * 16 + half * 8;
          for (int i = 0; i < 8; ++i) out[i] = accumulate ? out[i] + from[i] : from[i];
        }
      }
    }
  }
}

class Panel {
 public:
  Panel() noexcept { fill_tables(&tables_); }

  // Columns of this panel; how many rows of a count() takes at once.
  int64_t begin(int64_t cols) noexcept {
    cols_ = cols;
    vectors_ = (cols + kBytes - 1) / kBytes;
    return kMostRows;
  }

  // Nibbles of words first.. of the columns: a vector for each nibble.
  void pack(const uint64_t* b, int64_t stride, int64_t first, int64_t words) noexcept {
    words_ = words;
    const int64_t width = vectors_ * kBytes;
    for (int64_t c = 0; c < width; c += 16) {
      const uint64_t* rows[16];
      // Columns that are not there: the last one again, for results that nobody reads.
      for (int64_t i = 0; i < 16; ++i) rows[i] = b + (c + i < cols_ ? c + i : cols_ - 1) * stride + first;
      for (int64_t w = 0; w < words; ++w) pack_word(rows, w, data_ + w * kNibbles * width + c, width);
    }
  }

  void count(const uint64_t* a, int64_t stride, int64_t rows, uint32_t* tile, bool accumulate) const noexcept {
    if (vectors_ == 2) {
      count_rows<2>(a, stride, rows, tile, accumulate);
    } else {
      count_rows<1>(a, stride, rows, tile, accumulate);
    }
  }

 private:
  static METAPLAST_HD void pack_word(const uint64_t* const* rows, int64_t w, uint8_t* out, int64_t width) {
    // Bytes of 16 columns: transposed by four rounds of interleaving, columns 8, 4, 2 and 1 apart.
    __m128i v[8];
    for (int i = 0; i < 8; ++i) {
      v[i] = _mm_unpacklo_epi8(_mm_cvtsi64_si128(static_cast<int64_t>(rows[i][w])), _mm_cvtsi64_si128(static_cast<int64_t>(rows[i + 8][w])));
    }
    for (int apart = 4; apart > 0; apart /= 2) {
      __m128i t[8];
      for (int i = 0; i < 8; ++i) t[i] = v[i];
      // Vectors are [byte group][column]: `apart` columns pairs, groups double.
      const int groups = 4 / apart;
      for (int group = 0; group < groups; ++group) {
        for (int i = 0; i < apart; ++i) {
          const __m128i x = t[group * 2 * apart + i];
          const __m128i y = t[group * 2 * apart + i + apart];
          v[(group * 2) * apart + i] = _mm_unpacklo_epi8(x, y);
          v[(group * 2 + 1) * apart + i] = _mm_unpackhi_epi8(x, y);
        }
      }
    }
    const __m128i nibble = _mm_set1_epi8(0x0f);
    for (int byte = 0; byte < 8; ++byte) {
      _mm_store_si128(reinterpret_cast<__m128i*>(out + (2 * byte) * width), _mm_and_si128(v[byte], nibble));
      _mm_store_si128(reinterpret_cast<__m128i*>(out + (2 * byte + 1) * width), _mm_and_si128(_mm_srli_epi16(v[byte], 4), nibble));
    }
  }

  template <int kVectors>
  void count_rows(const uint64_t* a, int64_t stride, int64_t rows, uint32_t* tile, bool accumulate) const noexcept {
    if (rows == kMostRows) {
      count_block<kMostRows, kVectors>(tables_, data_, words_, a, stride, tile, accumulate);
      return;
    }
    for (; rows >= 4; rows -= 4, a += 4 * stride, tile += 4 * kCols) {
      count_block<4, kVectors>(tables_, data_, words_, a, stride, tile, accumulate);
    }
    for (; rows >= 2; rows -= 2, a += 2 * stride, tile += 2 * kCols) {
      count_block<2, kVectors>(tables_, data_, words_, a, stride, tile, accumulate);
    }
    if (rows > 0) count_block<1, kVectors>(tables_, data_, words_, a, stride, tile, accumulate);
  }

  int64_t cols_, vectors_, words_;
  Tables tables_;
  alignas(64) uint8_t data_[kPanelWords * kNibbles * kCols];
};

// out[i*step] = popcount(x xor rows[i]), i = 0..n-1. Rows are a multiple of 8 words; bits past the columns are 0 in both.
METAPLAST_HD void dots(const uint64_t* x, const uint64_t* rows, int64_t stride, int64_t n, uint32_t* out, int64_t step) {
  const B popcounts = repeat16(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
  constexpr int kUnroll = 4;
  constexpr int64_t kMost = 31 * (kBytes / 8);  // words after which bytes of 8 bits a step are summed
  for (int64_t i = 0; i < n; i += kUnroll) {
    const int64_t here = n - i < kUnroll ? n - i : kUnroll;
    const uint64_t* row[kUnroll];
    B totals[kUnroll];
    for (int r = 0; r < kUnroll; ++r) {
      row[r] = rows + (r < here ? i + r : n - 1) * stride;
      totals[r] = zero_bytes();
    }
    for (int64_t begin = 0; begin < stride; begin += kMost) {
      const int64_t end = stride - begin < kMost ? stride : begin + kMost;
      B counts[kUnroll];
      for (int r = 0; r < kUnroll; ++r) counts[r] = zero_bytes();
      for (int64_t w = begin; w < end; w += kBytes / 8) {
        const B word = load_bytes_unaligned(x + w);
        for (int r = 0; r < kUnroll; ++r) {
          const B d = xor_bits(word, load_bytes_unaligned(row[r] + w));
          counts[r] = add_bytes(counts[r], look_up(popcounts, and_bits(d, low_nibbles())));
          counts[r] = add_bytes(counts[r], look_up(popcounts, and_bits(shift_pairs<4>(d), low_nibbles())));
        }
      }
      for (int r = 0; r < kUnroll; ++r) totals[r] = add_words(totals[r], sums_of_words(counts[r]));
    }
    for (int64_t r = 0; r < here; ++r) out[(i + r) * step] = static_cast<uint32_t>(sum_of_words(totals[r]));
  }
}

}  // namespace
}  // namespace METAPLAST_TIER
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_XNOR_MICRO_TABLE_H_
