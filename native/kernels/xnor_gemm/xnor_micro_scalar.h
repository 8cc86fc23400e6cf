// Dot products of bits with what every 64-bit CPU has: counts of bits in bytes, by shifts and adds, summed at the end.
#ifndef METAPLAST_KERNELS_XNOR_MICRO_SCALAR_H_
#define METAPLAST_KERNELS_XNOR_MICRO_SCALAR_H_

#include "runtime/math/bit_words.h"

namespace metaplast {
namespace METAPLAST_TIER {
namespace {

constexpr int64_t kCols = 64;

// popcount(x xor y) over `words`, a multiple of 8.
METAPLAST_HD uint32_t differing_bits(const uint64_t* x, const uint64_t* y, int64_t words) {
  uint64_t total = 0;
  // A byte takes 31 times 8.
  constexpr int64_t kMost = 31 / (8 / kWordLanes) * 8;
  for (int64_t begin = 0; begin < words; begin += kMost) {
    const int64_t end = words - begin < kMost ? words : begin + kMost;
    Words bytes = {};
    for (int64_t w = begin; w < end; w += kWordLanes) {
      Words u, v;
      memcpy(&u, x + w, sizeof u);
      memcpy(&v, y + w, sizeof v);
      u ^= v;
      u -= (u >> 1) & 0x5555555555555555u;
      u = (u & 0x3333333333333333u) + ((u >> 2) & 0x3333333333333333u);
      bytes += (u + (u >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    }
    const Words pairs = (bytes & 0x00ff00ff00ff00ffu) + ((bytes >> 8) & 0x00ff00ff00ff00ffu);
    for (int lane = 0; lane < kWordLanes; ++lane) total += pairs[lane] * 0x0001000100010001u >> 48;
  }
  return static_cast<uint32_t>(total);
}

// out[i*step] = popcount(x xor rows[i]), i = 0..n-1. Rows are a multiple of 8 words; bits past the columns are 0 in both.
METAPLAST_HD void dots(const uint64_t* x, const uint64_t* rows, int64_t stride, int64_t n, uint32_t* out, int64_t step) {
  for (int64_t i = 0; i < n; ++i) out[i * step] = differing_bits(x, rows + i * stride, stride);
}

}  // namespace
}  // namespace METAPLAST_TIER
}  // namespace metaplast

#endif  // METAPLAST_KERNELS_XNOR_MICRO_SCALAR_H_
