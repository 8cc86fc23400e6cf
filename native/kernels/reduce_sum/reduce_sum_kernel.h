// R16, the sum of many elements in a fixed order. Contract: metaplast/bayes.h.
#include "runtime/kernel_table.h"
#include "runtime/math/lanes.h"

namespace metaplast {
namespace METAPLAST_TIER {
namespace {

constexpr int64_t kChunk = 4096;
constexpr int kSumLanes = 16;
constexpr int kVectors = kSumLanes / W;

float sum_of_lanes(const F* lanes) {
  float lane[kSumLanes];
  for (int v = 0; v < kVectors; ++v) {
    store(lane + v * W, lanes[v]);
  }
  for (int h = 8; h > 0; h /= 2) {
    for (int j = 0; j < h; ++j) {
      lane[j] = lane[j] + lane[j + h];
    }
  }
  return lane[0];
}

// Up to one chunk.
float sum_of_chunk(int64_t n, const float* x) {
  F lanes[kVectors];
  if (n >= kSumLanes) {
    for (int v = 0; v < kVectors; ++v) {
      lanes[v] = load(x + v * W);
    }
    int64_t i = kSumLanes;
    for (; i + kSumLanes <= n; i += kSumLanes) {
      for (int v = 0; v < kVectors; ++v) {
        lanes[v] = add(lanes[v], load(x + i + v * W));
      }
    }
    // Lanes past the end keep their sum: adding 0 would turn -0 into +0.
    for (int v = 0; v < kVectors && i + v * W < n; ++v) {
      const int64_t left = n - i - v * W < W ? n - i - v * W : W;
      lanes[v] = select(first_lanes(left), add(lanes[v], load_n(x + i + v * W, left)), lanes[v]);
    }
  } else {
    for (int v = 0; v < kVectors; ++v) {
      const int64_t left = n - v * W < W ? n - v * W : W;
      lanes[v] = left > 0 ? load_n(x + v * W, left) : set(0.0f);
    }
  }
  return sum_of_lanes(lanes);
}

// Four whole chunks at once, so that their addition chains overlap.
void sum_of_four_chunks(const float* x, float* sums) {
  F a[kVectors], b[kVectors], c[kVectors], d[kVectors];
  for (int v = 0; v < kVectors; ++v) {
    a[v] = load(x + v * W);
    b[v] = load(x + kChunk + v * W);
    c[v] = load(x + 2 * kChunk + v * W);
    d[v] = load(x + 3 * kChunk + v * W);
  }
  for (int64_t i = kSumLanes; i < kChunk; i += kSumLanes) {
    for (int v = 0; v < kVectors; ++v) {
      a[v] = add(a[v], load(x + i + v * W));
      b[v] = add(b[v], load(x + kChunk + i + v * W));
      c[v] = add(c[v], load(x + 2 * kChunk + i + v * W));
      d[v] = add(d[v], load(x + 3 * kChunk + i + v * W));
    }
  }
  sums[0] = sum_of_lanes(a);
  sums[1] = sum_of_lanes(b);
  sums[2] = sum_of_lanes(c);
  sums[3] = sum_of_lanes(d);
}

}  // namespace

void sum_chunks(int64_t n, const float* x, float* sums) noexcept {
  for (; n >= 4 * kChunk; n -= 4 * kChunk, x += 4 * kChunk, sums += 4) {
    sum_of_four_chunks(x, sums);
  }
  for (; n > 0; n -= kChunk, x += kChunk, ++sums) {
    *sums = sum_of_chunk(n < kChunk ? n : kChunk, x);
  }
}

}  // namespace METAPLAST_TIER
}  // namespace metaplast
