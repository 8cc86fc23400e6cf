#include "runtime/kernel_table.h"
#include "runtime/math/lanes.h"

namespace metaplast {
namespace METAPLAST_TIER {

namespace {

constexpr int64_t kSide = 8;  // of the squares in which a tile is transposed

#if defined(__AVX2__)
// to[c][r] (+)= from[r][c] of a square.
METAPLAST_HD void add_transposed(const int32_t* from, int64_t ld, bool accumulate, int32_t* to, int64_t to_ld) {
  __m256i v[8], t[8];
  for (int r = 0; r < 8; ++r) v[r] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + r * ld));
  for (int r = 0; r < 8; r += 2) {
    t[r] = _mm256_unpacklo_epi32(v[r], v[r + 1]);
    t[r + 1] = _mm256_unpackhi_epi32(v[r], v[r + 1]);
  }
  for (int r = 0; r < 8; r += 4) {
    for (int h = 0; h < 2; ++h) {
      v[r + 2 * h] = _mm256_unpacklo_epi64(t[r + h], t[r + h + 2]);
      v[r + 2 * h + 1] = _mm256_unpackhi_epi64(t[r + h], t[r + h + 2]);
    }
  }
  for (int c = 0; c < 4; ++c) {
    t[c] = _mm256_permute2x128_si256(v[c], v[c + 4], 0x20);
    t[c + 4] = _mm256_permute2x128_si256(v[c], v[c + 4], 0x31);
  }
  for (int c = 0; c < 8; ++c) {
    __m256i* target = reinterpret_cast<__m256i*>(to + c * to_ld);
    _mm256_storeu_si256(target, accumulate ? _mm256_add_epi32(t[c], _mm256_loadu_si256(target)) : t[c]);
  }
}
#endif

}  // namespace

// Adds the part of a tile that lies on and above the diagonal to s and, transposed, what lies above it: tile [rows][ld] holds rows i.., columns j...
void add_symmetric(int64_t rows, int64_t cols, const int32_t* tile, int64_t ld, int64_t i, int64_t j, bool accumulate, int32_t* s,
                   int64_t lds) noexcept {
  for (int64_t r = 0; r < rows; ++r) {
    const int32_t* __restrict__ from = tile + r * ld;
    int32_t* __restrict__ to = s + (i + r) * lds + j;
    const int64_t first = i + r > j ? i + r - j : 0;
    if (accumulate) {
      for (int64_t c = first; c < cols; ++c) to[c] += from[c];
    } else {
      for (int64_t c = first; c < cols; ++c) to[c] = from[c];
    }
  }
  for (int64_t c0 = 0; c0 < cols; c0 += kSide) {
    for (int64_t r0 = 0; r0 < rows; r0 += kSide) {
      const int64_t above = j + c0 - i;  // rows above the diagonal in the first column
#if defined(__AVX2__)
      if (r0 + kSide <= rows && c0 + kSide <= cols && r0 + kSide <= above) {
        add_transposed(tile + r0 * ld + c0, ld, accumulate, s + (j + c0) * lds + i + r0, lds);
        continue;
      }
#endif
      for (int64_t c = c0; c < cols && c < c0 + kSide; ++c) {
        const int64_t most = rows < above + c - c0 ? rows : above + c - c0;
        const int64_t end = most < r0 + kSide ? most : r0 + kSide;
        const int32_t* from = tile + c;
        int32_t* to = s + (j + c) * lds + i;
        for (int64_t r = r0; r < end; ++r) to[r] = (accumulate ? to[r] : 0) + from[r * ld];
      }
    }
  }
}

void factor_moving_average(int64_t n, const int32_t* s, float inverse_batch, float decay, float fresh, float* a) noexcept {
  const int32_t* __restrict__ sums = s;
  float* __restrict__ average = a;
  for (int64_t i = 0; i < n; ++i) {
    float t = static_cast<float>(sums[i]);
    t = t * inverse_batch;
    t = fresh * t;
    const float old = decay * average[i];
    average[i] = old + t;
  }
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast
