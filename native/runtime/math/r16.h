// R16, the summation order of every sum over many elements: chunks of 4096; in a chunk lane j = 0..15 adds elements j, j+16, ...; then lanes j and j+h
// are added for h = 8, 4, 2, 1; several chunk sums are summed by the same rule. A lane starts from its first element (adding to -0 does that to the
// bit); a lane without elements is +0.
#ifndef METAPLAST_RUNTIME_MATH_R16_H_
#define METAPLAST_RUNTIME_MATH_R16_H_

#include "lanes.h"

namespace metaplast {
namespace METAPLAST_TIER {

constexpr int64_t kR16Chunk = 4096;
constexpr int64_t kR16Lanes = 16;

#if !defined(__CUDACC__)

// Sixteen running lanes of one chunk.
struct R16Lanes {
  F lane[kR16Lanes / W];
};

METAPLAST_HD float r16_fold(const R16Lanes& l) {
#if defined(__AVX512F__)
  const __m256 h8 = _mm256_add_ps(_mm512_castps512_ps256(l.lane[0]), _mm512_extractf32x8_ps(l.lane[0], 1));
#elif defined(__AVX2__)
  const __m256 h8 = _mm256_add_ps(l.lane[0], l.lane[1]);
#endif
#if defined(__AVX2__)
  const __m128 h4 = _mm_add_ps(_mm256_castps256_ps128(h8), _mm256_extractf128_ps(h8, 1));
  const __m128 h2 = _mm_add_ps(h4, _mm_movehl_ps(h4, h4));
  return _mm_cvtss_f32(_mm_add_ss(h2, _mm_shuffle_ps(h2, h2, 1)));
#else
  float lane[kR16Lanes];
  for (int j = 0; j < kR16Lanes; ++j) lane[j] = l.lane[j];
  for (int h = 8; h > 0; h >>= 1) {
    for (int j = 0; j < h; ++j) lane[j] = lane[j] + lane[j + h];
  }
  return lane[0];
#endif
}

// Sum of one chunk of n <= 4096 values; value(i, lanes) gives elements i .. i+lanes-1.
template <class Value>
METAPLAST_HD float r16_chunk(int64_t n, Value value) {
  R16Lanes l;
  constexpr int kVectors = kR16Lanes / W;
  for (int q = 0; q < kVectors; ++q) l.lane[q] = set(-0.0f);
  int64_t i = 0;
  for (; i + kR16Lanes <= n; i += kR16Lanes) {
    for (int q = 0; q < kVectors; ++q) l.lane[q] = add(l.lane[q], value(i + q * W, static_cast<int64_t>(W)));
  }
  for (int q = 0; i < n; ++q, i += W) {
    const int64_t lanes = n - i < W ? n - i : W;
    l.lane[q] = select(first_lanes(lanes), add(l.lane[q], value(i, lanes)), l.lane[q]);
  }
  if (n < kR16Lanes) {
    for (int q = 0; q < kVectors; ++q) {
      const int64_t with_elements = n - q * W < 0 ? 0 : n - q * W;
      l.lane[q] = select(first_lanes(with_elements), l.lane[q], set(0.0f));
    }
  }
  return r16_fold(l);
}

// Takes the sums of consecutive chunks one by one and gives their R16, level by level; for up to 2^36 elements.
class R16Chunks {
 public:
  void push(float sum) {
    int level = 0;
    while (count_[level] == kR16Chunk) {
      // A full chunk of sums becomes one sum of the next level, the new value the first of the next chunk.
      const float folded = fold(level);
      place(level, sum);
      sum = folded;
      ++level;
    }
    place(level, sum);
  }
  float finish() {
    for (int level = 0;; ++level) {
      const bool top = level >= levels_;
      if (top && count_[level] <= 1) return lane_[level][0];  // one value is itself the result; none is +0
      if (count_[level] > 0) {
        const float sum = fold(level);
        if (top) return sum;
        place(level + 1, sum);
      }
    }
  }

 private:
  void place(int level, float sum) {
    if (level > levels_) levels_ = level;
    const int64_t j = count_[level] % kR16Lanes;
    lane_[level][j] = count_[level] < kR16Lanes ? sum : lane_[level][j] + sum;
    ++count_[level];
  }
  float fold(int level) {
    float* lane = lane_[level];
    for (int64_t j = count_[level]; j < kR16Lanes; ++j) lane[j] = 0.0f;
    for (int h = 8; h > 0; h >>= 1) {
      for (int j = 0; j < h; ++j) lane[j] = lane[j] + lane[j + h];
    }
    count_[level] = 0;
    return lane[0];
  }

  float lane_[4][kR16Lanes] = {};
  int64_t count_[4] = {};
  int levels_ = 0;
};

// R16 of n values; value(i, lanes) gives elements i .. i+lanes-1.
template <class Value>
METAPLAST_HD float r16_sum(int64_t n, Value value) {
  if (n <= kR16Chunk) return n > 0 ? r16_chunk(n, value) : 0.0f;
  R16Chunks chunks;
  for (int64_t c = 0; c < n; c += kR16Chunk) {
    chunks.push(r16_chunk(n - c < kR16Chunk ? n - c : kR16Chunk, [&](int64_t i, int64_t lanes) { return value(c + i, lanes); }));
  }
  return chunks.finish();
}

#endif  // !__CUDACC__

}  // namespace METAPLAST_TIER
}  // namespace metaplast

#endif  // METAPLAST_RUNTIME_MATH_R16_H_
