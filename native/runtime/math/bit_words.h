// Transposition of bits and of 64-bit words, for bit matrices (metaplast/binary.h). One text for all tiers.
#ifndef METAPLAST_RUNTIME_MATH_BIT_WORDS_H_
#define METAPLAST_RUNTIME_MATH_BIT_WORDS_H_

#include "runtime/math/lanes.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace metaplast {
namespace METAPLAST_TIER {

#if defined(__AVX512F__)
typedef uint64_t Words __attribute__((vector_size(64)));
#elif defined(__AVX2__)
typedef uint64_t Words __attribute__((vector_size(32)));
#else
typedef uint64_t Words __attribute__((vector_size(16)));
#endif
constexpr int kWordLanes = sizeof(Words) / 8;

// Swaps bits kShift.. of `low` with bits 0.. of `high`, in groups of kShift: one step of a transposition.
template <int kShift>
METAPLAST_HD void swap_bit_groups(Words* low, Words* high) {
  constexpr uint64_t kMask = ~uint64_t{0} / ((uint64_t{1} << kShift) + 1);
  const Words t = ((*low >> kShift) ^ *high) & kMask;
  *high ^= t;
  *low ^= t << kShift;
}

// Three steps on rows 0, kStride, ..., 7*kStride, in registers.
template <int kStride>
METAPLAST_HD void swap_bits_of_eight(uint64_t* rows) {
  Words v[8];
  for (int i = 0; i < 8; ++i) memcpy(&v[i], rows + i * kStride * 8, sizeof(Words));
  for (int i = 0; i < 4; ++i) swap_bit_groups<4 * kStride>(&v[i], &v[i + 4]);
  for (int i = 0; i < 8; i += 4) {
    swap_bit_groups<2 * kStride>(&v[i], &v[i + 2]);
    swap_bit_groups<2 * kStride>(&v[i + 1], &v[i + 3]);
  }
  for (int i = 0; i < 8; i += 2) swap_bit_groups<kStride>(&v[i], &v[i + 1]);
  for (int i = 0; i < 8; ++i) memcpy(rows + i * kStride * 8, &v[i], sizeof(Words));
}

// Transposes eight 64x64 blocks of bits that lie beside each other, rows [64][8] words: word b of row c becomes column 64*b + c, the bit of
// row r in bit r. Vector lanes are blocks, so that every step is vertical.
METAPLAST_HD void transpose_bit_blocks(uint64_t* rows) {
  for (int lane = 0; lane < 8; lane += kWordLanes) {
    for (int i = 0; i < 8; ++i) swap_bits_of_eight<8>(rows + i * 8 + lane);
    for (int i = 0; i < 64; i += 8) swap_bits_of_eight<1>(rows + i * 8 + lane);
  }
}

#if defined(__AVX512F__)
METAPLAST_HD void transpose_lanes(__m512i (&v)[8]) {
  __m512i t[8];
  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm512_unpacklo_epi64(v[i], v[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi64(v[i], v[i + 1]);
  }
  __m512i u[8];
  for (int i = 0; i < 8; i += 4) {
    for (int j = 0; j < 2; ++j) {
      u[i + j] = _mm512_shuffle_i64x2(t[i + j], t[i + j + 2], 0x88);
      u[i + j + 2] = _mm512_shuffle_i64x2(t[i + j], t[i + j + 2], 0xdd);
    }
  }
  for (int j = 0; j < 4; ++j) {
    v[j] = _mm512_shuffle_i64x2(u[j], u[j + 4], 0x88);
    v[j + 4] = _mm512_shuffle_i64x2(u[j], u[j + 4], 0xdd);
  }
}
#endif

// out[j][i] = in[i][j] for i = 0..7, j = 0..count-1 (count <= 8); strides in words.
METAPLAST_HD void transpose_words(const uint64_t* in, int64_t in_stride, uint64_t* out, int64_t out_stride, int count) {
#if defined(__AVX512F__)
  __m512i v[8];
  for (int i = 0; i < 8; ++i) v[i] = _mm512_loadu_si512(in + i * in_stride);
  transpose_lanes(v);
  if (count == 8) {
    for (int j = 0; j < 8; ++j) _mm512_storeu_si512(out + j * out_stride, v[j]);
  } else {
    for (int j = 0; j < count; ++j) _mm512_storeu_si512(out + j * out_stride, v[j]);
  }
#else
  for (int j = 0; j < count; ++j) {
    for (int i = 0; i < 8; ++i) out[j * out_stride + i] = in[i * in_stride + j];
  }
#endif
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast

#endif  // METAPLAST_RUNTIME_MATH_BIT_WORDS_H_
