// R16 (metaplast/bayes.h) on sixteen threads: thread j of a half-warp is lane j. The other half may do the same on the same values or work
// on a sum of its own; shuffles stay inside a half.
#ifndef METAPLAST_RUNTIME_CUDA_R16_SIMT_H_
#define METAPLAST_RUNTIME_CUDA_R16_SIMT_H_

#include "runtime/cuda/simt.h"
#include "runtime/math/r16.h"

namespace metaplast {
namespace simt {

// A lane that starts from its first element: adding to -0 gives that element to the bit.
constexpr float kR16Start = -0.0f;

METAPLAST_DEVICE int r16_lane() { return static_cast<int>(threadIdx.x & 15); }

// Adds the lanes up, those from `with_elements` on being empty. Every thread of the half gets the sum. All threads of a warp take part.
METAPLAST_DEVICE float r16_fold(float lane, int64_t with_elements) {
  float x = r16_lane() < with_elements ? lane : 0.0f;
  METAPLAST_UNROLL
  for (int h = 8; h > 0; h >>= 1) x = add(x, __shfl_down_sync(kFullMask, x, static_cast<unsigned>(h), 16));
  return __shfl_sync(kFullMask, x, 0, 16);
}

// Sums of consecutive chunks, one by one, summed by the same rule level by level; for up to 4096^3 elements. All threads of a half pass the
// same sum; both halves make the same calls.
class R16Sums {
 public:
  METAPLAST_DEVICE void push(float sum) {
    if (count_ == kR16Chunk) next_level();
    if ((count_ & 15) == r16_lane()) lane_ = add(lane_, sum);
    ++count_;
  }
  METAPLAST_DEVICE float finish() {
    if (above_count_ == 0 && count_ <= 1) return count_ == 0 ? 0.0f : __shfl_sync(kFullMask, lane_, 0, 16);
    if (above_count_ == 0) return r16_fold(lane_, count_);
    next_level();
    return r16_fold(above_, above_count_);
  }

 private:
  METAPLAST_DEVICE void next_level() {
    const float sum = r16_fold(lane_, count_);
    if ((above_count_ & 15) == r16_lane()) above_ = add(above_, sum);
    ++above_count_;
    lane_ = kR16Start;
    count_ = 0;
  }

  float lane_ = kR16Start, above_ = kR16Start;
  int64_t count_ = 0, above_count_ = 0;
};

}  // namespace simt
}  // namespace metaplast

#endif  // METAPLAST_RUNTIME_CUDA_R16_SIMT_H_
