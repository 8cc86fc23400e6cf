// Philox4x32-10 (Salmon et al., SC 2011), counter-based: key = seed, counter = (block low, block high, stream, step), block = element/4.
//
// Vector form: W blocks at a time, as four columns of W words (column j = word j of every block). Lanes hold the blocks in an order such that
// transpose4 of four columns, which works inside 128-bit lanes only, gives 4W consecutive elements: 32-bit position p of 128-bit lane l holds block
// (W/4)*p + l. The 32x32->64 multiplications work on 64-bit lanes whose upper halves may hold anything, so only the high words need a shift.
#ifndef METAPLAST_RUNTIME_MATH_PHILOX_H_
#define METAPLAST_RUNTIME_MATH_PHILOX_H_

#include "lanes.h"

namespace metaplast {
namespace METAPLAST_TIER {

constexpr uint32_t kPhiloxM0 = 0xD2511F53u;
constexpr uint32_t kPhiloxM1 = 0xCD9E8D57u;
constexpr uint32_t kPhiloxW0 = 0x9E3779B9u;
constexpr uint32_t kPhiloxW1 = 0xBB67AE85u;

// Address of a random stream; element i owns word i%4 of block i/4.
struct RandomStream {
  uint64_t seed;
  uint32_t stream;
  uint32_t step;
};

// The four words of one block.
METAPLAST_HD void philox_block(const RandomStream& r, uint64_t block, uint32_t word[4]) {
  uint32_t c0 = static_cast<uint32_t>(block), c1 = static_cast<uint32_t>(block >> 32), c2 = r.stream, c3 = r.step;
  uint32_t k0 = static_cast<uint32_t>(r.seed), k1 = static_cast<uint32_t>(r.seed >> 32);
#if defined(__CUDACC__)
#pragma unroll
#endif
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = static_cast<uint64_t>(kPhiloxM0) * c0;
    const uint64_t p1 = static_cast<uint64_t>(kPhiloxM1) * c2;
    c0 = static_cast<uint32_t>(p1 >> 32) ^ c1 ^ k0;
    c1 = static_cast<uint32_t>(p1);
    c2 = static_cast<uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c3 = static_cast<uint32_t>(p0);
    k0 += kPhiloxW0;
    k1 += kPhiloxW1;
  }
  word[0] = c0;
  word[1] = c1;
  word[2] = c2;
  word[3] = c3;
}

#if !defined(__CUDACC__)

// Round keys, and what the first two rounds make of the counter words that are the same for all blocks of a range: of the 20 multiplications of a
// block, the first two rounds need two instead of four.
struct PhiloxSetup {
  uint32_t k0[10], k1[10];
  uint32_t round1_high0;  // xor for the high word of product 0, round 1
  uint32_t round2_high1;  // xor for the high word of product 1, round 2
  uint32_t round2_low0;   // xor for the low word of product 0 of round 1, round 2
  uint32_t round3_high0;  // xor for the high word of product 0, round 3
};

inline PhiloxSetup philox_setup(const RandomStream& r, uint32_t block_high) {
  PhiloxSetup s;
  uint32_t k0 = static_cast<uint32_t>(r.seed), k1 = static_cast<uint32_t>(r.seed >> 32);
  for (int i = 0; i < 10; ++i, k0 += kPhiloxW0, k1 += kPhiloxW1) {
    s.k0[i] = k0;
    s.k1[i] = k1;
  }
  const uint64_t p1 = static_cast<uint64_t>(kPhiloxM1) * r.stream;
  const uint32_t a = static_cast<uint32_t>(p1 >> 32) ^ block_high ^ s.k0[0];
  const uint64_t p0 = static_cast<uint64_t>(kPhiloxM0) * a;
  s.round1_high0 = r.step ^ s.k1[0];
  s.round2_high1 = static_cast<uint32_t>(p1) ^ s.k0[1];
  s.round2_low0 = static_cast<uint32_t>(p0 >> 32) ^ s.k1[1];
  s.round3_high0 = static_cast<uint32_t>(p0) ^ s.k1[2];
  return s;
}

#if defined(__AVX512F__)
METAPLAST_HD __m512i philox_multiply(__m512i a, uint32_t m) { return _mm512_mul_epu32(a, _mm512_set1_epi64(m)); }
METAPLAST_HD __m512i philox_high(__m512i product) { return _mm512_srli_epi64(product, 32); }
METAPLAST_HD __m512i philox_xor(__m512i a, uint32_t k) { return _mm512_xor_si512(a, _mm512_set1_epi32(static_cast<int>(k))); }
METAPLAST_HD __m512i philox_xor3(__m512i a, __m512i b, uint32_t k) {
  return _mm512_ternarylogic_epi32(a, b, _mm512_set1_epi32(static_cast<int>(k)), 0x96);
}
// Even 32-bit positions from the low words of `even`, odd ones from the low words of `odd`.
METAPLAST_HD __m512i philox_merge(__m512i even, __m512i odd) { return _mm512_mask_shuffle_epi32(even, 0xAAAA, odd, _MM_PERM_CCAA); }
METAPLAST_HD void philox_counters(uint32_t block, __m512i* even, __m512i* odd) {
  const __m512i base = _mm512_set1_epi64(block);
  *even = _mm512_add_epi64(base, _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11));
  *odd = _mm512_add_epi64(base, _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15));
}
METAPLAST_HD void transpose4(F z[4]) {
  const __m512 t0 = _mm512_unpacklo_ps(z[0], z[1]), t1 = _mm512_unpackhi_ps(z[0], z[1]);
  const __m512 t2 = _mm512_unpacklo_ps(z[2], z[3]), t3 = _mm512_unpackhi_ps(z[2], z[3]);
  const auto pd = [](__m512 x) { return _mm512_castps_pd(x); };
  z[0] = _mm512_castpd_ps(_mm512_unpacklo_pd(pd(t0), pd(t2)));
  z[1] = _mm512_castpd_ps(_mm512_unpackhi_pd(pd(t0), pd(t2)));
  z[2] = _mm512_castpd_ps(_mm512_unpacklo_pd(pd(t1), pd(t3)));
  z[3] = _mm512_castpd_ps(_mm512_unpackhi_pd(pd(t1), pd(t3)));
}
#elif defined(__AVX2__)
METAPLAST_HD __m256i philox_multiply(__m256i a, uint32_t m) { return _mm256_mul_epu32(a, _mm256_set1_epi64x(m)); }
METAPLAST_HD __m256i philox_high(__m256i product) { return _mm256_srli_epi64(product, 32); }
METAPLAST_HD __m256i philox_xor(__m256i a, uint32_t k) { return _mm256_xor_si256(a, _mm256_set1_epi32(static_cast<int>(k))); }
METAPLAST_HD __m256i philox_xor3(__m256i a, __m256i b, uint32_t k) { return philox_xor(_mm256_xor_si256(a, b), k); }
METAPLAST_HD __m256i philox_merge(__m256i even, __m256i odd) { return _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA); }
METAPLAST_HD void philox_counters(uint32_t block, __m256i* even, __m256i* odd) {
  const __m256i base = _mm256_set1_epi64x(block);
  *even = _mm256_add_epi64(base, _mm256_setr_epi64x(0, 4, 1, 5));
  *odd = _mm256_add_epi64(base, _mm256_setr_epi64x(2, 6, 3, 7));
}
METAPLAST_HD void transpose4(F z[4]) {
  const __m256 t0 = _mm256_unpacklo_ps(z[0], z[1]), t1 = _mm256_unpackhi_ps(z[0], z[1]);
  const __m256 t2 = _mm256_unpacklo_ps(z[2], z[3]), t3 = _mm256_unpackhi_ps(z[2], z[3]);
  const auto pd = [](__m256 x) { return _mm256_castps_pd(x); };
  z[0] = _mm256_castpd_ps(_mm256_unpacklo_pd(pd(t0), pd(t2)));
  z[1] = _mm256_castpd_ps(_mm256_unpackhi_pd(pd(t0), pd(t2)));
  z[2] = _mm256_castpd_ps(_mm256_unpacklo_pd(pd(t1), pd(t3)));
  z[3] = _mm256_castpd_ps(_mm256_unpackhi_pd(pd(t1), pd(t3)));
}
#endif

// Groups of W blocks that are worked on side by side: a group alone is a chain of dependent operations, and the out-of-order window is too short to
// overlap several by itself. The ladder that led here is in docs/tuning.md.
#if defined(__AVX512F__)
constexpr int kSideBySide = 2;
#else
constexpr int kSideBySide = 1;
#endif

#if defined(__AVX2__)
// Ten rounds on kChains vectors of 64-bit lanes holding counters in their low halves; every operation is issued for all chains before the next one.
template <int kChains>
METAPLAST_HD void philox_rounds(const PhiloxSetup& s, const I* counter, I (*word)[kChains]) {
  I c0[kChains], c1[kChains], c2[kChains], c3[kChains], p0[kChains], p1[kChains];
#define METAPLAST_ALL(statement) \
  for (int j = 0; j < kChains; ++j) statement
  METAPLAST_ALL(p0[j] = philox_multiply(counter[j], kPhiloxM0));
  METAPLAST_ALL(c2[j] = philox_xor(philox_high(p0[j]), s.round1_high0));
  METAPLAST_ALL(c1[j] = philox_multiply(c2[j], kPhiloxM1));
  METAPLAST_ALL(c2[j] = philox_xor(p0[j], s.round2_low0));
  METAPLAST_ALL(c0[j] = philox_xor(philox_high(c1[j]), s.round2_high1));
  METAPLAST_ALL(p1[j] = philox_multiply(c2[j], kPhiloxM1));
  METAPLAST_ALL(c3[j] = philox_multiply(c0[j], kPhiloxM0));
  METAPLAST_ALL(c0[j] = philox_xor3(philox_high(p1[j]), c1[j], s.k0[2]));
  METAPLAST_ALL(c1[j] = p1[j]);
  METAPLAST_ALL(c2[j] = philox_xor(philox_high(c3[j]), s.round3_high0));
#pragma GCC unroll 7
  for (int round = 3; round < 10; ++round) {
    METAPLAST_ALL(p0[j] = philox_multiply(c0[j], kPhiloxM0));
    METAPLAST_ALL(p1[j] = philox_multiply(c2[j], kPhiloxM1));
    METAPLAST_ALL(c2[j] = philox_xor3(philox_high(p0[j]), c3[j], s.k1[round]));
    METAPLAST_ALL(c0[j] = philox_xor3(philox_high(p1[j]), c1[j], s.k0[round]));
    METAPLAST_ALL(c1[j] = p1[j]);
    METAPLAST_ALL(c3[j] = p0[j]);
  }
#undef METAPLAST_ALL
  for (int j = 0; j < kChains; ++j) {
    word[0][j] = c0[j];
    word[1][j] = c1[j];
    word[2][j] = c2[j];
    word[3][j] = c3[j];
  }
}

// Columns of kGroups groups of W blocks from `block` on, whose upper counter word is the one of the setup: column[j][g] is word j of group g.
template <int kGroups>
METAPLAST_HD void philox_columns(const PhiloxSetup& s, const RandomStream&, uint64_t block, I (*column)[kGroups]) {
  I counter[2 * kGroups], word[4][2 * kGroups];
  for (int g = 0; g < kGroups; ++g) {
    philox_counters(static_cast<uint32_t>(block) + static_cast<uint32_t>(g * W), &counter[2 * g], &counter[2 * g + 1]);
  }
  philox_rounds<2 * kGroups>(s, counter, word);
  for (int j = 0; j < 4; ++j) {
    for (int g = 0; g < kGroups; ++g) column[j][g] = philox_merge(word[j][2 * g], word[j][2 * g + 1]);
  }
}
#else
template <int kGroups>
METAPLAST_HD void philox_columns(const PhiloxSetup&, const RandomStream& r, uint64_t block, I (*column)[kGroups]) {
  for (int g = 0; g < kGroups; ++g) {
    I word[4];
    philox_block(r, block + static_cast<uint64_t>(g), word);
    for (int j = 0; j < 4; ++j) column[j][g] = word[j];
  }
}
METAPLAST_HD void transpose4(F*) {}
#endif

// The columns of one group across the point where the counter's low word wraps: block by block, each to its lane.
inline void philox_columns_at_wrap(const RandomStream& r, uint64_t block, I (*column)[1]) {
  constexpr int kQuarter = W < 4 ? 1 : W / 4;
  uint32_t words[4], lanes[4][W];
  for (int b = 0; b < W; ++b) {
    philox_block(r, block + static_cast<uint64_t>(b), words);
    for (int j = 0; j < 4; ++j) lanes[j][(b % kQuarter) * 4 % W + b / kQuarter] = words[j];
  }
  for (int j = 0; j < 4; ++j) memcpy(&column[j][0], lanes[j], sizeof(I));
}

// body(i, vector, lanes) for the elements first + i, i < n, of a stream, W at a time from i = 0 on (fewer lanes only where a head or tail cuts a
// group of 4W). convert(column, value, groups) turns the word columns of one or more groups into the values wanted: value[j][g] from column[j][g].
template <class Convert, class Body>
METAPLAST_HD void for_random_vectors(const RandomStream& r, uint64_t first, int64_t n, Convert convert, Body body) {
  constexpr int64_t kGroup = 4 * W;
  uint64_t block = first >> 2;
  int64_t i = -static_cast<int64_t>(first & 3);
  uint32_t high = static_cast<uint32_t>(block >> 32);
  PhiloxSetup setup = philox_setup(r, high);
  const auto whole_group = [&](int64_t at, F* z) {
    transpose4(z);
    for (int p = 0; p < 4; ++p) body(at + p * W, z[p], static_cast<int64_t>(W));
  };
  while (i < n) {
    const uint32_t low = static_cast<uint32_t>(block);
    if (static_cast<uint32_t>(block >> 32) != high) {
      high = static_cast<uint32_t>(block >> 32);
      setup = philox_setup(r, high);
    }
    // Runs of groups side by side, up to where the counter's low word wraps. The words of the next groups are made while the values of these are
    // computed, in one basic block, so that the compiler can interleave two independent chains (cmake/Isa.cmake turns its scheduler on).
    constexpr int64_t kRun = kSideBySide * kGroup;
    int64_t runs = 0;
    if (kSideBySide > 1 && i >= 0) {
      const int64_t until_wrap = static_cast<int64_t>((uint64_t{1} << 32) - low) / (kSideBySide * W);
      runs = (n - i) / kRun < until_wrap ? (n - i) / kRun : until_wrap;
    }
    if (runs > 0) {
      I column[4][kSideBySide];
      F value[4][kSideBySide];
      philox_columns<kSideBySide>(setup, r, block, column);
      const auto emit = [&]() {
        for (int g = 0; g < kSideBySide; ++g) {
          F z[4] = {value[0][g], value[1][g], value[2][g], value[3][g]};
          whole_group(i + g * kGroup, z);
        }
        i += kRun;
        block += kSideBySide * W;
      };
      for (; runs > 1; --runs) {
        I ahead[4][kSideBySide];
        philox_columns<kSideBySide>(setup, r, block + kSideBySide * W, ahead);
        convert(column, value);
        emit();
        memcpy(column, ahead, sizeof(column));
      }
      convert(column, value);
      emit();
      continue;
    }
    I column[4][1];
    F value[4][1];
    if (low > 0xffffffffu - (W - 1)) {
      philox_columns_at_wrap(r, block, column);
    } else {
      philox_columns<1>(setup, r, block, column);
    }
    convert(column, value);
    F z[4] = {value[0][0], value[1][0], value[2][0], value[3][0]};
    if (i >= 0 && i + kGroup <= n) {
      whole_group(i, z);
    } else {
      float values[kGroup];
      transpose4(z);
      for (int p = 0; p < 4; ++p) store(values + p * W, z[p]);
      const int64_t to = n - i < kGroup ? n - i : kGroup;
      for (int64_t k = i < 0 ? -i : 0; k < to; k += W) {
        const int64_t lanes = to - k < W ? to - k : W;
        body(i + k, load_n(values + k, lanes), lanes);
      }
    }
    i += kGroup;
    block += W;
  }
}

#endif  // !__CUDACC__

}  // namespace METAPLAST_TIER
}  // namespace metaplast

#endif  // METAPLAST_RUNTIME_MATH_PHILOX_H_
