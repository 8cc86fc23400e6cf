// Rows of a softmax, a warp each: exponentials in parallel, sums in ascending order of the classes.
#ifndef METAPLAST_RUNTIME_CUDA_SOFTMAX_SIMT_H_
#define METAPLAST_RUNTIME_CUDA_SOFTMAX_SIMT_H_

#include "runtime/cuda/simt.h"

namespace metaplast {
namespace simt {

// Largest value so far, the first of equal ones; NaN is left out. index -1: none yet.
struct Maximum {
  float value = 0.0f;
  int64_t index = -1;

  METAPLAST_DEVICE void take(float x, int64_t i) {
    const bool better = index < 0 || x > value || (x == value && i < index);
    if (x == x && i >= 0 && better) {
      value = x;
      index = i;
    }
  }
};

// Over the elements first, first + stride, ... of x[0..n-1].
METAPLAST_DEVICE Maximum maximum_of_thread(const float* x, int64_t n, int64_t first, int64_t stride) {
  Maximum m;
  for (int64_t i = first; i < n; i += stride) m.take(x[i], i);
  return m;
}

METAPLAST_DEVICE Maximum maximum_of_warp(Maximum m) {
  METAPLAST_UNROLL
  for (int h = 16; h > 0; h >>= 1) {
    const float value = __shfl_xor_sync(kFullMask, m.value, h);
    const long long index = __shfl_xor_sync(kFullMask, static_cast<long long>(m.index), h);
    m.take(value, index);
  }
  return m;
}

// sum + terms of the elements 0..n-1 in ascending order; term(c) is evaluated by one lane each, `tile` holds 32 floats of this warp. All
// lanes get the sum. A sum that begins with kFirstTerm takes the first term as it is.
constexpr float kFirstTerm = -0.0f;
template <class Term>
METAPLAST_DEVICE float add_ascending(float sum, int64_t n, float* tile, const Term& term) {
  const int lane = static_cast<int>(threadIdx.x & 31);
  for (int64_t begin = 0; begin < n; begin += 32) {
    if (begin + lane < n) tile[lane] = term(begin + lane);
    __syncwarp();
    const int count = n - begin < 32 ? static_cast<int>(n - begin) : 32;
    for (int c = 0; c < count; ++c) sum = add(sum, tile[c]);
    __syncwarp();
  }
  return sum;
}

// What turns the logits of a row into probabilities: exp32(x - maximum) / sum.
struct RowScale {
  float maximum, sum;
};

// By a whole warp. NaN logits are not the maximum, but they reach the sum.
METAPLAST_DEVICE RowScale scale_of_row(const float* row, int64_t classes, float* tile) {
  RowScale s;
  const float maximum = maximum_of_warp(maximum_of_thread(row, classes, threadIdx.x & 31, 32)).value;
  s.maximum = maximum;
  s.sum = add_ascending(kFirstTerm, classes, tile, [=](int64_t c) { return exp32(sub(row[c], maximum)); });
  return s;
}

// ln32 for sums of exponentials; ln32 itself is for normal numbers only.
METAPLAST_DEVICE float ln_of_sum(float sum) { return is_nan(sum) ? sum : ln32(sum); }

}  // namespace simt
}  // namespace metaplast

#endif  // METAPLAST_RUNTIME_CUDA_SOFTMAX_SIMT_H_
