// R16, the sum of many elements in a fixed order. Contract: metaplast/bayes.h.
#include "runtime/kernel_table.h"
#include "runtime/math/r16.h"

namespace metaplast {
namespace METAPLAST_TIER {
namespace {

// Four whole chunks at once, so that their addition chains overlap.
void sum_of_four_chunks(const float* x, float* sums) {
  constexpr int kVectors = kR16Lanes / W;
  R16Lanes chunk[4];
  for (int c = 0; c < 4; ++c) {
    for (int v = 0; v < kVectors; ++v) {
      chunk[c].lane[v] = load(x + c * kR16Chunk + v * W);
    }
  }
  for (int64_t i = kR16Lanes; i < kR16Chunk; i += kR16Lanes) {
    for (int c = 0; c < 4; ++c) {
      for (int v = 0; v < kVectors; ++v) {
        chunk[c].lane[v] = add(chunk[c].lane[v], load(x + c * kR16Chunk + i + v * W));
      }
    }
  }
  for (int c = 0; c < 4; ++c) {
    sums[c] = r16_fold(chunk[c]);
  }
}

}  // namespace

void sum_chunks(int64_t n, const float* x, float* sums) noexcept {
  for (; n >= 4 * kR16Chunk; n -= 4 * kR16Chunk, x += 4 * kR16Chunk, sums += 4) {
    sum_of_four_chunks(x, sums);
  }
  for (; n > 0; n -= kR16Chunk, x += kR16Chunk, ++sums) {
    const auto value = [x](int64_t i, int64_t lanes) { return lanes >= W ? load(x + i) : load_n(x + i, lanes); };
    *sums = r16_chunk(n < kR16Chunk ? n : kR16Chunk, value);
  }
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast
