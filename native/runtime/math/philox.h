// Philox4x32-10 (Salmon et al., SC 2011), counter-based: key = seed, counter = (block low, block high, stream, step), block = element/4.
//
// Vector form: W/2 blocks in 64-bit lanes, one word of each in the low halves. Two such vectors merge into one of W words: words 0 and 2 of the
// blocks, or words 1 and 3, so that the two words of a Box-Muller pair stand at the same place of two vectors. The 64-bit lanes hold the blocks in
// an order such that interleaving those two vectors inside 128-bit lanes gives 2W consecutive elements: the halves of 128-bit lane l hold blocks l
// and W/4 + l. The 32x32->64 multiplications work on 64-bit lanes whose upper halves may hold anything, so only the high words need a move.
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
// A shuffle: Zen 5 has four units for it, two for shifts, and those also add.
METAPLAST_HD __m512i philox_high(__m512i product) { return _mm512_shuffle_epi32(product, _MM_PERM_DDBB); }
METAPLAST_HD __m512i philox_xor(__m512i a, uint32_t k) { return _mm512_xor_si512(a, _mm512_set1_epi32(static_cast<int>(k))); }
METAPLAST_HD __m512i philox_xor3(__m512i a, __m512i b, uint32_t k) {
  return _mm512_ternarylogic_epi32(a, b, _mm512_set1_epi32(static_cast<int>(k)), 0x96);
}
// Even 32-bit positions from the low words of `even`, odd ones from the low words of `odd`.
METAPLAST_HD __m512i philox_merge(__m512i even, __m512i odd) { return _mm512_mask_shuffle_epi32(even, 0xAAAA, odd, _MM_PERM_CCAA); }
METAPLAST_HD __m512i philox_counters(uint32_t block) {
  return _mm512_add_epi64(_mm512_set1_epi64(block), _mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7));
}
METAPLAST_HD __m512i philox_advance(__m512i product, uint64_t by) {
  return _mm512_add_epi64(product, _mm512_set1_epi64(static_cast<int64_t>(by)));
}
METAPLAST_HD void interleave(F* a, F* b) {
  const __m512 low = _mm512_unpacklo_ps(*a, *b);
  *b = _mm512_unpackhi_ps(*a, *b);
  *a = low;
}
#elif defined(__AVX2__)
METAPLAST_HD __m256i philox_multiply(__m256i a, uint32_t m) { return _mm256_mul_epu32(a, _mm256_set1_epi64x(m)); }
METAPLAST_HD __m256i philox_high(__m256i product) { return _mm256_srli_epi64(product, 32); }
METAPLAST_HD __m256i philox_xor(__m256i a, uint32_t k) { return _mm256_xor_si256(a, _mm256_set1_epi32(static_cast<int>(k))); }
METAPLAST_HD __m256i philox_xor3(__m256i a, __m256i b, uint32_t k) { return philox_xor(_mm256_xor_si256(a, b), k); }
METAPLAST_HD __m256i philox_merge(__m256i even, __m256i odd) { return _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA); }
METAPLAST_HD __m256i philox_counters(uint32_t block) {
  return _mm256_add_epi64(_mm256_set1_epi64x(block), _mm256_setr_epi64x(0, 2, 1, 3));
}
METAPLAST_HD void interleave(F* a, F* b) {
  const __m256 low = _mm256_unpacklo_ps(*a, *b);
  *b = _mm256_unpackhi_ps(*a, *b);
  *a = low;
}
#endif

// Half groups (2W elements, W/2 blocks) that are worked on at once: one alone is a chain of dependent operations, and the out-of-order window is too
// short to overlap several by itself. The ladder that led here is in docs/tuning.md.
constexpr int kAtOnce = 2;
#if defined(__AVX512F__)
constexpr int kAtOnceInRuns = 4;
#endif

#if defined(__AVX2__)
// Ten rounds on n vectors of blocks; product[j]: the counters of vector j times kPhiloxM0. Every operation is issued for all vectors before the next
// one. first: words 0 and 2, second: words 1 and 3.
template <int n>
METAPLAST_HD void philox_rounds(const PhiloxSetup& s, const I* product, I* first, I* second) {
  I c0[n], c1[n], c2[n], c3[n], p0[n], p1[n];
#define METAPLAST_ALL(statement) \
  for (int j = 0; j < n; ++j) statement
  METAPLAST_ALL(c2[j] = philox_xor(philox_high(product[j]), s.round1_high0));
  METAPLAST_ALL(c1[j] = philox_multiply(c2[j], kPhiloxM1));
  METAPLAST_ALL(c2[j] = philox_xor(product[j], s.round2_low0));
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
  METAPLAST_ALL(first[j] = philox_merge(c0[j], c2[j]));
  METAPLAST_ALL(second[j] = philox_merge(c1[j], c3[j]));
#undef METAPLAST_ALL
}

// Words of n half groups from `block` on, whose upper counter word is the one of the setup.
template <int n>
METAPLAST_HD void philox_words_of(const PhiloxSetup& s, const RandomStream&, uint64_t block, I* first, I* second) {
  I product[n];
  for (int j = 0; j < n; ++j) {
    product[j] = philox_multiply(philox_counters(static_cast<uint32_t>(block) + static_cast<uint32_t>(j * W / 2)), kPhiloxM0);
  }
  philox_rounds<n>(s, product, first, second);
}
#else
// One lane: a block is two half groups.
template <int n>
METAPLAST_HD void philox_words_of(const PhiloxSetup&, const RandomStream& r, uint64_t block, I* first, I* second) {
  for (int j = 0; j < n; j += 2) {
    I word[4];
    philox_block(r, block + static_cast<uint64_t>(j / 2), word);
    first[j] = word[0];
    second[j] = word[1];
    first[j + 1] = word[2];
    second[j + 1] = word[3];
  }
}
METAPLAST_HD void interleave(F*, F*) {}
#endif

// The words of n half groups across the point where the counter's low word wraps: block by block, each to its lanes.
template <int n>
inline void philox_words_at_wrap(const RandomStream& r, uint64_t block, I* first, I* second) {
  uint32_t words[n * 2 * W], lanes[2][n * W];
  for (int b = 0; b < n * W / 2; ++b) philox_block(r, block + static_cast<uint64_t>(b), words + 4 * b);
  constexpr int kQuarter = W < 4 ? 1 : W / 4;
  // Where interleave takes element e from: word k of block b of half group j.
  for (int e = 0; e < n * 2 * W; ++e) {
    const int j = e / (2 * W), b = e % (2 * W) / 4, k = e % 4;
    const int lane = W == 1 ? 0 : b % kQuarter * 4 + b / kQuarter * 2 + k / 2;
    lanes[k % 2][j * W + lane] = words[e];
  }
  for (int j = 0; j < n; ++j) {
    memcpy(&first[j], lanes[0] + j * W, sizeof(I));
    memcpy(&second[j], lanes[1] + j * W, sizeof(I));
  }
}

// body(i, vector, lanes) for the elements first + i, i < n, of a stream, W at a time from i = 0 on (fewer lanes only where a head or tail cuts a
// group of 4W). Convert::run<n>(first, second, a, b) turns the words of n half groups into the values wanted: a[j] from first[j], b[j] from
// second[j].
template <class Convert, class Body>
METAPLAST_HD void for_random_vectors(const RandomStream& r, uint64_t first, int64_t n, Convert, Body body) {
  constexpr int64_t kGroup = kAtOnce * 2 * W;
  constexpr uint32_t kGroupBlocks = kGroup / 4;
  uint64_t block = first >> 2;
  int64_t i = -static_cast<int64_t>(first & 3);
  uint32_t high = static_cast<uint32_t>(block >> 32);
  PhiloxSetup setup = philox_setup(r, high);
  while (i < n) {
    const uint32_t low = static_cast<uint32_t>(block);
    if (static_cast<uint32_t>(block >> 32) != high) {
      high = static_cast<uint32_t>(block >> 32);
      setup = philox_setup(r, high);
    }
#if defined(__AVX512F__)
    // Runs of groups side by side, up to where the counter's low word wraps. The words of the next groups are made while the values of these are
    // computed, in one basic block, so that the compiler can interleave two independent chains (cmake/Isa.cmake turns its scheduler on).
    constexpr int64_t kRun = kAtOnceInRuns * 2 * W;
    constexpr uint32_t kRunBlocks = kAtOnceInRuns * W / 2;
    int64_t runs = 0;
    if (i >= 0) {
      const int64_t until_wrap = static_cast<int64_t>((uint64_t{1} << 32) - low) / kRunBlocks;
      runs = (n - i) / kRun < until_wrap ? (n - i) / kRun : until_wrap;
    }
    if (runs > 0) {
      I product[kAtOnceInRuns], words0[kAtOnceInRuns], words1[kAtOnceInRuns];
      F a[kAtOnceInRuns], b[kAtOnceInRuns];
      for (int j = 0; j < kAtOnceInRuns; ++j) {
        product[j] = philox_multiply(philox_counters(low + static_cast<uint32_t>(j * W / 2)), kPhiloxM0);
      }
      philox_rounds<kAtOnceInRuns>(setup, product, words0, words1);
      const auto emit = [&]() {
        for (int j = 0; j < kAtOnceInRuns; ++j) {
          interleave(&a[j], &b[j]);
          body(i + 2 * j * W, a[j], static_cast<int64_t>(W));
          body(i + 2 * j * W + W, b[j], static_cast<int64_t>(W));
        }
        i += kRun;
        block += kRunBlocks;
      };
      for (; runs > 1; --runs) {
        I ahead0[kAtOnceInRuns], ahead1[kAtOnceInRuns];
        for (int j = 0; j < kAtOnceInRuns; ++j) product[j] = philox_advance(product[j], uint64_t{kRunBlocks} * kPhiloxM0);
        philox_rounds<kAtOnceInRuns>(setup, product, ahead0, ahead1);
        Convert::template run<kAtOnceInRuns>(words0, words1, a, b);
        emit();
        memcpy(words0, ahead0, sizeof(words0));
        memcpy(words1, ahead1, sizeof(words1));
      }
      Convert::template run<kAtOnceInRuns>(words0, words1, a, b);
      emit();
      continue;
    }
#endif
    I words0[kAtOnce], words1[kAtOnce];
    F a[kAtOnce], b[kAtOnce];
    if (low > 0xffffffffu - (kGroupBlocks - 1)) {
      philox_words_at_wrap<kAtOnce>(r, block, words0, words1);
    } else {
      philox_words_of<kAtOnce>(setup, r, block, words0, words1);
    }
    Convert::template run<kAtOnce>(words0, words1, a, b);
    for (int j = 0; j < kAtOnce; ++j) interleave(&a[j], &b[j]);
    if (i >= 0 && i + kGroup <= n) {
      for (int j = 0; j < kAtOnce; ++j) {
        body(i + 2 * j * W, a[j], static_cast<int64_t>(W));
        body(i + 2 * j * W + W, b[j], static_cast<int64_t>(W));
      }
    } else {
      float values[kGroup];
      for (int j = 0; j < kAtOnce; ++j) {
        store(values + 2 * j * W, a[j]);
        store(values + 2 * j * W + W, b[j]);
      }
      const int64_t to = n - i < kGroup ? n - i : kGroup;
      for (int64_t k = i < 0 ? -i : 0; k < to; k += W) {
        const int64_t lanes = to - k < W ? to - k : W;
        body(i + k, load_n(values + k, lanes), lanes);
      }
    }
    i += kGroup;
    block += kGroupBlocks;
  }
}

#endif  // !__CUDACC__

}  // namespace METAPLAST_TIER
}  // namespace metaplast

#endif  // METAPLAST_RUNTIME_MATH_PHILOX_H_
