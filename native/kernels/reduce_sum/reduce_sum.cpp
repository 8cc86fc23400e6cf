// R16 over any length without scratch memory: chunk sums go to a buffer on the stack, one span of 4096 chunks after the other.
#include "kernels/reduce_sum/reduce_sum.h"

#include "runtime/entry.h"

namespace metaplast {
namespace {

constexpr int64_t kChunk = 4096;
constexpr int64_t kSpan = kChunk * kChunk;  // 2^24 elements, whose chunk sums make up one chunk of the next level
constexpr int64_t kGrain = 65536;
constexpr int kSumLanes = 16;

// The chunk in progress of each level above the spans, fed with one sum at a time. 2^63 elements are 2^39 spans: four levels.
class UpperLevels {
 public:
  void push(float x) noexcept { push_at(0, x); }

  // R16 of everything pushed; at least one value.
  float finish() noexcept {
    int level = 0;
    while (level + 1 < kLevels && levels_[level + 1].count > 0) {
      push_at(level + 1, levels_[level].sum());
      ++level;
    }
    return levels_[level].sum();
  }

 private:
  static constexpr int kLevels = 4;

  struct Level {
    float lane[kSumLanes] = {};
    int64_t count = 0;

    float sum() const noexcept {
      float s[kSumLanes];
      for (int j = 0; j < kSumLanes; ++j) {
        s[j] = lane[j];
      }
      for (int h = 8; h > 0; h /= 2) {
        for (int j = 0; j < h; ++j) {
          s[j] = s[j] + s[j + h];
        }
      }
      return s[0];
    }
  };

  // A full chunk moves up only when more follows: a single chunk is the result itself, not an element of another level.
  void push_at(int level, float x) noexcept {
    for (; level < kLevels; ++level) {
      Level& current = levels_[level];
      const bool full = current.count == kChunk;
      const float carry = full ? current.sum() : 0.0f;
      if (full) {
        current = Level{};
      }
      float& lane = current.lane[current.count % kSumLanes];
      lane = current.count < kSumLanes ? x : lane + x;
      ++current.count;
      if (!full) {
        return;
      }
      x = carry;
    }
  }

  Level levels_[kLevels];
};

// R16 of at most kSpan elements.
float sum_span(const metaplast_context_t* context, int64_t n, const float* x) noexcept {
  float sums[kChunk];
  parallel_range(context, n, kGrain, [&](int64_t begin, int64_t end) {
    context->kernels.sum_chunks(end - begin, x + begin, sums + begin / kChunk);
  });
  const int64_t chunks = (n + kChunk - 1) / kChunk;
  if (chunks > 1) {
    float sum = 0;
    context->kernels.sum_chunks(chunks, sums, &sum);
    return sum;
  }
  return sums[0];
}

}  // namespace

float reduce_sum(const metaplast_context_t* context, int64_t n, const float* x) noexcept {
  if (n <= 0) {
    return 0.0f;
  }
  if (n <= kSpan) {
    return sum_span(context, n, x);
  }
  UpperLevels levels;
  for (int64_t begin = 0; begin < n; begin += kSpan) {
    levels.push(sum_span(context, n - begin < kSpan ? n - begin : kSpan, x + begin));
  }
  return levels.finish();
}

}  // namespace metaplast

extern "C" metaplast_status_t metaplast_reduce_sum_f32(const metaplast_context_t* context, int64_t n, const float* x, float* out) {
  if (context == nullptr || n < 0 || out == nullptr || (n > 0 && x == nullptr)) {
    return METAPLAST_E_ARGUMENT;
  }
  const metaplast::FpEnvironment environment;
  out[0] = metaplast::reduce_sum(context, n, x);
  return METAPLAST_OK;
}
